"""A number with its noun."""


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun, with "s" behind it or in its other form unless there is one.

    >>> plural(1, "pair"), plural(14400, "pair"), plural(2, "class", "classes")
    ('1 pair', '14,400 pairs', '2 classes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"
