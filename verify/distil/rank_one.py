"""Functions of rank one on points: which small integer vectors, on which G-set, with which character, explain a function best.

On a G-set with points p, a character chi of G with values 1 and -1 and an integer vector a, the functions

    f(g) = chi(g) sum over p of a[p] m[p g]      (images)          f(g) = chi(g) sum over p of m[p] a[p g]      (preimages)

for all lists m are a linear space of dimension at most the number of points. On an irrep rho inside the functions on the points, with
basis V, f is u^T rho v with u = V^T a, v = V^T m (images) or the other way round. So a is read off the singular vectors of f's
coefficient A on the irrep: it is the vector with entries 0, ..., ``LEVELS`` whose direction V^T a is nearest to u. For a given order of
the points by V u such a vector is a sum of ``LEVELS`` indicator vectors of the first points, and all of them are tried; where the
irrep is all of the functions with sum 0 (a doubly transitive set), that is the best vector of all (rearrangement inequality).
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.group import FiniteGroup
from verify.distil.coset_fit import Floats
from verify.distil.point_irreps import PointIrrep
from verify.memory import kept
from verify.program.form import GroupForm, linear_map

#: Weights of points are 0, ..., LEVELS: a point, several points, "2 at 1, 1 at 3 and 4", one point rather than another.
LEVELS = 2
#: A vector with larger entries is taken when it brings the direction nearer by this share of what was missing.
WORTH = 0.5
#: What leaves less than this share of a function's variance is not continued.
EXPLAINED = 1e-6
#: Vectors are looked for in batches with so many pairs of points.
BATCH = 1_000_000

PointForm = Literal["images", "preimages"]


class Direction(NamedTuple):
    """A vector of small integers on the points, and the cosine between V^T a and what was asked for."""

    weights: tuple[int, ...]
    cosine: float


def small_vector(irrep: PointIrrep, direction: Floats) -> Direction:
    """The vector a of the module's docstring for a direction u of unit length, up to sign. Complexity: O(points^2 d)."""
    weights, cosines = small_vectors(irrep, direction[None])
    return Direction(tuple(weights[0].tolist()), float(cosines[0]))


