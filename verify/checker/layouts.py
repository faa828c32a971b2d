"""From a checkpoint's tensors to the network that they are: names, layouts, settings, and the folding of the layers.

What this module proves: that `read_network` returns the function logits(x, y) = relu(L[x] + R[y]) U + b of the file, exactly, in the
group's numbering and with the product that applies x first. The layout is told from the names of the tensors alone, each of which has
one meaning; L and R are the embeddings times the two halves of the hidden layer's matrix, as exact integers over a power of two. A
file whose settings say that it is another function is refused.
"""

from operator import add
from typing import Any, NamedTuple

from .files import read_tensors
from .float32 import Forward
from .groups import Group, check_numbering
from .integers import Matrix, Network, Packed, columns
from .shape import CheckpointRecord, Malformed, need, read_json, same, shown
from .tensors import Tensor, Tensors

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
        "b": ("after relu", 1), "b_U": ("bias", 1), "unembed.bias": ("bias", 1), "unembed_bias": ("bias", 1),
    },
}  # fmt: skip
#: What must be there.
NEEDED = {
    "sn-grok": {"left", "right", "W^T", "votes^T"},
    "wu": {"left", "right", "upper", "lower", "votes"},
    "folded": {"left", "right", "votes"},
    "chughtai": {"left", "right", "W", "votes"},
}
OWN_FORMAT = "coset-verify network 1"


class Layers(NamedTuple):
    """A network in its file's own numbering: the factors of L and of R (one where they are folded already), U, and three biases.

    ``hidden`` is added before the relu, ``after`` behind it, ``bias`` to the logits.
    """

    left: tuple[Matrix, ...]
    right: tuple[Matrix, ...]
    votes: Matrix
    bias: Matrix | None
    hidden: Matrix | None
    after: Matrix | None

    def matrices(self) -> list[Matrix]:
        """All of them."""
        return [*self.left, *self.right, self.votes, *(m for m in (self.bias, self.hidden, self.after) if m)]


def read_network(data: bytes, record: CheckpointRecord, group: Group) -> tuple[Network, Forward | None]:
    """The network of a checkpoint in the group's numbering, and its float32 pass where there is one to speak of.

    Raises Differs where the record states something else than the file has, and Malformed for what is no network over such a group.
    """
    try:
        layout, layers = read_layers(data)
    except (
        IndexError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        UnicodeError,
        OverflowError,
        MemoryError,
    ) as error:
        # a damaged file goes wrong in many ways, each of which says only that it is damaged
        raise Malformed(f"expected a whole checkpoint, got a damaged one: {type(error).__name__}: {shown(str(error))}") from None
    n, width = len(layers.left[0].rows), len(layers.votes.rows)
    need(n == group.order, f"expected a network over {group.order} elements, got one over {n}")
    sides = [fold(*layers.left), fold(*layers.right)]
    if layers.hidden is not None:
        sides[0] = [_plus_row(side, bias) for side, bias in zip(sides[0], (layers.hidden, layers.hidden.absolute()), strict=True)]
    bias = layers.bias or Matrix([[0] * n], 0)
    through = fold(layers.after, layers.votes)[0] if layers.after else Matrix([[0] * n], 0)
    bits = max(side.bits for side, _ in sides)
    vote_bits = max(layers.votes.bits, bias.bits - bits, through.bits - bits)
    total = [*map(add, through.at(bits + vote_bits)[0], bias.at(bits + vote_bits)[0])]
    stated = [record.format, record.width, record.parameters]
    same("checkpoint (format, width, parameters)", stated, [layout, width, 3 * n * width + n * any(total)])
    check_numbering(record.order, record.numbering, group)
    places = sorted(range(n), key=record.numbering.__getitem__)
    tables = _placed(sides, bits, places)
    (L, L_sizes), (R, R_sizes) = tables if record.product == "left-first" else tables[::-1]
    votes = [[row[k] for k in places] for row in layers.votes.at(vote_bits)]
    network = Network(L, R, votes, [total[k] for k in places], bits, vote_bits)
    terms = sum(len(side[0].rows[0]) if len(side) == 2 else 1 for side in (layers.left, layers.right)) + (layers.hidden is not None)
    forward = Forward(network, L_sizes, R_sizes, (terms, width + (layers.bias is not None)))
    exists = layers.after is None and all(matrix.narrow for matrix in layers.matrices()) and not forward.overflows
    same("checkpoint.float32_forward", record.float32_forward, exists)
    return network, forward if exists else None


def _placed(sides: list[list[Matrix]], bits: int, places: list[int]) -> list[list[list[list[int]]]]:
    """Both sides and their absolute sums over 2^bits, row k of the file in the place of its element."""
    tables = [[matrix.at(bits) for matrix in side] for side in sides]
    return [[[rows[k] for k in places] for rows in side] for side in tables]


def _plus_row(matrix: Matrix, row: Matrix) -> Matrix:
    """The matrix with the row added to each of its rows."""
    bits = max(matrix.bits, row.bits)
    (more,) = row.at(bits)
    return Matrix([[*map(add, line, more)] for line in matrix.at(bits)], bits)


def fold(*factors: Matrix) -> list[Matrix]:
    """The product of the factors, of which there are one or two, and that of their absolute values."""
    if len(factors) == 1:
        return [factors[0], factors[0].absolute()]
    return [_product(*factors), _product(*(factor.absolute() for factor in factors))]


