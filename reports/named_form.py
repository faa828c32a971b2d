"""A form of a program with the names of its subgroups."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from reports.words import Words


class NamedForm(NamedTuple):
    """A form with the names of its subgroups, and of the kernels of their signs (None for no sign)."""

    on: str
    names: tuple[str, ...]
    kernels: tuple[str | None, ...]

    @classmethod
    def of(cls, form: dict[str, Any], names: Sequence[str]) -> "NamedForm":
        """The form of a program, which gives subgroups as positions in the program's list."""
        members = tuple(names[i] for i in form["subgroups"])
        kernels = tuple(None if k is None else names[k] for k in form["kernels"]) or (None,) * len(members)
        return cls(form["on"], members, kernels)

    def phrase(self, words: Words, variable: str) -> str:
        """What the form can tell about ``variable``."""
        text = words.reads(self.on, self.names, variable)
        pairs = zip(self.names, self.kernels, strict=True)
        signs = [f"{words.sign(name, kernel)} {variable}" for name, kernel in pairs if kernel]
        return ", times ".join([text, *dict.fromkeys(signs)])

    def labels(self, words: Words, most: int) -> list[str]:
        """A label for each constant; none for forms on elements or on more than ``most`` cosets."""
        if self.on in ("elements", "coset matrix"):
            return []
        if self.on == "coset sum":
            sides = zip(("right cosets", "left cosets"), self.names, self.kernels, strict=True)
            labels = [label for on, h, k in sides for label in words.labels(on, (h,), (k,))]
        else:
            labels = words.labels(self.on, self.names, self.kernels)
            labels += ["constant"] * (self.on != "double cosets" and any(self.kernels))
        return labels if len(labels) <= most else []

    def entry(self) -> tuple[str | tuple[str, str], ...]:
        """The form as program.py writes it: ("double cosets", "H", ("K", "kernel of the sign on K"))."""
        pairs = zip(self.names, self.kernels, strict=True)
        return (self.on, *(h if k is None else (h, k) for h, k in pairs))

    def whole(self) -> tuple[str, ...]:
        """The subgroups on whose cosets the function is constant: the kernels, where there are signs."""
        return tuple(h if k is None else k for h, k in zip(self.names, self.kernels, strict=True))
