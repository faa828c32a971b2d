"""What summary.json says of single neurons and of the families that they form."""

from collections import Counter

import numpy as np

from algebra.group import FiniteGroup
from algebra.lattice import SubgroupLattice
from net.weights import Weights
from verify.distil.coset_fit import Floats
from verify.distil.labels import NeuronLabel, SideLabel
from verify.program.coset_forms import coset_space_of
from verify.program.form import Form
from verify.program.kind import kind_of, side_of
from verify.program.program import Circuit, Program
from verify.program.written import Written
from verify.record.summary import CircuitRow, Family, FamilyGrid, Labels, Lattice, LatticeNode, NeuronRow


def share_of(part: float, rest: float) -> float:
    """The quotient part / (part + rest); 0 when both are 0, and less than 1 when there is a rest, however small."""
    if part + rest <= 0:
        return 0.0
    value = part / (part + rest)
    return float(np.nextafter(1.0, 0.0)) if rest > 0 and value >= 1 else value


def labels_summary(labels: tuple[NeuronLabel, ...]) -> Labels:
    """Kinds of neurons, and the share of energy in those that are neither raw nor dead."""
    raw = sum(label.energy for label in labels if label.kind == "raw")
    labelled = sum(label.energy for label in labels if label.kind not in ("raw", "dead"))
    kinds = Counter(label.kind for label in labels)
    return Labels(share_of(labelled, raw), {kind: kinds[kind] for kind in sorted(kinds)})


def neuron_rows(lattice: SubgroupLattice, labels: tuple[NeuronLabel, ...], written: Written, network: Weights) -> list[NeuronRow]:
    """One row per neuron: label, energy, irreps, and the shares of variance that the program's own forms leave."""
    total = sum(label.energy for label in labels)
    program = written.weights
    position = {n.index: p for p, n in enumerate(n for c in written.program.circuits for n in c.neurons)}
    irreps = irrep_shares(lattice, network)
    rows = []
    for label in labels:
        i, p = label.index, position.get(label.index)
        left, right, votes = (
            (None, None, None)
            if p is None
            else (
                residual(network.L[:, i], program.L[:, p]),
                residual(network.R[:, i], program.R[:, p]),
                residual(network.U[i], program.U[p]),
            )
        )
        rows.append(
            NeuronRow(
                index=i,
                kind=label.kind,
                left=side_name(lattice, label.left),
                right=side_name(lattice, label.right),
                left_share=label.left.share if label.left else None,
                right_share=label.right.share if label.right else None,
                energy_share=share_of(label.energy, total - label.energy),
                irreps=irreps[i],
                left_residual=left,
                right_residual=right,
                votes_residual=votes,
                votes_share=None if votes is None else 1 - votes,
            )
        )
    return rows


def residual(ours: Floats, theirs: Floats) -> float:
    """Var(ours - theirs) / Var(ours), and 0 where nothing varies."""
    spread = float(ours.var())
    return float((ours - theirs).var()) / spread if spread > 0 else 0.0


def side_name(lattice: SubgroupLattice, side: SideLabel | None) -> str | None:
    """The label of the subgroup that a side of a neuron reads its input through, with its character's kernel; None without one."""
    if side is None:
        return None
    form, name = side.form, lattice.label_of(side.subgroup)
    if form.weights:
        points = "points sent from" if form.on == "images" else "points sent to"
        sign = "" if form.kernel is None else f", times the sign that is 1 on {lattice.label_of(form.kernel)}"
        return f"cosets of {name} as {points}, weights {', '.join(map(str, form.weights))}{sign}"
    return name if form.kernel is None else f"{name} over {lattice.label_of(form.kernel)}"


