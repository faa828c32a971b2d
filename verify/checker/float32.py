"""Which answers a float32 forward pass gives, whatever the order of summation, with or without fused multiply-add.

What this module proves: at a pair for which `Forward.firm` is true, the logit of the right answer, computed in float32 (round to
nearest, denormal numbers kept), is larger than every other one.

A dot product of k terms errs by at most gamma_k sum |a_j b_j| + k eta (1 + gamma_k), gamma_k = k u / (1 - k u), u = 2^-24, eta =
2^-150 for products that underflow (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1), which is at most

    k (sum |a_j b_j| + t) / (2^24 - k),        t = 2^-126.

With K terms in a pre-activation p_i whose products have the absolute sum A_i, and M terms in a logit, relu(p_i) errs by at most
e_i = K (A_i + t) / (2^24 - K), less -p_i where p_i < 0, and logit z by at most

    E_z = sum_i e_i |U_iz| + M (sum_i (relu(p_i) + e_i) |U_iz| + |b_z| + t) / (2^24 - M)
        = [sum_i c_i |U_iz| + (2^24 - K) M (|b_z| + t)] / ((2^24 - K) (2^24 - M)),
    c_i = 2^24 (2^24 - K) e_i + M (2^24 - K) relu(p_i)        (0 where e_i <= 0: the neuron stays silent).

All of these are integers when A_i, t and c_i are taken over 2^q, q = max(bits, 126).

With 2^23 terms or more nothing is said: then gamma_k is 1 or more, and from 2^24 on it bounds nothing (2^24 + 1 ones, added up one
after the other, give 2^24). With fewer, no sum exceeds four times the sum of absolute products, twice for each layer, so nothing
overflows where these sums stay below 2^126.
"""

from operator import add, mul

from .integers import Network, Packed, Rows, columns

#: K and M are below this.
LARGEST_TERMS = 2**23


class Forward:
    """The float32 forward pass of a network.

    ``left`` and ``right`` are the absolute sums that make up A_i = left[x][i] + right[y][i], over the network's 2^bits; ``terms`` are
    K and M, each below LARGEST_TERMS. The crude bound is one of 2 E_z for all z at once, through relu(p_i) <= A_i and the largest
    |U_iz| of each neuron; a lead above ``needed`` exceeds it at every pair.
    """

    def __init__(self, network: Network, left: Rows, right: Rows, terms: tuple[int, int]) -> None:
        K, M = terms
        lift, votes = max(0, 126 - network.bits), [[*map(abs, row)] for row in network.votes]
        tiny, flat, slope = 1 << network.bits + lift - 126, M * (2**24 - K) << lift, K << 24 + lift
        self.network, self._slopes = network, (2**24 * (2**24 - K) << lift, flat)  # of c_i where p_i <= 0, p_i > 0
        self.scale: int
        self.scale, floor = (2**24 - K) * (2**24 - M) << lift, K * tiny << 24
        self._left = [[slope * size for size in row] for row in left]
        self._right = [[slope * size + floor for size in row] for row in right]
        base = [(2**24 - K) * M * ((abs(b) << lift) + (tiny << network.vote_bits)) for b in network.bias]
        sums = [max(a) + max(b) for a, b in zip(columns(left), columns(right), strict=True)]
        self.errors = Packed(votes, base, [(slope + flat) * top + floor for top in sums])
        widest = [max(row) for row in votes]
        self._crude_left, crude_right = ([2 * (slope + flat) * sum(map(mul, row, widest)) for row in side] for side in (left, right))
        self._crude_right = [value + 2 * (max(base) + floor * sum(widest)) for value in crude_right]
        self.needed: int = (max(self._crude_left) + max(self._crude_right)) // self.scale
        reach = max(sum(map(mul, sums, column)) + abs(b) for column, b in zip(columns(votes), network.bias, strict=True))
        self.overflows = max(sums) >> network.bits >= 2**126 or reach >> network.bits + network.vote_bits >= 2**126

    def clear(self, x: int, y: int, lead: int) -> bool:
        """Whether a lead of the right logit, or a lower bound of it, over 2^(bits + vote_bits), exceeds the crude bound."""
        return bool(lead * self.scale > self._crude_left[x] + self._crude_right[y])

    def firm(self, x: int, y: int, z: int, slots: bytes) -> bool:
        """Whether logit z exceeds every other at (x, y) by more than the errors of both; ``slots`` hold the exact logits."""
        logits, errors = self.network.packed, self.errors
        if self.clear(x, y, logits.contest(slots, z)[1]):
            return True
        pre = [*map(add, self.network.left[x], self.network.right[y])]
        bounds = map(add, self._left[x], self._right[y])
        found = errors.combine(max(0, bound + p * self._slopes[p > 0]) for bound, p in zip(bounds, pre, strict=True))
        low = logits.number(slots, z) * self.scale - errors.number(found, z)
        return all(w == z or low > logits.number(slots, w) * self.scale + errors.number(found, w) for w in range(errors.columns))
