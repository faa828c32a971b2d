"""Networks that were never in a file: tensors or arrays by name, modules, and the four folded arrays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeGuard

import numpy as np
import numpy.typing as npt

from net.activation import degree, fired
from net.errors import MalformedInput
from net.folded import fold
from net.formats.own import safetensors_bytes
from net.roundoff import gamma

if TYPE_CHECKING:
    import torch

    from net.activation import Activation
    from net.dyadic import FloatMatrix
    from net.folded import FoldedNetwork
    from net.formats.layers import Layers
    from net.weights import Weights

FILE_NAME = "network.safetensors"
#: Logits of a module that are compared at a time: over S6 all of them are 3 GB.
_LOGITS = 4_000_000


class Module(Protocol):
    """What is asked of a torch.nn.Module here."""

    def state_dict(self) -> Mapping[str, torch.Tensor]:
        """Parameters and buffers by name."""

    def float(self) -> Module:
        """Itself, with its floats in float32."""

    def eval(self) -> object:
        """Goes over to evaluation."""

    def train(self, mode: bool) -> object:
        """Goes over to training, or to evaluation."""

    def __call__(self, *inputs: torch.Tensor) -> object:
        """The forward pass."""


def is_module(value: object) -> TypeGuard[Module]:
    """Whether a value has a forward pass and tensors, by its methods: torch is not imported for it."""
    return callable(getattr(value, "forward", None)) and callable(getattr(value, "state_dict", None))


def file_of(network: object) -> bytes:
    """A safetensors file with the network's tensors, each in its own precision and under its own name.

    ``network`` is a mapping of names to tensors or arrays, an object with a method ``state_dict`` (a torch.nn.Module), or the
    arrays (L, R, U) or (L, R, U, b) of a folded network. bfloat16 and float8 become float32, which holds all of their numbers; integers
    become float64 where that is exact, but for a module's, which are buffers and left out. What a module computes between its
    tensors is not seen here: `compared_with_module` looks at it.

    Raises:
        MalformedInput: it is none of these, or a tensor is none of real numbers.

    """
    state_dict = getattr(network, "state_dict", None)
    if not isinstance(network, Mapping) and callable(state_dict):
        network = {name: value for name, value in state_dict().items() if "float" in str(value.dtype)}  # no counters, no masks
    if isinstance(network, Sequence) and not isinstance(network, str | bytes) and len(network) in (3, 4):
        network = {name: array for name, array in zip("LRUb", network, strict=False) if array is not None}
    if not isinstance(network, Mapping):
        raise MalformedInput(
            "expected a path, a mapping of names to tensors, a module with state_dict(), or the arrays (L, R, U, b), "
            f"got {type(network).__name__}"
        )
    return safetensors_bytes({str(name): _array(str(name), value) for name, value in network.items()}, {})


def _is_tensor(value: object) -> TypeGuard[torch.Tensor]:
    """Whether it is a torch tensor, without an import of torch."""
    return hasattr(value, "detach")


def _array(name: str, value: object) -> npt.NDArray[np.generic]:
    if _is_tensor(value):
        kind, value = str(value.dtype), value.detach().cpu()
        try:
            value = (value.float() if kind.startswith(("torch.bfloat16", "torch.float8")) else value).numpy()
        except TypeError as error:  # sparse, quantised, and what numpy has no word for
            raise MalformedInput(f"expected a dense tensor of plain numbers for {name!r:.80}, got {kind}: {error!s:.100}") from error
    if isinstance(value, np.ma.MaskedArray):
        raise MalformedInput(f"expected an array without a mask for {name!r:.80}: say what stands in masked places with .filled(0)")
    array = np.asarray(value)
    if array.dtype.kind in "iu":
        wide = array.astype(np.float64)
        if not np.array_equal(wide.astype(object), array.astype(object)):
            raise MalformedInput(f"expected integers that float64 holds for {name!r:.80}, got larger ones")
        return wide
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise MalformedInput(f"expected an array of floats for {name!r:.80}, got {array.dtype}")
    return array.astype(array.dtype.newbyteorder("="))


def compared_with_module(module: object, network: FoldedNetwork) -> float | None:
    """The largest difference between a module's own logits and those of the network that was read from its tensors, on all pairs.

    None for what is no module, or one without a forward pass. The module is called as it may be in training: module(x, y) with
    two vectors of numbers of elements; module(pairs) with pairs (k, 2); both with y + n in place of y; or with two one-hot vectors,
    joined, apart or added. One of these ways has to agree on all pairs, which are looked at some thousand at a time. Its logits may be
    off by a constant at each pair, which changes no answer. Pairs are in the file's own numbering.

    With K and M the lengths of the two dot products of the forward pass, A the sums of absolute values behind its pre-activations,
    the error of each logit is at most gamma_K A |U| + gamma_M (1 + gamma_K) A |U| + gamma_M |b|, gamma_k = k u / (1 - k u), with u
    the unit roundoff of the module's own precision (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., 3.1); K and M
    count the products of every layer where more than two lie one behind the other; with squares A is squared and K + 1 counts twice.
    Four times that is allowed. Where this is so much, at every pair, that a module with another activation would pass as well
    (`_OTHERS`), the comparison tells nothing, and the module is refused. A module with weights in half precision, whose own rounding
    could hide any function, is copied to float32, which holds its weights, and the copy is called.

    Raises:
        MalformedInput: they differ by more than rounding allows, so the module computes something else between its tensors; or
            rounding hides which activation it has; or it cannot be called in any of these ways.

    """
    if not is_module(module):
        return None
    # a container of parameters, which computes nothing itself
    if getattr(getattr(module, "forward", None), "__name__", "") == "_forward_unimplemented":
        return None
    layers = network.layers
    assert layers is not None
    n = layers.order
    kinds = {str(value.dtype) for value in module.state_dict().values() if "float" in str(value.dtype)}
    if kinds - {"torch.float32", "torch.float64"}:
        module = copy.deepcopy(module).float()
    exact, votes, bias = fold(layers, network.group, None), _magnitude(layers), _bias_magnitude(layers)
    unit = 2.0**-53 if kinds == {"torch.float64"} else 2.0**-24
    terms = (
        degree(layers.activation) * (layers.preactivation_terms + 1)
        + layers.logit_terms
        + 2
        + (0 if layers.through is None else len(layers.through) + 1)
    )
    ways: list[int] | None = None
    hidden = dict.fromkeys(_OTHERS[layers.activation], False)
    largest, step = 0.0, max(1, _LOGITS // n)
    for start in range(0, n * n, step):
        x, y = np.divmod(np.arange(start, min(start + step, n * n)), n)
        theirs, ours = _logits_of(module, x, y, n, ways), exact.weights.logits(x, y)
        with np.errstate(over="ignore", invalid="ignore"):
            bound = 4 * gamma(terms, unit) * (fired(exact.L_abs[x] + exact.R_abs[y], layers.activation) @ votes + bias)
            slack = bound + bound.mean(axis=1, keepdims=True)
            gaps = {way: np.abs(_centred(found - ours)) for way, found in theirs.items()}
        if not np.isfinite(slack).all():
            raise MalformedInput(
                "expected a module whose sums of absolute values stay within float64, got one whose rounding has no bound: scale its"
                " weights, or give its state_dict() to take it as read"
            )
        ways = [way for way, gap in gaps.items() if (gap <= slack).all()]
        if not ways:
            gap = next(iter(gaps.values()))
            worst = int(np.argmax((gap - slack).max(axis=1)))  # a pair with NaN is the worst
            read = "" if network.source is None or network.source.reading is None else f", read as {network.source.reading.formula()}"
            raise MalformedInput(
                f"expected a module that computes what its tensors say{read}; got logits that differ by {gap[worst].max():.3g} at"
                f" the inputs ({x[worst]}, {y[worst]}), where rounding allows {slack[worst].max():.3g}: is its activation another one?"
            )
        largest = max(largest, float(gaps[ways[0]].max()))
        hidden = _still_hidden(hidden, exact.weights, x, y, slack)
    if unseen := [name for name, differs in hidden.items() if differs]:
        raise MalformedInput(
            f"expected a module whose logits show its activation, got one whose rounding hides whether it is {layers.activation} or"
            f" {unseen[0]}: take away what all of its outputs share, such as a large bias, or give its state_dict() to take it as read"
        )
    return largest


#: Other activations that are to be told from that of a network, as what they make of p less what that makes of it. Any that is linear
#: on both sides of 0 and p above it, as |p| and p are, differs from relu by a multiple of what the first does.
_OTHERS: dict[Activation, dict[str, Callable[[FloatMatrix], FloatMatrix]]] = {
    "relu": {
        "leaky relu, of slope 0.01": lambda p: 0.01 * np.minimum(p, 0),
        "the square": lambda p: np.square(p) - np.maximum(p, 0),
    },
    "square": {
        "relu": lambda p: np.maximum(p, 0) - np.square(p),
        "the absolute value": lambda p: np.abs(p) - np.square(p),
    },
}


def _still_hidden(
    hidden: dict[str, bool], weights: Weights, x: npt.NDArray[np.intp], y: npt.NDArray[np.intp], slack: FloatMatrix
) -> dict[str, bool]:
    """The other activations that these pairs do not tell from the network's own, each with whether it differs at some pair so far.

    A module with another one passes where its logits, less their mean, differ from the network's by no more than ``slack``, and it is
    itself off by as much at most. So a difference of more than twice the slack tells them apart, at one pair.
    """
    left = {}
    preactivations = weights.L[x] + weights.R[y]
    for name, differs in hidden.items():
        with np.errstate(over="ignore", invalid="ignore"):
            change = _OTHERS[weights.activation][name](preactivations)
            moved = np.abs(_centred(change @ weights.U))
            rounding = 2.0**-40 * (np.abs(change) @ np.abs(weights.U))
            rounding += rounding.mean(axis=1, keepdims=True)
        if not (moved > 2 * slack).any():
            left[name] = differs or not (moved <= rounding).all()
    return left


def _centred(rows: FloatMatrix) -> FloatMatrix:
    """Rows less their means."""
    return np.asarray(rows - rows.mean(axis=1, keepdims=True))


def _magnitude(layers: Layers) -> FloatMatrix:
    votes = np.abs(layers.unembedding)
    return votes if layers.through is None else votes @ np.abs(layers.through)


def _bias_magnitude(layers: Layers) -> FloatMatrix:
    """(n,) the sums of absolute values behind what is added to the logits."""
    total = np.zeros(layers.order) if layers.bias is None else np.abs(layers.bias)
    if layers.middle is not None and layers.through is not None:
        total = total + np.abs(layers.middle) @ np.abs(layers.through)
    return total if layers.after_relu is None else total + np.abs(layers.after_relu) @ _magnitude(layers)


def _logits_of(
    module: Module, x: npt.NDArray[np.intp], y: npt.NDArray[np.intp], n: int, ways: list[int] | None
) -> dict[int, FloatMatrix]:
    """(k, n) the logits of a module at k pairs, by the way in which it is called, out of ``ways`` or all.

    In evaluation mode, on the module's own device.
    """
    import torch

    where = next((value.device for value in module.state_dict().values()), torch.device("cpu"))
    dtype = next((value.dtype for value in module.state_dict().values() if value.dtype.is_floating_point), torch.float32)
    a, b = torch.as_tensor(x, device=where), torch.as_tensor(y, device=where)
    hot = torch.eye(n, dtype=dtype, device=where)
    calls = (
        (a, b),
        (torch.stack([a, b], dim=1),),
        (torch.stack([a, b + n], dim=1),),
        (a, b + n),
        (torch.cat([hot[a], hot[b]], dim=1),),
        (hot[a], hot[b]),
        (torch.stack([hot[a], hot[b]], dim=1),),
        (hot[a] + hot[b],),
    )
    training, first, logits = getattr(module, "training", False), None, {}
    module.eval()
    try:
        for way, arguments in enumerate(calls):
            if ways is not None and way not in ways:
                continue
            try:
                with torch.no_grad():
                    found = module(*arguments)
            except Exception as error:  # a module's own code may raise anything
                first = first or error
                continue
            if isinstance(found, torch.Tensor) and found.numel() == len(x) * n:
                logits[way] = np.asarray(found.detach().reshape(len(x), n).double().cpu().numpy())
    finally:
        module.train(training)
    if not logits:
        raise MalformedInput(
            f"expected a module that can be called as module(x, y), module(pairs) or with one-hot inputs, got: {type(first).__name__}:"
            f" {first!s:.200}; give its state_dict() to take it as read"
        )
    return logits
