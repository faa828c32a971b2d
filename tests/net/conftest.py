"""Networks and files for the tests of net/."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from algebra.group import parse_group
from net.formats.layers import Layers
from net.planted import planted_network

PUBLISHED = Path(__file__).parents[3] / "shared" / "checkpoints" / "chughtai"


@pytest.fixture(scope="session")
def published():
    """Path of a network published with arXiv 2302.03025, by name; skips where the files are absent."""

    def path(name):
        file = PUBLISHED / name / "model.pt"
        if not file.is_file():
            pytest.skip(f"the published checkpoint {name} is not at {PUBLISHED}")
        return file

    return path


@pytest.fixture(scope="session")
def s3():
    return parse_group("S3")


@pytest.fixture(scope="session")
def planted_s3(s3):
    """Folded float32 arrays (L, R, U) of a network over S3 that is right on all pairs."""
    weights = planted_network(s3, seed=0, width=24).network.weights
    return tuple(array.astype(np.float32) for array in (weights.L, weights.R, weights.U))


@pytest.fixture
def random_layers():
    """Random float32 layers with n = 6 elements, embeddings of length 5, 4 neurons, and both biases."""
    rng = np.random.default_rng(7)

    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32).astype(np.float64)

    return Layers((draw(6, 5), draw(5, 4)), (draw(6, 5), draw(5, 4)), draw(4, 6), draw(6), draw(4))
