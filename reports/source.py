"""What a report is written from: the two files, the program's forms in words, and the numbers of the figures."""

from collections.abc import Iterable
from dataclasses import dataclass

from reports.circuits import ReportedCircuit
from reports.numbers import count, plural, squares
from reports.records import Record
from reports.words import Words


@dataclass(frozen=True)
class Source:
    """``c`` is certificate.json, ``s`` summary.json; ``circuits`` are those of the program, ``figures`` the names of the pictures."""

    c: Record
    s: Record
    words: Words
    circuits: tuple[ReportedCircuit, ...]
    figures: tuple[str, ...]

    @property
    def group(self) -> str:
        """The group's name."""
        return str(self.c["group"]["name"])

    @property
    def order(self) -> int:
        """|G|."""
        return int(self.c["group"]["order"])

    @property
    def pairs(self) -> str:
        """|G|^2 as text."""
        return count(self.c["correct"]["pairs"])

    @property
    def all_pairs(self) -> str:
        """All pairs, with their number: "all 14,400 pairs"."""
        return "the only pair" if self.c["correct"]["pairs"] == 1 else f"all {self.pairs} pairs"

    def some_pairs(self, number: int) -> str:
        """So many of the pairs: "12 of the 14,400 pairs", or all of them."""
        every = self.c["correct"]["pairs"]
        return self.all_pairs if number == every else f"{count(number)} of the {plural(every, 'pair')}"

    @property
    def program(self) -> Record:
        """The readable program."""
        found: Record = self.c["program"]
        return found

    @property
    def squares(self) -> bool:
        """Whether neurons square what they read, in place of relu."""
        return squares(self.program)

    def fired(self, inside: str) -> str:
        """What a neuron makes of a sum, as a formula."""
        return f"({inside})²" if self.squares else f"relu({inside})"

    @property
    def explains(self) -> bool:
        """Whether anything is explained."""
        return bool(self.s["explained"]["status"] != "not explained")

    def figure(self, name: str) -> int | None:
        """The number of a figure, or None where there is none."""
        return self.figures.index(name) + 1 if name in self.figures else None

    def forms(self) -> list[Record]:
        """All forms of the program, and the parts of those that are sums."""
        whole = [circuit[part] for circuit in self.program["circuits"] for part in ("left", "right", "votes")]
        return [*whole, *(part for form in whole for part in form.get("parts", ()))]

    def product(self, x: int, y: int) -> str:
        """The product of two elements by their numbers."""
        return self.words.product(x, y)


def listed(items: Iterable[str], last: str = "and") -> str:
    """Items in a row: a; a and b; a, b and c."""
    found = list(items)
    return f"{', '.join(found[:-1])} {last} {found[-1]}" if len(found) > 1 else "".join(found)
