"""The one exception of the algebra layer."""

__all__ = ["GroupError", "GroupTooLargeError"]


class GroupError(ValueError):
    """Input that names no group, element or subgroup, or one beyond a stated limit, in one sentence."""


class GroupTooLargeError(GroupError):
    """A group with more elements than a Cayley table is made for."""
