"""One network and all that claims ask about it, each computed once and only when asked for."""

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from algebra.coset_space import Side
from algebra.group import FiniteGroup
from algebra.lattice import SubgroupLattice
from net.folded import FoldedNetwork
from net.weights import Weights, dead_neurons
from verify.analysis import Analysis
from verify.compare.concentration import Concentration, concentration
from verify.compare.loss import mean_loss
from verify.distil.coset_fit import Floats
from verify.distil.labels import NeuronLabel
from verify.distil.moments import activation_moments
from verify.exact.exhaustive import Evaluation, evaluate

if TYPE_CHECKING:
    from verify.compact import CompactResult
    from verify.distil.curve import Distillation


class Subject:
    """A network under claims; ``folder`` is where paths in the claims start."""

    def __init__(self, network: FoldedNetwork | Analysis, folder: Path = Path()) -> None:
        self.analysis = network if isinstance(network, Analysis) else Analysis(network)
        self.folder = folder
        self._evaluations: dict[str, Evaluation] = {}
        self._losses: dict[str, float] = {}
        self._concentrations: dict[tuple[str, Side], Concentration] = {}

    @property
    def network(self) -> FoldedNetwork:
        """The network."""
        return self.analysis.network

    @property
    def group(self) -> FiniteGroup:
        """The group."""
        return self.analysis.group

    @property
    def weights(self) -> Weights:
        """The network's weights."""
        return self.analysis.weights

    @property
    def lattice(self) -> SubgroupLattice:
        """All subgroups of the group."""
        return self.analysis.lattice

    @property
    def evaluation(self) -> Evaluation:
        """The network's exact answers."""
        return self.analysis.evaluation

    def answers(self, name: str, weights: Weights) -> Evaluation:
        """The exact answers of an altered network, kept under the name of the alteration."""
        if name not in self._evaluations:
            self._evaluations[name] = evaluate(weights, expected=np.maximum(self.evaluation.answer, 0))
        return self._evaluations[name]

    def loss(self, name: str, weights: Weights, wanted: npt.NDArray[np.integer]) -> float:
        """The mean cross-entropy of an altered network, kept under the name of the alteration."""
        if name not in self._losses:
            self._losses[name] = mean_loss(weights, wanted)
        return self._losses[name]

    @property
    def measured(self) -> FoldedNetwork:
        """The network in units in which floats can measure it (`net.units`): shares, cosines and answers are the same there."""
        return self.analysis.searched.network

    @cached_property
    def moments(self) -> Floats:
        """Second moments of the hidden activations of the ``measured`` network."""
        return activation_moments(self.measured.weights)

    @cached_property
    def dead(self) -> npt.NDArray[np.bool_]:
        """(m,) neurons that provably change no answer."""
        return dead_neurons(self.weights)

    @property
    def labels(self) -> tuple[NeuronLabel, ...]:
        """Which subgroups each neuron reads its inputs through."""
        return self.analysis.labels

    def concentration(self, argument: str, side: Side) -> Concentration:
        """Coset concentration of L ("left") or R ("right") on the right or the left cosets of every subgroup."""
        key = (argument, side)
        if key not in self._concentrations:
            functions, error = self.side(argument)
            found = concentration(self.lattice, functions, error, side)
            unknown = (found.low == 0).all(axis=0) & np.isinf(found.high).all(axis=0)
            if unknown.any():  # integers say whether such a function is constant
                exact = self.weights.exact().L if argument == "left" else self.weights.exact().R
                constant = unknown & np.asarray((exact == exact[0]).all(axis=0), dtype=bool)
                found = replace(found, low=np.where(constant, np.inf, found.low))
            self._concentrations[key] = found
        return self._concentrations[key]

    def side(self, argument: str) -> tuple[Floats, Floats]:
        """(|G|, m) functions of the ``measured`` network and (m,) bounds of their errors, for "left", "right" or "votes"."""
        weights = self.measured.weights
        if argument == "votes":
            return np.ascontiguousarray(weights.U.T), np.full(weights.width, weights.U_error)
        return (weights.L, weights.L_error) if argument == "left" else (weights.R, weights.R_error)

    @property
    def distillation(self) -> "Distillation":
        """The network's programs."""
        return self.analysis.distillation

    @property
    def compact(self) -> "CompactResult":
        """Pairs proved right through the coset structure."""
        return self.analysis.compact_proof
