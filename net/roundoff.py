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

__all__ = ["INFLATE", "TINY32", "TINY64", "U32", "U64", "Floats", "Singles", "gamma"]


def gamma(terms: int, unit: float) -> float:
    """The factor k u / (1 - k u), rounded up; ValueError when k u is not below 1/2: then it bounds nothing."""
    product = terms * unit
    if product >= 0.5:
        raise ValueError(f"expected fewer than {0.5 / unit:.3g} terms in a rounding bound, got {terms}")
    return product / (1 - product) * INFLATE
