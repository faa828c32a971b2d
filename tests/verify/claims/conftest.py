"""The bundled network of S5 under claims, and a replayer of counterexamples that shares no code with verify/ or algebra/."""

import itertools
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from net.bundled import bundled_checkpoint
from net.planted import planted_network
from verify.claims.claim import Claim
from verify.claims.decide import open_subject
from verify.claims.schema import KINDS
from verify.claims.subject import Subject


@pytest.fixture(scope="session")
def s5():
    """The bundled network of S5."""
    return open_subject(bundled_checkpoint("S5"), "S5", Path())


@pytest.fixture(scope="session")
def planted_s4():
    """A network over S4 that is right everywhere, with every kind of neuron, and what each neuron is."""
    from algebra.group import parse_group

    kinds = {"twisted": 4, "sign": 3, "dual": 2, "dead": 3, "raw": 1}
    planted = planted_network(parse_group("S4"), seed=5, width=64, kinds=kinds)
    return Subject(planted.network), planted.neurons


@pytest.fixture(scope="session")
def claim():
    """Build a claim by kind and keys, as the schema would."""

    def build(kind: str, **keys) -> Claim:
        return KINDS[kind](**keys)

    return build


class Replay:
    """A network by its exact weights, on permutations as tuples; everything from the definitions, in Fractions and integers."""

    def __init__(self, weights, degree):
        exact = weights.exact()
        self.elements = list(itertools.permutations(range(degree)))
        self.index = {p: k for k, p in enumerate(self.elements)}
        unit, vote = Fraction(1, 2**exact.preactivation_bits), Fraction(1, 2**exact.vote_bits)
        self.L, self.R, self.U = (exact.L, unit), (exact.R, unit), (exact.U, vote)
        self.b = (exact.b, unit * vote)

    def element(self, text):
        """Cycle notation, points from 1, as a tuple of images from 0."""
        degree = len(self.elements[0])
        images = list(range(degree))
        for cycle in re.findall(r"\(([^()]*)\)", text):
            points = [int(p) - 1 for p in cycle.split()]
            for a, b in zip(points, points[1:] + points[:1], strict=True):
                images[a] = b
        return tuple(images)

    def times(self, x, y):
        """First x, then y."""
        return tuple(y[i] for i in x)

    def inverse(self, x):
        """The permutation that undoes x."""
        return tuple(sorted(range(len(x)), key=x.__getitem__))

    def left(self, neuron, x):
        """L[x, neuron], exactly."""
        return self.L[1] * int(self.L[0][self.index[x], neuron])

    def right(self, neuron, y):
        """R[y, neuron], exactly."""
        return self.R[1] * int(self.R[0][self.index[y], neuron])

    def vote(self, neuron, z):
        """U[neuron, z], exactly."""
        return self.U[1] * int(self.U[0][neuron, self.index[z]])

    def answer(self, x, y, neurons=None, act=lambda a: max(a, 0)):
        """The tuple with the unique greatest logit, or None."""
        chosen = range(self.L[0].shape[1]) if neurons is None else neurons
        hidden = {i: act(self.left(i, x) + self.right(i, y)) / self.L[1] for i in chosen}
        assert all(h.denominator == 1 for h in hidden.values())
        logits = [int(b) for b in self.b[0]]  # in the bias' unit, that of L times that of U
        for i, h in hidden.items():
            if h:
                logits = [a + h.numerator * int(u) for a, u in zip(logits, self.U[0][i], strict=True)]
        top = max(logits)
        return self.elements[logits.index(top)] if logits.count(top) == 1 else None

    def shown(self, answer):
        """An answer as a counterexample shows it: a tuple, or None for a tie."""
        return None if answer == "a tie" else self.element(answer)


@pytest.fixture(scope="session")
def replay():
    """Replay counterexamples on some weights over S_n."""
    return Replay


@pytest.fixture(scope="session")
def concentration_by_definition():
    """C_H(f), sum over cosets of Var[f | coset] / Var[f] with ddof 1, for label arrays of cosets."""

    def compute(f, labels):
        return sum(np.var(f[labels == c], ddof=1) for c in np.unique(labels)) / np.var(f, ddof=1)

    return compute
