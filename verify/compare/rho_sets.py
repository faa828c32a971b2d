"""Rho-set circuits: neurons whose three functions are matrix coefficients of one irrep with shared vectors.

Wu, Jaburi, Drori and Gross (arXiv 2410.07476) describe a circuit of an irrep rho by a vector a and a finite set B of
vectors that rho permutes; the neuron of (b, c) in B x B has, up to scale,

    L(x) = b^T rho(x) a,      R(y) = -a^T rho(y) c,      U(z) = b^T rho(z) c.

So the Fourier coefficients sum_g f(g) rho(g) have rank one, and L and U share b, L and R share a, R and U share c.
B is an orbit of G, of size |G| / |Stab(b)|; any vector has a finite orbit, so that "B is finite" says nothing by itself. An orbit
shorter than |G| says that the neuron is constant on cosets of Stab(b): it is a coset neuron. Measurement in float64.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from algebra.characters.irrep import irreps
from algebra.group import FiniteGroup
from net.weights import Weights
from verify.distil.coset_fit import Floats

#: A vector counts as fixed by g when rho(g) moves it by less than this share of its length.
FIXED = 0.1
#: Two directions count as one from this absolute cosine on.
SAME = 0.99


@dataclass(frozen=True, eq=False)
class RhoSetFit:
    """How well each neuron fits the form.

    Attributes:
        irrep: (m,) position in ``irreps(group)`` of the irrep that explains L, R and U best (the least of the three shares).
        share: (m,) the least share of the variance of L, R and U that one rank-one coefficient of that irrep explains.
        aligned: (m,) the least of the three absolute cosines between vectors that ought to be shared.
        orbit: (m,) |G| / |{g : |rho(g) b - b| < FIXED |b|}|.
        vector: a for each neuron, a unit vector of the irrep's dimension.

    """

    irrep: np.ndarray[tuple[int], np.dtype[np.intp]]
    share: Floats
    aligned: Floats
    orbit: Floats
    vector: tuple[Floats, ...]

    def fits(self, within: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """(m,) neurons with share and alignment of at least 1 - within."""
        return np.asarray((self.share >= 1 - within) & (self.aligned >= 1 - within))

    @cached_property
    def circuits(self) -> int:
        """Number of different (irrep, a) up to sign, found greedily."""
        found: list[tuple[int, Floats]] = []
        for rho, a in zip(self.irrep.tolist(), self.vector, strict=True):
            if not any(rho == other and abs(float(a @ b)) > SAME for other, b in found):
                found.append((rho, a))
        return len(found)


def rho_set_fit(group: FiniteGroup, weights: Weights) -> RhoSetFit:
    """Fit every neuron; S_n and A_n only, whose irreps have matrices here, and those irreps whose matrices are real.

    Complexity: O(|G| m sum of d^2) = O(|G|^2 m), and m singular value decompositions per irrep.
    """
    sides = [f - f.mean(axis=0) for f in (weights.L, weights.R, weights.U.T)]
    energy = [np.maximum((f**2).sum(axis=0), np.finfo(float).tiny) for f in sides]
    m = weights.width
    best = RhoSetFit(np.zeros(m, dtype=np.intp), np.full(m, -1.0), np.zeros(m), np.ones(m), ())
    vectors: list[Floats] = [np.zeros(0)] * m
    for number, rho in enumerate(irreps(group)):
        if number == 0 or np.iscomplexobj(rho.matrices):
            continue
        d = rho.dimension
        flat = rho.matrices.reshape(group.order, d * d)
        svd = [np.linalg.svd((f.T @ flat).reshape(m, d, d)) for f in sides]
        shares = [d / group.order * s[1][:, 0] ** 2 / e for s, e in zip(svd, energy, strict=True)]
        share = np.minimum.reduce(shares)
        (b, a), (a_right, c), (b_votes, c_votes) = ((s[0][:, :, 0], s[2][:, 0, :]) for s in svd)
        aligned = np.minimum.reduce([_cosine(b, b_votes), _cosine(a, a_right), _cosine(c, c_votes)])
        for i in np.flatnonzero(share > best.share):
            moved = np.linalg.norm(rho.matrices @ b[i] - b[i], axis=1)
            best.irrep[i], best.share[i], best.aligned[i] = number, share[i], aligned[i]
            best.orbit[i] = group.order / max(1, int((moved < FIXED).sum()))
            vectors[i] = a[i]
    return RhoSetFit(best.irrep, best.share, best.aligned, best.orbit, tuple(vectors))


def _cosine(left: Floats, right: Floats) -> Floats:
    return np.asarray(np.abs((left * right).sum(axis=1)))
