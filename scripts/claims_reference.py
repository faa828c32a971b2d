"""Write docs/claims.md: the claims language, from the docstrings of its kinds and the examples in docs/claims/.

Run from the repository's root: python scripts/claims_reference.py. With --check nothing is written; exit code 1 says the page is old.
"""

import inspect
import re
import sys
import types
import typing
from pathlib import Path

import msgspec

from verify.claims.ablation_claims import Criterion
from verify.claims.claim import Bounded, Claim
from verify.claims.schema import KINDS, library_names

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "claims.md"
EXAMPLES = ROOT / "docs" / "claims"

INTRODUCTION = """# The claims language

<!-- written by scripts/claims_reference.py from the docstrings in verify/claims/ and the examples in docs/claims/ -->

Somebody says how a network works; `verify claims` decides whether it does.

```
verify claims CLAIMS.toml --checkpoint FILE
verify claims stander --group S5                 # a paper's claims, on the bundled network
verify claims stander --checkpoint DIR --group S5    # on every network in a folder, aggregated
verify claims CLAIMS.toml --checkpoint FILE --json
```

| verdict | what it says |
|---|---|
| PROVED | true of the network's exact weights: decided by integers, or in floating point with a derived bound |
| REFUTED | false of them; a counterexample in cycle notation follows, which anyone can replay |
| MEASURED | our figure beside the claimed one; a statistic proves nothing, so it only agrees or does not |
| UNKNOWN | the method is sufficient only, and did not suffice |
| SKIPPED | a claim about another group, or one that this network gives no occasion for |

Exit codes: 0 all proved or measured, 1 something refuted, 3 something unknown, 4 a mistake in the file (one sentence with its path).

A claims file is TOML: optional keys `title`, `source` and `group`, and a list of tables `[[claims]]`. An unknown key or kind is an
error. Libraries that come with the project: {libraries}; what they find is in [published-claims.md](published-claims.md) and
[further-claims.md](further-claims.md).

## Keys of every claim

| key | meaning |
|---|---|
{common}

Claims about one number also take bounds; without them they are measured, or claim 100 % where the kind says so.

| key | meaning |
|---|---|
| `at_least`, `at_most` | bounds of the number, numbers or strings such as "7/120"; a decimal number means exactly that decimal |
| `exactly` | the number itself |

A number of more than 15 digits is to be written as a string: TOML's numbers are rounded to float64 before they are read.

Elements are written in cycle notation, points from 1; subgroups by the names of `verify group` (`F20`, `S4 fixing 5`) or by generators
("(1 2), (1 2 3)"); irreps by partition ("(4,1)"). Products apply the left factor first.
"""


def page() -> str:
    """The whole page."""
    libraries = ", ".join(f"`{name}`" for name in library_names())
    parts = [INTRODUCTION.format(libraries=libraries, common="\n".join(_attributes(Claim)))]
    for name, kind in KINDS.items():
        parts.append(f"## {name}\n\n{_text(kind)}\n\n{_keys(kind)}\n\n```toml\n{_example(name)}```\n")
    parts.append(f"### Criteria of an ablation\n\n{_criteria()}\n")
    return "\n".join(parts)


def _attributes(kind: type) -> list[str]:
    """Rows of a table from the Attributes of a docstring."""
    text = inspect.getdoc(kind) or ""
    listed = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", text, re.MULTILINE)
    return [f"| `{name}` | {' '.join(meaning.split())} |" for name, meaning in listed]


def _text(kind: type) -> str:
    return inspect.getdoc(kind) or ""


def _keys(kind: type[msgspec.Struct]) -> str:
    shared = {field.name for field in msgspec.structs.fields(Bounded)}
    rows = ["| key | type | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(kind):
        if field.name not in shared:
            default = "required" if field.default is msgspec.NODEFAULT else f"`{msgspec.json.encode(field.default).decode()}`"
            rows.append(f"| `{field.name}` | {_type(field.type)} | {default} |")
    return "\n".join(rows) if len(rows) > 2 else "No keys of its own."


def _type(kind: object) -> str:
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        inner, meta, *_ = typing.get_args(kind)
        bounds = [f"{sign} {value}" for sign, value in ((">", meta.gt), (">=", meta.ge), ("<=", meta.le)) if value is not None]
        return f"{_type(inner)} {' and '.join(bounds)}"
    if origin is typing.Literal:
        return ", ".join(f'"{value}"' for value in typing.get_args(kind))
    if kind == Criterion:
        return "a table, see the end of this page"
    if origin is tuple:
        inside = [one for one in typing.get_args(kind) if one is not Ellipsis]
        return f"list of {_type(inside[0])}" if len(inside) == 1 else f"({', '.join(_type(one) for one in inside)})"
    if origin is dict:
        return "table of numbers by name"
    if isinstance(kind, types.UnionType):
        return " or ".join(_type(one) for one in typing.get_args(kind))
    named: dict[object, str] = {str: "text", float: "number", int: "integer", bool: "true or false"}
    return named.get(kind, getattr(kind, "__name__", str(kind)))


def _example(name: str) -> str:
    return (EXAMPLES / f"{name.replace(' ', '-')}.toml").read_text(encoding="utf-8")


def _criteria() -> str:
    rows = ["| `by` | keys | which neurons |", "|---|---|---|"]
    for kind in typing.get_args(Criterion):
        keys = ", ".join(f"`{field.name}`" for field in msgspec.structs.fields(kind))
        rows.append(f'| "{kind.__struct_config__.tag}" | {keys} | {inspect.getdoc(kind)} |')
    return "\n".join(rows)


if __name__ == "__main__":
    new = page()
    if "--check" in sys.argv:
        sys.exit(0 if PAGE.read_text(encoding="utf-8") == new else "docs/claims.md is old: run python scripts/claims_reference.py")
    PAGE.write_text(new, encoding="utf-8")
