"""Train on groups with the same character table, measure, and write what was found into docs/same-characters.md.

    python scripts/same_characters.py --nets DIR [--only PAIR] [--train-only | --measure-only]

Networks that are in DIR already are not trained again; an interrupted one is resumed. --measure-only takes those that are there.
The page down to the heading "What was found" is written by hand: it states the question, the measures M1 to M8 and the predictions.
Everything below is computed here, but for the remarks in scripts/same_characters_comments.md.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from algebra.characters.character_table import character_table
from algebra.group import FiniteGroup, parse_group
from net.training.state import training_pairs
from verify import analyse
from verify.claims.population_claims import fits
from verify.claims.subject import Subject
from verify.cli import execute
from verify.compare.gcr import logit_fve
from verify.compare.interventions import remove
from verify.compare.isotypic import on_one_irrep
from verify.exact.exhaustive import correct_pairs

PAGE = Path(__file__).parents[1] / "docs" / "same-characters.md"
FIGURE = PAGE.parent / "figures" / "same-characters.svg"
COMMENTS = Path(__file__).with_name("same_characters_comments.md")
FOUND = "## What was found"
#: A neuron is constant on cosets up to this share of its range.
WITHIN = 0.05
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Measures = dict[str, float | None]


class Pair(NamedTuple):
    """Two groups, each a short name and what `parse_group` reads, and how networks are trained on them."""

    name: str
    groups: tuple[tuple[str, str], tuple[str, str]]
    fraction: float
    seeds: int
    batch: int
    steps: int


PLUS = "(1 3)(2 4)(5 7)(6 8), (3 7)(4 8), (1 2)(3 4)(5 6)(7 8), (2 6)(4 8)"
MINUS = (
    "(1 3 9 11)(2 4 10 12)(5 7 13 15)(6 8 14 16), (1 5 9 13)(2 6 10 14)(3 15 11 7)(4 16 12 8),"
    " (1 2)(3 4)(5 6)(7 8)(9 10)(11 12)(13 14)(15 16), (2 10)(4 12)(6 14)(8 16)"
)
PAIRS = (
    Pair("8", (("D8", "D8"), ("Q8", "Q8")), 1.0, 5, 64, 5_000),
    Pair("16", (("D16", "D16"), ("Q16", "Q16")), 0.75, 5, 256, 10_000),
    Pair("32", (("D32", "D32"), ("Q32", "Q32")), 0.75, 5, 256, 10_000),
    Pair("32 extraspecial", (("2^(1+4)+", PLUS), ("2^(1+4)-", MINUS)), 0.75, 5, 256, 10_000),
    Pair("104", (("D104", "D104"), ("Dic26", "Dic26")), 0.5, 3, 1024, 15_000),
)
EVERY = 500
WIDTH = 128


def same_characters(first: FiniteGroup, second: FiniteGroup) -> bool:
    """Whether equal words in the generators carry one character table to the other, classes to classes.

    Words are g_1^e_1 g_2^e_2 ..., two generators with 0 <= e_1 < |G| / 2 and e_2 in {0, 1}, or more with all e in {0, 1} and the
    central involution last; they must give every element once. True proves the tables equal up to the order of rows and columns.
    """
    one, two = _words(first), _words(second)
    if len(one) != first.order or len(set(one)) != len(set(two)) or len(set(one)) != first.order or second.order != first.order:
        return False
    tables = []
    for group, words in ((first, one), (second, two)):
        table = character_table(group)
        rows = np.round(table.values[:, group.class_of[words]], 9) + 0.0
        tables.append({tuple(row) for row in rows.tolist()})
    classes = [group.class_of[words] for group, words in ((first, one), (second, two))]
    pairs = set(zip(*(c.tolist() for c in classes), strict=True))
    return tables[0] == tables[1] and len(pairs) == len(first.conjugacy_classes) == len(second.conjugacy_classes)


def _words(group: FiniteGroup) -> list[int]:
    """The elements that the words give, in lexicographic order of the exponents."""
    generators = [int(group.index_of(g)) for g in group.generators]
    counts = [group.order // 2, 2]
    if len(generators) > 2:
        generators, counts = [*generators, central_involution(group)], [2] * (len(generators) + 1)
    found = [0]
    for generator, count in zip(generators, counts, strict=False):
        powers = [0]
        for _ in range(count - 1):
            powers.append(int(group.mul[powers[-1], generator]))
        found = [int(group.mul[g, p]) for g in found for p in powers]
    return found


def central_involution(group: FiniteGroup) -> int:
    """The element z: the only one beside the identity that commutes with all.

    Raises:
        ValueError: the centre has not two elements.

    """
    centre = np.flatnonzero((group.mul == group.mul.T).all(axis=1))
    if len(centre) != 2:
        raise ValueError(f"expected a group whose centre has two elements, got {group.name} with {len(centre)}")
    return int(centre[1])


def odd_share(group: FiniteGroup, functions: Floats) -> Floats:
    """The share of the variance of functions [g, i] that is odd: sum of ((f(g) - f(zg)) / 2)^2 over sum of (f(g) - mean)^2."""
    odd = (functions - functions[group.mul[central_involution(group)]]) / 2
    return _share(odd, functions - functions.mean(axis=0))


def _share(part: Floats, whole: Floats) -> Floats:
    total = (whole**2).sum(axis=0)
    return np.asarray(np.divide((part**2).sum(axis=0), total, out=np.zeros_like(total), where=total > 0))


def on_cosets(subject: Subject, order: int | None = None) -> Mask:
    """Neurons with L on right cosets and R on left cosets of nontrivial subgroups up to `WITHIN`, exactly.

    A function on cosets of H is one on cosets of every subgroup of H, so subgroups of prime order are enough. With ``order``: of
    subgroups of this order without z.
    """
    lattice, z = subject.lattice, central_involution(subject.group)
    if order is None:
        members = [h for h in lattice.all if h.order > 1 and all(h.order % p for p in range(2, h.order))]
    else:
        members = [h for h in lattice.all if h.order == order and not h.mask[z]]
    if not members:
        return np.zeros(subject.weights.width, dtype=bool)
    return np.asarray(fits(subject, "left", members, WITHIN).any(axis=0) & fits(subject, "right", members, WITHIN).any(axis=0))


def measure(path: Path, name: str) -> Measures:
    """The measures of one network that need no snapshots."""
    subject = Subject(analyse(path, name, timeout_s=0))
    group, weights, labels = subject.group, subject.weights, subject.labels
    live = ~subject.dead
    energy = np.array([label.energy for label in labels])
    energy = np.where(live, energy, 0) / max(energy[live].sum(), np.finfo(float).tiny)
    cosets = on_cosets(subject) & live
    odd = np.minimum(*(odd_share(group, side) for side in (weights.L, weights.R))) >= 0.5
    kept = 0.0
    if cosets.any():
        kept = float(correct_pairs(subject.answers("coset neurons alone", remove(np.flatnonzero(~cosets))(weights)), group.mul).mean())
    shares = logit_fve(subject.network, subject.moments).per_irrep
    table = character_table(group)
    z = group.class_of[central_involution(group)]
    odd_irreps = [n for n, row in zip(table.names, table.values, strict=True) if row[z].real < 0]
    total = sum(shares.values())
    single = on_one_irrep(group, weights).max(axis=0) >= 0.95
    found: Measures = {
        "right": float(correct_pairs(subject.evaluation, group.mul).mean()),
        "coset": float(energy @ cosets),
        "odd": float(energy @ odd),
        "odd on cosets": float(energy @ (odd & cosets) / (energy @ odd)) if energy @ odd > 0 else None,
        "kept": kept,
        "fve": total,
        "fve odd": sum(shares[n] for n in odd_irreps),
        "one irrep": float(single[live].mean()) if live.any() else None,
        "live": float(live.sum()),
        "odd on order 4": float(energy @ (odd & on_cosets(subject, 4)) / max(energy @ (odd & cosets), 1e-300)),
        "halves": halves(group, weights.L, weights.R, odd & live),
    }
    mask = np.zeros(group.order, dtype=bool)
    mask[[0, central_involution(group)]] = True
    by_z = subject.lattice.all[subject.lattice.find(mask)]
    sides = [(one.index, one.left) for one in labels if one.left is not None]
    twisted = [index for index, side in sides if side.form.kernel is not None and side.subgroup is by_z]
    found["label z"] = float(energy[twisted].sum())
    found["inputs"] = float((on_one_irrep(group, weights, votes=False).max(axis=0) >= 0.95)[live].mean()) if live.any() else None
    for kind in ("coset", "sign", "twisted", "dual", "rank one", "raw"):
        found[f"label {kind}"] = float(sum(energy[label.index] for label in labels if label.kind == kind))
    return found


def halves(group: FiniteGroup, left: Floats, right: Floats, chosen: Mask) -> float | None:
    """Of the chosen neurons the share with 45 to 55 % of the odd part of L, and of R, on the cyclic subgroup of the first generator.

    None where that subgroup has not index 2, or there is no such neuron.
    """
    a, turns = group.index_of(group.generators[0]), np.zeros(group.order, dtype=bool)
    element = 0
    for _ in range(group.order):
        turns[element] = True
        element = int(group.mul[element, a])
    if 2 * turns.sum() != group.order or not chosen.any():
        return None
    z, inside = central_involution(group), np.ones(int(chosen.sum()), dtype=bool)
    for side in (left, right):
        odd = (side - side[group.mul[z]])[:, chosen]
        inside &= np.abs(_share(np.where(turns[:, None], odd, 0), odd) - 0.5) <= 0.05
    return float(inside.mean())


def train(pair: Pair, nets: Path) -> None:
    """Train what is missing, by `verify train`; the two groups take turns, so that an interrupted run has seen both."""
    for seed in range(1, pair.seeds + 1):
        for group in pair.groups:
            train_one(pair, group, seed, nets)


def train_one(pair: Pair, group: tuple[str, str], seed: int, nets: Path) -> None:
    """Train one network, unless it is there."""
    label, name = group
    out = nets / f"{file_name(label)}-seed{seed}.safetensors"
    if out.is_file():
        return
    options = {"--seed": seed, "--width": WIDTH, "--fraction": pair.fraction, "--batch": pair.batch, "--steps": pair.steps}
    resumed = ["--resume"] if out.with_name(out.name + ".partial").is_file() else []
    line = ["train", "--group", name, "--out", str(out), "--keep-every", str(EVERY), "--quiet", *resumed]
    if code := execute([*line, *(str(word) for item in options.items() for word in item)]):
        raise SystemExit(f"verify train ended with code {code}")


def file_name(label: str) -> str:
    """A group's name for files."""
    return label.replace("^(1+4)+", "plus").replace("^(1+4)-", "minus")


