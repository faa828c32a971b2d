"""A module is compared with what its tensors say; where its rounding hides which activation it has, nothing is compared."""

from typing import Any

import numpy as np
import pytest

import verify
from net.errors import MalformedInput

ACTIVATIONS = ("relu", "abs", "leaky_relu", "square", "gelu")


def module(activation: str, bias: float, dtype: str = "float32", shift: float = 0.0, votes: float = 1.0) -> Any:
    """A module on C2 with two neurons, whose preactivations are x - y and y - x, and ``shift`` more."""
    import torch

    class Network(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            kind = getattr(torch, dtype)
            tensors = {"L": [[0.0, 1.0], [1.0, 0.0]], "R": [[0.0, -1.0], [-1.0, 0.0]], "U": [[-votes, votes]] * 2, "b": [bias, bias]}
            for name, values in tensors.items():
                tensor = torch.tensor(values, dtype=kind) + (shift if name == "L" else 0.0)
                self.register_parameter(name, torch.nn.Parameter(tensor))

        def forward(self: Any, x: Any, y: Any) -> Any:
            hidden = self.L[x] + self.R[y]
            fired = getattr(torch if activation in ("square", "abs") else torch.nn.functional, activation)(hidden)
            return fired @ self.U + self.b

    return Network()


def read(network: Any) -> verify.Analysis:
    return verify.analyse(network, group="C2", order="lexicographic", product="left-first")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_common_bias_that_hides_the_activation_is_refused(activation: str, dtype: str) -> None:
    """All logits are 10^30 whatever the activation is: |p| was taken for relu."""
    with pytest.raises(MalformedInput, match="rounding hides whether it is relu or leaky relu"):
        read(module(activation, 1e30, dtype))


@pytest.mark.parametrize("bias", [0.0, 1.0])
def test_without_it_the_activation_is_told(bias: float) -> None:
    """The network answers 1 where x and y differ, and has ties elsewhere."""
    assert read(module("relu", bias)).correct.right == 2
    for other in ACTIVATIONS[1:]:
        with pytest.raises(MalformedInput, match="computes what its tensors say"):
            read(module(other, bias))


def test_the_tensors_alone_are_taken_as_read() -> None:
    assert read(module("abs", 1e30).state_dict()).correct.right == 2


def test_activations_that_are_the_same_here_need_not_be_told_apart() -> None:
    """Votes that are all the same: no activation changes any logit but by a constant."""
    found = read(module("gelu", 1e30, votes=0.0))
    assert found.correct.right == 0


def test_positive_preactivations_are_told_from_squares_alone() -> None:
    """With 2 more L + R is never below 0, so |p| is relu there; the square is not, and a large bias hides it."""
    assert read(module("abs", 0.0, shift=2.0)).network.width == 2
    with pytest.raises(MalformedInput, match="computes what its tensors say"):
        read(module("square", 0.0, shift=2.0))
    with pytest.raises(MalformedInput, match="hides whether it is relu or the square"):
        read(module("abs", 1e30, shift=2.0))


def test_the_edge_is_twice_what_rounding_allows() -> None:
    """Whatever the bias, not both of relu and leaky relu are read as relu; large ones hide it, small ones do not."""
    verdicts = []
    for exponent in range(0, 40):
        outcome = []
        for activation in ("relu", "leaky_relu"):
            try:
                read(module(activation, float(2**exponent)))
                outcome.append("read")
            except MalformedInput as error:
                outcome.append("hidden" if "hides" in str(error) else "other")
        verdicts.append(tuple(outcome))
    assert ("read", "read") not in verdicts
    assert verdicts[0] == ("read", "other")
    assert verdicts[-1] == ("hidden", "hidden")
    assert np.all([one in (("read", "other"), ("hidden", "other"), ("hidden", "hidden")) for one in verdicts])
