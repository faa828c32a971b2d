"""Permutation groups, their subgroups and cosets, and the names and numberings that a certificate gives them.

What this module proves: the elements of a group are all products of its generators, since a finite set of permutations that contains
the identity and is closed under multiplication by the generators is the group that they generate; the table of products is taken from
the permutations themselves. A name is accepted when the generators of that name generate the same permutations, and a numbering when
it is the one that its name defines. Nothing rests on a name: it is checked because a reader relies on it.
"""

import math
import re
from collections.abc import Sequence

from .shape import Differs, GroupRecord, SubgroupRecord, need, same, shown

#: The largest group; the table of its products has this many rows.
LARGEST_ORDER = 10_000

Permutation = bytes  # images of 0, 1, ..., degree - 1


# ---- permutations


def permutation(text: str, degree: int) -> Permutation:
    """The permutation that disjoint cycles on the points 1 to ``degree`` describe; () is the identity."""
    plain = re.fullmatch(r"\(\)|(\([0-9]{1,3}( [0-9]{1,3})+\))+", text)
    cycles = [[int(point) - 1 for point in cycle.split()] for cycle in re.findall(r"\(([0-9 ]*)\)", text)]
    points = [point for cycle in cycles for point in cycle]
    fits = 0 < degree < 256 and plain and len({*points}) == len(points) and {*points} <= {*range(degree)}
    need(bool(fits), f"expected disjoint cycles on the points 1 to {degree}, of which there are at most 255, got {shown(text)}")
    images = list(range(degree))
    for cycle in cycles:
        for here, there in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            images[here] = there
    return bytes(images)


def product(x: Permutation, y: Permutation) -> Permutation:
    """X first, then y."""
    return x.translate(y + bytes(256 - len(y)))


def inverse(x: Permutation) -> Permutation:
    """The permutation that undoes x."""
    return bytes(sorted(range(len(x)), key=x.__getitem__))


def is_odd(x: Permutation) -> bool:
    """Whether x has an odd number of inversions."""
    return bool(sum(x[i] > x[j] for j in range(len(x)) for i in range(j)) % 2)


def closure(generators: Sequence[Permutation], degree: int) -> set[Permutation]:
    """All products of the generators, at most LARGEST_ORDER."""
    queue = [bytes(range(degree))]
    known = {*queue}
    for element in queue:
        new = {product(element, generator) for generator in generators} - known
        queue += new
        known |= new
        need(len(known) <= LARGEST_ORDER, f"expected a group of at most {LARGEST_ORDER:,} elements, got more")
    return known


# ---- groups


class Cosets:
    """A partition of the group into cosets, numbered by their least elements: ``labels[g]``, ``first[number]`` and ``count``."""

    def __init__(self, labels: list[int], first: list[int]) -> None:
        self.labels, self.first, self.count = labels, first, len(first)


class Group:
    """A permutation group from its generators.

    Its elements are numbered in the lexicographic order of their images, so element 0 is the identity.
    ``mul[x][y]`` is x first, then y; ``number`` finds an element's number; ``inverse`` and ``parity`` (1 for odd) go by number.
    """

    def __init__(self, record: GroupRecord) -> None:
        need(0 < record.degree < 256, f"expected a group on 1 to 255 points, got a degree of {shown(record.degree)}")
        self.name, self.degree = record.name, record.degree
        self.generators = [permutation(text, record.degree) for text in record.generators]
        self.elements = sorted(closure(self.generators, record.degree))
        self.order = len(self.elements)
        same("group.order", record.order, self.order)
        self.number = {images: k for k, images in enumerate(self.elements)}
        tables = [images + bytes(256 - self.degree) for images in self.elements]
        self.mul = [[self.number[x.translate(table)] for table in tables] for x in self.elements]
        self.inverse = [row.index(0) for row in self.mul]
        self.parity = [int(is_odd(images)) for images in self.elements]
        check_group_name(record, {*self.elements})

    def subgroup(self, record: SubgroupRecord) -> list[int]:
        """Numbers of the elements of the subgroup that the generators generate, smallest first."""
        found = closure([permutation(text, self.degree) for text in record.generators], self.degree)
        same(f"order of the subgroup {shown(record.name)}", record.order, len(found))
        same(f"elements of the subgroup {shown(record.name)} that are in the group", len(found), len(found & self.number.keys()))
        return sorted(self.number[images] for images in found)

    def right_cosets(self, members: Sequence[int]) -> Cosets:
        """The cosets Hx."""
        return self.double_cosets(members, [0])

    def left_cosets(self, members: Sequence[int]) -> Cosets:
        """The cosets xH."""
        return self.double_cosets([0], members)

    def double_cosets(self, left: Sequence[int], right: Sequence[int]) -> Cosets:
        """The sets HxK of two subgroups."""
        labels = [-1] * self.order
        first: list[int] = []
        for x in range(self.order):
            if labels[x] < 0:
                for h in left:
                    row = self.mul[self.mul[h][x]]
                    for k in right:
                        labels[row[k]] = len(first)
                first.append(x)
        return Cosets(labels, first)