def _product(a: Matrix, b: Matrix) -> Matrix:
    largest = [max(map(abs, column)) for column in columns(a.rows)]
    packed = Packed(b.rows, [0] * len(b.rows[0]), largest)
    return Matrix([packed.numbers(packed.combine(row)) for row in a.rows], a.bits + b.bits)


# ---- from tensors to layers


def read_layers(data: bytes) -> tuple[str, Layers]:
    """The name of the layout and the layers, whose shapes fit together."""
    container, content, settings = read_tensors(data)
    tensors: Tensors = content
    record: dict[str, Any] = {}
    if container == "torch":
        tensors, record = state_dict(content)
    elif container == "safetensors":
        record = read_json(settings.get("coset-verify", "{}").encode())
        need(type(record) is dict, "expected an object as this project's record in safetensors, got something else")
    check_settings(record)
    total = sum(tensor.bytes() for tensor in tensors.values())
    need(total <= 2 * len(data) + 2**20, f"expected tensors of at most the size of the file, got views of {total:,} bytes")
    layout = next((name for name, roles in LAYOUTS.items() if tensors.keys() <= roles.keys()), "")
    need(layout != "", f"expected the tensors of a network in a known layout, got {shown(sorted(tensors))}")
    layers = _layers(layout, tensors)
    return (OWN_FORMAT if record.get("format") == OWN_FORMAT else layout), layers


def _layers(layout: str, tensors: Tensors) -> Layers:
    """The layers of a layout's tensors."""
    found: dict[str, Matrix] = {}
    for name, tensor in tensors.items():
        role, rank = LAYOUTS[layout][name]
        if (
            layout == "wu" and len(tensor.shape) == rank + 1 and tensor.shape[0] == 1
        ):  # one of the networks that were trained side by side
            tensor = tensor._replace(shape=tensor.shape[1:], strides=tensor.strides[1:])
        need(len(tensor.shape) == rank, f"expected {rank} dimensions of {shown(name)}, got {len(tensor.shape)}")
        need(role not in found, f"expected one tensor for {role}, got two")
        found[role] = tensor.matrix()
    need(found.keys() >= NEEDED[layout], f"expected all tensors of the layout {layout}, got {shown(sorted(tensors))}")
    for role in ("W", "votes"):
        if f"{role}^T" in found:
            found[role] = found.pop(f"{role}^T").transposed()
    left, right, votes = (found[role] for role in ("left", "right", "votes"))
    if "W" in found:
        W, d = found["W"], len(left.rows[0])
        need(len(W.rows) == 2 * d, f"expected {2 * d} rows in the hidden layer's matrix, got {len(W.rows)}")
        found |= {"upper": W._replace(rows=W.rows[:d]), "lower": W._replace(rows=W.rows[d:])}
    halves = [(left, found["upper"]), (right, found["lower"])] if "upper" in found else [(left,), (right,)]
    layers = Layers(halves[0], halves[1], votes, found.get("bias"), found.get("hidden bias"), found.get("after relu"))
    n, width = len(left.rows), len(votes.rows)
    by_element = {len(right.rows), len(votes.rows[0]), *([len(layers.bias.rows[0])] if layers.bias else [])}
    by_neuron = {len(half[-1].rows[0]) for half in halves} | {len(m.rows[0]) for m in (layers.hidden, layers.after) if m}
    inner = all(len(half) == 1 or len(half[0].rows[0]) == len(half[1].rows) for half in halves)
    need(by_element == {n} and by_neuron == {width} and inner, f"expected {n} elements and {width} neurons in all tensors, got others")
    return layers


def state_dict(content: Any) -> tuple[Tensors, dict[str, Any]]:
    """(tensors, what lay beside them) of a torch archive: a state dict itself, or a dictionary with one in it."""
    need(type(content) is dict, "expected a dictionary in the torch archive, got something else")
    outer: dict[str, Any] = {}
    if "model" in content or "checkpoints" in content:
        outer, content = content, _last_state(content)
    plain = type(content) is dict and all(type(name) is str and type(value) is Tensor for name, value in content.items())
    need(plain, "expected a state dict of named tensors in the torch archive, got something else")
    return content, outer


def _last_state(outer: dict[Any, Any]) -> Any:
    """The state under ``model``, or the last one under ``checkpoints``: of a list, or of a dictionary by epoch."""
    if type(outer.get("model")) is dict:
        return outer["model"]
    states = outer.get("checkpoints")
    if type(states) is dict and states and all(type(epoch) is int for epoch in states):
        return states[max(states)]
    need(type(states) is list and len(states) > 0, "expected a state dict under 'model' or 'checkpoints', got something else")
    return states[-1] if type(states) is list else None


# ---- settings

ACTIVATION_KEYS = ("act_fn", "activation", "act")


def check_settings(record: dict[str, Any]) -> None:
    """Raise Malformed where the settings beside the tensors say that the network is another function than one with relu."""
    config = record.get("config")
    if type(config) is dict:
        for key in ACTIVATION_KEYS:
            value = config.get(key)
            need(
                not value or (type(value) is str and value.lower() == "relu"),
                f"expected relu as activation, got {shown(value)} under {key}",
            )
