"""Which element order and which product a checkpoint has in mind: detected, never assumed.

A checkpoint numbers the elements of the group and was trained on "x first, then y" (left-first) or on the
opposite (right-first). The published pairs are compared with the network's answers on a sample of inputs.
Where none of them makes the network right throughout, the network's own table of answers is looked at: if it
is the Cayley table of a group, the isomorphism to ours is the numbering, whatever it is.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from algebra.numbering import ELEMENT_ORDERS, element_order
from algebra.plural import plural
from net.answers import sampled_answers
from net.convention import ORDERS, PRODUCTS, Convention
from net.errors import MalformedInput
from net.isomorphism import is_group_table, isomorphism

if TYPE_CHECKING:
    from algebra.group import FiniteGroup
    from net.convention import Indices
    from net.folded import FoldedNetwork
    from net.weights import Weights

#: Inputs compared; all of them where the group has no more.
SAMPLE = 4096
#: Probability with which the rule of `beats_chance` accepts what is no better than chance.
FALSE_POSITIVE = 1e-9
#: Largest group whose network's own table is computed (2 n^3 m operations).
TABLE_LIMIT = 1500


def with_convention(network: FoldedNetwork, order: str | None = None, product: str | None = None) -> FoldedNetwork:
    """The network, given in a checkpoint's numbering and product, in the group's own.

    Raises:
        MalformedInput: an override is unknown, or no convention fits (see `detect_convention`).

    """
    convention = detect_convention(network.weights, network.group, order, product)
    # element g of the group is the checkpoint's element positions[g]
    positions = np.argsort(convention.numbering)
    network = replace(network.permuted(positions), convention=convention)
    return network.exchanged() if convention.product == "right-first" else network


def detect_convention(weights: Weights, group: FiniteGroup, order: str | None = None, product: str | None = None) -> Convention:
    """The convention under which the network is right most often; `order` and `product` narrow the choice.

    In this order: a published convention under which every sampled answer is right; the isomorphism from the
    network's own table (when nothing was prescribed, or order = "table"); the published convention with the
    most right answers if it `beats_chance`. When both are prescribed they are taken as they are.

    Raises:
        MalformedInput: nothing fits.

    """
    for given, known, what in ((order, ORDERS, "element order"), (product, PRODUCTS, "product")):
        if given is not None and given not in known:
            raise MalformedInput(f"expected as {what} one of {', '.join(known)}, got {given!r}")
    x, y = _sample(group.order)
    answers = sampled_answers(weights, x, y)
    best: Convention | None = None
    for name, side in itertools.product(ELEMENT_ORDERS, PRODUCTS):
        perfect = best is not None and best.sample_accuracy == 1  # spares the import of sympy
        if order in (None, name) and product in (None, side) and not perfect:
            measured = _measured(group, name, side, x, y, answers)
            if best is None or measured.sample_accuracy > best.sample_accuracy:
                best = measured
    if best is not None and (best.sample_accuracy == 1 or (order and product)):
        return best
    if order == "table" or (order is None and product is None):
        found = _from_own_table(weights, group)
        if found is not None:
            return found
    if best is None or not beats_chance(best, group):
        raise MalformedInput(_refusal(best, group))
    return best


def chance_level(group: FiniteGroup) -> float:
    """Share of right pairs that counts as chance: 2 k / n, at most 3/4, for k conjugacy classes.

    k / n is the share of pairs that commute: what a perfect network scores under the opposite product. The
    factor 2 covers the element orders too (the tests compare all published tables of a dozen groups). Abelian
    groups get 3/4: an imperfect network over one of those needs its convention prescribed.
    """
    return min(0.75, 2 * len(group.conjugacy_classes) / group.order)


def beats_chance(convention: Convention, group: FiniteGroup) -> bool:
    """Whether the accuracy on the sample is clearly above `chance_level` q.

    On all pairs: accuracy a > q. On a sample of N: exp(-N KL(a, q)) <= FALSE_POSITIVE / 6, where KL is the
    relative entropy of coins with these biases. By Chernoff's bound (Hoeffding 1963, Theorem 1) a network
    that is right on at most a share q of the pairs passes under one of the six published conventions with
    probability at most FALSE_POSITIVE.
    """
    level, accuracy, count = chance_level(group), convention.sample_accuracy, convention.sample_pairs
    if accuracy <= level:
        return False
    if count == group.order**2:
        return True
    divergence = accuracy * math.log(accuracy / level)
    if accuracy < 1:
        divergence += (1 - accuracy) * math.log((1 - accuracy) / (1 - level))
    return count * divergence >= math.log(6 / FALSE_POSITIVE)


def _sample(order: int) -> tuple[Indices, Indices]:
    """All pairs where they are at most SAMPLE, else SAMPLE pairs drawn with replacement from a fixed seed."""
    if order * order <= SAMPLE:
        x, y = np.divmod(np.arange(order * order), order)
        return x, y
    drawn = np.random.PCG64(0).random_raw((2, SAMPLE)) % np.uint64(order)
    return drawn[0].astype(np.intp), drawn[1].astype(np.intp)


def _measured(group: FiniteGroup, order: str, product: str, x: Indices, y: Indices, answers: Indices) -> Convention:
    numbering = np.asarray(element_order(group, order), dtype=np.intp)
    first, second = (x, y) if product == "left-first" else (y, x)
    right = (answers >= 0) & (numbering[answers] == group.mul[numbering[first], numbering[second]])
    return Convention(order, product, numbering, float(right.mean()), len(x))


def _from_own_table(weights: Weights, group: FiniteGroup) -> Convention | None:
    """The convention read off the network's answers on all pairs; None when these are not those of a group.

    A right-first network has an isomorphic table too (by inversion), so the product is always left-first.

    Raises:
        MalformedInput: the answers are the products of a group that is not isomorphic to this one.

    """
    n = group.order
    columns = np.arange(n)
    if n > TABLE_LIMIT:
        return None
    for row in range(min(n, 8)):  # cheap: a network with mistakes seldom gets past these
        if len(np.unique(sampled_answers(weights, np.full(n, row), columns))) < n:
            return None
    table = np.stack([sampled_answers(weights, np.full(n, row), columns) for row in range(n)])
    if not is_group_table(table):
        return None
    numbering = isomorphism(table, group)
    if numbering is None:
        raise MalformedInput(f"expected a network for {group.name}, got one whose answers are those of another group of order {n}")
    return Convention("table", "left-first", numbering, 1.0, n * n)


def _refusal(best: Convention | None, group: FiniteGroup) -> str:
    expected = f"expected a network that multiplies in {group.name} under one of the known element orders"
    if best is None:
        return f"{expected}, got one whose own answers are not the table of a group"
    return (
        f"{expected}, got one that is right on {best.sample_accuracy:.1%} of {plural(best.sample_pairs, 'input')} at "
        f"best ({best.order}, {best.product}), not clearly more than {chance_level(group):.1%}; with both order and "
        "product given, its mistakes are counted under these"
    )
