"""Training on a part of the multiplication table: AdamW on minibatches, seeded, resumable.

Everything random is a function of (seed, step), so a run that was interrupted and resumed goes through the
same batches as one that was not; a checkpoint records the settings that determine it.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

import numpy as np

from net.errors import MalformedInput
from net.training.architecture import PARAMETER_NAMES, cross_entropy_gradients, logits
from net.training.state import training_pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from net.activation import Activation
    from net.training.architecture import Parameters
    from net.training.state import TrainingSettings, TrainingState


def use_one_thread() -> None:
    """Let torch sum in the order of one thread, so that the same settings give the same bits."""
    import torch

    torch.set_num_threads(1)


def batch_indices(seed: int, step: int, count: int, batch: int) -> np.ndarray:
    """`batch` draws with replacement from range(count), a function of (seed, step) alone."""
    return np.random.default_rng((seed, step)).integers(0, count, size=batch)


def float32_score(
    parameters: Parameters, mul: np.ndarray, rows: np.ndarray | None = None, activation: Activation = "relu"
) -> tuple[int, float]:
    """Pairs (x, y), x in `rows` (all by default), that are right in float32, and the smallest margin.

    The margin is logit of mul[x, y] minus the largest other logit; a search value, not a proof.
    A pair whose logits are not finite numbers has no margin: -inf.
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
            table = logits(parameters, x, columns.repeat(len(block)), activation)
            target = torch.from_numpy(mul[block].astype(np.int64).ravel())[:, None]
            own = table.gather(1, target)
            table.scatter_(1, target, float("-inf"))
            margins = (own[:, 0] - table.max(dim=1).values).nan_to_num(nan=float("-inf"), posinf=float("inf"))
            right += int((margins > 0).sum())
            smallest = min(smallest, float(margins.min()))
    return right, smallest


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

    Raises:
        MalformedInput: weights or logits are no longer finite at an evaluation, of which nobody is told.

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
        for name, gradient in cross_entropy_gradients(state.parameters, *inputs, target, buffer, settings.activation).items():
            state.parameters[name].grad = gradient
        optimizer.step()
        state.step += 1
        after_step(state)
        if state.step % settings.evaluate_every == 0 or state.step == settings.steps:
            evaluation = _evaluation(state, mul, settings.activation)
            if not isfinite(evaluation["margin"]) or not all(bool(torch.isfinite(p).all()) for p in state.parameters.values()):
                raise MalformedInput(
                    f"expected weights and logits that stay finite, got others by step {state.step:,}: choose a smaller --learning-rate"
                )
            state.history.append(evaluation)
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


def _evaluation(state: TrainingState, mul: np.ndarray, activation: Activation) -> dict[str, float]:
    """Every pair counts only once a sample of rows is right: before that the sample's count is scaled up."""
    order = len(mul)
    rows = np.arange(0, order, max(1, order // 24))
    right, margin = float32_score(state.parameters, mul, rows, activation)
    if right == len(rows) * order:
        right, margin = float32_score(state.parameters, mul, None, activation)
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
