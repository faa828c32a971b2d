"""Forward error bounds of sums of products, for any order of summation, with or without fused multiply-add.

    |fl(a.b) - a.b| <= gamma_k |a|.|b| + k * tiny,        gamma_k = k u / (1 - k u)

for k products (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1; the last term covers
products that underflow, also on a processor that flushes them to zero).
"""

import numpy as np
import numpy.typing as npt

#: Unit roundoffs.
U32 = 2.0**-24
U64 = 2.0**-53
#: The smallest positive float64: no rounding towards the subnormals costs more (Higham, 2.1).
TINY64 = 2.0**-1074
#: The smallest normal float32: what flushing one product to zero can cost at most.
TINY32 = 2.0**-126
#: Factor that covers the roundings of a bound that was computed in float64 from at most 2^20 nonnegative terms.
INFLATE = 1.0 + 2.0**-30

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

__all__ = ["INFLATE", "TINY32", "TINY64", "U32", "U64", "Floats", "Singles", "gamma", "inflate"]


def inflate(terms: int) -> float:
    """The factor 1 + 2 (k + 30) u that covers the roundings of a bound computed in float64 from so many nonnegative terms k.

    A sum of k nonnegative terms, each with up to 30 roundings of its own, is computed too small by a factor of at least
    (1 - u)^(k + 30) >= 1 - (k + 30) u (Higham, 3.1), u = 2^-53, and 1 / (1 - t) <= 1 + 2 t up to t = 1/2. Unlike ``INFLATE`` for any k.
    """
    return 1.0 + 2.0 * (terms + 30) * U64


def gamma(terms: int, unit: float) -> float:
    """The factor k u / (1 - k u), rounded up; ValueError when k u is not below 1/2: then it bounds nothing."""
    product = terms * unit
    if product >= 0.5:
        raise ValueError(f"expected fewer than {0.5 / unit:.3g} terms in a rounding bound, got {terms}")
    return product / (1 - product) * INFLATE
