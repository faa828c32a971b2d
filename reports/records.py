"""The type of what reports are made of, and how it is read."""

import json
from typing import Any

#: An object of certificate.json, summary.json or pictures.json, read as plain data: msgspec checked its shape when it was written, and
#: reports/ imports none of the types of verify.record.
Record = dict[str, Any]


def parsed(text: str) -> Record:
    """The JSON object in a text; ValueError where it is no JSON, TypeError with the name of its type where it is something else."""
    value = json.loads(text)
    if not isinstance(value, dict):
        raise TypeError(type(value).__name__)
    return value
