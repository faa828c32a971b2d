"""From a checkpoint's tensors to the network that they are: names, layouts, settings, and the folding of the layers.

What this module proves: that `read_checkpoint` and `folded` return the file's function logits(x, y) = activation(L[x] + R[y]) U + b,
exactly, in the group's numbering and with the product that applies x first. The layout is told from the names of the tensors alone,
each of which has one meaning; L and R are the embeddings times the two halves of the hidden layer's matrix, as exact integers over a
power of two. A file whose settings say that it is another function is refused.
"""

import re
from fractions import Fraction
from math import prod
from typing import TypeGuard

from .files import read_tensors
from .float32 import LARGEST_TERMS, Forward
from .groups import Group, check_numbering
from .integers import Matrix, Network
from .layers import Layers, bias_of, fold, mirror, side_of
from .progress import amount
from .readings import layers_of, state_at
from .settings import SPELLING, check_settings, parsed
from .shape import CheckpointRecord, Malformed, Reading, need, same, shown
from .tensors import CODES, COMPLEX, Tensor, Tensors

#: Per layout: for each tensor's name what it is, and how many dimensions it has. W is both halves of the hidden layer's matrix, one
#: above the other; ^T is transposed; "after relu" is a bias added to the activations.
LAYOUTS: dict[str, dict[str, tuple[str, int]]] = {
    "sn-grok": {
        "lembed.weight": ("left", 2), "rembed.weight": ("right", 2), "linear.weight": ("W^T", 2), "linear.bias": ("hidden bias", 1),
        "unembed.weight": ("votes^T", 2), "unembed.bias": ("bias", 1),
    },
    "wu": {
        "embedding_left": ("left", 2), "embedding_right": ("right", 2), "linear_left": ("upper", 2), "linear_right": ("lower", 2),
        "unembedding": ("votes", 2), "unembed_bias": ("bias", 1),
    },
    "folded": {"L": ("left", 2), "R": ("right", 2), "U": ("votes", 2), "b": ("bias", 1)},
    "chughtai": {
        "W_x": ("left", 2), "W_E_a": ("left", 2), "W_y": ("right", 2), "W_E_b": ("right", 2), "W": ("W", 2), "W_U": ("votes", 2),
        "b": ("after relu", 1), "b_U": ("bias", 1), "bias": ("bias", 1), "unembed.bias": ("bias", 1), "unembed_bias": ("bias", 1),
    },
}  # fmt: skip
#: What must be there.
NEEDED = {
    "sn-grok": {"left", "right", "W^T", "votes^T"},
    "wu": {"left", "right", "upper", "lower", "votes"},
    "folded": {"left", "right", "votes"},
    "chughtai": {"left", "right", "W", "votes"},
}
#: Words in the name of a single number that counts something.
COUNTERS = ("step", "steps", "epoch", "epochs", "iteration", "iterations", "averaged", "tracked")
#: Words of which the name of a single number consists that measures something in training.
MEASURES = {"accuracy", "acc", "loss", "train", "training", "test", "val", "valid", "validation", "best", "final", "lr", "seed"}
#: Words in the names of buffers that a forward pass would mask or reorder numbers with, and of those that are about training data.
MASKS = {
    "mask", "masks", "masked", "prune", "pruned", "keep", "kept", "select", "selected", "selection", "active", "dead",
    "sign", "signs", "sparsity",
}  # fmt: skip
ORDERS = {
    "perm", "permutation", "permute", "permuted", "reorder", "shuffle", "gather", "index", "indices", "idx",
}  # fmt: skip
DATA = {
    "train", "training", "trained", "test", "tests", "val", "valid", "validation", "split", "data", "dataset", "held",
    "holdout",
}  # fmt: skip
#: Words in the names of weights: a table of integers that is called by one of them may be a matrix of the network in lower precision.
WEIGHTS = {
    "weight", "weights", "kernel", "kernels", "w", "matrix", "mat", "hidden", "in", "up", "h", "hid", "inner",
    "embed", "embeds", "embedding", "embeddings", "emb", "embs", "e", "tok", "token", "tokens", "wte", "lookup", "lembed", "rembed",
    "vocab", "encoder", "enc", "encode", "embedder", "unembed", "unembedding", "unemb", "u", "out", "output", "outputs", "outp", "head",
    "classifier", "decoder", "dec", "decode", "readout", "logits", "logit", "lm", "down", "final", "last", "classify", "cls", "proj",
    "pred", "prediction", "predict", "unembedder", "answer",
}  # fmt: skip
BIASES = {"bias", "biases"}
OWN_FORMAT = "coset-verify network 1"
#: The layout of a file whose tensors the certificate explains.
BY_MEANING = "by meaning"
#: Keys under which a dictionary has the state dict, and what wrappers put before the names in it.
STATES = ("model", "state_dict", "model_state_dict", "model_state", "net", "network", "params", "weights")
PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "mlp.")


