"""Many checkpoints, one table: `verify run` on each, and the figures side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from net.discovery import checkpoints
from net.errors import MalformedInput
from net.stated_group import default_group
from verify.record.certificate import canonical_bytes
from verify.record.summary import Summary

COLUMNS = (
    ("network", "name"),
    ("verdict", "verdict"),
    ("explained by cosets", "explained"),
    ("right", "right"),
    ("float32", "float32"),
    ("program agrees", "agree"),
    ("min margin", "min_margin"),
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


def sweep(paths: Sequence[Path], out: Path, group: str | None, jobs: int, timeout_s: float) -> list[dict[str, Any]]:
    """Run every checkpoint into a directory of its own below ``out`` and write sweep.json and sweep.md there.

    ``jobs`` processes at a time (joblib: a dask backend set by the caller is used as well). A checkpoint that is refused gets a row
    that says why. Rows come in the order of ``paths``.
    """
    from joblib import Parallel, delayed

    paths = checkpoints(paths)
    names = _names(paths)
    rows: list[dict[str, Any]] = list(
        Parallel(n_jobs=jobs)(delayed(_row)(path, name, out / name, group, timeout_s) for path, name in zip(paths, names, strict=True))
    )
    out.mkdir(parents=True, exist_ok=True)
    (out / "sweep.json").write_bytes(msgspec.json.format(canonical_bytes(rows), indent=1) + b"\n")
    (out / "sweep.md").write_text(markdown(rows), encoding="utf-8")
    return rows


def _names(paths: Sequence[Path]) -> list[str]:
    """A short name for each: its file's stem, its directory's name where stems repeat, numbered where these do."""
    stems = [path.stem for path in paths]
    names = [path.resolve().parent.name if stems.count(stem) > 1 else stem for path, stem in zip(paths, stems, strict=True)]
    return [f"{name}-{k}" if names.count(name) > 1 else name for k, name in enumerate(names)]


def _row(path: Path, name: str, out: Path, group: str | None, timeout_s: float) -> dict[str, Any]:
    from algebra.errors import GroupError
    from verify.jobs.run import run

    try:
        result = run(path, group or default_group(path), out, timeout_s=timeout_s)
    except (MalformedInput, GroupError) as error:
        return {"name": name, "verdict": "REFUSED", "reason": str(error)}
    return {"name": name} | figures(result.summary)


def figures(summary: Summary) -> dict[str, Any]:
    """The figures of one summary that the table shows."""
    curve = {point.name: point for point in summary.curve}
    compact, margin = summary.compact, summary.correct.min_margin
    return {
        "verdict": summary.verdict,
        "explained": summary.explained.status,
        "right": summary.correct.right,
        "pairs": summary.correct.pairs,
        "float32": summary.correct.float32_any_order,
        "agree": summary.equivalence.answers_agree,
        "min_margin": None if margin is None else _quotient(margin),
        "constants": summary.program.constants,
        "ratio": summary.program.ratio,
        "logit_fve": summary.equivalence.logit_fve,
        "ablation_fve": summary.equivalence.ablation_fve,
        "runner_up": summary.equivalence.runner_up_agree,
        "faithful_ratio": curve["faithful"].ratio,
        "faithful_fve": curve["faithful"].logit_fve,
        "faithful_ablation": curve["faithful"].ablation_fve,
        "faithful_runner_up": curve["faithful"].runner_up_agree,
        "energy_labelled": summary.labels.energy_labelled,
        "symbolic": summary.symbolic.status,
        "compact": None if compact is None else compact.certified,
        "flops_ratio": None if compact is None or not compact.flops else compact.flops_brute / compact.flops,
        "distil_s": summary.program.seconds,
        "seconds": summary.seconds["total"],
    }


def _quotient(text: str) -> float:
    top, _, bottom = text.partition("/")
    return int(top) / int(bottom or 1)


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The table in Markdown."""
    lines = [
        "| " + " | ".join(title for title, _ in COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    for row in rows:
        cells = [_cell(row.get(key)) for _, key in COLUMNS]
        lines.append("| " + " | ".join(cells) + " |")
    lines += [f"\n{row['name']}: {row['reason']}" for row in rows if "reason" in row]
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
