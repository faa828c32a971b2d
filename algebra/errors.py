"""The one exception of the algebra layer."""

__all__ = ["GroupError"]


class GroupError(ValueError):
    """Input that names no group, element or subgroup, or one beyond a stated limit, in one sentence."""
