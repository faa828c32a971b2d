"""pictures.json: the network's neurons as a page draws them, rounded to a byte a number. Nothing is decided or counted from it."""

import base64
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.coset_space import CosetSpace
from algebra.lattice import SubgroupLattice
from net.activation import Activation
from net.errors import MalformedInput
from net.weights import Weights
from verify.distil.labels import NeuronLabel, SideLabel

FORMAT = "coset-verify pictures 1"
#: A byte holds -127 to 127.
STEPS = 127


class Column(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function on the group: the value at element g is about ``unit`` times the g-th signed byte of ``bytes``, in base 64."""

    unit: float
    bytes: str


class NeuronPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """L[:, i], R[:, i] and U[i] of one neuron; ``x`` and ``y`` are the partitions of its label's cosets, None without a label.

    ``classes`` names the classes of the label's subgroups, for x and for y.
    """

    index: int
    left: Column
    right: Column
    votes: Column
    x: int | None
    y: int | None
    classes: list[str]


class Pictures(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """pictures.json: every neuron, and the partitions of the group that they name: the number of its coset for each element.

    ``activation`` is what a neuron makes of L[x] + R[y]. ``sha256`` is the digest of the network's file, as in the certificate, or
    empty where it was no file. ``own`` says whether the values are the network's own; else each neuron's are times powers of two with
    which floats can hold the network (`net.usual_units`).
    """

    neurons: list[NeuronPicture]
    partitions: list[list[int]]
    format: str = FORMAT
    activation: Activation = "relu"
    sha256: str = ""
    own: bool = True


def pictures(
    lattice: SubgroupLattice, weights: Weights, labels: tuple[NeuronLabel, ...], sha256: str = "", own: bool = True
) -> Pictures:
    """The pictures of all neurons, in the group's own order, of the network in the file with this digest.

    A value is off by half a unit at most, which is 1/254 of the largest absolute value of its column.
    """
    partitions: dict[CosetSpace, int] = {}
    cosets: list[list[int]] = []

    def partition(side: SideLabel | None) -> int | None:
        if side is None or side.form.weights:
            return None
        space = CosetSpace(side.form.kernel or side.subgroup, side.form.space.side)
        if space not in partitions:
            partitions[space] = len(cosets)
            cosets.append(space.labels.tolist())
        return partitions[space]

    rows = [
        NeuronPicture(
            label.index,
            column(weights.L[:, label.index]),
            column(weights.R[:, label.index]),
            column(weights.U[label.index]),
            partition(label.left),
            partition(label.right),
            [lattice.name_of(side.subgroup) for side in (label.left, label.right) if side is not None],
        )
        for label in labels
    ]
    return Pictures(rows, cosets, activation=weights.activation, sha256=sha256, own=own)


def column(values: npt.NDArray[np.float64]) -> Column:
    """A function on the group in signed bytes."""
    largest, exponent = np.frexp(np.abs(values).max())
    unit = float(largest) / STEPS
    scaled = np.rint(np.ldexp(values, -exponent) / unit) if unit > 0 else np.zeros(len(values))
    return Column(float(f"{np.ldexp(unit, exponent):.6g}"), base64.b64encode(scaled.astype(np.int8).tobytes()).decode("ascii"))


def read_pictures(path: Path, order: int, width: int) -> Pictures:
    """The pictures in a file, of a network of ``width`` neurons over ``order`` elements.

    Raises:
        MalformedInput: an entry of another type, a column or a partition of another length, a neuron or partition that is not there.

    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Pictures)
    except msgspec.DecodeError as error:
        raise MalformedInput(f"{path}: {error}; `verify run` writes the file again") from error
    indices = [neuron.index for neuron in found.neurons]
    if len(set(indices)) < len(indices) or not all(0 <= index < width for index in indices):
        raise _not_of_the_run(path, f"neurons from 0 to {width - 1}, each at most once")
    if any(len(one) != order or not all(0 <= coset < order for coset in one) for one in found.partitions):
        raise _not_of_the_run(path, f"partitions with the number of a coset for each of {order} elements")
    if not all(side is None or 0 <= side < len(found.partitions) for neuron in found.neurons for side in (neuron.x, neuron.y)):
        raise _not_of_the_run(path, f"neurons that name some of its {len(found.partitions)} partitions")
    if not all(_is_column(one, order) for neuron in found.neurons for one in (neuron.left, neuron.right, neuron.votes)):
        raise _not_of_the_run(path, f"columns of {order} bytes in base 64, with a unit of at least 0")
    return found


def _is_column(one: Column, order: int) -> bool:
    try:
        return len(base64.b64decode(one.bytes, validate=True)) == order and one.unit >= 0
    except ValueError:
        return False


def _not_of_the_run(path: Path, expected: str) -> MalformedInput:
    return MalformedInput(f"{path}: expected {expected}, got others; `verify run` writes the file again")


def picture_bytes(found: Pictures) -> bytes:
    """pictures.json."""
    return msgspec.json.encode(found, order="deterministic") + b"\n"
