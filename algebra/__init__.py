"""Permutation groups: elements, subgroups, cosets, lattices, characters, representations."""
