"""Settings written as YAML, as far as settings are: mappings by indentation, lists of scalars, scalars in one line.

Everything else that YAML has (anchors, tags, text over several lines, several documents, keys that are no plain words) is refused by
name, because what it says would have to be guessed. Scalars are read as PyYAML reads them: yes and on are true, no and off are false.
"""

from __future__ import annotations

import re

from net.errors import MalformedInput

__all__ = ["parse_plain_yaml"]

_LINE = re.compile(r"(?P<indent> *)(?P<key>[\w.+/-]+|\"[^\"\\]*\"|'[^']*') *:(?: +(?P<value>.*))?")
_WORDS = dict.fromkeys(("true", "yes", "on"), True) | dict.fromkeys(("false", "no", "off"), False)
_NOTHING = ("null", "~", "")


def parse_plain_yaml(text: str, where: str) -> dict[str, object]:
    """The mapping that a text states.

    Raises:
        MalformedInput: it is no mapping of this plain kind, or has a key twice.

    """
    lines = [(number, _without_comment(line)) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line.strip()]
    if lines and lines[0][1] == "---":
        lines = lines[1:]
    found, rest = _mapping(lines, 0, where)
    if rest:
        _refuse(rest[0], where)
    return found


_Lines = list[tuple[int, str]]


def _refuse(line: tuple[int, str], where: str) -> None:
    raise MalformedInput(
        f"expected settings as plain YAML, a word, a colon and a value, in {where}, got {line[1].strip()[:60]!r} in line {line[0]}; "
        "write them as JSON"
    )


def _without_comment(line: str) -> str:
    """The line up to a # that begins it or follows a space, outside of quotes."""
    quote = ""
    for k, letter in enumerate(line):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and (k == 0 or line[k - 1] in " [,{"):
            quote = letter
        elif letter == "#" and (k == 0 or line[k - 1] == " "):
            return line[:k].rstrip()
    return line.rstrip()


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _mapping(lines: _Lines, depth: int, where: str) -> tuple[dict[str, object], _Lines]:
    """The mapping whose keys stand ``depth`` spaces in, and the lines after it."""
    found: dict[str, object] = {}
    while lines and _depth(lines[0][1]) == depth:
        match = _LINE.fullmatch(lines[0][1])
        if match is None:
            _refuse(lines[0], where)
        assert match is not None
        key, value = match["key"].strip("\"'"), match["value"]
        if key in found:
            raise MalformedInput(f"expected each setting once in {where}, got {key[:40]!r} twice")
        first, lines = lines[0], lines[1:]
        if value:
            found[key] = _value(value.strip(), first, where)
            if lines and _depth(lines[0][1]) > depth:
                _refuse(lines[0], where)
        elif lines and lines[0][1].lstrip().startswith("- ") and _depth(lines[0][1]) >= depth:
            found[key], lines = _list(lines, where)
        elif lines and _depth(lines[0][1]) > depth:
            found[key], lines = _mapping(lines, _depth(lines[0][1]), where)
        else:
            found[key] = None
    return found, lines


def _list(lines: _Lines, where: str) -> tuple[list[object], _Lines]:
    depth, found = _depth(lines[0][1]), []
    while lines and _depth(lines[0][1]) == depth and lines[0][1].lstrip().startswith("- "):
        found.append(_value(lines[0][1].strip()[2:].strip(), lines[0], where))
        lines = lines[1:]
    return found, lines


def _value(text: str, line: tuple[int, str], where: str) -> object:
    if text[0] == "[" and text[-1] == "]":
        inside = text[1:-1].strip()
        return [_value(part.strip(), line, where) for part in inside.split(",") if part.strip()] if inside else []
    if text == "{}":
        return {}
    if text[0] in "\"'":
        if len(text) < 2 or text[-1] != text[0] or text[0] in text[1:-1] or "\\" in text:
            _refuse(line, where)
        return text[1:-1]
    if text[0] in "[]{}&*!|>%@`,?#" or ": " in text or text.endswith(":") or text.startswith("- "):
        _refuse(line, where)
    if text.lower() in _NOTHING:
        return None
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
