"""Character tables of finite groups, exactly, by the method of Burnside and Dixon.

The vectors ``|C| chi(C) / chi(1)`` are the common eigenvectors of the matrices of class constants. They are
found modulo a prime p = 1 (mod e), p > 2 sqrt|G|, e the exponent of the group, and a character's
multiplicities of eigenvalues, integers below p, give its values in the cyclotomic field (J. D. Dixon, "High
speed computation of group characters", Numer. Math. 10, 1967).
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from algebra.characters.irrep import has_irreps, irreps
from algebra.characters.modular import column_basis, eigenspaces, least_prime, primitive_root_of_unity, product_modulo
from algebra.errors import GroupError
from algebra.group import FiniteGroup

__all__ = ["MAX_ENTRIES", "CharacterTable", "character_table", "cyclotomic_polynomial", "format_value"]

#: Most numbers at once, for memory (a gibibyte): values at all powers of all classes, (classes)^2 times the group's exponent.
MAX_ENTRIES = 2**27


@dataclass(frozen=True, eq=False)
class CharacterTable:
    """All irreducible characters, on the classes in the order of ``group.conjugacy_classes``.

    Attributes:
        group: the group.
        names: partitions for S_n and A_n in the order of ``irreps(group)``; ``X1``, ``X2``, ... for other
            groups, by degree.
        root: exponent e of the group; zeta = exp(2 pi i / e).
        coefficients: (characters, classes, phi(e)) integers c with value ``sum_k c[k] zeta^k``. The powers
            of zeta below phi(e) are linearly independent, so equal values have equal coefficients.
        prime: p.
        residues: (characters, classes) the values modulo p, for a zeta in GF(p).

    """

    group: FiniteGroup
    names: tuple[str, ...]
    root: int
    coefficients: NDArray[np.int64]
    prime: int
    residues: NDArray[np.int64]

    @cached_property
    def values(self) -> NDArray[np.complex128]:
        """(characters, classes) the values as complex numbers, rounded."""
        powers = np.exp(2j * np.pi * np.arange(self.coefficients.shape[2]) / self.root)
        return np.asarray(self.coefficients @ powers)

    @cached_property
    def degrees(self) -> NDArray[np.int64]:
        """(characters,) value at the identity."""
        return self.coefficients[:, 0, 0]

    @cached_property
    def rational(self) -> NDArray[np.bool_]:
        """(characters, classes) which values are integers, decided exactly."""
        return np.asarray(~self.coefficients[:, :, 1:].any(axis=2))

    def multiplicities(self, characters: NDArray[np.integer]) -> NDArray[np.int64]:
        """(..., irreps) how often each irreducible character is in integer characters (..., classes).

        Computed modulo p, so exact for multiplicities below p; a transitive permutation character holds an
        irreducible one at most as often as its degree, which is below p.
        """
        sizes = np.array([len(one) for one in self.group.conjugacy_classes], dtype=np.int64)
        inverse = pow(self.group.order, -1, self.prime)
        weighted = np.asarray(characters, dtype=np.int64) * sizes % self.prime
        conjugate = self.residues[:, _power_classes(self.group, -1)]
        return weighted @ conjugate.T % self.prime * inverse % self.prime


@lru_cache(maxsize=32)
def character_table(group: FiniteGroup) -> CharacterTable:
    """The character table of a group, by Burnside's method in Dixon's form; O(classes^3) for each class matrix that it needs.

    Raises:
        GroupError: it would take more than ``MAX_ENTRIES`` numbers.

    """
    number = len(group.conjugacy_classes)
    root = int(np.lcm.reduce(group.element_orders.astype(np.int64)))
    if number**2 * root > MAX_ENTRIES:
        sizes = f"{number} classes of elements and exponent {root}"
        raise GroupError(f"Expected at most {MAX_ENTRIES:,} values of characters at powers, got {group.name} with {sizes}.")
    prime = least_prime(max(2 * isqrt(group.order), number), root)
    residues = _residues(group, prime)
    coefficients = _lifted(group, residues, root, prime)
    values = coefficients @ np.exp(2j * np.pi * np.arange(coefficients.shape[2]) / root)
    order, names = _arranged(group, values)
    return CharacterTable(group, names, root, coefficients[order], prime, residues[order])


def _class_matrix(group: FiniteGroup, number: int) -> NDArray[np.int64]:
    """[i, k]: how often a given z of class k is a product xy of x in class i and y in class ``number``."""
    classes = group.conjugacy_classes
    firsts = np.array([one[0] for one in classes])
    left = group.class_of[group.mul[firsts[:, None], group.inv[classes[number]]]]
    return np.stack([np.bincount(row, minlength=len(classes)) for row in left], axis=1).astype(np.int64)


def _residues(group: FiniteGroup, prime: int) -> NDArray[np.int64]:
    """(characters, classes) the irreducible characters modulo p, in no particular order."""
    sizes = np.array([len(one) for one in group.conjugacy_classes], dtype=np.int64)
    spaces = [np.eye(len(sizes), dtype=np.int64)]
    for number in np.argsort(sizes, kind="stable").tolist():
        if all(space.shape[1] == 1 for space in spaces):
            break
        matrix = _class_matrix(group, number) % prime
        spaces = [part for space in spaces for part in _split(space, matrix, prime)]
    central = np.stack([space[:, 0] * pow(int(space[0, 0]), -1, prime) % prime for space in spaces])
    inverse_sizes = np.array([pow(int(size), -1, prime) for size in sizes], dtype=np.int64)
    norms = (central * central[:, _power_classes(group, -1)] % prime * inverse_sizes % prime).sum(axis=1) % prime
    degree_of = {d * d % prime: d for d in range(1, isqrt(group.order) + 1) if group.order % d == 0}
    degrees = np.array([degree_of[group.order * pow(int(norm), -1, prime) % prime] for norm in norms])
    return np.asarray(central * degrees[:, None] % prime * inverse_sizes % prime)


def _split(space: NDArray[np.int64], matrix: NDArray[np.int64], prime: int) -> list[NDArray[np.int64]]:
    """The intersections of an invariant space (a basis as columns) with the eigenspaces of the matrix."""
    if space.shape[1] == 1:
        return [space]
    basis, rows = column_basis(space, prime)
    restricted = product_modulo(matrix, basis, prime)[rows]
    return [product_modulo(basis, part, prime) for part in eigenspaces(restricted, prime)]


def _power_classes(group: FiniteGroup, exponent: int) -> NDArray[np.intp]:
    """(classes,) the class of g^exponent for g in each class; exponent -1 or 0 and more."""
    firsts = np.array([one[0] for one in group.conjugacy_classes])
    if exponent < 0:
        return np.asarray(group.class_of[group.inv[firsts]])
    power = np.zeros_like(firsts)
    for _ in range(exponent):
        power = group.mul[power, firsts].astype(np.intp)
    return np.asarray(group.class_of[power])


def _lifted(group: FiniteGroup, residues: NDArray[np.int64], root: int, prime: int) -> NDArray[np.int64]:
    """Values as integer combinations of 1, zeta, ..., zeta^(phi(e) - 1).

    The multiplicity of zeta^l as an eigenvalue of g is (1/e) sum over t of chi(g^t) zeta^(-lt).
    """
    zeta = primitive_root_of_unity(root, prime)
    powers = [pow(zeta, k, prime) for k in range(root)]
    table = np.array([[powers[-t * k % root] for k in range(root)] for t in range(root)], dtype=np.int64)
    maps = np.stack([_power_classes(group, t) for t in range(root)])
    at_powers = residues[:, maps].transpose(0, 2, 1)
    multiplicities = product_modulo(at_powers, table, prime) * pow(root, -1, prime) % prime
    return np.asarray(multiplicities @ _reductions(root))


def _reductions(root: int) -> NDArray[np.int64]:
    """(e, phi(e)) row k holds the coefficients of x^k modulo the cyclotomic polynomial."""
    modulus = np.array(cyclotomic_polynomial(root), dtype=np.int64)
    degree = len(modulus) - 1
    rows = np.zeros((root, degree), dtype=np.int64)
    rows[0, 0] = 1
    for k in range(1, root):
        rows[k, 1:] = rows[k - 1, :-1]
        rows[k] -= rows[k - 1, -1] * modulus[:-1]
    return rows


@lru_cache(maxsize=128)
def cyclotomic_polynomial(order: int) -> tuple[int, ...]:
    """Integer coefficients, constant term first: x^order - 1 divided by those of the proper divisors."""
    dividend = [-1, *[0] * (order - 1), 1]
    for divisor in (d for d in range(1, order) if order % d == 0):
        dividend = _quotient(dividend, cyclotomic_polynomial(divisor))
    return tuple(dividend)


def _quotient(dividend: list[int], divisor: tuple[int, ...]) -> list[int]:
    """Exact quotient of polynomials, the divisor monic."""
    rest, quotient = list(dividend), [0] * (len(dividend) - len(divisor) + 1)
    for shift in range(len(quotient) - 1, -1, -1):
        quotient[shift] = rest[shift + len(divisor) - 1]
        for i, coefficient in enumerate(divisor):
            rest[shift + i] -= quotient[shift] * coefficient
    return quotient


def _arranged(group: FiniteGroup, values: NDArray[np.complex128]) -> tuple[list[int], tuple[str, ...]]:
    """Order and names of the characters: as the irreps where these are known, else by degree and values."""
    rounded = np.round(values, 6) + 0.0
    if not has_irreps(group):
        keys = [(v[0].real, *(-part for z in v for part in (z.real, z.imag))) for v in rounded.tolist()]
        order = sorted(range(len(keys)), key=lambda i: (any(v != 1 for v in rounded[i]), keys[i]))
        return order, tuple(f"X{k + 1}" for k in range(len(order)))
    elements = [one[0] for one in group.conjugacy_classes]
    order = [int(np.abs(values - rho.traces(elements)).max(axis=1).argmin()) for rho in irreps(group)]
    return order, tuple(rho.name for rho in irreps(group))


def format_value(value: complex) -> str:
    """A character value for people: an integer, (a+b√d)/2, or a decimal number where it is neither."""
    real, imaginary = round(value.real, 9) + 0.0, round(value.imag, 9) + 0.0
    if imaginary == 0 or real == 0:
        unit = "i" if imaginary else ""
        size = imaginary or real
        if size == round(size):
            return f"{round(size)}{unit}" if abs(size) != 1 or not unit else ("-i" if size < 0 else "i")
    for radicand in (5, 2, 3, 7, 13, 17, -3, -7, -1, -2, -11, -15, -5):
        root = complex(radicand) ** 0.5
        choices = [round(2 * imaginary / root.imag)] if radicand < 0 else [1, -1, 2, -2, 3, -3, 4, -4]
        for b in choices:
            a = round(2 * (value - b * root / 2).real)
            if b and abs((a + b * root) / 2 - value) < 1e-9:
                return _surd(a, b, radicand)
    return f"{value.real:.3f}" + (f"{value.imag:+.3f}i" if imaginary else "")


def _surd(a: int, b: int, radicand: int) -> str:
    """(a + b sqrt(radicand)) / 2, with the 2 cancelled where possible."""
    halves = a % 2 or b % 2
    a, b = (a, b) if halves else (a // 2, b // 2)
    size = "" if abs(b) == 1 else str(abs(b))
    root = f"{size}√{radicand}" if radicand > 0 else f"{size}i√{-radicand}" if radicand < -1 else f"{size}i"
    text = f"{a}{'+' if b > 0 else '-'}{root}" if a else f"{'' if b > 0 else '-'}{root}"
    return (f"({text})/2" if a else f"{text}/2") if halves else text
