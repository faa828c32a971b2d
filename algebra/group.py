"""Finite permutation groups through their Cayley tables."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from math import factorial, gcd
from typing import NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from algebra.errors import GroupError, GroupTooLargeError
from algebra.permutation import Images, format_cycles, parity, parse_cycles
from algebra.plural import plural

__all__ = [
    "MAX_DEGREE",
    "MAX_ORDER",
    "FiniteGroup",
    "NamedGenerators",
    "generators_name",
    "group_from_generators",
    "is_name_of",
    "natural_name",
    "parse_generators",
    "parse_group",
]

#: Largest order: a Cayley table in int16 then takes at most 200 MB.
MAX_ORDER = 10_000
#: Largest degree: images are stored in one byte each.
MAX_DEGREE = 255

Array = TypeVar("Array", bound=NDArray[np.generic])


@dataclass(frozen=True, eq=False)
class FiniteGroup:
    """A permutation group whose elements are numbered lexicographically, so the identity is element 0.

    Attributes:
        name: what it was asked for as; ``parse_group(name)`` gives the group back.
        degree: number of points, 0-based inside.
        elements: (order, degree) images of each element, rows in lexicographic order.
        generators: image tuples that generate the group.

    """

    name: str
    degree: int
    elements: NDArray[np.uint8]
    generators: tuple[Images, ...]

    def __repr__(self) -> str:
        return f"FiniteGroup({self.name!r}, order {self.order})"

    @property
    def order(self) -> int:
        """Number of elements."""
        return len(self.elements)

    @cached_property
    def mul(self) -> NDArray[np.int16]:
        """(order, order) Cayley table: ``mul[x, y]`` is x first, then y.

        Row ``gx`` is row ``x`` mapped by left multiplication with the generator g, so one gather per row is
        enough.
        """
        left = [np.asarray(self.index_of(self.elements[:, list(images)]), np.int16) for images in self.generators]
        table = np.empty((self.order, self.order), dtype=np.int16)
        table[0] = np.arange(self.order)
        known = np.zeros(self.order, dtype=bool)
        known[0] = True
        queue = [0]
        for here in queue:
            row = table[here].astype(np.intp)
            for images in left:
                there = int(images[here])
                if not known[there]:
                    known[there] = True
                    table[there] = images[row]
                    queue.append(there)
        table.setflags(write=False)
        return table

    @cached_property
    def inv(self) -> NDArray[np.int16]:
        """(order,) number of each element's inverse."""
        inverses = np.argsort(self.elements, axis=1).astype(np.uint8)
        return _frozen(np.asarray(self.index_of(inverses), dtype=np.int16))

    @cached_property
    def parity(self) -> NDArray[np.int8]:
        """(order,) 0 for even permutations of the points, 1 for odd ones."""
        return _frozen(np.array([parity(row) for row in self.elements.tolist()], dtype=np.int8))

    @cached_property
    def element_orders(self) -> NDArray[np.int16]:
        """(order,) least k > 0 with g^k = 1."""
        orders = np.ones(self.order, dtype=np.int16)
        everything = np.arange(self.order)
        power = everything.copy()
        while (running := power != 0).any():
            orders += running
            power = np.where(running, self.mul[power, everything], 0)
        return _frozen(orders)

    @cached_property
    def class_of(self) -> NDArray[np.intp]:
        """(order,) number of each element's conjugacy class; classes are numbered by their least element."""
        labels = np.arange(self.order)
        while True:
            before = labels.copy()
            for images in self.generators:
                conjugate = self.conjugate(np.arange(self.order), self.index_of(images))
                least = np.minimum(labels, labels[conjugate])
                labels = np.minimum(least, least[np.argsort(conjugate)])
            labels = labels[labels]
            if np.array_equal(labels, before):
                return _frozen(np.unique(labels, return_inverse=True)[1].astype(np.intp))

    @cached_property
    def conjugacy_classes(self) -> tuple[NDArray[np.intp], ...]:
        """Conjugacy classes of elements, each a rising index array, in the order of their least elements."""
        labels = self.class_of
        return tuple(_frozen(np.flatnonzero(labels == number)) for number in range(int(labels.max()) + 1))

    def conjugate(self, x: int | NDArray[np.integer], by: int | NDArray[np.integer]) -> NDArray[np.int16]:
        """Number of ``by^-1 x by``, for arrays of element numbers that broadcast together."""
        return np.asarray(self.mul[self.mul[self.inv[by], x], by])

    @overload
    def index_of(self, images: Sequence[int]) -> int: ...

    @overload
    def index_of(self, images: ArrayLike) -> int | NDArray[np.intp]: ...

    def index_of(self, images: ArrayLike) -> int | NDArray[np.intp]:
        """Number of the element with these 0-based images; an array of numbers for an array (..., degree).

        Raises:
            GroupError: the images are not those of an element.

        """
        rows = np.asarray(images)
        if rows.shape[-1:] != (self.degree,):
            raise GroupError(f"Expected {plural(self.degree, 'image')} for an element of {self.name}, got shape {rows.shape}.")
        keys = _row_keys(rows.astype(np.uint8))
        found = np.minimum(np.searchsorted(self._keys, keys), self.order - 1)
        if not (self.elements[found] == rows).all():
            raise GroupError(f"Expected images of elements of {self.name}, got a permutation outside it.")
        return found if rows.ndim > 1 else int(found)

    def word(self, element: int) -> str:
        """Cycle notation of the element with this number."""
        return format_cycles(self.elements[element].tolist())

    @cached_property
    def _keys(self) -> NDArray[np.bytes_]:
        return _row_keys(self.elements)


