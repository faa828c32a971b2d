"""One network and everything that is found out about it, each part computed when it is first asked for and then kept.

======================  =====================================================  ======================================
part                    what it is                                             what it needs first
======================  =====================================================  ======================================
``evaluation``          the exact answer and margin at every pair
``correct``             Q1: is the network right on every pair                 ``evaluation``
``neurons``             which cosets each neuron reads its inputs through      the subgroups of the group
``programs``            coset-voting programs, from cheap to faithful          ``evaluation``, ``neurons``
``equivalent``          Q2: has the readable program the network's answers     ``evaluation``, ``programs``
``mechanism``           how far each neuron is from its part of the program    ``programs``
``symbolic``            Q3: is a program correct, by lemmas about points       ``programs``, ``mechanism``
``compact``             Q4: which pairs are proved right through the cosets
``levels``              program and network compared at four levels            ``programs``, ``mechanism``
``certificate``         Q1 to Q4 for others to check                           all of these
``summary``             the same with what was measured                        ``certificate``, ``levels``
======================  =====================================================  ======================================

Exact statements are those of the certificate (`verify.record.certificate`); what is measured says so.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args, overload

import msgspec
import numpy as np

from algebra.lattice import SubgroupLattice, subgroups
from algebra.plural import plural
from net.errors import MalformedInput
from net.folded import FoldedNetwork, Source
from net.in_memory import FILE_NAME
from net.units import Units
from net.usual_units import in_usual_units
from verify.distil.labels import Labelling, labelled
from verify.exact.exhaustive import Evaluation, correct_pairs, evaluate
from verify.memory import relieve
from verify.program.editable import CosetProgram
from verify.record import certificate as cert
from verify.record.compact_statement import compact_in_units, state_compact
from verify.record.settings import DEFAULT, Settings
from verify.record.statements import Findings, certify, decide_correct, decide_equivalent
from verify.symbolic.evidence import symbolic_record
from verify.symbolic.settings import SOLVERS_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from algebra.group import FiniteGroup
    from net.formats.reading import Activation, Reading
    from net.weights import Weights
    from verify.compact import CompactResult
    from verify.compare.comparison import Comparison
    from verify.distil.curve import Distillation
    from verify.distil.labels import NeuronLabel
    from verify.record.pictures import Pictures
    from verify.record.summary import Counterfactual, Summary
    from verify.symbolic.decide import SymbolicFinding
    from verify.symbolic.obligation import Obligation
    from verify.symbolic.solver.opinions import Asked, Opinion

Proof = Literal["auto", "exhaustive"]


@dataclass(frozen=True)
class Options:
    """How an analysis goes about its work.

    Attributes:
        proof: "auto" tries the compact proof (Q4) as well; "exhaustive" leaves it out of certificate and summary.
        timeout_s: seconds that SMT solvers get for second opinions on the lemmas, 0 for none; no status depends on it.
        all_counterfactuals: measure level 3 on all pairs even of a large group.
        progress: called with a few words before each piece of work that takes a while.
        settings: the numbers that searches rest on (docs/settings.md).

    """

    proof: Proof = "auto"
    timeout_s: float = SOLVERS_S
    all_counterfactuals: bool = False
    progress: Callable[[str], None] = lambda _: None
    settings: Settings = DEFAULT

    def __post_init__(self) -> None:
        """Refuse what is no such option (TypeError), or has no such value (ValueError), before the work."""
        from verify.symbolic.solver.opinions import checked_budget

        for name, kind, words in (("timeout_s", int | float, "a number"), ("settings", Settings, "a Settings")):
            if not isinstance(value := getattr(self, name), kind):
                raise TypeError(f"expected {words} as {name}, got {type(value).__name__}")
        if not callable(self.progress):
            raise TypeError(f"expected a function of a text as progress, got {type(self.progress).__name__}")
        if self.proof not in get_args(Proof):
            raise ValueError(f"expected as proof one of {', '.join(get_args(Proof))}, got {self.proof!r}")
        checked_budget(self.timeout_s)


def analyse(
    network: object,
    group: FiniteGroup | str | None = None,
    *,
    order: str | None = None,
    product: str | None = None,
    proof: Proof = "auto",
    timeout_s: float = SOLVERS_S,
    all_counterfactuals: bool = False,
    progress: Callable[[str], None] = lambda _: None,
    assume_relu: bool = False,
    settings: Settings = DEFAULT,
    layout: Reading | Path | str | None = None,
    step: int | str | None = None,
    activation: Activation | None = None,
) -> Analysis:
    """The analysis of a network; nothing is computed yet but its numbering and product, where they are not given.

    Args:
        network: the path of a checkpoint; or a state dict, a torch.nn.Module or another mapping of names to tensors or arrays in a
            published layout; or the arrays (L, R, U) or (L, R, U, b) of logits(x, y) = relu(L[x] + R[y]) U + b; or a
            `net.folded.FoldedNetwork`.
        group: the group or its name; None for what the file says, or else for the usual group of that order.
        order: numbering of the elements, out of `net.convention.ORDERS`; None to detect it.
        product: "left-first" or "right-first"; None to detect it.
        proof: see `Options`.
        timeout_s: see `Options`.
        all_counterfactuals: see `Options`.
        progress: see `Options`.
        settings: see `Options`.
        layout: what each tensor is, as a `net.formats.reading.Reading` or the path of a TOML file; None to find it.
        step: which of several checkpoints in the file: an epoch, a place in a list, or a key; None for the last one.
        activation: relu, square or abs; None for what the file says, or else relu, unless the network makes mistakes with relu and none
            with another of them.
        assume_relu: disregard settings that say, or could say, that the network is another function; where they are in the file itself,
            and where the checker could not read it, what is certified is a safetensors file with the weights that were read.

    Raises:
        MalformedInput: it cannot be read, is unsafe or damaged, is no network of this kind or none for this group.
        GroupError: no group has this name.
        ValueError: an option has a value that it cannot have; a TypeError where it is of another type.

    """
    from algebra.group import FiniteGroup
    from net.checkpoint import ReadOptions, checkpoint_in, network_over, open_checkpoint
    from net.formats.reading import ACTIVATIONS, Reading, read_layout
    from net.in_memory import compared_with_module, file_of

    started = time.perf_counter()
    options = Options(proof, timeout_s, all_counterfactuals, progress, settings)
    if group is not None and not isinstance(group, str | FiniteGroup):
        raise TypeError(f"expected a group or its name, such as 'S5', got {type(group).__name__}")
    if layout is not None and not isinstance(layout, str | Path | Reading):
        raise TypeError(f"expected a layout as the path of a TOML file or as a Reading, got {type(layout).__name__}")
    if activation not in (None, *ACTIVATIONS):
        raise ValueError(f"expected as activation one of {', '.join(ACTIVATIONS)}, got {activation!r}")
    if isinstance(network, FoldedNetwork):
        return Analysis(network, options)
    reading = read_layout(Path(layout)) if isinstance(layout, str | Path) else layout
    how = ReadOptions(assume_relu, reading, None if step is None else str(step), activation)
    if isinstance(network, str | Path):
        data = None
        checkpoint = open_checkpoint(Path(network), how)
    else:
        data = file_of(network)
        checkpoint = checkpoint_in(data, Path(FILE_NAME), how)
    found = network_over(group, checkpoint, order, product)
    if not isinstance(network, str | Path):
        compared_with_module(network, found)
    assert found.source is not None
    _say_how(found.source, progress)
    data = data if found.source.rewritten is None else found.source.rewritten
    return Analysis(found, options, data, time.perf_counter() - started)


def _say_how(source: Source, progress: Callable[[str], None]) -> None:
    """Say what was understood, where it was not a published layout, and what was left out."""
    if source.reading is not None:
        progress(f"read as {source.reading.formula()}")
    if source.activation_taken:
        progress(f"the file does not name its activation: {source.reading.activation if source.reading else 'relu'} was taken")
    if source.skipped:
        shown = ", ".join(source.skipped[:6]) + (f" and {len(source.skipped) - 6} more" if len(source.skipped) > 6 else "")
        progress(f"in the file beside the network, and no part of it: {shown}")


@dataclass(frozen=True)
class Neuron:
    """What one neuron reads and votes for. Labels describe; no verdict rests on them.

    Attributes:
        index: its number in the network.
        kind: coset, twisted, dual, sign, rank one, raw (no structure found) or dead (it cannot change an answer).
        left, right: the subgroup whose cosets x and y are read through, or None.
        left_share, right_share: the share of the preactivation's variance that these cosets explain.
        energy_share: its share of the sum over neurons of the mean square activation times the variance of its votes.
        irreps: irreducible characters with at least one per cent of the power of its votes, with their shares.

    """

    index: int
    kind: cert.Kind
    left: str | None
    right: str | None
    left_share: float | None
    right_share: float | None
    energy_share: float
    irreps: tuple[tuple[str, float], ...]


class Neurons(Sequence[Neuron]):
    """All neurons of a network, by their numbers."""

    def __init__(self, neurons: Sequence[Neuron]) -> None:
        self._neurons = tuple(neurons)

    def __len__(self) -> int:
        return len(self._neurons)

    @overload
    def __getitem__(self, index: int) -> Neuron: ...
    @overload
    def __getitem__(self, index: slice) -> Neurons: ...
    def __getitem__(self, index: int | slice) -> Neuron | Neurons:
        """The neuron of that number, or those of a range; IndexError where there is none."""
        if isinstance(index, int | np.integer) and not -len(self) <= index < len(self):
            raise IndexError(f"expected a neuron below {len(self)}, got {index}")
        return Neurons(self._neurons[index]) if isinstance(index, slice) else self._neurons[index]

    def __repr__(self) -> str:
        return f"<{plural(len(self), 'neuron')}: {', '.join(f'{count} {kind}' for kind, count in self.kinds.items())}>"

    @property
    def kinds(self) -> dict[str, int]:
        """How many neurons there are of each kind."""
        kinds = [neuron.kind for neuron in self._neurons]
        return {kind: kinds.count(kind) for kind in sorted(set(kinds))}

    def table(self) -> list[dict[str, int | float | str | None]]:
        """One row per neuron, for ``pandas.DataFrame`` or ``polars.DataFrame``; of its irreps the strongest alone."""
        return [
            {
                "index": n.index,
                "kind": n.kind,
                "left": n.left,
                "right": n.right,
                "left_share": n.left_share,
                "right_share": n.right_share,
                "energy_share": n.energy_share,
                "irrep": n.irreps[0][0] if n.irreps else None,
                "irrep_share": n.irreps[0][1] if n.irreps else None,
            }
            for n in self._neurons
        ]


class Compared:
    """A program beside the network, on every pair: answers exactly, logits as measured."""

    def __init__(self, analysis: Analysis, weights: Weights) -> None:
        self._analysis = analysis
        self.weights = weights

    def __repr__(self) -> str:
        return f"<{self.answers_agree:,} of {plural(self.pairs, 'answer')} agree>"

    @cached_property
    def evaluation(self) -> Evaluation:
        """The program's exact answers and margins."""
        return evaluate(self.weights, expected=np.maximum(self._analysis.evaluation.answer, 0))

    @cached_property
    def equivalent(self) -> cert.Equivalent:
        """Q2 for this program: the number of pairs on which it answers as the network does, and those on which it does not."""
        return decide_equivalent(self._analysis.evaluation, self.evaluation)

    @property
    def pairs(self) -> int:
        """|G|^2."""
        return self.equivalent.pairs

    @property
    def answers_agree(self) -> int:
        """On how many pairs the program has the network's answer (a tie agrees with a tie); exact."""
        return self.equivalent.agree

    @property
    def differ(self) -> tuple[tuple[int, int, int, int], ...]:
        """Every pair on which they differ, as (x, y, the network's answer, the program's), -1 for a tie."""
        return self.equivalent.differ

    @property
    def right(self) -> int:
        """On how many pairs the program's answer is xy; exact."""
        return int(correct_pairs(self.evaluation, self._analysis.group.mul).sum())

    @cached_property
    def logits(self) -> Comparison:
        """Level 2: the share of the logits' variance that the program explains, and so on; measured in float64 on all pairs."""
        from verify.compare.comparison import compare

        return compare(self._analysis.weights, self.weights, self._analysis.group.mul)


