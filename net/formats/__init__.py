"""Checkpoint files: opening them safely, and one module for each published layout."""