def _frozen(array: Array) -> Array:
    array.setflags(write=False)
    return array


def _row_keys(rows: NDArray[np.uint8]) -> NDArray[np.bytes_]:
    """Rows of one length as byte strings, whose order is the lexicographic order of the rows."""
    return np.ascontiguousarray(rows).view(f"S{rows.shape[-1]}")[..., 0]


def group_from_generators(name: str, degree: int, generators: Sequence[Images]) -> FiniteGroup:
    """The group that the generators generate; O(order * number of generators).

    Raises:
        GroupError: the degree is above ``MAX_DEGREE`` or the order above ``MAX_ORDER``.

    """
    if not 1 <= degree <= MAX_DEGREE:
        raise GroupError(f"Expected a group on 1 to {MAX_DEGREE} points, got {degree} points for {name}.")
    identity = bytes(range(degree))
    tables = [bytes(images) + bytes(256 - degree) for images in generators]
    known = {identity}
    queue = [identity]
    for element in queue:
        for table in tables:
            product = element.translate(table)
            if product not in known:
                known.add(product)
                queue.append(product)
        if len(known) > MAX_ORDER:
            raise GroupTooLargeError(f"Expected a group of at most {MAX_ORDER:,} elements, got {name} with more.")
    elements = np.frombuffer(b"".join(sorted(known)), dtype=np.uint8).reshape(-1, degree)
    kept = tuple(images for images in generators if bytes(images) != identity)
    return FiniteGroup(name, degree, elements, kept)


#: What people write, blanks, underscores and braces left out, and the name that it has here.
_SPELLINGS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"(?:C|Z|Z/|Cyclic|CyclicGroup)\(?0*([0-9]{1,4})\)?", "C{0}"),
        (r"Z/0*([0-9]{1,4})Z", "C{0}"),
        (r"(?:S|Sym|SymmetricGroup)\(?0*([0-9]{1,4})\)?", "S{0}"),
        (r"(?:A|Alt|AlternatingGroup)\(?0*([0-9]{1,4})\)?", "A{0}"),
        (r"D\(?0*([0-9]{1,4})\)?", "D{0}"),
        (r"[VK]4|V", "C2xC2"),
        (r"Q\(?0*([0-9]{1,4})\)?", "Q{0}"),
        (r"Dic\(?0*([0-9]{1,4})\)?", "Dic{0}"),
        (r"F0*([0-9]{1,4})", "F{0}"),
        (r"AGL\(?1,0*([0-9]{1,4})\)?", "AGL(1,{0})"),
        (r"Aff\((?:Z/?)?0*([0-9]{1,4})Z?\)", "Aff({0})"),
        (r"(?:PSL\(2,|PSL2\(|L2\()(?:G?F)?0*([0-9]{1,4})\)", "PSL(2,{0})"),
        (r"(?:PGL\(2,|PGL2\()(?:G?F)?0*([0-9]{1,4})\)", "PGL(2,{0})"),
        (r"(?:SL\(2,|SL2\()(?:G?F)?0*([0-9]{1,4})\)", "SL(2,{0})"),
        (r"(?:GL\(2,|GL2\()(?:G?F)?0*([0-9]{1,4})\)", "GL(2,{0})"),
        (r"M11", "M11"),
    )
)
_CANONICAL = re.compile(r"([SACDQF]|Dic)([0-9]+)|(AGL|Aff|PSL|PGL|SL|GL)\((?:[12],)?([0-9]+)\)|M11")


