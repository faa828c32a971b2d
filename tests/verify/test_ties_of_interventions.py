"""Level 3 takes equal greatest logits for a tie, which is no answer: right nowhere, and never clear."""

import numpy as np
import pytest

from algebra.group import parse_group
from net.weights import Weights
from verify.compare.comparison import compare

S3 = parse_group("S3")


def constant(votes: list[float]) -> Weights:
    """The network on S3 whose logits are ``votes`` at every pair: one neuron whose activation is 1 + 1."""
    return Weights.from_arrays(np.ones((6, 1)), np.ones((6, 1)), np.array([votes]) / 2)


@pytest.mark.parametrize("votes", [[0.0] * 6, [2.0, 2, 0, 0, 0, 0]])
def test_a_tie_is_wrong_and_not_clear(votes: list[float]) -> None:
    """The first of equals is output 0, which is the product at 6 of the 36 pairs."""
    tied = constant(votes)
    found = compare(tied, tied, S3.mul)
    assert (found.network_right, found.program_right, found.clear, found.agree_when_clear) == (0, 0, 0, None)
    assert (found.answers_agree, found.in_top_set) == (1, 1)


def test_a_tie_is_no_answer_of_the_other_side() -> None:
    """One side answers output 0 everywhere, which is right at 6 of the 36 pairs; the other has a tie of outputs 0 and 1."""
    alone, tied = constant([2.0, 0, 0, 0, 0, 0]), constant([2.0, 2, 0, 0, 0, 0])
    found = compare(alone, tied, S3.mul)
    assert (found.network_right, found.program_right, found.answers_agree, found.clear) == (1 / 6, 0, 0, 0)
    assert found.in_top_set == 1  # output 0 is one of the program's best
    found = compare(tied, alone, S3.mul)
    assert (found.network_right, found.program_right, found.answers_agree, found.in_top_set) == (0, 1 / 6, 0, 0)
