"""Training on a part of the multiplication table: AdamW on minibatches, seeded, resumable.

Everything random is a function of (seed, step), so a run that was interrupted and resumed goes through the
same batches as one that was not; a checkpoint records the settings that determine it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from net.architecture import PARAMETER_NAMES, cross_entropy_gradients, initial_parameters, logits
from net.errors import MalformedInput
from net.own import OWN_FORMAT, write_safetensors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import torch

    from net.architecture import Parameters


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


def batch_indices(seed: int, step: int, count: int, batch: int) -> np.ndarray:
    """`batch` draws with replacement from range(count), a function of (seed, step) alone."""
    return np.random.default_rng((seed, step)).integers(0, count, size=batch)


def evaluate(parameters: Parameters, mul: np.ndarray, rows: np.ndarray | None = None) -> tuple[int, float]:
    """Pairs (x, y), x in `rows` (all by default), that are right in float32, and the smallest margin.

    The margin is logit of mul[x, y] minus the largest other logit; a search value, not a proof.
    Takes 2 * len(rows) * order^2 * width operations.
    """
    import torch

    order = len(mul)
    rows = np.arange(order) if rows is None else rows
    columns = torch.arange(order)
    right, smallest = 0, float("inf")
    with torch.no_grad():
        for block in np.array_split(rows, max(1, len(rows) * order // 20_000)):
            x = torch.from_numpy(block).repeat_interleave(order)
            table = logits(parameters, x, columns.repeat(len(block)))
            target = torch.from_numpy(mul[block].astype(np.int64).ravel())[:, None]
            own = table.gather(1, target)
            table.scatter_(1, target, float("-inf"))
            margins = own[:, 0] - table.max(dim=1).values
            right += int((margins > 0).sum())
            smallest = min(smallest, float(margins.min()))
    return right, smallest


def start(settings: TrainingSettings, order: int) -> TrainingState:
    """Step 0: the initial parameters of the seed and zero moments."""
    import torch

    parameters = initial_parameters(order, settings.embed, settings.width, settings.seed)
    moments = {
        f"{name}.{moment}": torch.zeros_like(value)
        for moment in ("exp_avg", "exp_avg_sq")
        for name, value in parameters.items()
    }
    return TrainingState(0, parameters, moments)


def train(
    settings: TrainingSettings,
    mul: np.ndarray,
    state: TrainingState,
    after_step: Callable[[TrainingState], None] = lambda state: None,
    after_evaluation: Callable[[TrainingState], None] = lambda state: None,
) -> TrainingState:
    """Run AdamW on the cross entropy of minibatches until `has_settled` or `settings.steps`.

    `after_step` is called after each step, `after_evaluation` after each evaluation (every
    `settings.evaluate_every` steps and at the last step), when `state` holds all that a resumed run needs.
    """
    import torch

    pairs = training_pairs(len(mul), settings.fraction, settings.seed)
    optimizer = _optimizer(settings, state)
    buffer = torch.empty(settings.batch, len(mul))
    while state.step < settings.steps and not has_settled(state.history, settings, mul.size):
        chosen = pairs[batch_indices(settings.seed, state.step, len(pairs), settings.batch)]
        x, y = np.divmod(chosen, len(mul))
        target = torch.from_numpy(mul[x, y].astype(np.int64))
        inputs = torch.from_numpy(x), torch.from_numpy(y)
        for name, gradient in cross_entropy_gradients(state.parameters, *inputs, target, buffer).items():
            state.parameters[name].grad = gradient
        optimizer.step()
        state.step += 1
        after_step(state)
        if state.step % settings.evaluate_every == 0 or state.step == settings.steps:
            state.history.append(_evaluation(state, mul))
            after_evaluation(state)
    return state


def has_settled(history: list[dict[str, float]], settings: TrainingSettings, pairs: int) -> bool:
    """The last evaluation had every pair right, and for `patience` steps the best margin grew under 2 %.

    In full: with best(t) the largest margin at an evaluation up to step t at which every pair was right,
    best(now) <= growth * best(now - patience).
    """
    if not history or history[-1]["right"] < pairs:
        return False
    perfect = [record for record in history if record["right"] == pairs]
    earlier = [r["margin"] for r in perfect if r["step"] <= history[-1]["step"] - settings.patience]
    return bool(earlier) and max(r["margin"] for r in perfect) <= settings.growth * max(earlier)


def _evaluation(state: TrainingState, mul: np.ndarray) -> dict[str, float]:
    """Every pair counts only once a sample of rows is right: before that the sample's count is scaled up."""
    order = len(mul)
    rows = np.arange(0, order, max(1, order // 24))
    right, margin = evaluate(state.parameters, mul, rows)
    if right == len(rows) * order:
        right, margin = evaluate(state.parameters, mul)
    else:
        right = right * order // len(rows)
    return {"step": state.step, "right": right, "margin": round(margin, 4)}


def _optimizer(settings: TrainingSettings, state: TrainingState) -> torch.optim.AdamW:
    """AdamW over the state's parameters, holding the state's moments themselves (updated in place)."""
    import torch

    optimizer = torch.optim.AdamW(
        [state.parameters[name] for name in PARAMETER_NAMES],
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=True,
    )
    for name in PARAMETER_NAMES:
        optimizer.state[state.parameters[name]] = {
            "step": torch.tensor(float(state.step)),
            "exp_avg": state.moments[f"{name}.exp_avg"],
            "exp_avg_sq": state.moments[f"{name}.exp_avg_sq"],
        }
    return optimizer


def save_network(path: Path, settings: TrainingSettings, state: TrainingState) -> None:
    """Write the finished network: the four parameters, the settings and the split's digest as metadata."""
    tensors = {name: state.parameters[name] for name in PARAMETER_NAMES}
    write_safetensors(path, _arrays(tensors), _metadata(settings, state, history=state.history[-1:]))


def save_state(path: Path, settings: TrainingSettings, state: TrainingState) -> None:
    """Write what `load_state` needs to go on: parameters, moments, step and history."""
    write_safetensors(
        path,
        _arrays({**state.parameters, **state.moments}),
        _metadata(settings, state, history=state.history),
    )


def load_state(path: Path, settings: TrainingSettings) -> TrainingState:
    """The state saved under `settings`; MalformedInput when it was saved under others.

    The number of steps may differ, so that a finished run can be prolonged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise MalformedInput(f"expected the state of a training run in {path}, got {error}") from error
    found = json.loads(metadata.get("config", "{}"))
    wanted = _config(settings)
    if {**found, "steps": 0} != {**wanted, "steps": 0}:
        raise MalformedInput(f"expected a run with the settings {wanted} in {path}, got {found}")
    return TrainingState(
        int(metadata["step"]),
        {name: tensors[name] for name in PARAMETER_NAMES},
        {name: value for name, value in tensors.items() if name not in PARAMETER_NAMES},
        json.loads(metadata["history"]),
    )


def _arrays(tensors: Parameters) -> dict[str, np.ndarray[Any, Any]]:
    return {name: value.detach().numpy() for name, value in tensors.items()}


def _config(settings: TrainingSettings) -> dict[str, Any]:
    return {**asdict(settings), "betas": list(settings.betas)}


def _metadata(
    settings: TrainingSettings, state: TrainingState, history: list[dict[str, float]]
) -> dict[str, str]:
    order = len(state.parameters["W_x"])
    return {
        "format": OWN_FORMAT,
        "config": json.dumps(_config(settings), sort_keys=True),
        "element_order": "lexicographic",
        "product": "left-first",
        "split_sha256": split_digest(training_pairs(order, settings.fraction, settings.seed)),
        "step": str(state.step),
        "history": json.dumps(history),
    }