class NamedGenerators(NamedTuple):
    """A permutation group by generators, none of its elements listed.

    Attributes:
        name: its name; ``parse_generators(name)`` gives the same generators back.
        degree: number of points.
        generators: image tuples.

    """

    name: str
    degree: int
    generators: tuple[Images, ...]


def parse_group(text: str) -> FiniteGroup:
    """The group of that name; equal names give the same object.

    Blanks, underscores, leading zeros and small letters are taken for what they mean: the name of the group is ``S6`` for " s_006".

    ``S5`` and ``A5`` are the symmetric and alternating groups, ``C7`` (or ``Z7``) the cyclic group on 7 points, ``D10`` the dihedral
    group of ORDER 10 on 5 points, ``V4`` is ``C2xC2``. ``Q8`` and ``Dic3`` are the quaternion group of that order and the dicyclic
    group of order 12, acting on themselves; ``AGL(1,5)`` and ``Aff(16)`` the maps x -> ax + b of the integers modulo that number,
    ``F21`` the Frobenius group of that order among them; ``PSL(2,7)`` and ``PGL(2,5)`` act on a projective line, ``SL(2,3)`` and
    ``GL(2,3)`` on the vectors that are not 0, over a prime field; ``M11`` acts on 11 points. ``S3xS3`` is a direct product on the
    disjoint union of the points, ``C2^3`` a power, ``S3wrS2`` a wreath product on copies of the points, and ``(1 2 3), (1 2)``, or
    GAP's ``Group((1,2,3),(1,2))``, the group that these permutations generate.

    Raises:
        GroupError: the text names no group, or a group beyond ``MAX_ORDER`` or ``MAX_DEGREE``.

    """
    return _listed_group(parse_generators(text))


def parse_generators(text: str) -> NamedGenerators:
    """The generators of the group of that name, however many elements it has.

    Raises:
        GroupError: the text names no group, or one on more than ``MAX_DEGREE`` points.

    """
    text = text.strip()
    if not text.isprintable():
        raise GroupError(f"Expected the name of a group in one line, got {text!r}.")
    factors = [_spelt(part) for part in re.split(r"[xX×*]", text)]
    if all(factors):
        return _named_generators("x".join(name for name in factors if name))
    if "(" in text:
        return _written_generators(re.sub(r"^Group\((.*)\)$", r"\1", text, flags=re.DOTALL | re.IGNORECASE))
    smaller = re.sub(r"\^[1-9][0-9]+", "^2", re.sub(r"[1-9][0-9]{4,}", "5", text))
    if smaller != text and all(_spelt(part) for part in re.split(r"[xX×*]", smaller)):
        raise GroupError(f"Expected a group on 1 to {MAX_DEGREE} points, got {text[:40]!r}, which is too large.")
    raise GroupError(
        f"Expected a group such as S6, A5, C7, D10, Q8, PSL(2,7), S3xS3, S3wrS2 or generators such as '(1 2 3), (1 2)', got {text!r}."
    )


def _spelt(text: str) -> str | None:
    """The name of a factor, a power or a wreath product as it is written here; None for what is none."""
    text = re.sub(r"[\s_{}]", "", text)
    wreath = re.split(r"wr(?=.)", text, flags=re.IGNORECASE)
    if len(wreath) == 2:
        parts = [_spelt(part) for part in wreath]
        return None if None in parts or any("x" in part or "wr" in part for part in parts if part) else "wr".join(filter(None, parts))
    power = re.fullmatch(r"(.+)\^([1-9])", text)
    if power:
        base = _spelt(power[1])
        return None if base is None or "wr" in base else "x".join([base] * int(power[2]))
    for pattern, name in _SPELLINGS:
        match = pattern.fullmatch(text)
        if match:
            return name.format(*(int(number) for number in match.groups()))
    return None


@lru_cache(maxsize=128)
def _listed_group(named: NamedGenerators) -> FiniteGroup:
    return group_from_generators(named.name, named.degree, named.generators)


@lru_cache(maxsize=64)
def _named_generators(name: str) -> NamedGenerators:
    degree, generators = reduce(_direct_product, map(_factor_of, name.split("x")))
    return NamedGenerators(name, degree, tuple(generators))