@dataclass(frozen=True)
class Levels:
    """The readable program beside the network, at four levels.

    Attributes:
        answers: 1, the same argmax on every pair; exact.
        logits: 2, variance explained, runners-up; measured on all pairs.
        counterfactuals: 3, the same intervention on both, one row each; measured on the pairs that the row counts.
        mechanism: 4, per neuron the largest difference between network and program; exact.

    """

    answers: cert.Equivalent
    logits: Comparison
    counterfactuals: tuple[Counterfactual, ...]
    mechanism: tuple[cert.NeuronRecord, ...]


class Analysis:
    """A network, and what is found out about it; see the module's docstring for the parts.

    Attributes:
        network: the network, in the group's own numbering and product.
        options: how the work is done.

    """

    def __init__(self, network: FoldedNetwork, options: Options | None = None, file: bytes | None = None, loading: float = 0.0) -> None:
        """``file`` holds the network's file where it lies on no disk; it is written beside the certificate, which states its digest.

        ``loading`` is what reading it took, in seconds.
        """
        self.network = network
        self.options = options or Options()
        self._file = file
        self._began = time.perf_counter() - loading
        self._seconds = {"loading": loading}
        self._asked: Asked | None = None

    def __repr__(self) -> str:
        source = self.network.source
        name = "a network" if source is None else source.path.name
        return f"<Analysis of {name}: {self.group.name}, {plural(self.network.width, 'neuron')}>"

    @property
    def group(self) -> FiniteGroup:
        """The group."""
        return self.network.group

    @property
    def weights(self) -> Weights:
        """The network's weights."""
        return self.network.weights

    @property
    def _bounded(self) -> bool:
        """Whether Q4 is asked: its bounds rest on relu, whose slope is at most one."""
        return self.options.proof == "auto" and self.weights.activation == "relu"

    @property
    def seconds(self) -> Mapping[str, float]:
        """What each part that was computed so far has taken, without the parts that it needs."""
        return MappingProxyType(self._seconds)

    @contextmanager
    def _timed(self, part: str, doing: str = "") -> Iterator[None]:
        if doing:
            self.options.progress(doing)
        started = time.perf_counter()
        yield
        relieve(self.group.order)
        self._seconds[part] = time.perf_counter() - started

    @cached_property
    def lattice(self) -> SubgroupLattice:
        """All subgroups of the group."""
        with self._timed("subgroups", "enumerating subgroups"):
            return subgroups(self.group)

    @cached_property
    def evaluation(self) -> Evaluation:
        """The network's exact answer at every pair, and bounds of its margin."""
        with self._timed("exhaustive", "evaluating every pair exactly"):
            return evaluate(self.weights, expected=self.group.mul)

    @cached_property
    def correct(self) -> cert.Correct:
        """Q1: right pairs, wrong pairs with their answers, ties, the smallest margin, and pairs proved for float32; exact."""
        evaluation = self.evaluation
        started = time.perf_counter()
        found = decide_correct(self.network, self.group, evaluation)
        self._seconds["exhaustive"] += time.perf_counter() - started
        return found

    @cached_property
    def _in_usual_units(self) -> tuple[Weights, Units]:
        return in_usual_units(self.weights)

    @property
    def units(self) -> Units:
        """The powers of two by which ``searched`` multiplies the network (`net.units`)."""
        return self._in_usual_units[1]

    @property
    def _units(self) -> Units:
        """What brings what was found by ``searched`` back to the network's own units."""
        return self.units.back

    @cached_property
    def searched(self) -> Analysis:
        """The analysis of the network in units in which floats can search (`net.units`); this one where its own are such.

        All searches and all that is measured in floats begin here, so none of them has to think of sizes. Units change no answer; what
        is stated as proved is decided from the network's own weights and from the program in its units.
        """
        weights, units = self._in_usual_units
        if weights is self.weights:
            return self
        found = Analysis(replace(self.network, weights=weights, layers=None), self.options)
        found._in_usual_units = (weights, Units.of(weights.width, 0, 0, units.degree))
        return found

    @cached_property
    def labelling(self) -> Labelling:
        """The labels of the neurons and the shares of variance that they were read off."""
        lattice = self.lattice
        with self._timed("labels", "fitting subgroups to neurons"):
            return labelled(lattice, self.searched.weights, self.options.settings.distil)

    @property
    def labels(self) -> tuple[NeuronLabel, ...]:
        """Which subgroups each neuron reads its inputs through, by number; ``neurons`` has the names."""
        return self.labelling.labels

    @cached_property
    def neurons(self) -> Neurons:
        """Every neuron: what it reads, through which cosets, and the irreps of its votes."""
        from verify.record.neuron_rows import irrep_shares, side_name

        irreps = irrep_shares(self.lattice, self.searched.weights)
        total = sum(label.energy for label in self.labels) or 1.0
        return Neurons(
            [
                Neuron(
                    label.index,
                    label.kind,
                    side_name(self.lattice, label.left),
                    side_name(self.lattice, label.right),
                    None if label.left is None else label.left.share,
                    None if label.right is None else label.right.share,
                    label.energy / total,
                    tuple((name, share) for name, share in irreps[label.index]),
                )
                for label in self.labels
            ]
        )

    @cached_property
    def distillation(self) -> Distillation:
        """The search for programs: what `programs` shows, and how it was found."""
        from verify.distil.curve import distill

        evaluation, labelling = self.evaluation, self.labelling
        if self.searched is not self:
            return self._rescaled_distillation()
        with self._timed("distillation"):
            return distill(self.lattice, self.weights, evaluation, self.options.progress, labelling, self.options.settings.distil)

    def _rescaled_distillation(self) -> Distillation:
        from verify.program.written import rescaled

        with self._timed("distillation"):
            found, points = self.searched.distillation, []
            for point in found.points:
                written = rescaled(point.written, self._units).written
                answers = evaluate(written.weights, expected=np.maximum(point.evaluation.answer, 0))
                points.append(replace(point, written=written, evaluation=answers))
            return replace(found, points=tuple(points))

    @cached_property
    def programs(self) -> Mapping[str, CosetProgram]:
        """Programs, cheapest first; ``readable`` and ``faithful`` have the network's answers on every pair, others may not."""
        points = self.distillation.points
        return MappingProxyType({point.name: CosetProgram(point.name, self.group, point.written.program) for point in points})

    @cached_property
    def mechanism(self) -> tuple[cert.NeuronRecord, ...]:
        """For every neuron the largest differences between the network and the readable program over the group; exact."""
        from verify.compare.levels import mechanism

        written = self.distillation.point("readable").written
        with self._timed("mechanism"):
            return mechanism(self.labels, written.program, self.weights.exact(), written.weights.exact())

    @cached_property
    def equivalent(self) -> cert.Equivalent:
        """Q2: has the readable program the network's answer on every pair; exact."""
        return decide_equivalent(self.evaluation, self.distillation.point("readable").evaluation)

    @cached_property
    def symbolic_proof(self) -> SymbolicFinding:
        """The proof behind Q3: the program that it is about, its lemmas' dual variables, minima and constants."""
        from verify.symbolic.decide import decide_symbolic

        found, neurons, answers = self.distillation, self.mechanism, self.evaluation
        if self.searched is not self:
            return self._rescaled_proof()
        with self._timed("symbolic_search"):
            readable, progress, settings = found.point("readable").written, self.options.progress, self.options.settings.symbolic
            return decide_symbolic(readable, neurons, self.labels, self.network, answers, progress, settings, found.bank)

    def _rescaled_proof(self) -> SymbolicFinding:
        """The finding about the scaled program, with everything in the network's own units."""
        from verify.compare.levels import mechanism
        from verify.program.written import rescaled
        from verify.symbolic.decide import rescaled_finding

        with self._timed("symbolic_search"):
            proof = self.searched.symbolic_proof
            written = rescaled(proof.written, self._units).written
            neurons = mechanism(self.labels, written.program, self.weights.exact(), written.weights.exact())
            return rescaled_finding(proof, self._units, neurons, self.network, self.evaluation)

    @cached_property
    def obligations(self) -> tuple[Obligation, ...]:
        """The lemmas of Q3 as SMT-LIB 2 scripts that assert their negations."""
        from verify.symbolic.all_obligations import obligations_of

        proof = self.symbolic_proof
        if self.weights.activation == "square":  # nothing was asked
            return ()
        with self._timed("obligations"):
            return obligations_of(proof)

    @cached_property
    def symbolic(self) -> cert.Symbolic:
        """Q3: is a program with the network's answers correct for all x, y and z != xy, by lemmas about points; exact."""
        return symbolic_record(self.symbolic_proof)

    @cached_property
    def opinions(self) -> Mapping[str, Mapping[str, Opinion]]:
        """What the SMT solvers that are installed say to each lemma within ``options.timeout_s``; no status depends on it.

        Raises:
            SolverDisagrees: one contradicts what exact integers found.

        """
        with self._solvers_beside(), self._timed("symbolic"):
            assert self._asked is not None
            return self._asked.opinions()

    @contextmanager
    def _solvers_beside(self) -> Iterator[None]:
        """Solvers at work on the lemmas beside the body, unless they have been heard; with its end they are stopped."""
        from verify.symbolic.obligation import write_scripts
        from verify.symbolic.solver.opinions import Asked, advice

        if self._asked is not None or "opinions" in vars(self):
            yield
            return
        obligations, budget, progress = self.obligations, self.options.timeout_s, self.options.progress
        if budget > 0 and obligations:
            progress(f"asking SMT solvers for second opinions on {plural(len(obligations), 'lemma')}, at most {budget:.0f} s")
            if advice():
                progress(advice())
        with tempfile.TemporaryDirectory() as folder:
            write_scripts(obligations, Path(folder))
            self._asked = Asked(obligations, Path(folder), budget)
            try:
                yield
            finally:
                self._asked.stop()
                self._asked = None

    @cached_property
    def compact_proof(self) -> CompactResult:
        """The proof behind Q4: which pairs it settled, by which strategy, at what cost.

        Raises:
            AssertionError: it settled a pair that exact evaluation finds wrong, which would be a mistake in one of them.

        """
        from verify.compact import prove_compactly

        evaluation = self.evaluation
        with self._timed("compact", "proving pairs through the coset structure"):
            if self.searched is self:
                proof = prove_compactly(self.network, settings=self.options.settings.compact)
            else:
                found = self.searched.compact_proof
                with np.errstate(over="ignore"):
                    bound = np.ldexp(found.bound.astype(np.float64), self._units.logits)
                proof = replace(found, bound=np.nextafter(bound, -np.inf))
        if (proof.settled.astype(bool) & ~correct_pairs(evaluation, self.group.mul)).any():
            raise AssertionError("the compact proof certified a pair that exact evaluation finds wrong")
        return proof

    @cached_property
    def compact(self) -> cert.Compact:
        """Q4: the pairs proved right through the coset structure, and the operations of that against evaluation."""
        searched, correct = self.searched, correct_pairs(self.evaluation, self.group.mul)
        found = state_compact(self.group, searched.weights, searched.compact_proof, correct, self.options.settings.compact)
        return found if searched is self else compact_in_units(found, self._units)

    @cached_property
    def levels(self) -> Levels:
        """The readable program and the network compared at four levels."""
        from verify.record.summarise import counterfactuals

        if self.searched is not self:
            return replace(self.searched.levels, answers=self.equivalent, mechanism=self.mechanism)
        written, everything = self.distillation.point("readable").written, self.options.all_counterfactuals
        rows = tuple(counterfactuals(self.lattice, self.labels, written, self.weights, everything))
        return Levels(self.equivalent, Compared(self, written.weights).logits, rows, self.mechanism)

    def compare(self, program: CosetProgram) -> Compared:
        """A program, changed or not, beside the network on every pair.

        Raises:
            ValueError: its tables are none of a program: see `CosetProgram.record`; or it is over another group.
            TypeError: it is no `CosetProgram`.

        """
        if not isinstance(program, CosetProgram):
            raise TypeError(f"expected a program such as programs['readable'], got {type(program).__name__}")
        if program.group.order != self.group.order or (program.group.mul != self.group.mul).any():
            raise ValueError(f"expected a program over {self.group.name}, got one over {program.group.name}")
        return Compared(self, program.weights())

    def ablate(self, *, kinds: Sequence[str] = (), neurons: Sequence[int] = (), families: Sequence[str] = ()) -> Analysis:
        """The analysis of the network without some neurons (zero ablation): those of a kind, of a number, of a family.

        A family are the neurons of the readable program whose circuits read through the same classes of subgroups; its name is that
        in the summary's ``families``.

        Raises:
            ValueError: a kind, number or family that does not exist; truth values in place of numbers.

        """
        from verify.record.neuron_rows import program_families

        if any(isinstance(number, bool | np.bool_) for number in neurons):
            raise ValueError("expected numbers of neurons, got truth values: of a mask, numpy.flatnonzero(mask) are the numbers")

        circuits = program_families(self.lattice, self.distillation.point("readable").written) if families else {}
        members = {name: [neuron.index for circuit in found for neuron in circuit.neurons] for name, found in circuits.items()}
        for given, known in ((kinds, cert.KINDS), (families, tuple(members)), (neurons, range(self.network.width))):
            if unknown := [name for name in given if name not in known]:
                allowed = f"0 to {len(known) - 1}" if isinstance(known, range) else ", ".join(known)
                raise ValueError(f"expected some of {allowed}, got {unknown[0]!r}")
        gone = {int(i) for i in neurons} | {i for name in families for i in members[name]}
        if kinds:
            gone |= {label.index for label in self.labels if label.kind in kinds}
        left = replace(self.network.without(sorted(gone)), source=None)
        return Analysis(left, self.options)

    @cached_property
    def findings(self) -> Findings:
        """Everything that certificate and summary are written from, but for what solvers say."""
        return Findings(
            self.network,
            self.lattice,
            self.evaluation,
            self.correct,
            self.distillation,
            self.mechanism,
            self.equivalent,
            self.symbolic_proof,
            self.obligations,
            self.compact_proof if self._bounded else None,
            self.compact if self._bounded else None,
            self.seconds,
            self.options.settings,
        )

    @property
    def certificate(self) -> cert.Certificate:
        """What is proved, for others to check from the network's file.

        Raises:
            MalformedInput: the network comes from no file or tensors, so that there is nothing to check it against.
            SolverDisagrees: a solver contradicts it.

        """
        self._refuse_what_has_no_file()
        certificate, _ = self._unopposed, self.opinions
        return certificate

    def _refuse_what_has_no_file(self) -> None:
        """Before the work: a certificate is about a file."""
        if self.network.source is None or self.network.convention is None:
            raise MalformedInput("expected a network from a file or from tensors for a certificate, got one that was made in memory")

    @cached_property
    def _unopposed(self) -> cert.Certificate:
        """The certificate, before solvers are heard."""
        return certify(self.findings)

    @cached_property
    def summary(self) -> Summary:
        """The findings again, and everything that was measured beside them: what summary.json holds. Raises as `certificate`."""
        from verify.record.summarise import with_opinions

        self._refuse_what_has_no_file()
        with self._solvers_beside():
            measured, heard = self._measured, self.opinions
        later = {name: self._seconds[name] for name in ("figures", "symbolic") if name in self._seconds}
        return with_opinions(measured, heard, later | {"total": time.perf_counter() - self._began})

    @cached_property
    def _measured(self) -> Summary:
        """The summary, before solvers are heard."""
        from verify.record.summarise import summarise

        certificate = self._unopposed
        self.options.progress("measuring the levels of equivalence")
        findings, everything = self.findings, self.options.all_counterfactuals
        searched = self.searched
        if searched is not self:  # measured in usual units: shares are the same there
            findings = replace(
                findings,
                network=searched.network,
                evaluation=searched.evaluation,
                distillation=searched.distillation,
                symbolic=searched.symbolic_proof,
                compact=findings.compact and searched.compact_proof,
            )
        made = summarise(findings, certificate, findings.symbolic, findings.obligations, everything)
        return made if searched is self else self._in_own_units(made)

    def _in_own_units(self, made: Summary) -> Summary:
        """The summary that was measured in usual units, with all that has a unit in the network's own; None for what overflows."""
        from verify.record.summarise import rechecked
        from verify.record.summary import rounded
        from verify.record.vote_tables import vote_tables

        points = {point.name: point.written.program for point in self.distillation.points}
        proof, change = self.symbolic_proof, msgspec.structs.replace
        if proof.provable is not None:
            points["provable"] = proof.written.program
        curve = [
            change(row, preactivation_bits=points[row.name].preactivation_bits, vote_bits=points[row.name].vote_bits)
            for row in made.curve
        ]

        def times(value: float) -> float | None:
            with np.errstate(over="ignore", under="ignore"):
                found = float(np.ldexp(value, self._units.logits))
            return found if np.isfinite(found) else None

        difference, margins, squares = made.equivalence.max_margin_difference, made.margins, made.margin_map
        if margins is not None:
            edges = [times(edge) for edge in margins.edges]
            fine = None not in edges and len(set(edges)) == len(edges)
            margins = change(margins, edges=edges) if fine else None
        if squares is not None:
            squares = change(squares, rows=[[None if v is None else times(v) for v in row] for row in squares.rows])
        return rounded(
            change(
                made,
                correct=change(made.correct, **rechecked(self.evaluation)),
                equivalence=change(made.equivalence, max_margin_difference=None if difference is None else times(difference)),
                curve=curve,
                symbolic=change(made.symbolic, reason=proof.reason),
                margins=margins,
                margin_map=squares,
                vote_tables=vote_tables(self.group, self.distillation.point("readable").written, made.circuits),
            )
        )

    @property
    def pictures(self) -> Pictures:
        """The neurons as pages draw them: what pictures.json holds."""
        from verify.record.pictures import pictures

        source = self.network.source
        digest = "" if source is None else source.certified_sha256
        return pictures(self.lattice, self.searched.weights, self.labels, digest, self.units.own)

    def write(self, directory: Path | str) -> Path:
        """Write what `verify run` writes into a directory that is new, empty or an earlier run's; returns it.

        All files are written beside it first, and take its place together.

        Raises:
            MalformedInput: the directory holds something else, or as `certificate`.
            OSError: it cannot be written.

        """
        from verify.record.files import figures_of, replacing, write_files

        self._refuse_what_has_no_file()
        with replacing(Path(directory)) as work, self._solvers_beside():
            certificate, measured, pictures = self._unopposed, self._measured, self.pictures
            with self._timed("figures", "drawing figures"):
                drawn = figures_of(certificate, measured, pictures)
            certificate, summary = self.certificate, self.summary
            self.options.progress("writing the report")
            others = {point.name: point.written.program for point in self.distillation.points if point.name != "readable"}
            write_files(work, certificate, summary, self.obligations, pictures, others, drawn)
            if self._file is not None:
                (work / FILE_NAME).write_bytes(self._file)
        return Path(directory)
