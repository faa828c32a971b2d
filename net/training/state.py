"""A training run as data: its settings, the pairs it trains on, its state, and files of both."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from algebra.plural import plural
from net.errors import MalformedInput
from net.formats.container import read_bytes, read_contents
from net.formats.own import OWN_FORMAT, record_of, write_safetensors
from net.training.architecture import PARAMETER_NAMES, initial_parameters, parameter_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from net.activation import Activation
    from net.training.architecture import Parameters

_MOMENTS = ("exp_avg", "exp_avg_sq")


@dataclass(frozen=True)
class TrainingSettings:
    """What determines a training run; the same settings on the same machine give the same bytes."""

    group: str
    seed: int = 0
    steps: int = 60_000
    width: int = 128
    embed: int = 256
    fraction: float = 0.5
    batch: int = 1024
    learning_rate: float = 1e-3
    weight_decay: float = 1.0
    betas: tuple[float, float] = (0.9, 0.98)
    evaluate_every: int = 500
    patience: int = 10_000
    growth: float = 1.02
    activation: Activation = "relu"


def default_settings(group: str, order: int) -> TrainingSettings:
    """Settings with which S5 and S6 are learned on all pairs (on half of which they are trained).

    Width, embedding, batch and optimiser: measured to grok within minutes on one core, where full batches
    take ten times as many operations; AdamW as in Stander et al. (arXiv 2312.06581), section 3.
    """
    if order < 500:
        return TrainingSettings(group)
    return TrainingSettings(group, steps=20_000, width=256, embed=512, batch=4096)


@dataclass
class TrainingState:
    """Where a run stands: the steps done, parameters and moments, and one record for each evaluation."""

    step: int
    parameters: Parameters
    moments: Parameters
    history: list[dict[str, float]] = field(default_factory=list)


def training_pairs(order: int, fraction: float, seed: int) -> np.ndarray:
    """Sorted flat indices x * order + y of the round(fraction * order^2) pairs to train on.

    They are the pairs with the smallest of order^2 raw 64-bit outputs of PCG64(seed), ties to the earlier
    pair: numpy guarantees that stream, so seed and fraction recreate the split in any version.
    """
    keys = np.random.PCG64(seed).random_raw(order * order)
    return np.sort(np.argsort(keys, kind="stable")[: round(fraction * order * order)])


def split_digest(pairs: np.ndarray) -> str:
    """SHA-256 of the sorted flat indices as little-endian 32-bit integers."""
    return hashlib.sha256(pairs.astype("<u4").tobytes()).hexdigest()


def start(settings: TrainingSettings, order: int) -> TrainingState:
    """Step 0: the initial parameters of the seed and zero moments."""
    import torch

    parameters = initial_parameters(order, settings.embed, settings.width, settings.seed)
    moments = {f"{name}.{moment}": torch.zeros_like(value) for moment in _MOMENTS for name, value in parameters.items()}
    return TrainingState(0, parameters, moments)


def save_network(path: Path, settings: TrainingSettings, state: TrainingState) -> None:
    """Write the finished network: the four parameters and the record of the run."""
    tensors = {name: state.parameters[name] for name in PARAMETER_NAMES}
    write_safetensors(path, _arrays(tensors), _record(settings, state, state.history[-1:]))


def save_state(path: Path, settings: TrainingSettings, state: TrainingState) -> None:
    """Write what `load_state` needs to go on: parameters, moments, step and history."""
    tensors = {**state.parameters, **state.moments}
    write_safetensors(path, _arrays(tensors), _record(settings, state, state.history))


def load_state(path: Path, settings: TrainingSettings, order: int) -> TrainingState:
    """The state that was saved under these settings (the number of steps may differ) over `order` elements.

    Raises:
        MalformedInput: the file is no such state, one under other settings, or one with more steps than these allow.

    """
    import torch

    contents = read_contents(read_bytes(path))
    record = record_of(contents.metadata)
    found, wanted = record.get("config"), _record_of_settings(settings)
    if contents.container != "safetensors" or not isinstance(found, dict):
        raise MalformedInput(f"expected the state of a training run in {path}, got another kind of file")
    if {**found, "steps": 0} != {**wanted, "steps": 0}:
        raise MalformedInput(f"expected a run with the same settings in {path}, got others: {_differing(found, wanted)}")
    tensors = {name: torch.from_numpy(tensor.array().astype(np.float32)) for name, tensor in contents.tensors.items()}
    shapes = parameter_shapes(order, settings.embed, settings.width)
    expected = {**shapes, **{f"{name}.{moment}": shapes[name] for name in shapes for moment in _MOMENTS}}
    if {name: tuple(tensor.shape) for name, tensor in tensors.items()} != expected:
        raise MalformedInput(f"expected parameters and moments of a run over {plural(order, 'element')} in {path}")
    step, history = record.get("step"), record.get("history")
    if type(step) is not int or step < 0 or not isinstance(history, list) or not all(map(_is_evaluation, history)):
        raise MalformedInput(f"expected the step and the history of a training run in {path}, got something else")
    if step > settings.steps:
        raise MalformedInput(f"expected a run of at most {settings.steps:,} steps in {path}, got one after {step:,}: give more --steps")
    moments = {name: tensor for name, tensor in tensors.items() if name not in shapes}
    parameters = {name: tensors[name] for name in PARAMETER_NAMES}
    return TrainingState(step, parameters, moments, history)


def check_network(path: Path, settings: TrainingSettings) -> None:
    """Refuse a file that is no network trained under these settings.

    Raises:
        MalformedInput: it is none.

    """
    found, wanted = record_of(read_contents(read_bytes(path)).metadata).get("config"), _record_of_settings(settings)
    if not isinstance(found, dict):
        raise MalformedInput(f"expected a network of a training run in {path}, got another kind of file")
    if found != wanted:
        raise MalformedInput(
            f"expected a network trained with the same settings in {path}, got others: {_differing(found, wanted, ())}"
        )


def _differing(found: Mapping[str, object], wanted: Mapping[str, object], free: Sequence[str] = ("steps",)) -> list[str]:
    return sorted(key for key in {*wanted, *found} if key not in free and found.get(key) != wanted.get(key))


def _is_evaluation(entry: object) -> bool:
    names = ("step", "right", "margin")
    return isinstance(entry, dict) and all(isinstance(entry.get(name), int | float) for name in names)


def _arrays(tensors: Parameters) -> Mapping[str, npt.NDArray[np.generic]]:
    return {name: value.detach().numpy() for name, value in tensors.items()}


def _record_of_settings(settings: TrainingSettings) -> dict[str, object]:
    record = {**asdict(settings), "betas": list(settings.betas)}
    if settings.activation == "relu":  # which is what a file means that says nothing
        del record["activation"]
    return record


def _record(settings: TrainingSettings, state: TrainingState, history: list[dict[str, float]]) -> dict[str, object]:
    order = len(state.parameters["W_x"])
    return {
        "format": OWN_FORMAT,
        "config": _record_of_settings(settings),
        "element_order": "lexicographic",
        "product": "left-first",
        "split_sha256": split_digest(training_pairs(order, settings.fraction, settings.seed)),
        "step": state.step,
        "history": history,
    }
