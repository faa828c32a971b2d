"""One neuron's page: what it reads, what it votes, and what happens without it."""

from collections.abc import Iterator

import numpy as np

from algebra.coset_space import Side
from algebra.lattice import SubgroupLattice
from algebra.permutation import format_cycles
from algebra.plural import plural
from net.weights import Weights
from verify.analysis import Analysis
from verify.distil.coset_fit import Floats
from verify.distil.coset_spaces import CandidateSpaces
from verify.distil.draft import RAW, project
from verify.distil.vote_search import vote_forms
from verify.program.form import GroupForm, linear_map
from verify.record.explain import percentage
from verify.record.neuron_rows import side_name

ROWS = 24


def neuron_page(analysis: Analysis, index: int) -> str:
    """The page as Markdown: label, both preactivations by coset, votes on its cheapest forms, irreps, removal.

    The effect of removal is exact (every pair is decided twice); the rest describes the weights.
    Complexity: two exact evaluations of the network.
    """
    network, lattice, (choices, left_shares, right_shares, labels) = analysis.network, analysis.lattice, analysis.labelling
    weights, label = network.weights, labels[index]
    lines = [f"# Neuron {index} of {network.width}", "", *_label_lines(analysis, index)]
    forms = []
    for name, side, column, table in (
        ("x", label.left, weights.L[:, index], left_shares),
        ("y", label.right, weights.R[:, index], right_shares),
    ):
        lines += ["", f"## Preactivation of {name}", "", *_stander(choices, table, column, index)]
        form = RAW if side is None else side.form
        forms.append(form)
        if side is not None and not form.weights:
            lines += ["", *_table(lattice, form, column)]
    lines += ["", "## Votes", "", *_votes(lattice, forms[0], forms[1], weights.U[index])]
    lines += ["", "## Without it", "", *_removal(analysis, index)]
    return "\n".join(lines) + "\n"


def _label_lines(analysis: Analysis, index: int) -> Iterator[str]:
    lattice, label = analysis.lattice, analysis.labels[index]
    yield f"- kind: {label.kind}"
    for name, side in (("x", label.left), ("y", label.right)):
        if side is not None:
            if side.form.weights:
                yield f"- reads {name} through {side_name(lattice, side)}: {percentage(side.share, 4)} of the variance"
                continue
            kernel = side.form.kernel
            twist = "" if kernel is None else f", with the sign whose kernel is {lattice.label_of(kernel)}"
            space = f"{side.form.on} of {lattice.label_of(side.subgroup)}{twist}"
            yield f"- reads {name} through {space}: {percentage(side.share, 4)} of the variance"
    yield f"- {_firing(analysis.weights, index)}"
    if irreps := analysis.neurons[index].irreps:
        yield "- irreps of its votes: " + ", ".join(f"{name} {percentage(share)}" for name, share in irreps)


def _firing(weights: Weights, index: int) -> str:
    """On how many pairs the activation is not 0."""
    with np.errstate(over="ignore"):
        sums = weights.L[:, None, index] + weights.R[None, :, index]
    fires = sums != 0 if weights.activation == "square" else sums > 0
    return f"fires on {percentage(float(fires.mean()))} of all pairs"


def _stander(choices: CandidateSpaces, table: dict[Side, Floats], column: Floats, index: int) -> list[str]:
    """The three best subgroups by coset concentration, C_H = sum over cosets of Var[f | c] / Var[f], on each side.

    C_H is (1 - share) (|G| - 1) / (|H| - 1), its variances having ddof 1 (Stander et al. 2024, section 4). Beside it stands 1 - share,
    the part of the variance that the cosets leave; the normalised form, C_H over the index, is another number.
    """
    if (column == column[0]).all():
        return [f"the same for all elements, {column[0]:.4g}: there is no variance that cosets could explain"]
    lines = ["| cosets | subgroup | C_H | 1 - share |", "|---|---|---|---|"]
    lattice, plain = choices.lattice, choices.plain
    orders = lattice.orders[choices.subgroup[plain]]
    for side, shares in table.items():
        left_over = 1 - shares[plain, index]
        # numerator over |H| - 1, denominator over |G| - 1
        concentration = left_over * (lattice.group.order - 1) / (orders - 1)
        for c in np.argsort(concentration, kind="stable")[:3]:
            name = lattice.label_of(choices.space(int(plain[c]), side).subgroup)
            lines.append(f"| {side} | {name} | {concentration[c]:.3g} | {left_over[c]:.3g} |")
    return lines


def _table(lattice: SubgroupLattice, form: GroupForm, column: Floats) -> list[str]:
    """Value on each coset, with a bar, and the largest deviation from it."""
    linear = linear_map(lattice.group, form)
    values = project(linear, column)
    deviation = np.abs(linear.expand(values) - column)
    top = max(float(np.abs(values).max()), 1e-300)
    lines = [f"largest deviation from these values: {deviation.max():.4g}", "", "| coset of | value | |", "|---|---|---|"]
    least = [int((linear.index[0] == c).argmax()) for c in range(linear.index[0].max() + 1)]
    for c, g in list(enumerate(least))[:ROWS]:
        bar = ("+" if values[c] > 0 else "-") * round(20 * abs(float(values[c])) / top)
        lines.append(f"| {_cycles(lattice, g)} | {_decimal(values[c], top)} | `{bar}` |")
    if len(least) > ROWS:
        lines.append(f"| and {len(least) - ROWS} more | | |")
    return lines


def _votes(lattice: SubgroupLattice, left: GroupForm, right_form: GroupForm, votes: Floats) -> list[str]:
    """Each form that the votes may take, with its price and how much of their variance it explains, then the cheapest's table."""
    forms = vote_forms(lattice, left, right_form)
    lines = ["| form | constants | share of variance |", "|---|---|---|"]
    top = float(np.abs(votes).max())
    near_one = np.ldexp(votes, -np.frexp(top)[1])  # shares do not depend on units, and squares of votes may be beyond floats
    spread = float(near_one.var())

    def share(rest: float) -> str:
        return f"{1 - rest / spread:.4f}" if votes.max() > votes.min() and spread > 0 else "-"

    for form in forms:
        linear = linear_map(lattice.group, form)
        rest = float((near_one - linear.expand(project(linear, near_one))).var())
        lines.append(f"| {form.on} | {linear.size} | {share(rest)} |")
    linear = linear_map(lattice.group, forms[0])
    if linear.size <= ROWS and len(linear.index) == 1:
        values = project(linear, votes)
        lines += ["", f"Averaged on {forms[0].on}:", "", "| coset of | elements | vote |", "|---|---|---|"]
        for c in range(linear.size):
            inside = (linear.index[0] == c) & (linear.factor[0] != 0)
            lines.append(f"| {_cycles(lattice, int(inside.argmax()))} | {int(inside.sum())} | {_decimal(values[c], top)} |")
    return lines


def _decimal(value: float, largest: float) -> str:
    """Four decimals in a table of usual sizes, else four digits."""
    return f"{value:.4f}" if 0.01 <= largest < 1e6 else f"{value:.4g}"


def _removal(analysis: Analysis, index: int) -> list[str]:
    without = analysis.ablate(neurons=[index])
    changed = int((analysis.evaluation.answer != without.evaluation.answer).sum())
    return [
        f"- right before: {analysis.correct.right:,} of {plural(analysis.correct.pairs, 'pair')}; "
        f"after: {without.correct.right}; answers changed: {changed} (exact)"
    ]


def _cycles(lattice: SubgroupLattice, element: int) -> str:
    return format_cycles(tuple(int(i) for i in lattice.group.elements[element]))
