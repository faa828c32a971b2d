"""Representations and characters of a group: irreps, character tables, the Fourier transform."""