def measured(pair: Pair, nets: Path) -> dict[str, list[Measures]]:
    """The measures of all networks of a pair by group; kept in files below ``nets``."""
    found: dict[str, list[Measures]] = {}
    for label, name in pair.groups:
        found[label] = []
        for path in sorted(nets.glob(f"{file_name(label)}-seed*.safetensors")):
            stored = nets / "measures" / f"{path.stem}.json"  # not beside it, where it would be taken for settings
            stored.parent.mkdir(exist_ok=True)
            row = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
            if not {key for key, _, _ in TABLE} <= set(row):
                row |= measure(path, name)
                if "step" not in row:
                    row |= grown(path.with_name(path.name + ".steps"), name, pair, int(path.stem.rpartition("seed")[2]))
                stored.write_text(json.dumps(row, indent=1), encoding="utf-8")
            found[label].append(row)
    return found


def grown(steps: Path, name: str, pair: Pair, seed: int) -> Measures:
    """Held-out pairs that are right at the last snapshot, and the first step with 99 % of them; both exact."""
    group = parse_group(name)
    held = np.ones(group.order**2, dtype=bool)
    held[training_pairs(group.order, pair.fraction, seed)] = False
    if not held.any():
        return {"held out": None, "step": None}
    shares = {}
    for path in sorted(steps.glob("*.safetensors")):
        evaluation = analyse(path, name, timeout_s=0).evaluation
        shares[int(path.stem)] = float(correct_pairs(evaluation, group.mul).reshape(-1)[held].mean())
    return {"held out": shares[max(shares)], "step": next((step for step, share in shares.items() if share >= 0.99), None)}