def read_checkpoint(data: bytes, reading: Reading | None = None, taken: bool = False) -> tuple[str, Layers]:
    """The layout and the layers of a checkpoint, under the reading where one is given; Malformed for what is none.

    With ``taken`` also for a file that names its activation.
    """
    try:
        return read_layers(data, reading, taken)
    except (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError) as error:
        # a damaged file goes wrong in many ways, each of which says only that it is damaged
        raise Malformed(f"expected a whole checkpoint, got a damaged one: {type(error).__name__}: {shown(str(error))}") from None


def folded(layout: str, layers: Layers, record: CheckpointRecord, group: Group) -> tuple[Network, Forward | None]:
    """The network in the group's numbering, and its float32 pass where there is one to speak of.

    Raises Differs where the record states something else than the file has.
    """
    if layers.mirrored:  # |p| = relu(p) + relu(-p)
        layers = mirror(layers)
    n, width = layers.order, len(layers.votes.rows)
    sides = [side_of(layers.left, layers.left_added), side_of(layers.right, layers.right_added)]
    votes = fold(layers.votes, *([layers.through] if layers.through else []))[0]
    bias = bias_of(layers, votes, n)
    bits = max(side.bits for side, _ in sides)
    hidden_bits = 2 * bits if layers.squared else bits
    vote_bits = max(votes.bits, bias.bits - hidden_bits)
    total = bias.at(hidden_bits + vote_bits)[0]
    stated = [record.format, record.width, record.parameters]
    same("checkpoint (format, width, parameters)", stated, [layout, width, 3 * n * width + n * any(total)])
    check_numbering(record.order, record.numbering, group)
    places = sorted(range(n), key=record.numbering.__getitem__)
    tables = _placed(sides, bits, places)
    (L, L_sizes), (R, R_sizes) = tables if record.product == "left-first" else tables[::-1]
    rows = [[row[k] for k in places] for row in votes.at(vote_bits)]
    network = Network(L, R, rows, [total[k] for k in places], bits, vote_bits, layers.squared)
    if layers.squared:
        same("checkpoint.float32_forward, of a network of squares", record.float32_forward, False)
        return network, None
    terms = sum(len(side[0].rows[0]) if len(side) == 2 else 1 for side in (layers.left, layers.right))
    terms += len(layers.left_added) + len(layers.right_added)
    lengths = terms, width + (layers.bias is not None)
    one_product = layers.after is None and layers.through is None  # each logit is one dot product of the activations
    forward = None
    if one_product and max(lengths) < LARGEST_TERMS and all(matrix.narrow for matrix in layers.matrices()):
        forward = Forward(network, L_sizes, R_sizes, lengths)
    if forward is not None and forward.overflows:
        forward = None
    same("checkpoint.float32_forward", record.float32_forward, forward is not None)
    return network, forward


def _placed(sides: list[list[Matrix]], bits: int, places: list[int]) -> list[list[list[list[int]]]]:
    """Both sides and their absolute sums over 2^bits, row k of the file in the place of its element."""
    tables = [[matrix.at(bits) for matrix in side] for side in sides]
    return [[[rows[k] for k in places] for rows in side] for side in tables]


# ---- from tensors to layers


