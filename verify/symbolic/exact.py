"""The type of arrays of exact integers, which proofs are made of."""

from typing import Any

import numpy.typing as npt

#: int64 where no sum can leave 64 bits, else Python's integers (dtype object). numpy's types have no word for "one of these two".
Exact = npt.NDArray[Any]
