"""Coset-voting programs: their forms, the program, and its quantisation."""