def read_layers(data: bytes, reading: Reading | None, taken: bool = False) -> tuple[str, Layers]:
    """The name of the layout and the layers, whose shapes fit together."""
    container, content, metadata = read_tensors(data)
    path = [] if reading is None else reading.state
    need(container == "torch" or not path, "expected a path to a state dict of a torch file alone, got one for another file")
    if container == "torch":
        tensors, settings = state_dict(content, path)
    else:
        assert isinstance(content, dict)
        tensors, settings = content, parsed(metadata)
    check_settings(settings, "relu" if reading is None else reading.activation)
    if taken:
        for activation in SPELLING:  # settings that name none go with each
            check_settings(settings, activation)
    views = {tensor.place(): tensor.bytes() for tensor in tensors.values()}
    limit = len(data) + 65_536 if container == "torch" else sum(views.values())
    need(sum(views.values()) <= limit, f"expected views of at most the size of the file, got {sum(views.values()):,} bytes")
    if reading is not None:
        layers = layers_of(reading, tensors)
        for name in reading.skipped:
            need(is_no_weight(name, tensors[name]), f"expected a reading that leaves out no weights, got {shown(name)} left out")
        check_published({name: tensor for name, tensor in tensors.items() if name not in reading.skipped}, layers, settings)
        return BY_MEANING, layers
    tensors = without_prefix(tensors)
    layout = layout_of(tensors)
    need(layout != "", f"expected the tensors of a network in a known layout, got {shown(sorted(tensors))}")
    own = container == "safetensors" and settings.get("format") == OWN_FORMAT
    return (OWN_FORMAT if own else layout), _layers(layout, tensors)


def layout_of(tensors: Tensors) -> str:
    """The published layout whose names these are; "" for none."""
    return next((name for name, roles in LAYOUTS.items() if tensors and tensors.keys() <= roles.keys()), "")


def is_no_weight(name: str, tensor: Tensor) -> bool:
    """Whether a tensor can be left out: a buffer that no forward pass uses, as its name tells, or one number that counts or measures.

    A buffer holds integers or truth values. One that may mask or reorder numbers is part of the function: a mask of any shape, or a
    list of indices, unless it is about the training data. So is a table that is called a weight, and more than one number called a
    bias: they may be weights in lower precision. Floats and complex numbers are weights.
    """
    names = {word.lower() for word in re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}
    count = prod(tensor.shape)
    if tensor.kind in CODES:
        return count == 1 and bool(names) and (bool({*COUNTERS} & names) or names <= MEASURES)
    if tensor.kind in COMPLEX or (len(tensor.shape) > 1 and WEIGHTS & names) or (count > 1 and BIASES & names):
        return False
    rearranges = MASKS & names or (len(tensor.shape) == 1 and ORDERS & names)
    return count <= 1 or bool(DATA & names) or not rearranges


def check_published(tensors: Tensors, layers: Layers, settings: dict[object, object]) -> None:
    """Raise Malformed where the names are those of a published layout and the layers are another function than it makes of them."""
    plain = without_prefix(tensors)
    layout = layout_of(plain)
    try:
        usual = _layers(layout, plain) if layout else None
    except Malformed:  # other shapes than the layout's: names alone
        return
    if usual is None:
        return
    need(_function(usual) == _function(layers), f"expected the tensors read as in the layout {layout}")
    if layers.mirrored or layers.squared:
        try:
            check_settings(settings)
        except Malformed:
            return
        need(False, f"expected relu in the layout {layout}, where no setting in the file says otherwise, got another activation")


def _function(layers: Layers) -> tuple[object, ...]:
    """Both sides, the votes and the bias as integers over the least common power of two, so that equal functions compare equal."""
    left, right = (
        side_of(factors, added)[0] for factors, added in ((layers.left, layers.left_added), (layers.right, layers.right_added))
    )
    votes = fold(layers.votes, *([layers.through] if layers.through else []))[0]
    found = left, right, votes, bias_of(layers, votes, layers.order)
    return tuple([Fraction(value, 1 << matrix.bits) for value in row] for matrix in found for row in matrix.rows)


def without_prefix(tensors: Tensors) -> Tensors:
    """The tensors without what wrappers of modules put before all of their names."""
    while tensors:
        prefix = next((part for part in PREFIXES if all(name.startswith(part) and name != part for name in tensors)), None)
        if prefix is None:
            break
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors


