"""What a subgroup is called, and what a reader may take from it.

What this module proves: that a name which `check_subgroup_name` lets pass says nothing false of the subgroup. A name is a list of
generators, or a type, S4 or D8xS2, with what tells the subgroup from others of that type:

    S_n, A_n, C_n     symmetric, alternating, cyclic         AxB       direct product
    D_n, Q_n          dihedral, quaternion, of order n       AwrS2     two copies of A, and their exchange
    F_n               Frobenius group of order n             A:B       an extension of order |A| |B|
    K4                regular on four points                 G_n       any group of order n
    S2, S2xS2         of one or two transpositions           1         the trivial group

    [3,2]             the lengths of the orbits of more than one point
    +                 all permutations are even
    a, b, _27         told apart by nothing that is checked here
    fixing 4,5        these points alone are fixed           fixing {4,5}     the shortest orbit of more than one point, and alone
    on {1,2},{3,4}    these are the orbits of more than one point
    #2                the second among its conjugates, in the order of their elements

Of a type it is checked that the subgroup has as many elements of each order as groups of that type have; for extensions, G_n, and the
perfect groups that are named by what they are groups of, SL(2,5) or L3(2), that its order is theirs. That is less than an
isomorphism.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import permutations
from itertools import product as pairs

from .groups import Group, Permutation, closure, is_odd, permutation
from .shape import Differs, SubgroupRecord, need, same, shown

#: For each order of elements how many there are.
Orders = dict[int, int]
#: The lengths of the orbits of more than one point that some types have.
SHAPES = {"K4": [4], "S2": [2], "S2xS2": [2, 2]}
#: No name is longer, but for lists of generators.
LONGEST = 100
#: Orders of groups that are named otherwise.
OTHERS = {"SL(2,5)": 120, "SL(2,7)": 336, "L3(2)": 168, "L2(8)": 504, "L2(11)": 660}


def check_subgroup_name(record: SubgroupRecord, members: Sequence[int], group: Group) -> None:
    """Raise Differs where the name says something of the subgroup that is not so, or is not written as the module's docstring says."""
    name, elements = record.name, [group.elements[g] for g in members]
    if re.fullmatch(r"\([0-9 ]*\)[0-9 (),]*", name):
        named = closure([permutation(text, group.degree) for text in name.split(", ")], group.degree)
        same(f"elements that generate {shown(name)}, as the name says", named == {*elements}, True)
        return
    need(len(name) <= LONGEST, f"expected a name of at most {LONGEST} characters of a subgroup, got {shown(name)}")
    found = re.fullmatch(
        r"((?:[A-Za-z0-9():]|\(2,[57]\))+?)(\[[0-9,]+\])?(\+)?([a-z]|_[0-9]+)?"
        r"( fixing [0-9,]+| fixing \{[0-9,]+\}| on \{[0-9,{}]+\}|#[0-9]+)?",
        name,
    )
    if not found:
        raise Differs(f"name of a subgroup: the certificate states {shown(name)}, the checker does not know what that says")
    kind, shape, even, _, mark = found.groups()
    check_type(name, kind, Counter(order_of(element) for element in elements))
    moved = sorted(orbits(elements, group.degree), key=lambda orbit: (-len(orbit), orbit))
    if kind in SHAPES:
        same(f"lengths of orbits of {shown(name)}", SHAPES[kind], [len(orbit) for orbit in moved])
    if shape:
        same(f"lengths of orbits of {shown(name)}", shape, f"[{','.join(str(len(orbit)) for orbit in moved)}]")
    if even:
        same(f"permutations of {shown(name)}, all even", any(group.parity[g] for g in members), False)
    if mark:
        same(f"what {shown(name)} fixes or moves", mark, true_mark(mark, members, elements, moved, group))


def true_mark(mark: str, members: Sequence[int], elements: list[Permutation], moved: list[list[int]], group: Group) -> str:
    """The mark of this kind that the subgroup has."""
    if mark.startswith("#"):
        return f"#{place_among_conjugates(members, group)}"
    if mark.startswith(" on"):
        return " on " + ",".join(f"{{{points(orbit)}}}" for orbit in moved)
    if mark.startswith(" fixing {"):
        shortest = [orbit for orbit in moved if len(orbit) == len(moved[-1])]
        return f" fixing {{{points(moved[-1])}}}" if len(shortest) == 1 else ""
    return f" fixing {points([p for p in range(group.degree) if all(element[p] == p for element in elements)])}"


def points(numbers: Sequence[int]) -> str:
    """Points from 1 on, with commas."""
    return ",".join(str(p + 1) for p in numbers)


def place_among_conjugates(members: Sequence[int], group: Group) -> int:
    """The place, from 1 on, of the subgroup among its conjugates in the group, by their lists of elements."""
    mul, own = group.mul, sorted(members)
    conjugates = set()
    for x in group.right_cosets(own).first:  # all elements of a coset Hx give the same conjugate
        back = mul[group.inverse[x]]
        conjugates.add(tuple(sorted(mul[back[h]][x] for h in own)))
    return sorted(conjugates).index(tuple(own)) + 1


# ---- types


