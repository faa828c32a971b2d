"""Planted networks: weights built from known subgroups, with or without noise, to test what finds subgroups.

The mechanism is a veto (Stander et al., arXiv 2312.06581, section 5). For a subgroup H, an element g and
K = g^-1 H g, the double coset H g K is the single coset Hg. Give each right coset c of H its number a(c), and
let l(x) = a(Hx), r(y) = -a(H g y^-1), which is constant on the left cosets yK. Then l(x) + r(y) = 0 exactly
when xy lies in Hg. The neurons relu(l + r) and relu(-(l + r)) with votes -1 for every z in Hg, 0 elsewhere,
push against all z in Hg unless xy is one of them. So the right answer collects nothing, and a wrong z
collects at least one push as long as the planted cosets Hg separate the elements; those of all point
stabilisers do.

A rank-one neuron looks at several points at once. The right cosets of H are points p that g takes to pg; for integers a[p] and d[p],
numbers m[p] and a character chi of G of order two or none,

    l(x) = c + chi(x) sum of a[p] m[px],     r(y) = -s chi(y) sum of m[p] d[py],     u(z) = -v chi(z) sum of a[p] (d[pz] - mean d).

The sum of m is 0, so that with a character too all three lie on the points alone, without a multiple of the character.

Veto neurons of a point stabiliser are those with a and d one point each, but for the constants of u.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from algebra.subgroup import Subgroup
from net.folded import FoldedNetwork, folded_network
from net.weights import Weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from algebra.group import FiniteGroup

    Vector = npt.NDArray[np.float64]
    Whole = npt.NDArray[np.int64]

#: What can be planted besides coset neurons, by name.
KINDS = ("twisted", "sign", "dual", "dead", "raw")


@dataclass(frozen=True, eq=False)
class RankOnePart:
    """The numbers of a rank-one neuron, see the module's docstring.

    Attributes:
        points: H, whose right cosets are the points, numbered by their least elements.
        kernel: kernel of chi, None for the trivial character.
        a, d: (points,) integers.
        m: (points,) eighths with sum 0.
        s, c: how much r is of the mirrored l, and the constant of l.

    """

    points: Subgroup
    kernel: Subgroup | None
    a: tuple[int, ...]
    d: tuple[int, ...]
    m: tuple[float, ...]
    s: float
    c: float


@dataclass(frozen=True, eq=False)
class PlantedNeuron:
    """What a neuron was built from.

    Attributes:
        kind: "coset" (L constant on right cosets of `left`, R on left cosets of `right`), "sign" (the same,
            of the even permutations), "twisted" (L and R change sign with parity within these cosets), "dual"
            (L constant on LEFT cosets of `left`, R on RIGHT cosets of `right`), "dead" (never fires, or votes
            for nothing), "raw" (no structure), "rank one" (of the module's docstring, a or d several points; with one point
            each it is a coset neuron, or with a character a twisted one).
        left, right: the subgroups, where there are any.
        rank_one: the numbers of a rank-one neuron.

    """

    kind: str
    left: Subgroup | None = None
    right: Subgroup | None = None
    rank_one: RankOnePart | None = None


@dataclass(frozen=True, eq=False)
class PlantedNetwork:
    """A network and what each of its neurons was built from, in the same order."""

    network: FoldedNetwork
    neurons: tuple[PlantedNeuron, ...]


@dataclass(frozen=True, eq=False)
class _Neuron:
    truth: PlantedNeuron
    l: Vector  # noqa: E741 - the field's name for it
    r: Vector
    u: Vector


@dataclass(frozen=True, eq=False)
class _Target:
    """The coset Hg, g the representative: what one circuit vetoes."""

    subgroup: Subgroup
    g: int

    def mask(self) -> npt.NDArray[np.bool_]:
        labels = self.subgroup.right_cosets.labels
        return np.asarray(labels == labels[self.g])

    def opposite(self) -> Subgroup:
        """K = g^-1 H g."""
        group = self.subgroup.group
        mask = np.zeros(group.order, dtype=bool)
        mask[group.conjugate(self.subgroup.elements, self.g)] = True
        return Subgroup(group, mask)


def planted_network(
    group: FiniteGroup,
    seed: int,
    width: int,
    kinds: Mapping[str, int] | None = None,
    families: Sequence[Subgroup] = (),
    noise: float = 0.0,
) -> PlantedNetwork:
    """A network of `width` neurons over the group, right on every pair when `noise` is 0.

    Two neurons for each coset {z : z(i) = j} of a point stabiliser come first. `kinds` says how many neurons
    of the other KINDS follow; the rest are single coset neurons of random cosets of the point stabilisers and
    of the conjugates of the subgroups in `families`. Neurons are shuffled, weights are float32 numbers.

    Args:
        group: any group; "sign" and "twisted" neurons need odd permutations in it.
        seed: determines everything.
        width: number of neurons.
        kinds: how many of each of KINDS, none by default.
        families: subgroups to plant besides the point stabilisers.
        noise: standard deviation of Gaussian noise on L, R, U, relative to the root mean square of the
            neuron's column of L, column of R, row of U.

    Raises:
        ValueError: an unknown kind, a group without odd permutations where they are needed, or a width that
            does not hold what was asked for.

    """
    rng = np.random.default_rng(seed)
    kinds = dict(kinds or {})
    base = [target for stabiliser in _stabilisers(group) for target in _targets(stabiliser)]
    base = list({target.mask().tobytes(): target for target in base}.values())
    _check_request(group, kinds, width, 2 * len(base))
    neurons = [neuron for target in base for neuron in _veto_pair(target, rng)]
    margin = min(float(np.abs(np.diff(np.unique(n.l))).min() * np.abs(n.u).max()) for n in neurons)
    share = margin / (2 * max(1, sum(kinds.values())))
    for kind in KINDS:
        neurons += [_BUILDERS[kind](group, rng, share) for _ in range(kinds.get(kind, 0))]
    pool = base + [target for family in families for h in _conjugates(family) for target in _targets(h)]
    while len(neurons) < width:
        neurons.append(_veto_pair(pool[rng.integers(len(pool))], rng)[rng.integers(2)])
    neurons = [neurons[i] for i in rng.permutation(width)]
    return PlantedNetwork(_assemble(group, neurons, noise, rng), tuple(neuron.truth for neuron in neurons))


#: Integer vectors of rank-one neurons: one point, two, one rather than another, half of them rather than the others, 2 at one and 1
#: at another.
VECTORS = ("point", "pair", "difference", "half", "weighted")


def planted_rank_one(
    group: FiniteGroup,
    seed: int,
    width: int,
    spaces: Sequence[tuple[Subgroup, Subgroup | None]] = (),
    vectors: Sequence[str] = VECTORS,
    noise: float = 0.0,
    right: bool = False,
) -> PlantedNetwork:
    """A network of rank-one neurons, each on a random one of ``spaces`` with random vectors a and d of random ``vectors``.

    Args:
        group: any group.
        seed: determines everything.
        width: number of neurons.
        spaces: pairs of a subgroup H, whose cosets are the points, and a kernel of index two in the group, or None; without any, the
            stabiliser of the first point, alone and with the even permutations where there are odd ones.
        vectors: out of VECTORS.
        noise: as in `planted_network`.
        right: whether veto pairs of the point stabilisers come first and the rank-one neurons vote so little that every pair is right
            when `noise` is 0. Else all votes are of one size, and what the network computes is not said.

    Raises:
        ValueError: unknown vectors, a kernel that is not of index two, fewer than four points, or a width below that of the veto pairs.

    """
    rng = np.random.default_rng(seed)
    unknown = sorted(set(vectors) - set(VECTORS))
    if unknown:
        raise ValueError(f"expected vectors out of {', '.join(VECTORS)}, got {unknown[0]!r}")
    if not spaces:
        stabiliser = _stabilisers(group)[0]
        spaces = [(stabiliser, None), *[(stabiliser, Subgroup(group, group.parity == 0))] * bool(group.parity.any())]
    for points, kernel in spaces:
        if points.index < 4 or (kernel is not None and 2 * kernel.order != group.order):
            raise ValueError(f"expected at least four points and a kernel of index two, got {points.index} points and {kernel}")
    neurons, share = [], 0.0
    if right:
        base = [target for stabiliser in _stabilisers(group) for target in _targets(stabiliser)]
        base = list({target.mask().tobytes(): target for target in base}.values())
        neurons = [neuron for target in base for neuron in _veto_pair(target, rng)]
        _check_request(group, {}, width, len(neurons))
        margin = min(float(np.abs(np.diff(np.unique(n.l))).min() * np.abs(n.u).max()) for n in neurons)
        share = margin / (2 * max(1, width - len(neurons)))
    while len(neurons) < width:
        points, kernel = spaces[int(rng.integers(len(spaces)))]
        a, d = (_vector(vectors[int(rng.integers(len(vectors)))], points.index, rng) for _ in range(2))
        neuron = _rank_one(points, kernel, a, d, rng)
        neurons.append(_scaled(neuron, share) if right else neuron)
    neurons = [neurons[i] for i in rng.permutation(width)]
    return PlantedNetwork(_assemble(group, neurons, noise, rng), tuple(neuron.truth for neuron in neurons))


def _vector(name: str, count: int, rng: np.random.Generator) -> Whole:
    """A random vector of that name on `count` points."""
    values = {"point": [1], "pair": [1, 1], "difference": [1, -1], "weighted": [2, 1]}
    half = [1] * (count // 2) + [-1] * (count - count // 2)
    found = np.zeros(count, dtype=int)
    entries = half if name == "half" else values[name]
    found[rng.permutation(count)[: len(entries)]] = entries
    return found


def _rank_one(points: Subgroup, kernel: Subgroup | None, a: Whole, d: Whole, rng: np.random.Generator) -> _Neuron:
    group = points.group
    moved = points.right_cosets.labels[group.mul[points.right_cosets.representatives]]  # (points, order): where g takes p
    chi = np.ones(group.order) if kernel is None else np.where(kernel.mask, 1.0, -1.0)
    m = rng.permutation(np.arange(points.index)) - points.index // 2 + rng.integers(0, 8, points.index) / 8
    m[0] -= m.sum()
    s, c, v = _eighths(rng), float(rng.integers(-16, 17)) / 8, _eighths(rng)
    numbers = RankOnePart(points, kernel, tuple(map(int, a)), tuple(map(int, d)), tuple(map(float, m)), s, c)
    single = np.count_nonzero(a) == np.count_nonzero(d) == 1
    kind = "rank one" if not single else "coset" if kernel is None else "twisted"
    truth = PlantedNeuron(kind, rank_one=numbers)
    if single:
        left, other = (Subgroup(group, moved[p] == p) for p in (int(np.flatnonzero(a)[0]), int(np.flatnonzero(d)[0])))
        truth = PlantedNeuron(kind, left, other, numbers)
    return _Neuron(truth, c + chi * (a @ m[moved]), -s * chi * (m @ d[moved]), -v * chi * (a @ (d - d.mean())[moved]))


def _check_request(group: FiniteGroup, kinds: Mapping[str, int], width: int, base: int) -> None:
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(f"expected kinds of neurons out of {', '.join(KINDS)}, got {unknown[0]!r}")
    if (kinds.get("sign") or kinds.get("twisted")) and not group.parity.any():
        raise ValueError(f"expected a group with odd permutations for sign and twisted neurons, got {group.name}")
    least = base + sum(kinds.values())
    if width < least:
        raise ValueError(f"expected a width of at least {least} ({base} for the point stabilisers), got {width}")


def _assemble(group: FiniteGroup, neurons: list[_Neuron], noise: float, rng: np.random.Generator) -> FoldedNetwork:
    arrays = []
    for name in ("l", "r", "u"):
        rows = np.stack([getattr(neuron, name) for neuron in neurons])
        if noise:
            size = np.sqrt((rows**2).mean(axis=1, keepdims=True))
            rows = rows + noise * size * rng.standard_normal(rows.shape)
        arrays.append(rows.astype(np.float32))
    return folded_network(group, Weights.from_arrays(arrays[0].T, arrays[1].T, arrays[2]))


def _stabilisers(group: FiniteGroup) -> list[Subgroup]:
    """The stabiliser of each point."""
    return [Subgroup(group, group.elements[:, point] == point) for point in range(group.degree)]


def _conjugates(subgroup: Subgroup) -> Iterator[Subgroup]:
    """The conjugates of the subgroup, each once."""
    group, seen = subgroup.group, set()
    for g in subgroup.right_cosets.representatives:
        conjugate = _Target(subgroup, int(g)).opposite()
        if conjugate.mask.tobytes() not in seen:
            seen.add(conjugate.mask.tobytes())
            yield Subgroup(group, conjugate.mask)


def _targets(subgroup: Subgroup) -> list[_Target]:
    return [_Target(subgroup, int(g)) for g in subgroup.right_cosets.representatives]


def _eighths(rng: np.random.Generator) -> float:
    """A scale between 3/4 and 5/4 that leaves sums of scaled integers exact in float32."""
    return float(rng.integers(6, 11)) / 8


def _coset_values(target: _Target, values: npt.NDArray[np.floating]) -> tuple[Vector, Vector]:
    """l(x) = values[Hx] and r(y) = -values[H g y^-1]."""
    group, labels = target.subgroup.group, target.subgroup.right_cosets.labels
    own = np.asarray(values, dtype=np.float64)
    return own[labels], -own[labels[group.mul[target.g, group.inv]]]


def _veto_pair(target: _Target, rng: np.random.Generator) -> tuple[_Neuron, _Neuron]:
    count = target.subgroup.index
    values = (rng.permutation(count) - (count - 1) / 2) * _eighths(rng)
    l, r = _coset_values(target, values)  # noqa: E741
    u = np.where(target.mask(), -_eighths(rng), 0.0)
    truth = PlantedNeuron("coset", target.subgroup, target.opposite())
    return _Neuron(truth, l, r, u), _Neuron(truth, -l, -r, u)


def _sign(group: FiniteGroup, rng: np.random.Generator, share: float) -> _Neuron:
    """A veto on one parity: H = the even permutations."""
    even = Subgroup(group, group.parity == 0)
    neuron = _veto_pair(_targets(even)[rng.integers(2)], rng)[rng.integers(2)]
    return _Neuron(PlantedNeuron("sign", even, even), neuron.l, neuron.r, neuron.u)


def _twisted(group: FiniteGroup, rng: np.random.Generator, share: float) -> _Neuron:
    """A veto on the coset H0 g of H0 = H & even; the values on H0 c and on the rest of Hc are opposite."""
    stabilisers = [h for h in _stabilisers(group) if group.parity[h.elements].any()]
    if not stabilisers:
        raise ValueError(f"expected a point stabiliser with odd permutations in it, got none in {group.name}")
    whole = stabilisers[rng.integers(len(stabilisers))]
    kernel = Subgroup(group, whole.mask & (group.parity == 0))
    target = _Target(kernel, int(rng.integers(group.order)))
    sizes = (rng.permutation(whole.index) + 1) * _eighths(rng)
    first = kernel.right_cosets.representatives
    values = sizes[whole.right_cosets.labels[first]] * np.where(group.parity[first], -1.0, 1.0)
    l, r = _coset_values(target, values)  # noqa: E741
    u = np.where(target.mask(), -_eighths(rng), 0.0)
    return _Neuron(PlantedNeuron("twisted", whole, _Target(whole, target.g).opposite()), l, r, u)


def _dual(group: FiniteGroup, rng: np.random.Generator, share: float) -> _Neuron:
    """L on left cosets, R on right cosets, U a matrix coefficient of the permutation representation on Hz."""
    stabilisers = _stabilisers(group)
    h, k = (stabilisers[i] for i in rng.integers(len(stabilisers), size=2))
    l = rng.permutation(h.index)[h.left_cosets.labels] / h.index  # noqa: E741
    r = rng.permutation(k.index)[k.right_cosets.labels] / k.index
    cosets = h.right_cosets
    v, w = (column - column.mean() for column in rng.standard_normal((2, h.index)))
    moved = cosets.labels[group.mul[cosets.representatives]]  # (index, order): number of the coset c z
    return _scaled(_Neuron(PlantedNeuron("dual", h, k), l, r, v @ w[moved]), share)


def _dead(group: FiniteGroup, rng: np.random.Generator, share: float) -> _Neuron:
    """Never positive, or without any vote."""
    stabilisers = _stabilisers(group)
    target = _Target(stabilisers[rng.integers(len(stabilisers))], int(rng.integers(group.order)))
    neuron = _veto_pair(target, rng)[0]
    if rng.integers(2):
        return _Neuron(PlantedNeuron("dead"), neuron.l, neuron.r, np.zeros(group.order))
    return _Neuron(PlantedNeuron("dead"), neuron.l - 2 * target.subgroup.index, neuron.r, neuron.u)


def _raw(group: FiniteGroup, rng: np.random.Generator, share: float) -> _Neuron:
    l, r, u = rng.standard_normal((3, group.order))  # noqa: E741
    return _scaled(_Neuron(PlantedNeuron("raw"), l, r, u), share)


def _scaled(neuron: _Neuron, share: float) -> _Neuron:
    """The neuron with votes so small that it changes no margin by more than `share`."""
    hidden = max(float(neuron.l.max() + neuron.r.max()), 1e-3)
    spread = max(float(neuron.u.max() - neuron.u.min()), 1e-3)
    return _Neuron(neuron.truth, neuron.l, neuron.r, neuron.u * (0.9 * share / (hidden * spread)))


_BUILDERS = {"twisted": _twisted, "sign": _sign, "dual": _dual, "dead": _dead, "raw": _raw}
