"""Representations and characters of a group: irreps, character tables, linear characters, the Fourier transform."""
