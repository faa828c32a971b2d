"""The type of what reports are made of."""

from typing import Any

#: An object of certificate.json, summary.json or pictures.json, read as plain data: msgspec checked its shape when it was written, and
#: reports/ imports none of the types of verify.record.
Record = dict[str, Any]