def check_type(name: str, kind: str, orders: Counter[int]) -> None:
    """Raise Differs unless a group of this type has as many elements of each order, or where that is not known as many elements."""
    size, stated = Type(kind).whole()
    same(f"order of a group of the type of {shown(name)}", size, orders.total())
    if stated is not None:
        same(f"orders of the elements of {shown(name)}", dict(sorted(stated.items())), dict(sorted(orders.items())))


#: The order of a group, and how many elements of each order it has, None where that is not known.
Known = tuple[int, Orders | None]


class Type:
    """Reads the name of a type from left to right."""

    def __init__(self, text: str) -> None:
        self.text, self.rest = text, text

    def whole(self) -> Known:
        """What the type says."""
        found = self.extension()
        self._expect(self.rest == "")
        return found

    def extension(self) -> Known:
        """A:B."""
        size, orders = self.direct()
        while self._take(":"):
            more, _ = self.direct()
            size, orders = size * more, None
        return size, orders

    def direct(self) -> Known:
        """AxB."""
        size, orders = self.wreath()
        while self._take("x"):
            more, others = self.wreath()
            size = size * more
            orders = None if orders is None or others is None else of_product(orders, others)
        return size, orders

    def wreath(self) -> Known:
        """AwrS2, whose elements are (a, b), and (a, b) after an exchange, whose square is (ab, ba)."""
        size, orders = self.single()
        if not self._take("wrS2"):
            return size, orders
        if orders is None:
            return 2 * size**2, None
        both = Counter(of_product(orders, orders))
        for order, count in orders.items():
            both[2 * order] += count * size
        return 2 * size**2, both

    def single(self) -> Known:
        """A group that is no product, or brackets."""
        for name, size in OTHERS.items():
            if self._take(name):
                return size, None
        if self._take("("):
            found = self.extension()
            self._expect(self._take(")"))
            return found
        match = re.match("([SACDQFKG])([1-9][0-9]{0,4})|1", self.rest)
        self._expect(match is not None)
        assert match is not None
        self._take(match[0])
        if match[0] == "1":
            return 1, {1: 1}
        n = int(match[2])
        self._expect(match[1] not in "SA" or n < 9)
        orders = elements_of(match[1], n)
        self._expect(orders is None or bool(orders))
        return (n, None) if orders is None else (sum(orders.values()), orders)

    def _take(self, text: str) -> bool:
        there = self.rest.startswith(text)
        self.rest = self.rest.removeprefix(text)
        return there

    def _expect(self, true: bool) -> None:
        if not true:
            raise Differs(f"type of a subgroup: the certificate states {shown(self.text)}, the checker knows no such groups")


@cache
def elements_of(kind: str, n: int) -> Orders | None:
    """How many elements of each order S_n, A_n, C_n, D_n, Q_n, F_n or K4 has: None for G_n, nothing where there is no such group."""
    if kind in "SA":
        return Counter(order_of(bytes(x)) for x in permutations(range(n)) if kind == "S" or not is_odd(bytes(x)))
    if kind == "C":
        return cyclic(n)
    if kind == "K":
        return {1: 1, 2: 3} if n == 4 else {}
    if kind == "D":
        return dict(Counter(cyclic(n // 2)) + Counter({2: n // 2})) if n % 2 == 0 and n > 4 else {}
    if kind == "Q":
        return dict(Counter(cyclic(n // 2)) + Counter({4: n // 2})) if n in (8, 16, 32, 64, 128, 256) else {}
    return frobenius(n) if kind == "F" else None


def cyclic(n: int) -> Orders:
    """C_n has phi(d) elements of each order d that divides n."""
    return dict(Counter(n // math.gcd(k, n) for k in range(n)))


def frobenius(n: int) -> Orders:
    """A kernel of k elements, k a prime, 8 or 9, and k conjugate cyclic complements of order n / k, above 2, which divides k - 1."""
    for k in range(2, n):
        d = n // k
        prime = next((p for p in (2, 3, 5, 7, *range(11, k + 1)) if k % p == 0), k)
        if n % k == 0 and d > 2 and (k - 1) % d == 0 and (prime == k or k in (8, 9)):
            return dict(Counter({1: 1, prime: k - 1}) + Counter({e: k * count for e, count in cyclic(d).items() if e > 1}))
    return {}


def of_product(one: Orders, other: Orders) -> Orders:
    """Pairs of elements have the least common multiple of their orders."""
    found: Counter[int] = Counter()
    for (a, count), (b, times) in pairs(one.items(), other.items()):
        found[math.lcm(a, b)] += count * times
    return found


def order_of(element: Permutation) -> int:
    """The least common multiple of the lengths of the cycles."""
    found, seen = 1, set()
    for start in range(len(element)):
        length, here = 0, start
        while here not in seen:
            seen.add(here)
            here, length = element[here], length + 1
        found = math.lcm(found, max(1, length))
    return found


def orbits(elements: Sequence[Permutation], degree: int) -> list[list[int]]:
    """The orbits of more than one point of a group that is given by all its elements."""
    every = {tuple(sorted({element[p] for element in elements})) for p in range(degree)}
    return [list(orbit) for orbit in every if len(orbit) > 1]