def irrep_shares(lattice: SubgroupLattice, network: Weights) -> list[list[tuple[str, float]]]:
    """For each neuron the irreps that hold at least one per cent of its votes' power, largest first; [] where unknown.

    Of groups other than S_n and A_n these are characters, a complex one together with its conjugate, and for cyclic groups
    "frequency k", the characters whose value at the first generator is exp(+-2 pi i k / n).
    """
    from algebra.characters.fourier import power_share
    from algebra.characters.irrep import has_irreps, irreps

    votes = network.U - network.U.mean(axis=1, keepdims=True)
    if has_irreps(lattice.group):
        names, shares = [irrep.name for irrep in irreps(lattice.group)], power_share(lattice.group, votes)
    else:
        names, shares = _character_shares(lattice.group, votes)
    return [[(names[k], float(shares[k, i])) for k in np.argsort(-shares[:, i]) if shares[k, i] >= 0.01] for i in range(network.width)]


def _character_shares(group: FiniteGroup, votes: Floats) -> tuple[list[str], Floats]:
    """Names of real characters, and (characters, neurons) the shares of each row's power in their isotypic parts.

    The projection on the part of chi is f -> chi(1)/|G| sum over k of conj(chi(k)) f(. k), so its power is chi(1)/|G| times the sum of
    conj(chi(k)) A(k), A the autocorrelation. None where the character table takes too much memory. O(|G|^2) for each row.
    """
    from algebra.characters.character_table import character_table
    from algebra.errors import GroupError
    from verify.distil.coset_fit import autocorrelation

    try:
        table = character_table(group)
    except GroupError:
        return [], np.zeros((0, len(votes)))
    values = table.values[:, group.class_of]
    power = table.degrees[:, None] / group.order * (values.conj() @ autocorrelation(group, votes.T.copy(), "left")).real
    conjugate = [int(np.abs(table.values - row.conj()).max(axis=1).argmin()) for row in table.values]
    kept = [k for k, other in enumerate(conjugate) if k <= other]
    summed = np.array([power[k] + (power[conjugate[k]] if conjugate[k] != k else 0) for k in kept])
    names = [table.names[k] if conjugate[k] == k else f"{table.names[k]} and {table.names[conjugate[k]]}" for k in kept]
    if group.element_orders.max() == group.order > 1:
        first = int(group.element_orders.argmax())
        angles = np.abs(np.angle(values[kept, first])) * group.order / (2 * np.pi)
        names = [f"frequency {k}" for k in np.rint(angles).astype(int)]
    return names, summed / np.maximum(summed.sum(axis=0), np.finfo(float).tiny)


# ---- families


def family_name(program: Program, circuit: Circuit, class_names: list[str]) -> str:
    """The classes of subgroups that a circuit reads x and y through, and how: "S4", "S4 / F20", "S4 twisted", "S5 dual", "raw".

    ``class_names`` names the class of each subgroup of the program. Twisted is up to a sign; dual is x through left cosets and y
    through right ones; both sides through a subgroup of index two is "sign". Images and preimages of several points, and rank 1, are
    "rank one on S5", with the class of the subgroup whose cosets are the points. Of sums the first part counts.
    """
    forms = circuit.left.terms[0], circuit.right.terms[0]
    kind = kind_of(circuit, program)
    if kind == "sign":
        return "sign"
    sides = {side_of(form) for form in forms}
    if None in sides:
        return " / ".join(sorted({_unsided(form, class_names) for form in forms}))
    names = [class_names[form.subgroups[0]] for form in forms]
    name = names[0] if names[0] == names[1] else " / ".join(names)
    twisted = {kernel is not None for form in forms for kernel in form.kernels}
    if kind == "rank one":
        return f"rank one on {name}{' with a sign' if True in twisted else ''}"
    return f"{name} {kind}" if kind in ("twisted", "dual") else name


def _unsided(form: Form, class_names: list[str]) -> str:
    return "raw" if form.on == "elements" else f"{form.on} of {', '.join(class_names[s] for s in form.subgroups)}"


