"""Many checkpoints, one table: `verify run` on each, and the figures side by side."""

import hashlib
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypedDict

import msgspec

from algebra.group import parse_group
from net.discovery import checkpoints
from net.errors import MalformedInput
from reports.escaping import escaped
from reports.numbers import rational
from verify.jobs.many import Died, finished, only_one
from verify.reading import AS_FOUND, How
from verify.record.certificate import Certificate, canonical_bytes, overall_verdict
from verify.record.explain import percentage
from verify.record.summary import Summary, in_float64


class Row(TypedDict, total=False):
    """A checkpoint's line: its name, the verdict and its figures, or why there are none."""

    name: str
    verdict: str
    explained: str
    families: str
    unexplained: str | None
    right: int
    pairs: int
    float32: int | None
    agree: int
    min_margin: float | None
    exact_min_margin: str | None
    constants: int
    ratio: float
    logit_fve: float | None
    ablation_fve: float | None
    runner_up: float | None
    faithful_ratio: float
    faithful_fve: float | None
    faithful_ablation: float | None
    faithful_runner_up: float | None
    energy_labelled: float | None
    symbolic: str
    compact: int | None
    flops_ratio: float | None
    distil_s: float
    seconds: float
    reason: str


COLUMNS = (
    ("network", "name"),
    ("verdict", "verdict"),
    ("explained by cosets", "explained"),
    ("leading families", "families"),
    ("not explained", "unexplained"),
    ("right", "right"),
    ("float32", "float32"),
    ("program agrees", "agree"),
    ("min margin", "exact_min_margin"),
    ("constants", "constants"),
    ("ratio", "ratio"),
    ("FVE", "logit_fve"),
    ("after removals", "ablation_fve"),
    ("runner-up", "runner_up"),
    ("faithful ratio", "faithful_ratio"),
    ("faithful FVE", "faithful_fve"),
    ("faithful after removals", "faithful_ablation"),
    ("faithful runner-up", "faithful_runner_up"),
    ("energy labelled", "energy_labelled"),
    ("Q3", "symbolic"),
    ("compact", "compact"),
    ("FLOPs ratio", "flops_ratio"),
    ("distil s", "distil_s"),
    ("seconds", "seconds"),
)


def sweep(
    paths: Sequence[Path],
    out: Path,
    group: str | None,
    jobs: int,
    timeout_s: float,
    progress: Callable[[str], None] = lambda _: None,
    *,
    resume: bool = False,
    scheduler: str | None = None,
    how: How = AS_FOUND,
) -> list[Row]:
    """Run every checkpoint into a directory of its own below ``out``, and write sweep.json and sweep.md there after each one.

    A checkpoint that is refused gets a row that says why, and so does one that this program fails on or whose process is killed; the
    others go on. Rows come in the order of ``paths``, and are the same but for times whatever the number of processes.
    ``jobs`` and ``scheduler`` are those of `verify.jobs.many.finished`. ``resume`` takes the row of a checkpoint from the run that is
    there already, where its certificate was written by this version, under the same group, for a file with the same digest. ``how`` is
    the same for all files. Checkpoints in ``out``, where runs write some, are left out unless they are named.

    Raises:
        GroupError: no group has the name ``group``.
        MalformedInput: a folder holds no checkpoint, another sweep writes into ``out``, or no scheduler answers.
        OSError: ``out`` cannot be written, which shows before the work begins. Tables of an earlier sweep stay until a row is done.

    """
    if group is not None:
        parse_group(group)
    # what an earlier sweep wrote is none of the networks
    paths = [path for path in checkpoints(paths) if path in paths or out.resolve() not in path.resolve().parents]
    if not paths:
        raise MalformedInput(f"expected checkpoints outside of {out}, got none")
    names = _names(paths)
    with only_one(out, "sweep"):
        for draft in _write_drafts([], out).values():
            draft.unlink()
        rows: dict[int, Row] = {}
        if resume:
            known = ((k, _earlier(path, name, out / name, group)) for k, (path, name) in enumerate(zip(paths, names, strict=True)))
            rows = {k: row for k, row in known if row is not None}
            _write([rows[k] for k in sorted(rows)], out)
            progress(f"{len(rows)} of {len(names)} were done before")
        left = [k for k in range(len(paths)) if k not in rows]
        started, before = time.monotonic(), len(rows)
        work = [(paths[k], names[k], out / names[k], group, timeout_s, how) for k in left]
        for place, result in finished(_row, work, jobs, scheduler):
            number = left[place]
            rows[number] = _failed(names[number], result.reason) if isinstance(result, Died) else result
            _write([rows[k] for k in sorted(rows)], out)
            remaining = (time.monotonic() - started) / (len(rows) - before) * (len(names) - len(rows))
            estimate = f", about {_duration(remaining)} left" if len(rows) < len(names) else ""
            progress(f"{len(rows)} of {len(names)}: {names[number]}: {rows[number]['verdict']}{estimate}")
        return [rows[k] for k in sorted(rows)]