def _factor_of(name: str) -> tuple[int, list[Images]]:
    """(degree, generators) of a factor of a product."""
    if "wr" in name:
        return _wreath_product(*map(_factor_of, name.split("wr")))
    match = _CANONICAL.fullmatch(name)
    if match is None:
        raise GroupError(f"Expected the name of a group, got {name}.")
    if match[1] in ("S", "A", "C", "D"):
        return _factor_generators(match[1], int(match[2]), name)
    return _further_group(match[1] or match[3] or name, int(match[2] or match[4] or 0), name)


def _wreath_product(base: tuple[int, list[Images]], top: tuple[int, list[Images]]) -> tuple[int, list[Images]]:
    """The base on each of as many blocks as the top has points, and the top on the blocks."""
    (points, inner), (blocks, outer) = base, top
    degree = points * blocks
    if degree > MAX_DEGREE:
        raise GroupError(f"Expected a wreath product on at most {MAX_DEGREE} points, got {degree}.")
    generators: list[Images] = []
    for block in range(blocks):
        for images in inner:
            moved = list(range(degree))
            moved[points * block : points * (block + 1)] = [points * block + image for image in images]
            generators.append(tuple(moved))
    generators += [tuple(points * images[k // points] + k % points for k in range(degree)) for images in outer]
    return degree, generators


def _further_group(kind: str, size: int, name: str) -> tuple[int, list[Images]]:
    """(degree, generators) of the groups that are neither symmetric, alternating, cyclic nor dihedral."""
    if kind == "M11":
        return 11, [_rotation(11), parse_cycles("(3 7 11 8)(4 10 5 6)", 11)]
    if kind in ("Q", "Dic"):
        order = size if kind == "Q" else 4 * size
        if order < 8 or (kind == "Q" and order & (order - 1)) or order > MAX_DEGREE:
            raise GroupError(f"Expected Q8, Q16, ... by order or Dic2, Dic3, ... of order 4n up to {MAX_DEGREE}, got {name}.")
        half = order // 2
        turn = (*((i + 1) % half for i in range(half)), *(half + (i - 1) % half for i in range(half)))
        flip = (*(half + i for i in range(half)), *((i + half // 2) % half for i in range(half)))
        return order, [turn, flip]
    if kind == "F":
        prime = max((p for p in _primes_up_to(size) if size % p == 0), default=0)
        if not prime or size == prime or (prime - 1) % (size // prime) or prime > MAX_DEGREE:
            raise GroupError(f"Expected the order p k of a Frobenius group, k > 1 dividing p - 1, such as F20 or F21, got {name}.")
        step = pow(_primitive_root(prime), (prime - 1) // (size // prime), prime)
        return prime, [_rotation(prime), tuple(step * i % prime for i in range(prime))]
    if kind in ("AGL", "Aff"):
        if not 2 <= size <= MAX_DEGREE or (kind == "AGL" and not _is_prime(size)):
            raise GroupError(f"Expected a prime below {MAX_DEGREE} for AGL(1,p), or Aff(n) for the integers modulo n, got {name}.")
        return size, [_rotation(size), *(tuple(u * i % size for i in range(size)) for u in _unit_generators(size))]
    if not _is_prime(size) or size > 23:
        raise GroupError(f"Expected a prime of at most 23 for {kind}(2,p), got {name}: give others by generators.")
    return _linear_group(kind, size)


def _linear_group(kind: str, p: int) -> tuple[int, list[Images]]:
    """PSL and PGL on the points 0, ..., p - 1 and infinity; SL and GL on the vectors (a, b) other than (0, 0), in order of a p + b."""
    root = _primitive_root(p)
    if kind in ("PSL", "PGL"):
        shift = (*((i + 1) % p for i in range(p)), p)
        invert = (p, *(-pow(i, -1, p) % p for i in range(1, p)), 0)
        scale = (*(root * i % p for i in range(p)), p)
        return p + 1, [shift, invert, *([scale] if kind == "PGL" and p > 2 else [])]
    if p * p - 1 > MAX_DEGREE:
        raise GroupError(f"Expected {kind}(2,p) on at most {MAX_DEGREE} vectors, got {p * p - 1}.")
    matrices = [(1, 1, 0, 1), (0, 1, -1, 0), *([(root, 0, 0, 1)] if kind == "GL" and p > 2 else [])]
    vectors = [divmod(k, p) for k in range(1, p * p)]
    return p * p - 1, [tuple((a * m + b * r) % p * p + (a * q + b * t) % p - 1 for a, b in vectors) for m, q, r, t in matrices]


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % k for k in range(2, int(number**0.5) + 1))


def _primes_up_to(number: int) -> list[int]:
    return [p for p in range(2, number + 1) if _is_prime(p)]


def _primitive_root(p: int) -> int:
    """The least generator of the units modulo a prime."""
    return next(g for g in range(1, p + 1) if len({pow(g, k, p) for k in range(p - 1)}) == p - 1)


def _unit_generators(n: int) -> list[int]:
    """Units modulo n, each outside of what those before it generate, that generate all of them."""
    known, found = {1 % n}, []
    for unit in range(2, n):
        if gcd(unit, n) == 1 and unit not in known:
            found.append(unit)
            while len(larger := known | {a * b % n for a in known for b in (unit, *known)}) > len(known):
                known = larger
    return found


def _direct_product(left: tuple[int, list[Images]], right: tuple[int, list[Images]]) -> tuple[int, list[Images]]:
    degree = left[0] + right[0]
    extended = [images + tuple(range(left[0], degree)) for images in left[1]]
    shifted = [tuple(range(left[0])) + tuple(left[0] + i for i in images) for images in right[1]]
    return degree, extended + shifted


def _factor_generators(kind: str, size: int, name: str) -> tuple[int, list[Images]]:
    most = 2 * MAX_DEGREE if kind == "D" else MAX_DEGREE
    if size < 1 or size > most:
        raise GroupError(f"Expected a number from 1 to {most} after {kind}, got {name}.")
    if kind == "D":
        if size % 2 or size < 6:
            other = f": the symmetries of the {size}-gon are D{2 * size} here" if size > 2 else ""
            raise GroupError(f"Expected the even order of a dihedral group, 6 or more, after D, got {name}{other}.")
        degree = size // 2
        return degree, [_rotation(degree), tuple(-i % degree for i in range(degree))]
    if kind == "C":
        return size, [_rotation(size)]
    if kind == "S":
        return size, [_rotation(size), (1, 0, *range(2, size))] if size > 1 else []
    return size, [_three_cycle(size, k) for k in range(2, size)]


def _rotation(degree: int) -> Images:
    return (*range(1, degree), 0)


def _three_cycle(degree: int, last: int) -> Images:
    images = list(range(degree))
    images[0], images[1], images[last] = 1, last, 0
    return tuple(images)


def _written_generators(text: str) -> NamedGenerators:
    words = re.split(r"\)\s*[,;]\s*\(", text.strip("<>[]{} "))
    words = [("" if i == 0 else "(") + word + ("" if i == len(words) - 1 else ")") for i, word in enumerate(words)]
    points = [int(number) for number in re.findall(r"[0-9]{1,9}", text)]
    degree = max(points, default=1)
    if degree > MAX_DEGREE:
        raise GroupError(f"Expected points from 1 to {MAX_DEGREE}, got {degree}.")
    generators = tuple(parse_cycles(word, degree) for word in words)
    return NamedGenerators(generators_name(generators, degree), degree, generators)


def generators_name(generators: Sequence[Images], degree: int) -> str:
    """The generators in cycle notation; where they fix the last point, a cycle of that point alone tells the degree."""
    words = [format_cycles(images) for images in generators if any(i != image for i, image in enumerate(images))]
    if degree > 1 and all(images[-1] == degree - 1 for images in generators if images):
        words = [*(words[:1] or [""]), *words[1:]]
        words[0] += f"({degree})"
    return ", ".join(words) or "()"


def natural_name(group: FiniteGroup) -> str | None:
    """``S5`` or ``A5`` for these groups on their points, None for others; A_n is named from degree 3 on."""
    whole = factorial(group.degree)
    if group.order == whole:
        return f"S{group.degree}"
    return f"A{group.degree}" if group.degree > 2 and 2 * group.order == whole else None


def is_name_of(name: str, group: FiniteGroup) -> bool:
    """Whether ``parse_group(name)`` is the group with exactly these permutations, whatever its generators.

    False where the name is not the one that ``parse_group`` gives back, so that "S006" and "s6" are nobody's names.
    """
    try:
        named = parse_group(name)
    except GroupError:
        return False
    same = named.degree == group.degree and named.order == group.order and np.array_equal(named.elements, group.elements)
    return same and named.name == name