def small_vectors(irrep: PointIrrep, directions: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    """The vectors (k, points) of many directions (k, d), and the cosines (k,): see `small_vector`.

    Complexity: O(k points^2 d), in batches of ``BATCH`` numbers.
    """
    n, some = irrep.points.count, max(1, BATCH // irrep.points.count**2)
    weights, cosines = np.zeros((len(directions), n), dtype=np.intp), np.zeros(len(directions))
    for start in range(0, len(directions), some):
        part = slice(start, start + some)
        weights[part], cosines[part] = _nearest_vectors(irrep, directions[part])
    return weights, cosines


def _nearest_vectors(irrep: PointIrrep, directions: Floats) -> tuple[npt.NDArray[np.intp], Floats]:
    n, k = irrep.points.count, len(directions)
    weights, best = np.zeros((k, n), dtype=np.intp), np.zeros(k)
    for u in (directions, -directions):
        order = np.argsort(-(u @ irrep.basis.T), axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable")
        # row c: the sum of the first c points' rows, so that every candidate is one row or the sum of two
        first = np.concatenate([np.zeros((k, 1, irrep.dimension)), np.cumsum(irrep.basis[order], axis=1)[:, :-1]], axis=1)
        along, gram = (first @ u[:, :, None])[:, :, 0], first @ first.transpose(0, 2, 1)
        squares = np.diagonal(gram, axis1=1, axis2=2)
        both = along[:, :, None] + along[:, None], squares[:, :, None] + squares[:, None] + 2 * gram
        for level, tops, sizes in ((1, along, squares), (2, both[0].reshape(k, -1), both[1].reshape(k, -1))):
            norms = np.sqrt(np.maximum(sizes, 0.0))
            cosines = np.where(norms > 1e-7, tops / np.maximum(norms, 1e-7), -1.0)
            found = np.argmax(np.round(cosines, 9), axis=1)
            nearest = cosines[np.arange(k), found]
            missing = 1 - best**2
            better = missing - (1 - nearest**2) > WORTH * missing * (level > 1) + 1e-9
            cuts = np.stack([found] if level == 1 else np.divmod(found, n))
            weights[better] = (rank[None] < cuts[:, :, None]).sum(axis=0)[better]
            best = np.where(better, nearest, best)
    return weights, best


class Part(NamedTuple):
    """A form on points, the length of its list, and how much of a function's sum of squares lies in its functions on one irrep."""

    form: GroupForm
    size: int
    energy: float


@kept(65536)
def _form(irrep: PointIrrep, on: PointForm, weights: tuple[int, ...], constant: bool) -> GroupForm:
    return GroupForm(on, (irrep.points.base,), (irrep.kernel,), told_apart(weights), constant=constant)


def told_apart(weights: tuple[int, ...]) -> tuple[int, ...]:
    """The weights less the commonest of them, if they then don't add up to 0, with the sign that makes the sum positive.

    On functions with sum 0 a constant vector of weights does nothing, and any other can be told apart from it by its sum. The sign
    goes to the list.
    """
    common = max(sorted(set(weights)), key=weights.count)
    shifted = tuple(weight - common for weight in weights)
    if sum(shifted) < 0:
        return tuple(-weight for weight in shifted)
    return shifted if sum(shifted) else weights


def strengths(irrep: PointIrrep, coefficients: Floats) -> Floats:
    """(k,) the sum of squares of the strongest rank-one part of functions with these coefficients (k, d, d)."""
    largest = np.linalg.norm(coefficients, 2, axis=(1, 2)) if irrep.dimension > 1 else np.abs(coefficients[:, 0, 0])
    return np.asarray(largest**2 * irrep.points.group.order / irrep.dimension)


def _readings(irrep: PointIrrep, matrices: Floats) -> Iterator[tuple[PointForm, npt.NDArray[np.intp], Floats]]:
    """Images and preimages for functions with coefficients (k, d, d): the vectors (k, points), and the energies (k,) of the parts."""
    u, _, v = np.linalg.svd(matrices)
    scale = irrep.points.group.order / irrep.dimension
    sides: tuple[tuple[PointForm, Floats, Floats], ...] = (
        ("images", u[:, :, 0], matrices.transpose(0, 2, 1)),
        ("preimages", v[:, 0], matrices),
    )
    for on, directions, along in sides:
        weights = small_vectors(irrep, directions)[0]
        unit = weights @ irrep.basis
        lengths = np.linalg.norm((along @ unit[:, :, None])[:, :, 0], axis=1) / np.linalg.norm(unit, axis=1)
        yield on, weights, np.asarray(lengths**2 * scale)


def rank_one_parts(
    irreps: Sequence[PointIrrep], coefficients: Sequence[Floats], constant: bool = False, strong: Sequence[float] | None = None
) -> list[Part]:
    """Forms of rank one for a function with these coefficients, one (d, d) for each irrep: the dearest first of what pays best.

    Images and preimages are offered on every irrep whose strongest part has at least half of the best irrep's energy for its price,
    which is ``strong`` where it is known.
    With ``constant`` a form with a character has a constant of its own; without a character none is needed.
    """
    if strong is None:
        strong = [float(strengths(r, m[None])[0]) / r.points.count for r, m in zip(irreps, coefficients, strict=True)]
    best = max(strong, default=0.0)
    found: list[Part] = []
    for worth, irrep, matrix in zip(strong, irreps, coefficients, strict=True):
        if worth <= 0 or worth < best / 2:
            continue
        with_constant = constant and irrep.kernel is not None
        for on, weights, energy in _readings(irrep, matrix[None]):
            form = _form(irrep, on, tuple(weights[0].tolist()), with_constant)
            found.append(Part(form, irrep.points.count + with_constant, float(energy[0])))
    return sorted(found, key=lambda part: -part.energy / part.size)


def best_parts(
    irreps: Sequence[PointIrrep], coefficients: Sequence[Floats], strong: Sequence[Floats], constant: bool = False
) -> list[Part | None]:
    """For each of many functions the first of its `rank_one_parts`, None where there is none.

    ``coefficients`` (k, d, d) and ``strong`` (k,) are given for each irrep.
    """
    count = len(strong[0]) if strong else 0
    best = np.max(strong, axis=0, initial=0.0) if strong else np.zeros(0)
    found: list[Part | None] = [None] * count
    pays = np.zeros(count)
    for worth, irrep, matrices in zip(strong, irreps, coefficients, strict=True):
        members = np.flatnonzero((worth > 0) & (worth >= best / 2))
        if not len(members):
            continue
        with_constant = constant and irrep.kernel is not None
        size = irrep.points.count + with_constant
        for on, weights, energy in _readings(irrep, matrices[members]):
            for j in np.flatnonzero(energy / size > pays[members]).tolist():
                i = int(members[j])
                pays[i] = energy[j] / size
                found[i] = Part(_form(irrep, on, tuple(weights[j].tolist()), with_constant), size, float(energy[j]))
    return found


class Chain(NamedTuple):
    """Sums of one, two, ... forms of rank one for one function, each with the share of its variance that it explains."""

    forms: tuple[GroupForm, ...]
    sizes: tuple[int, ...]
    shares: tuple[float, ...]


def chains(group: FiniteGroup, irreps: Sequence[PointIrrep], functions: Floats, constant: bool, depth: int) -> list[Chain]:
    """For each function (order, k) the sums of up to ``depth`` forms, each the best for what those before leave.

    Complexity: O(k depth |G| sum of d^2) for the irreps, and a least-squares problem for each sum.
    """
    rest = functions - functions.mean(axis=0)
    total = np.maximum((rest**2).sum(axis=0), np.finfo(float).tiny)
    found: list[tuple[list[GroupForm], list[int], list[float]]] = [([], [], []) for _ in range(functions.shape[1])]
    for step in range(depth if irreps else 0):
        coefficients = [irrep.coefficients(rest) for irrep in irreps]
        strong = [strengths(irrep, matrices) / irrep.points.count for irrep, matrices in zip(irreps, coefficients, strict=True)]
        offers = best_parts(irreps, coefficients, strong, constant and step == 0)
        for i, ((forms, sizes, shares), part) in enumerate(zip(found, offers, strict=True)):
            if part is None or (shares and shares[-1] > 1 - EXPLAINED):
                continue
            form = GroupForm.sum_of([*forms[-1:], part.form])
            basis = linear_map(group, form).basis()
            solution = np.linalg.lstsq(basis.T @ basis, basis.T @ functions[:, i], rcond=None)[0]
            left = functions[:, i] - basis @ solution
            rest[:, i] = left - left.mean()
            forms.append(form)
            sizes.append(part.size + (sizes[-1] if sizes else 0))
            shares.append(1 - float(rest[:, i] @ rest[:, i]) / total[i])
    return [Chain(tuple(forms), tuple(sizes), tuple(shares)) for forms, sizes, shares in found]
