"""Whole jobs: a run, a sweep, the page of a neuron."""