def middle(rows: list[Measures], key: str) -> float | None:
    """The median over the networks that have the figure; a step that was never reached counts as infinite."""
    values = [np.inf if key == "step" and row[key] is None else row[key] for row in rows]
    known = [float(v) for v in values if v is not None]
    return statistics.median(known) if known else None


#: Key, title, whether it is a share.
TABLE = (
    ("right", "M1 right, of all pairs", True),
    ("held out", "M1 right, held out", True),
    ("step", "M1 step with 99 % of the held-out", False),
    ("live", "live neurons", False),
    ("coset", "M2 energy in coset neurons", True),
    ("odd", "M3 energy in odd neurons", True),
    ("odd on cosets", "M3 of it in coset neurons", True),
    ("odd on order 4", "of that on subgroups of order 4 without z", True),
    ("kept", "M4 right with coset neurons alone", True),
    ("fve", "M5 logit FVE", True),
    ("fve odd", "M5 of odd irreps", True),
    ("one irrep", "M6 neurons on one irrep", True),
    ("label coset", "M7 label coset", True),
    ("label sign", "M7 label sign", True),
    ("label twisted", "M7 label twisted", True),
    ("label dual", "M7 label dual", True),
    ("label rank one", "M7 label rank one", True),
    ("label raw", "M7 label raw", True),
    ("halves", "M8 odd neurons with equal halves", True),
    ("inputs", "(added afterwards) neurons with L and R on one irrep", True),
    ("label z", "(added afterwards) label twisted, on the subgroup of 1 and z", True),
)


