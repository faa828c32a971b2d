"""The error that readers of other people's files raise."""


class MalformedInput(Exception):  # noqa: N818 - named for what was handed in, not for what we did
    """An input that this project can't or won't read; the message says what was expected and what came."""
