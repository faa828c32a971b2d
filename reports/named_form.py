"""A form of a program with the names of its subgroups."""

from collections.abc import Sequence
from typing import NamedTuple

from reports.coset_voting import Form, More
from reports.records import Record
from reports.words import Words

ON_POINTS = ("images", "preimages", "rank", "shared")


class NamedForm(NamedTuple):
    """A form with the names of its subgroups, and of the kernels of their signs (None for no sign).

    ``weights``, ``rank`` and ``constant`` are those of forms on points (see program.json's fields).
    """

    on: str
    names: tuple[str, ...]
    kernels: tuple[str | None, ...]
    weights: tuple[int, ...] = ()
    rank: int = 0
    constant: bool = False
    parts: tuple["NamedForm", ...] = ()

    @classmethod
    def of(cls, form: Record, names: Sequence[str]) -> "NamedForm":
        """The form of a program, which gives subgroups as positions in the program's list."""
        members = tuple(names[i] for i in form["subgroups"])
        kernels = tuple(None if k is None else names[k] for k in form["kernels"]) or (None,) * len(members)
        parts = tuple(cls.of(part, names) for part in form.get("parts", ()))
        return cls(
            form["on"], members, kernels, tuple(form.get("weights", ())), form.get("rank", 0), form.get("constant", False), parts
        )

    def phrase(self, words: Words, variable: str) -> str:
        """What the form can tell about ``variable``, or how it scores it."""
        if self.parts:
            return "; plus ".join(part.phrase(words, variable) for part in self.parts)
        pairs = zip(self.names, self.kernels, strict=True)
        if self.on in ON_POINTS:
            text = words.scores(self.on, self.names[0], self.weights, self.rank, variable)
            return text + "".join(f", times {words.sign_of_group(kernel)} of {variable}" for _, kernel in pairs if kernel)
        text = words.reads(self.on, self.names, variable)
        signs = [f"{words.sign(name, kernel)} {variable}" for name, kernel in pairs if kernel]
        return ", times ".join([text, *dict.fromkeys(signs)])

    def labels(self, words: Words, most: int) -> list[str]:
        """A label for each constant; none for forms on elements, matrices and ranks, or on more than ``most`` cosets."""
        if self.on in ("elements", "coset matrix", "rank"):
            return []
        if self.parts:
            of_parts = [part.labels(words, most) for part in self.parts]
            return [label for labels in of_parts for label in labels] if all(of_parts) else []
        if self.on == "coset sum":
            sides = zip(("right cosets", "left cosets"), self.names, self.kernels, strict=True)
            labels = [label for on, h, k in sides for label in words.labels(on, (h,), (k,))]
        elif self.on in ON_POINTS:
            points = ["s"] if self.on == "shared" else words.points(self.names[0])
            labels = [*points, *["constant"] * self.constant]
        else:
            labels = [*words.labels(self.on, self.names, self.kernels)]  # a list of its own: words are kept
            labels += ["constant"] * (self.on != "double cosets" and any(self.kernels))
        return labels if len(labels) <= most else []

    def entry(self) -> Form:
        """The form as program.py writes it: ("double cosets", "H", ("K", "kernel")), or ("images", "H", {"weights": [1, 0]})."""
        if self.parts:
            return (self.on, *(part.entry() for part in self.parts))
        pairs = zip(self.names, self.kernels, strict=True)
        given: More = {}
        if self.weights:
            given["weights"] = [*self.weights]
        if self.rank:
            given["rank"] = self.rank
        if self.constant:
            given["constant"] = True
        return (self.on, *(h if k is None else (h, k) for h, k in pairs), *[given] * (self.on in ON_POINTS))

    def whole(self) -> tuple[str, ...]:
        """The subgroups on whose cosets the function is constant: the kernels, where there are signs on cosets."""
        if self.parts:
            return tuple(name for part in self.parts for name in part.whole())
        return tuple(h if k is None or self.on in ON_POINTS else k for h, k in zip(self.names, self.kernels, strict=True))
