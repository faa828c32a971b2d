"""Claimed algorithms against checkpoints: the claims language, its kinds, and the libraries of published claims (docs/claims.md)."""
