"""Units of a network: powers of two by which its arrays are multiplied, so that floats can search it (`net.usual_units` chooses them).

relu(2^k h) = 2^k relu(h), and (2^k h)^2 = 2^(2k) h^2. So when L and R of neuron i are multiplied by 2^inputs[i], its row of U by
2^votes[i] and the bias by 2^logits, with d inputs[i] + votes[i] = logits for every neuron that matters and d the activation's degree,
every logit is multiplied by 2^logits: all margins are, the order of the logits stays, and so do all answers. A number that is added to
all logits changes no margin either. Products with powers of two are exact: integers always, float64 numbers but at their two ends.
What is found in other units is carried back with `Units.back`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Exponents = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Units:
    """Exponents of powers of two by which a network is multiplied; see the module's docstring.

    Attributes:
        inputs, votes: for every neuron those of its columns of L and R, and of its row of U.
        logits: that of the bias and of all logits.
        degree: d, which is 1 with relu and 2 with squares.

    """

    inputs: Exponents
    votes: Exponents
    logits: int
    degree: int = 1

    @classmethod
    def of(cls, width: int, inputs: int, votes: int, degree: int = 1) -> Units:
        """The same for every neuron."""
        same = np.full(width, inputs, dtype=np.int64), np.full(width, votes, dtype=np.int64)
        return cls(*same, degree * inputs + votes, degree)

    @property
    def own(self) -> bool:
        """Whether nothing is multiplied."""
        return not (self.inputs.any() or self.votes.any() or self.logits)

    @property
    def back(self) -> Units:
        """The units that undo these."""
        return Units(-self.inputs, -self.votes, -self.logits, self.degree)

    def select(self, neurons: npt.ArrayLike) -> Units:
        """Those of the network that keeps these neurons."""
        chosen = np.asarray(neurons, dtype=np.intp)
        return Units(self.inputs[chosen], self.votes[chosen], self.logits, self.degree)

    def denominators(self, preactivation_bits: int, vote_bits: int) -> tuple[int, int]:
        """The least p and v for which all integers over 2^preactivation_bits and 2^vote_bits are integers over these, multiplied."""
        p = max([0, *(preactivation_bits - self.inputs).tolist()]) if len(self.inputs) else preactivation_bits
        v = max([0, *(vote_bits - self.votes).tolist()])
        return p, max(v, self.degree * (preactivation_bits - p) + vote_bits - self.logits)