def table(found: dict[str, dict[str, list[Measures]]]) -> Iterator[str]:
    """The figures: a row for each measure, two columns for each pair."""
    labels = [label for by_group in found.values() for label in by_group]
    yield "| measure | " + " | ".join(f"{label} ({len(rows)})" for by in found.values() for label, rows in by.items()) + " |"
    yield "|---|" + "---|" * len(labels)
    for key, title, share in TABLE:
        cells = []
        for name, by_group in found.items():
            small = name in ("8", "16") and key.startswith("label")
            cells += ["" if small else cell(rows, key, share) for rows in by_group.values()]
        yield f"| {title} | " + " | ".join(cells) + " |"


def cell(rows: list[Measures], key: str, share: bool) -> str:
    """Median [least, greatest]."""
    values = [row[key] for row in rows]
    if key == "step" and any(v is not None for v in (row["held out"] for row in rows)):
        values = [np.inf if v is None else v for v in values]
    known = sorted(float(v) for v in values if v is not None)
    if not known:
        return ""

    def shown(value: float) -> str:
        return "never" if value == np.inf else f"{100 * value:.4g} %" if share else f"{value:g}"

    text = shown(statistics.median(known))
    return text if known[0] == known[-1] else f"{text} [{shown(known[0])}, {shown(known[-1])}]"


class Prediction(NamedTuple):
    """What a prediction says of one pair: None where it says nothing, else whether it holds, and the figures in words."""

    name: str
    says: str
    test: Callable[[str, list[Measures], list[Measures]], tuple[bool, str] | None]