def program_families(lattice: SubgroupLattice, written: Written) -> dict[str, list[Circuit]]:
    """The circuits of each family of the program, families in the order of their first circuit."""
    class_names = [lattice.names[lattice.class_of[lattice.find(subgroup.mask)]] for subgroup in written.subgroups]
    found: dict[str, list[Circuit]] = {}
    for circuit in written.program.circuits:
        found.setdefault(family_name(written.program, circuit, class_names), []).append(circuit)
    return found


def family_rows(lattice: SubgroupLattice, written: Written, labels: tuple[NeuronLabel, ...]) -> list[Family]:
    """Families with their circuits, neurons and share of energy, the one with the most energy first."""
    rows = []
    for name, circuits in program_families(lattice, written).items():
        members = {neuron.index for circuit in circuits for neuron in circuit.neurons}
        energy = sum(label.energy for label in labels if label.index in members)
        rest = sum(label.energy for label in labels if label.index not in members)
        rows.append(Family(name, len(circuits), len(members), share_of(energy, rest), family_grid(lattice, written, circuits)))
    return sorted(rows, key=lambda row: -row.energy_share)


def family_grid(lattice: SubgroupLattice, written: Written, circuits: list[Circuit]) -> FamilyGrid | None:
    """The neurons of a family by the subgroups that they read x and y through.

    Images and preimages of one point are read through its stabiliser, which the form does not name. None where a side is read
    through no cosets or several points: a form's subgroup names a class alone there.
    """
    pairs: Counter[tuple[int, int]] = Counter()
    for circuit in circuits:
        spaces = [coset_space_of(lattice.group, form, written.subgroups) for form in (circuit.left, circuit.right)]
        if None in spaces:
            return None
        left, right = (lattice.find(space.subgroup.mask) for space in spaces if space is not None)
        pairs[left, right] += len(circuit.neurons)
    sides = []
    for side in (0, 1):
        classes = {int(lattice.class_of[pair[side]]) for pair in pairs}
        sides.append([h for h in range(len(lattice.class_of)) if lattice.class_of[h] in classes])
    rows, columns = sides
    first, second = ([lattice.labels[h] for h in side] for side in sides)
    return FamilyGrid(first, second, [[pairs[h, k] for k in columns] for h in rows], len(pairs), len(rows) * len(columns))


def circuit_rows(lattice: SubgroupLattice, written: Written, labels: tuple[NeuronLabel, ...]) -> list[CircuitRow]:
    """The circuits of the program in their order, with family, neurons and share of energy."""
    family = {id(circuit): name for name, circuits in program_families(lattice, written).items() for circuit in circuits}
    rows = []
    for number, circuit in enumerate(written.program.circuits, 1):
        members = {neuron.index for neuron in circuit.neurons}
        energy = sum(label.energy for label in labels if label.index in members)
        rest = sum(label.energy for label in labels if label.index not in members)
        rows.append(CircuitRow(number, family[id(circuit)], len(members), share_of(energy, rest)))
    return rows


def lattice_summary(lattice: SubgroupLattice, labels: tuple[NeuronLabel, ...]) -> Lattice:
    """The Hasse diagram of the classes, laid out, with the number of neurons whose label names each."""
    from algebra.containment import class_lattice
    from algebra.hasse import hasse_layout

    used: Counter[str] = Counter()
    for label in labels:
        if label.left and label.right:
            used.update({lattice.name_of(side.subgroup) for side in (label.left, label.right)})
    layout = hasse_layout(lattice)
    nodes = [
        LatticeNode(c.name, c.order, c.length, used[c.name], float(layout.positions[c.number][0]), int(layout.positions[c.number][1]))
        for c in lattice.classes
    ]
    edges = sorted((int(a), int(b)) for a, b in class_lattice(lattice).edges)
    routes = [[(float(x), int(layer)) for x, layer in layout.routes[edge]] for edge in edges]
    return Lattice(nodes, edges, routes, lattice.complete)