def _layers(layout: str, tensors: Tensors) -> Layers:
    """The layers of a layout's tensors."""
    found: dict[str, Matrix] = {}
    leading = 0
    for name, tensor in tensors.items():
        role, rank = LAYOUTS[layout][name]
        if layout == "wu" and len(tensor.shape) == rank + 1 and tensor.shape[0] == 1:  # the only one of networks trained side by side
            tensor, leading = tensor._replace(shape=tensor.shape[1:], strides=tensor.strides[1:]), leading + 1
        need(len(tensor.shape) == rank, f"expected {amount(rank, 'dimensions')} of {shown(name)}, got {len(tensor.shape)}")
        need(role not in found, f"expected one tensor for {role}, got two")
        found[role] = tensor.matrix()
    need(leading in (0, len(tensors)), "expected a leading dimension of all tensors or of none, got one of some")
    need(found.keys() >= NEEDED[layout], f"expected all tensors of the layout {layout}, got {shown(sorted(tensors))}")
    for role in ("W", "votes"):
        if f"{role}^T" in found:
            found[role] = found.pop(f"{role}^T").transposed()
    left, right, votes = (found[role] for role in ("left", "right", "votes"))
    if "W" in found:
        W, d = found["W"], len(left.rows[0])
        need(len(W.rows) == 2 * d, f"expected {2 * d:,} rows in the hidden layer's matrix, got {len(W.rows)}")
        found |= {"upper": W._replace(rows=W.rows[:d]), "lower": W._replace(rows=W.rows[d:])}
    halves = [(left, found["upper"]), (right, found["lower"])] if "upper" in found else [(left,), (right,)]
    hidden = found.get("hidden bias")
    layers = Layers(halves[0], halves[1], votes, found.get("bias"), found.get("after relu"), ((hidden,),) if hidden else ())
    n, width = len(left.rows), len(votes.rows)
    by_element = {len(right.rows), len(votes.rows[0]), *([len(layers.bias.rows[0])] if layers.bias else [])}
    by_neuron = {len(half[-1].rows[0]) for half in halves} | {len(m.rows[0]) for m in (hidden, layers.after) if m}
    inner = all(len(half) == 1 or len(half[0].rows[0]) == len(half[1].rows) for half in halves)
    need(
        by_element == {n} and by_neuron == {width} and inner,
        f"expected {amount(n, 'elements')} and {amount(width, 'neurons')} in all tensors, got others",
    )
    return layers


def is_state(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is a dictionary of names, with a tensor among what they name."""
    if not isinstance(value, dict) or not all(type(name) is str for name in value):
        return False
    return any(type(item) is Tensor for item in value.values())


def is_plain_state(value: object) -> TypeGuard[Tensors]:
    """Whether a value is a dictionary of named tensors, with one at least, and nothing else."""
    return is_state(value) and all(type(item) is Tensor for item in value.values())


def state_dict(content: object, path: list[str]) -> tuple[Tensors, dict[object, object]]:
    """(tensors, what lies beside them) of a torch archive: a state dict itself, or one in it, by its path where there is one.

    Tensors in a list go by their places. A dictionary with tensors among other values, in which no usual key names a state dict, is a
    state dict with settings in it.
    """
    if path:
        state, beside = state_at(content, path)
        if not is_plain_state(state):
            raise Malformed("expected a state dict of named tensors and nothing else at the end of its path, got something else")
        return state, beside
    if isinstance(content, list | tuple) and content and all(type(item) is Tensor for item in content):
        return {str(place): item for place, item in enumerate(content)}, {}
    if not isinstance(content, dict):
        raise Malformed("expected a dictionary in the torch archive, got something else")
    beside = {}
    state = content
    if not is_plain_state(content):
        found = [key for key in STATES if is_state(content.get(key))]
        need(len(found) <= 1, f"expected one state dict in the torch archive, got {shown(found)}")
        if found or "checkpoints" in content or not is_state(content):
            key = found[0] if found else "checkpoints"
            state = content[key] if found else last_checkpoint(content)
            beside = {name: item for name, item in content.items() if name != key}
        else:
            state = {name: item for name, item in content.items() if type(item) is Tensor}
            beside = {name: item for name, item in content.items() if type(item) is not Tensor}
    if not is_plain_state(state):
        raise Malformed("expected a state dict of named tensors and nothing else in the torch archive, got something else")
    return state, beside


def last_checkpoint(content: dict[object, object]) -> object:
    """The last state under ``checkpoints``: of a dictionary by epoch, or of a list, whose epochs may stand beside it."""
    states, epochs = content.get("checkpoints"), content.get("checkpoint_epochs")
    if isinstance(states, dict) and states and all(type(epoch) is int for epoch in states):
        return states[max(states)]
    if type(states) is not list or not states:
        raise Malformed("expected a state dict in the torch archive, got a dictionary without")
    if type(epochs) is not list or not all(type(epoch) is int for epoch in epochs):
        return states[-1]
    need(len(epochs) == len(states), "expected as many epochs as checkpoints, got others")
    return states[epochs.index(max(epochs))]