# ---- names


def named_group(name: str) -> tuple[int, list[str]] | None:
    """(degree, generators) of the groups of `simple_group`, `further_group` and `wreath`, and of products such as S3xC2.

    A product acts on the points of its factors side by side. None for a text that is no such name, spelt as here.
    """
    factors = [further_group(factor) if "wr" not in factor else wreath(factor) for factor in name.split("x")]
    plain = [simple_group(factor) if found is None else found for factor, found in zip(name.split("x"), factors, strict=True)]
    degree, generators = 0, list[str]()
    for one in plain:
        if one is None or degree + one[0] > 255:
            return None
        generators += [shifted(word, degree) for word in one[1]]
        degree += one[0]
    return degree, generators


def shifted(word: str, by: int) -> str:
    """The cycles on points moved up by a number."""
    return re.sub("[0-9]+", lambda point: str(int(point[0]) + by), word)


def cycles(images: Sequence[int]) -> str:
    """Cycle notation of 0-based images."""
    seen: set[int] = set()
    text = ""
    for start in range(len(images)):
        cycle = []
        point = start
        while point not in seen:
            seen.add(point)
            cycle.append(str(point + 1))
            point = images[point]
        text += f"({' '.join(cycle)})" if len(cycle) > 1 else ""
    return text or "()"


def simple_group(name: str) -> tuple[int, list[str]] | None:
    """(degree, generators) of S5, A5, C7 (on 7 points) or D10 (of order 10, on 5 points)."""
    match = re.fullmatch(r"([SACD])([1-9][0-9]{0,2})", name)
    if not match:
        return None
    kind, size = match[1], int(match[2])
    if kind == "D" and (size % 2 or size < 6):
        return None
    points = size // 2 if kind == "D" else size
    cycle = [*range(1, points), 0]
    flip = [-k % points for k in range(points)]
    swap = [1, 0, *range(2, points)][: max(2, points)]
    threes = [f"(1 2 {k})" for k in range(3, points + 1)]
    words = {"S": [cycles(cycle), cycles(swap)], "C": [cycles(cycle)], "D": [cycles(cycle), cycles(flip)], "A": threes}[kind]
    return points, words if points > 1 else []


