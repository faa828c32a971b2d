"""Every change of one leaf or list of a certificate, and what the checker makes of each.

    python tests/verify/checker/checker_mutations.py

prints the table in docs/certificate.md (some minutes).
"""

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from verify.checker.progress import Progress
from verify.checker.shape import Differs, Malformed
from verify.checker.statement import Options, check

FOLDER = Path(__file__).parents[2] / "certificates"
SMALL = [
    "s3_every_form",
    "s3_points",
    "s3_provable",
    "s3_divided",
    "s3_chughtai_table",
    "s3_sn_grok_even_first",
    "refuted_network",
    "refuted_program",
]
NOT_VERIFIED, MALFORMED = "s NOT VERIFIED", "s MALFORMED"
#: the kinds of change after which a certificate with a new digest states nothing false, as docs/certificate.md argues them
NOT_CHECKED, SAID, WEAKER, ANOTHER = "not checked", "said differently", "weaker", "another program or plan"
KINDS = (NOT_CHECKED, SAID, WEAKER, ANOTHER)


def load(name: str) -> tuple[dict[str, Any], bytes]:
    """An accepted certificate and its checkpoint."""
    certificate = json.loads((FOLDER / "accepted" / f"{name}.json").read_bytes())
    return certificate, (FOLDER / "accepted" / f"{name}.ckpt").read_bytes()


def sealed(certificate: dict[str, Any]) -> bytes:
    """The certificate with the digest of what is there now, by the rule of the format."""
    blank = json.dumps({**certificate, "sha256": ""}, ensure_ascii=False, separators=(",", ":")).encode()
    return json.dumps({**certificate, "sha256": hashlib.sha256(blank).hexdigest()}, ensure_ascii=False).encode()


def verdict(certificate: bytes, checkpoint: bytes, sample: int | None = None) -> str:
    """The checker's line."""
    try:
        return check(certificate, checkpoint, Options(sample), Progress(None)).line
    except Differs:
        return NOT_VERIFIED
    except Malformed:
        return MALFORMED


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all strings, numbers, truth values and nulls, and of all lists."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
        return
    yield path
    if isinstance(value, list):
        for k, item in enumerate(value):
            yield from leaves(item, (*path, k))


def changes(value: Any) -> list[Any]:
    """Other values of the same type, and null for something or something for null."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, -value - 7]
    if value is None:
        return [0, "0"]
    if isinstance(value, list):
        shorter = [value[:-1], value[1:], value + value[-1:], value[::-1]] if value else [[0], [[0, 0, 0]]]
        return [other for other in shorter if other != value]
    words = ["PROVED", "REFUTED", "UNKNOWN", "VERIFIED", "left-first", "right-first", "right cosets", "left cosets"]
    words += ["double cosets", "coset matrix", "elements", "coset", "dead", "raw", "table", "lexicographic", "S3", "S4"]
    words += ["(1 2)", "(1 2 3)", "(2 3)", "()", "0", "1/2", "-" + value, value + "0", value[::-1]]
    words += [chr(ord(value[0]) ^ 1) + value[1:]] if value else []
    return [word for word in words if word != value]


def mutations(certificate: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """A path and what to put there, for every leaf and every list."""
    for path in leaves(certificate):
        place = certificate
        for key in path:
            place = place[key]
        yield from ((path, other) for other in changes(place))


def mutated(certificate: dict[str, Any], path: tuple[Any, ...], other: Any) -> dict[str, Any]:
    """The certificate with the value at the path replaced; what lies beside the path is shared with the given one."""
    changed = place = copy.copy(certificate)
    for key in path[:-1]:
        place[key] = copy.copy(place[key])
        place = place[key]
    place[path[-1]] = other
    return changed


def kind_of_change(path: tuple[Any, ...], before: dict[str, Any], after: dict[str, Any]) -> str:
    """Of what kind a change at this path is that leaves all statements true; empty where there is none."""
    keys = [key for key in path if isinstance(key, str)]
    last = keys[-1]
    if keys[:2] == ["symbolic", "provable"]:
        keys = keys[2:]
    if keys[0] == "not_checked":
        return NOT_CHECKED
    if keys == ["checkpoint", "order"]:  # a numbering that has a name may be called a table
        return WEAKER if after["checkpoint"]["order"] == "table" else SAID
    if keys == ["symbolic", "status"] and after["symbolic"]["status"] == "UNKNOWN":
        return WEAKER
    if keys[0] == "compact":
        return ANOTHER if "plan" in keys else ""  # it proves as much with as many operations
    if keys == ["correct", "float32_any_order"]:
        stated = after["correct"]["float32_any_order"]
        return WEAKER if 0 <= stated < before["correct"]["float32_any_order"] else ""
    if keys[:2] == ["program", "subgroups"]:
        return SAID if last in ("subgroups", "generators", "name") else ""  # another name that is true
    if keys[0] == "program" and last in ("left", "right", "votes", "bias"):
        return ANOTHER
    return SAID if keys[0] == "program" and last in ("circuits", "neurons", "subgroups", "kernels", "on", "scale_bits") else ""


def attacks(name: str, reseal: bool, step: int) -> Counter[str]:
    """Every ``step``-th change of a certificate: how often each verdict came out, and, for those accepted, each kind of change.

    AssertionError for a change that is accepted and of no kind, or that is accepted with the old digest.
    """
    certificate, checkpoint = load(name)
    good, counts = verdict(sealed(certificate), checkpoint), Counter[str]()
    for path, other in list(mutations(certificate))[::step]:
        changed = mutated(certificate, path, other)
        found = verdict(sealed(changed) if reseal else json.dumps(changed).encode(), checkpoint)
        if reseal and path == ("sha256",):
            continue  # sealing takes this change back
        if found not in (NOT_VERIFIED, MALFORMED):
            assert reseal, path
            assert found == good, path
            found = kind_of_change(path, certificate, changed)
            assert found, path
        counts[found] += 1
    return counts


def table() -> str:
    """All changes of the small certificates, as the page shows them."""
    heads = ["certificate", "changes", "not verified", "malformed", "accepted", *KINDS]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    total: Counter[str] = Counter()
    for name in SMALL:
        counts = attacks(name, reseal=True, step=1)
        total += counts
        lines.append(row(name, counts))
    lines.append(row("all", total))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def row(name: str, counts: Counter[str]) -> list[str]:
    """One line of the table."""
    accepted = sum(counts[kind] for kind in KINDS)
    numbers = [counts.total(), counts[NOT_VERIFIED], counts[MALFORMED], accepted, *(counts[kind] for kind in KINDS)]
    return [name, *(f"{number:,}" for number in numbers)]


if __name__ == "__main__":
    print(table(), end="")