def _figures(a: list[Measures], b: list[Measures], *keys: str) -> list[tuple[float, float]]:
    pairs = [(middle(a, key), middle(b, key)) for key in keys]
    return [(np.nan if x is None else x, np.nan if y is None else y) for x, y in pairs]


def _near(key: str, far: float) -> Callable[[str, list[Measures], list[Measures]], tuple[bool, str] | None]:
    def test(_: str, a: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
        ((x, y),) = _figures(a, b, key)
        return abs(x - y) <= far, f"{x:.3g} and {y:.3g}"

    return test


def _same_growth(pair: str, a: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
    if pair == "8":
        return None
    (x, y), (s, t) = _figures(a, b, "held out", "step")
    steps = s == t or max(s, t) / min(s, t) <= 1.5
    return abs(x - y) <= 0.05 and steps, f"held out {x:.3g} and {y:.3g}, steps {s:g} and {t:g}"


def _first_on_cosets(_: str, a: list[Measures], __: list[Measures]) -> tuple[bool, str] | None:
    (x, _x), (k, _k), (o, _o) = _figures(a, a, "coset", "kept", "odd on cosets")
    return x >= 0.9 and k >= 0.95, f"energy {x:.3g} (of the odd {o:.3g}), right with them alone {k:.3g}"


def _second_not(pair: str, _: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
    if pair not in ("8", "16", "32"):
        return None
    (x, _x), (k, _k), (o, _o) = _figures(b, b, "coset", "kept", "odd on cosets")
    return (o == 0 or np.isnan(o)) and k <= 0.5 and x <= 0.7, f"energy {x:.3g} (of the odd {o:.3g}), right with them alone {k:.3g}"


def _harder(pair: str, a: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
    if pair == "8":
        return None
    (x, y), (s, t) = _figures(a, b, "held out", "step")
    return (s < np.inf and t >= 1.5 * s) or y <= x - 0.05, f"held out {x:.3g} and {y:.3g}, steps {s:g} and {t:g}"


def _order_four(pair: str, a: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
    if pair != "32 extraspecial":
        return None
    (x, y), (o, p) = _figures(a, b, "odd on order 4", "odd on cosets")
    return (
        x >= 0.5 and y == 0,
        f"of the odd coset neurons' energy {x:.3g} and {y:.3g} (these hold {o:.3g} and {p:.3g} of all odd energy)",
    )


def _thirteen(pair: str, _: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
    if pair != "104":
        return None
    ((o, _o),) = _figures(b, b, "odd on cosets")
    return o > 0.5, f"{o:.3g}"


def _both_single(_: str, a: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
    ((x, y),) = _figures(a, b, "one irrep")
    return min(x, y) >= 0.9, f"{x:.3g} and {y:.3g}"


def _halves(pair: str, a: list[Measures], b: list[Measures]) -> tuple[bool, str] | None:
    if pair == "32 extraspecial":
        return None
    ((x, y),) = _figures(a, b, "halves")
    return x >= 0.9 and y <= 0.1, f"{x:.3g} and {y:.3g}"


PREDICTIONS = (
    Prediction("C1", "held-out accuracy within 5 points, steps within a factor of 1.5", _same_growth),
    Prediction("C2, in all", "logit FVE within 0.1", _near("fve", 0.1)),
    Prediction("C2, odd irreps", "their part of it within 0.1", _near("fve odd", 0.1)),
    Prediction("C, nothing more to say", "energy in coset neurons within 0.1", _near("coset", 0.1)),
    Prediction("H1", "first group: 90 % of the energy in coset neurons, 95 % right with them alone", _first_on_cosets),
    Prediction("H2", "second group: no odd coset neuron, at most 50 % right, 30 % of the energy elsewhere", _second_not),
    Prediction("H3", "the second group takes 1.5 times the steps, or falls 5 points short", _harder),
    Prediction("H4", "odd coset neurons on subgroups of order 4 in type +, not in type -", _order_four),
    Prediction("H5", "Dic26: more than half of the odd energy in coset neurons", _thirteen),
    Prediction("R1", "90 % of the neurons on one irrep in both groups", _both_single),
    Prediction("R2", "equal halves in 90 % of the odd neurons of the first group, in at most 10 % of the second", _halves),
)


def verdicts(found: dict[str, dict[str, list[Measures]]]) -> Iterator[str]:
    """A row for each prediction: whether it holds, and the medians of each pair."""
    yield "| prediction | holds | medians of the first and second group |"
    yield "|---|---|---|"
    for one in PREDICTIONS:
        results = {}
        for pair, by_group in found.items():
            result = one.test(pair, *by_group.values())
            if result is not None:
                results[pair] = result
        good = sum(holds for holds, _ in results.values())
        word = "" if not results else "yes" if good == len(results) else "no" if not good else f"in {good} of {len(results)} pairs"
        listed = "; ".join(f"{pair}: {figures}{'' if holds else ' (no)'}" for pair, (holds, figures) in results.items())
        yield f"| {one.name}: {one.says} | {word} | {listed} |"


def draw(found: dict[str, dict[str, list[Measures]]], out: Path) -> None:
    """Four measures, a dot for each network, the two groups of a pair side by side."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "coset-verify"
    import matplotlib.pyplot as plt

    panels = (
        ("fve", "logit FVE of characters"),
        ("coset", "energy in coset neurons"),
        ("kept", "right with these alone"),
        ("one irrep", "neurons on one irrep"),
    )
    fig, axes = plt.subplots(1, 4, figsize=(13, 3.4), sharey=True, layout="constrained")
    for axis, (key, title) in zip(axes, panels, strict=True):
        for k, by_group in enumerate(found.values()):
            for side, (rows, colour) in enumerate(zip(by_group.values(), ("tab:blue", "tab:orange"), strict=True)):
                values = [row[key] for row in rows if row[key] is not None]
                place = k + 0.34 * (side - 0.5)
                spread = np.linspace(-0.08, 0.08, len(values)) if len(values) > 1 else [0.0]
                axis.plot(place + np.asarray(spread), values, "o", color=colour, markersize=4, alpha=0.8)
        axis.set_xticks(range(len(found)), ["\n".join(by_group) for by_group in found.values()], fontsize=8)
        axis.set_title(title, fontsize=10)
        axis.set_ylim(-0.03, 1.03)
        axis.grid(axis="y", alpha=0.3)
    handles = [plt.Line2D([], [], marker="o", linestyle="", color=c) for c in ("tab:blue", "tab:orange")]
    axes[0].legend(handles, ["first group", "second group"], fontsize=8, loc="lower left")
    fig.savefig(out, metadata={"Date": None})
    plt.close(fig)


def main() -> None:
    """Train, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", type=Path, required=True)
    parser.add_argument("--only", default="", choices=["", *(pair.name for pair in PAIRS)])
    parser.add_argument("--train-only", action="store_true")
    parser.add_argument("--measure-only", action="store_true")
    options = parser.parse_args()
    options.nets.mkdir(parents=True, exist_ok=True)
    chosen = [pair for pair in PAIRS if options.only in ("", pair.name)]
    for pair in chosen if not options.measure_only else ():
        train(pair, options.nets)
    if options.train_only:
        return
    found = {pair.name: measured(pair, options.nets) for pair in chosen}
    found = {name: by_group for name, by_group in found.items() if all(by_group.values())}
    if options.only:
        print("\n".join([*table(found), "", *verdicts(found)]))
        return
    draw(found, FIGURE)
    head = PAGE.read_text(encoding="utf-8").partition(FOUND)[0].rstrip()
    said = COMMENTS.read_text(encoding="utf-8").strip()
    lines = [head, "", FOUND, "", f"![four measures]({FIGURE.parent.name}/{FIGURE.name})", "", "Every dot is a network.", ""]
    lines += [*verdicts(found), "", "Medians over networks, [least, greatest]:", "", *table(found)]
    PAGE.write_text("\n".join([*lines, "", said]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