def wreath(name: str) -> tuple[int, list[str]] | None:
    """A group on each of as many blocks as another has points, and the other on the blocks: S3wrS2."""
    parts = [further_group(part) or simple_group(part) for part in name.split("wr")]
    if len(parts) != 2 or parts[0] is None or parts[1] is None or parts[0][0] * parts[1][0] > 255:
        return None
    (points, inner), (blocks, outer) = parts[0], parts[1]
    words = [shifted(word, points * block) for block in range(blocks) for word in inner]
    for word in outer:
        images = permutation(word, blocks)
        words.append(cycles([points * images[k // points] + k % points for k in range(points * blocks)]))
    return points * blocks, words


def further_group(name: str) -> tuple[int, list[str]] | None:
    """(degree, generators) of Q8 and Dic3 on themselves, F21, AGL(1,5) and Aff(16) on residues, PSL(2,7) on a line, SL(2,3), M11."""
    match = re.fullmatch(r"(Q|Dic|F)([1-9][0-9]{0,3})|(AGL|Aff|PSL|PGL|SL|GL)\((?:([12]),)?([1-9][0-9]{0,2})\)|M11", name)
    if not match:
        return None
    kind, q = match[1] or match[3] or "M11", int(match[2] or match[5] or 0)
    expected = {"AGL": "1", "PSL": "2", "PGL": "2", "SL": "2", "GL": "2"}.get(kind)
    prime = q > 1 and all(q % k for k in range(2, q))
    if match[4] != expected or (kind in ("AGL", "PSL", "PGL", "SL", "GL") and not prime) or q > 1020:
        return None
    if kind == "M11":
        return 11, ["(1 2 3 4 5 6 7 8 9 10 11)", "(3 7 11 8)(4 10 5 6)"]
    if kind in ("Q", "Dic"):
        half = q // 2 if kind == "Q" else 2 * q
        if half % 2 or half < 4 or half > 127 or (kind == "Q" and q & (q - 1)):
            return None
        turn = [*((i + 1) % half for i in range(half)), *(half + (i - 1) % half for i in range(half))]
        return 2 * half, [cycles(turn), cycles([*range(half, 2 * half), *((i + half // 2) % half for i in range(half))])]
    if kind == "F":
        p = max(p for p in range(2, max(3, q + 1)) if q % p == 0 and all(p % k for k in range(2, p))) if q > 1 else 0
        k = q // p if p else 0
        if k < 2 or p > 255 or (p - 1) % k:
            return None
        units = [u for u in range(1, p) if pow(u, k, p) == 1]
        return p, [cycles([*range(1, p), 0]), *(cycles([u * i % p for i in range(p)]) for u in units)]
    if kind in ("AGL", "Aff"):
        if not 2 <= q <= 255:
            return None
        units = [u for u in range(2, q) if math.gcd(u, q) == 1]
        return q, [cycles([*range(1, q), 0]), *(cycles([u * i % q for i in range(q)]) for u in units)]
    if kind in ("PSL", "PGL"):
        scales = [] if kind == "PSL" else [cycles([*(u * i % q for i in range(q)), q]) for u in range(2, q)]
        line = [cycles([*((i + 1) % q for i in range(q)), q]), cycles([q, *(-pow(i, -1, q) % q for i in range(1, q)), 0])]
        return (q + 1, line + scales) if q <= 23 else None
    if q * q > 256:
        return None
    matrices = [(1, 1, 0, 1), (1, 0, 1, 1), *((u, 0, 0, 1) for u in range(2, q) if kind == "GL")]
    vectors = [(k // q, k % q) for k in range(1, q * q)]
    return q * q - 1, [cycles([(a * m + b * r) % q * q + (a * s + b * t) % q - 1 for a, b in vectors]) for m, s, r, t in matrices]


def check_group_name(record: GroupRecord, elements: set[Permutation]) -> None:
    """Raise Differs unless the name is that of exactly these permutations.

    It is one of `named_group`, or a list of generators in cycle notation, separated by a comma and a space.
    """
    named = named_group(record.name)
    if named is not None:
        degree, generators = named
        same(f"degree of {record.name}", record.degree, degree)
    elif re.fullmatch(r"\([0-9 ]*\)[0-9 (),]*", record.name):
        generators = record.name.split(", ")
    else:
        raise Differs(f"group.name: the certificate states {shown(record.name)}, the checker finds no group that is called so")
    found = closure([permutation(text, record.degree) for text in generators], record.degree)
    same(f"permutations of the group {shown(record.name)} that the generators generate", len(elements), len(found & elements))
    same(f"order of the group {shown(record.name)}", record.order, len(found))


# ---- numberings


def check_numbering(order: str, numbering: Sequence[int], group: Group) -> None:
    """Raise Differs unless entry k of the numbering is the k-th element in the order of that name; "table" is any permutation."""
    same("checkpoint.numbering, sorted", sorted(numbering), list(range(group.order)))
    if order != "table":
        same(f"checkpoint.numbering, which is called {order}", [*numbering], named_order(order, group))


def named_order(order: str, group: Group) -> list[int]:
    """The numbers of the elements in the order of that name.

    lexicographic: by their images; even-first: even permutations before odd ones, each by their images;
    sympy: as SymPy's ``PermutationGroup(generators).generate()`` lists them.
    """
    everything = list(range(group.order))
    if order == "lexicographic":
        return everything
    if order == "even-first":
        return sorted(everything, key=lambda k: (group.parity[k], k))
    return [group.number[images] for images in sympy_order(sympy_generators(group), group.degree)]


def sympy_generators(group: Group) -> list[Permutation]:
    """The generators from which SymPy lists the group: its own for S_n and A_n, else the group's."""
    n = group.degree
    rotation = bytes([*range(1, n), 0])
    if re.fullmatch("S[0-9]+", group.name) and n > 1:
        return [rotation, bytes([1, 0, *range(2, n)])] if n > 2 else [rotation]
    if re.fullmatch("A[0-9]+", group.name) and n > 2:
        three = bytes([1, 2, 0, *range(3, n)])
        return [three] if n == 3 else [three, rotation if n % 2 else bytes([0, *range(2, n), 1])]
    return group.generators


def sympy_order(generators: Sequence[Permutation], degree: int) -> list[Permutation]:
    """The elements of a group in the order of SymPy's coset ranks.

    With a base b_1, ..., b_r and transversals u_i[p] (which take b_i to p) every element is a product of one u_i for each i, u_r
    first; they are listed by p_r in the outermost loop, and by p_1 in the innermost, the points of each orbit in increasing order.
    Base and transversals are those of the incremental Schreier-Sims algorithm (Holt, Eick, O'Brien, Handbook of Computational Group
    Theory, 2005, section 4.4.2), with the choices that SymPy makes: the new base point is the least that is moved.
    """
    base, strong = strong_generators([g for g in generators if g != bytes(range(degree))], degree)
    listed = [bytes(range(degree))]
    for level in reversed(range(len(base))):
        transversal = orbit(base[level], [g for g in strong if all(g[b] == b for b in base[:level])], degree)
        listed = [product(element, u) for element in listed for _, u in sorted(transversal.items())]
    return listed


def orbit(point: int, generators: Sequence[Permutation], degree: int) -> dict[int, Permutation]:
    """Each point of the orbit, in the order in which it is found, with the element that was found to take ``point`` there."""
    found = {point: bytes(range(degree))}
    queue = [point]
    for here in queue:
        for generator in generators:
            if generator[here] not in found:
                found[generator[here]] = product(found[here], generator)
                queue.append(generator[here])
    return found


def strong_generators(generators: Sequence[Permutation], degree: int) -> tuple[list[int], list[Permutation]]:
    """A base and a strong generating set: generators of every stabiliser of the first points of the base among them."""
    base: list[int] = []
    for g in generators:
        if all(g[b] == b for b in base):
            base.append(next(p for p in range(degree) if g[p] != p))
    levels = [[g for g in generators if all(g[b] == b for b in base[:i])] for i in range(len(base))]
    strong, level = [*generators], len(base) - 1
    while level >= 0:
        transversals = [orbit(b, levels[i], degree) for i, b in enumerate(base)]
        new, depth = _missing(level, base, levels, transversals)
        if new is None:
            level -= 1
            continue
        if depth == len(base):
            base.append(next(p for p in range(degree) if new[p] != p))
            levels.append([])
        strong.append(new)
        for i in range(level + 1, depth + 1):
            levels[i].append(new)
        level = depth
    return base, strong


def _missing(
    level: int, base: list[int], levels: list[list[Permutation]], transversals: list[dict[int, Permutation]]
) -> tuple[Permutation | None, int]:
    """A Schreier generator of this level that the deeper levels do not generate, sifted, and the level where sifting ended."""
    for beta, reach in transversals[level].items():
        for generator in levels[level]:
            there = product(reach, generator)
            rest = product(there, inverse(transversals[level][generator[beta]]))
            for depth in range(level + 1, len(base)):
                at = rest[base[depth]]
                if at not in transversals[depth]:
                    return rest, depth
                rest = product(rest, inverse(transversals[depth][at]))
            if rest != bytes(range(len(rest))):
                return rest, len(base)
    return None, -1