def _earlier(path: Path, name: str, out: Path, group: str | None) -> Row | None:
    """The row of a finished run of the same file by this version, or None; the file was read in a way that it leaves open."""
    from net.checkpoint import open_checkpoint
    from verify.record.certificate import read_certificate, sealed
    from verify.record.statements import versions
    from verify.record.summary import read_summary

    try:
        summary, certificate = read_summary(out / "summary.json"), read_certificate(out / "certificate.json")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        readings = [source.reading for _, _, source in open_checkpoint(path).ways(certificate.group.order)]
    except (OSError, msgspec.DecodeError, MalformedInput):
        return None
    same = summary.checkpoint.sha256 == certificate.checkpoint.sha256 == digest and certificate.not_checked.versions == versions()
    whole = sealed(certificate).sha256 == certificate.sha256 and certificate.checkpoint.reading in readings
    if not same or not whole or (group is not None and parse_group(group).name != summary.group.name):
        return None
    try:
        return {"name": name, **figures(certificate, summary)}
    except (KeyError, ValueError, ArithmeticError):  # figures that no run has: it is done again
        return None


def _duration(seconds: float) -> str:
    """Seconds in words, to two digits or so."""
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _write(rows: Sequence[Row], out: Path) -> None:
    """Put sweep.json and sweep.md in the place of earlier ones."""
    for name, draft in _write_drafts(rows, out).items():
        draft.replace(out / name)


def _write_drafts(rows: Sequence[Row], out: Path) -> dict[str, Path]:
    """Both files beside their places, by their names."""
    contents = {
        "sweep.json": msgspec.json.format(canonical_bytes(rows), indent=1) + b"\n",
        "sweep.md": markdown(rows).encode(),
    }
    drafts = {name: out / f".{name}.tmp" for name in contents}
    for name, content in contents.items():
        drafts[name].write_bytes(content)
    return drafts


def _names(paths: Sequence[Path]) -> list[str]:
    """A name for each, no two alike: its file's stem, its directory's name where stems repeat, numbered where these do.

    Those that could be no directory's beside sweep.json are numbered as well.
    """
    stems = [path.stem for path in paths]
    names = [path.resolve().parent.name if stems.count(stem) > 1 else stem for path, stem in zip(paths, stems, strict=True)]
    found = []
    for number, name in enumerate(names):
        one = name
        if names.count(name) > 1 or not name or name.startswith(".") or name in ("sweep.json", "sweep.md"):
            one = f"{name.strip('.') or 'network'}-{number}"
            while one in names:  # another file has that very name
                one += "+"
        found.append(one)
    return found


def _row(path: Path, name: str, out: Path, group: str | None, timeout_s: float, how: How = AS_FOUND) -> Row:
    from algebra.errors import GroupError
    from verify.jobs.run import run

    try:
        result = run(path, group, out, timeout_s=timeout_s, how=how)
        return {"name": name, **figures(result.certificate, result.summary)}
    except (MalformedInput, GroupError) as error:
        return {"name": name, "verdict": "REFUSED", "reason": str(error)}
    except OSError as error:
        return {"name": name, "verdict": "REFUSED", "reason": f"{error.filename or path}: {error.strerror or error}"}
    except Exception as error:
        traceback.print_exception(error)
        return _failed(name, f"internal error: {type(error).__name__}: {error}")


def _failed(name: str, reason: str) -> Row:
    return {"name": name, "verdict": "FAILED", "reason": reason}


def figures(certificate: Certificate, summary: Summary) -> Row:
    """The figures of one run that the table shows; ``flops_ratio`` is brute force over what settles all pairs by the plan of Q4.

    What is proved is the certificate's, what is measured the summary's.
    """
    curve = {point.name: point for point in summary.curve}
    correct, compact = certificate.correct, certificate.compact
    return {
        "verdict": overall_verdict(correct.status, certificate.equivalent.status),
        "explained": summary.explained.status,
        "families": ", ".join(f"{family.name} {percentage(family.energy_share)}" for family in summary.families[:3]),
        "unexplained": None if summary.explained.logit_fve is None else percentage(min(1.0, max(0.0, 1 - summary.explained.logit_fve))),
        "right": correct.right,
        "pairs": correct.pairs,
        "float32": correct.float32_any_order,
        "agree": certificate.equivalent.agree,
        "min_margin": in_float64(correct.min_margin),
        "exact_min_margin": correct.min_margin,
        "constants": certificate.program.constants,
        "ratio": summary.program.ratio,
        "logit_fve": summary.equivalence.logit_fve,
        "ablation_fve": summary.equivalence.ablation_fve,
        "runner_up": summary.equivalence.runner_up_agree,
        "faithful_ratio": curve["faithful"].ratio,
        "faithful_fve": curve["faithful"].logit_fve,
        "faithful_ablation": curve["faithful"].ablation_fve,
        "faithful_runner_up": curve["faithful"].runner_up_agree,
        "energy_labelled": summary.labels.energy_labelled,
        "symbolic": certificate.symbolic.status,
        "compact": None if compact is None else compact.certified,
        "flops_ratio": None if compact is None or compact.plan is None else compact.flops_brute / compact.flops,
        "distil_s": summary.program.seconds,
        "seconds": summary.seconds["total"],
    }


def markdown(rows: Sequence[Row]) -> str:
    """The table in Markdown."""
    lines = [
        "| " + " | ".join(title for title, _ in COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    for row in rows:
        cells = [_cell(key, row.get(key)) for _, key in COLUMNS]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [f"\n{escaped(row['name'])}: {escaped(row['reason'])}" for row in rows if "reason" in row]
    return "\n".join(lines) + "\n"


def _cell(key: str, value: object) -> str:
    """A figure to four digits, which are 1 of what is 1 alone."""
    if value is None:
        return ""
    if key == "exact_min_margin":
        return rational(str(value))
    if not isinstance(value, float):
        return escaped(value)
    text = f"{value:.4g}"
    if text == "1" and value != 1 and key not in ("seconds", "distil_s"):
        return "over 0.9999" if value < 1 else "over 1"
    return text
