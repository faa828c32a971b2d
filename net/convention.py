"""Which element order and which product a checkpoint has in mind, as data (`net.detection` finds them)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from algebra.numbering import ELEMENT_ORDERS

PRODUCTS = ("left-first", "right-first")
#: The published numberings, and "table" for one read off the network's own table of answers.
ORDERS = (*ELEMENT_ORDERS, "table")

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Convention:
    """A checkpoint's numbering of the elements and its product.

    Attributes:
        order: one of ORDERS.
        product: "left-first" or "right-first".
        numbering: (n,) index in the group of each of the checkpoint's indices.
        sample_accuracy: share of the sampled inputs on which the network answers this product.
        sample_pairs: number of sampled inputs.

    """

    order: str
    product: str
    numbering: Indices
    sample_accuracy: float
    sample_pairs: int
