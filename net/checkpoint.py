"""From a file to a folded network over a group, whatever published format the file has."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from algebra.plural import plural
from net.convention import ORDERS, PRODUCTS
from net.detection import beats_chance, with_convention
from net.errors import MalformedInput
from net.folded import FoldedNetwork, Source, fold
from net.formats import chughtai, folded_arrays, sn_grok, wu
from net.formats.container import FLOATS, first_line, parse_json, read_bytes, read_contents, to_arrays
from net.formats.meaning import hidden_layers, names_a_weight, possible_elements, readings, words
from net.formats.own import OWN_FORMAT, safetensors_bytes, settings_of
from net.formats.plain_yaml import parse_plain_yaml
from net.formats.reading import ACTIVATIONS, BY_MEANING, Reading, layers_of, published_reading, sizes_of, tensor_of
from net.formats.settings import check_settings
from net.formats.shards import read_shards
from net.formats.state import has_tensors, network_tensors, other_network, steps_in, without_prefix
from net.stated_group import default_group, likely_group

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

    from algebra.group import FiniteGroup
    from net.dyadic import FloatMatrix
    from net.formats.container import Contents, Stored
    from net.formats.layers import Layers
    from net.formats.reading import Activation

_LAYOUTS: tuple[ModuleType, ...] = (sn_grok, wu, folded_arrays, chughtai)
#: Ways of reading a file with another activation than relu come after all with relu, those with |.| after those with squares.
_LESS_LIKELY = 1000.0
#: Containers that the checker reads by itself.
_CHECKED = ("safetensors", "torch", "torch before 1.6", "npz")
_SIDE_FILE_LIMIT = 2**20
#: How the `format` of the files begins that this project writes about a network.
_OWN_OUTPUT = ("coset-verify certificate", "coset-voting program", "coset-verify summary")


@dataclass(frozen=True)
class ReadOptions:
    """How a file is to be read, where that is not left to the file.

    Attributes:
        assume_relu: disregard settings in or beside the file that say, or could say, that the network is another function.
        layout: what each tensor is; None to find it.
        activation: relu, square or abs; None for what the file says, or else what the group's table speaks for.
        step: which of several checkpoints in the file: an epoch, or a place in a list; None for the last one.

    """

    assume_relu: bool = False
    layout: Reading | None = None
    step: str | None = None
    activation: Activation | None = None


def load_network(
    path: Path | str,
    group: FiniteGroup | str | None = None,
    order: str | None = None,
    product: str | None = None,
    assume_relu: bool = False,
) -> FoldedNetwork:
    """The network in the file, folded, in the group's own element order and left-first product.

    Containers, wrappers, layouts and settings are those of docs/checkpoints.md. A file of our own states its numbering and product,
    and is believed.

    Args:
        path: the file.
        group: the group or its name; None for the one that `net.stated_group.default_group` finds.
        order: numbering of the elements, out of `net.convention.ORDERS`; None for the stated one, or else to detect it.
        product: "left-first" or "right-first"; None as for `order`.
        assume_relu: as in `ReadOptions`.

    Raises:
        MalformedInput: the file can't be read, is unsafe, is damaged, is no such network, says that it is another function, or is a
            network for something else than this group.

    """
    return network_over(group, open_checkpoint(Path(path), ReadOptions(assume_relu)), order, product)


def network_over(
    group: FiniteGroup | str | None, checkpoint: Checkpoint, order: str | None = None, product: str | None = None
) -> FoldedNetwork:
    """The network of the checkpoint over the group, as `load_network` gives it.

    Where shapes and names leave several ways to read the tensors, those whose names speak for them are tried on the group's table
    first: the one under which the network multiplies is meant.

    Raises:
        MalformedInput: as `load_network`, but for what concerns the file; or two ways of reading are equally right.

    """
    from algebra.errors import GroupError
    from algebra.group import parse_group

    if group is None:
        try:
            group = parse_group(default_group(checkpoint.details, checkpoint.elements(), checkpoint.path))
        except GroupError as error:
            raise MalformedInput(f"{checkpoint.path}: {error}") from error
    if isinstance(group, str):
        group = parse_group(group)
    size = checkpoint.elements(group.order)
    if size != group.order:
        likely = likely_group(size, group)
        mend = f": {likely} may be meant" if likely else ""
        raise MalformedInput(f"expected a network over {group.name} with {plural(group.order, 'element')}, got one with {size:,}{mend}")
    if checkpoint.details.get("format") == OWN_FORMAT:
        order = order or _stated(checkpoint.details.get("element_order"), ORDERS)
        product = product or _stated(checkpoint.details.get("product"), PRODUCTS)
    ways = checkpoint.ways(size)
    try:
        return _with_convention(*ways[0][1:], group, order, product) if len(ways) == 1 else _meant(ways, group, order, product)
    except MalformedInput as error:
        raise checkpoint.mistake or error from None


def _with_convention(layers: Layers, source: Source, group: FiniteGroup, order: str | None, product: str | None) -> FoldedNetwork:
    try:
        return with_convention(fold(layers, group, source), order, product)
    except MalformedInput as error:
        if source.reading is None:
            raise
        raise MalformedInput(f"{error}; the file was read as {source.reading.formula()}") from None


def _meant(ways: list[tuple[float, Layers, Source]], group: FiniteGroup, order: str | None, product: str | None) -> FoldedNetwork:
    """The network under the way of reading it that the group's table decides for."""
    first: MalformedInput | None = None
    likeliest: FoldedNetwork | None = None
    for _, together in itertools.groupby(ways, key=lambda way: way[0]):
        found: list[FoldedNetwork] = []
        for _, layers, source in together:
            try:
                network = _with_convention(layers, source, group, order, product)
            except MalformedInput as error:
                first = first or error
                continue
            assert network.convention is not None
            if network.convention.sample_accuracy == 1 or beats_chance(network.convention, group):
                found.append(network)
        best = max((_accuracy(network) for network in found), default=0.0)
        found = [network for network in found if _accuracy(network) == best]
        different = [found[0], *(n for n in found[1:] if not _same_function(n, found[0]))] if found else []
        if len(different) > 1:
            shown = " and as ".join(_formula(network) for network in different[:2])
            raise MalformedInput(
                f"expected one way to read the file, got several that are right on {best:.1%} of the sampled inputs: as {shown}; say"
                " which with --layout FILE.toml (docs/checkpoints.md)"
            )
        if different and _accuracy(different[0]) == 1:
            return different[0]
        likeliest = likeliest or (different[0] if different else None)
    if likeliest is not None:  # it makes mistakes, and under no other way of reading it would make none
        return likeliest
    if order and product:  # taken as they are, whatever the network answers
        return _with_convention(*ways[0][1:], group, order, product)
    assert first is not None
    raise MalformedInput(f"{first}, the likeliest of {len(ways)} ways; say what its tensors are with --layout FILE.toml")


def _accuracy(network: FoldedNetwork) -> float:
    assert network.convention is not None
    return network.convention.sample_accuracy


def _formula(network: FoldedNetwork) -> str:
    assert network.source is not None
    assert network.source.reading is not None
    return network.source.reading.formula()


def _same_function(a: FoldedNetwork, b: FoldedNetwork) -> bool:
    mine, theirs = (dataclasses.astuple(network.weights.exact()) for network in (a, b))
    return all(np.array_equal(one, other) for one, other in zip(mine, theirs, strict=True))


def read_checkpoint(path: Path, assume_relu: bool = False) -> tuple[Layers, Source]:
    """The layers in the file, in its own numbering, and where they came from; the likeliest where there are several ways to read it.

    Raises:
        MalformedInput: as `load_network`, but for what concerns the group.

    """
    checkpoint = open_checkpoint(path, ReadOptions(assume_relu))
    return checkpoint.ways(checkpoint.elements())[0][1:]


def open_checkpoint(path: Path, options: ReadOptions | None = None) -> Checkpoint:
    """The tensors of the network in the file.

    Raises:
        MalformedInput: as `load_network`, but for what concerns the group.

    """
    data, options = read_bytes(path), options or ReadOptions()
    return checkpoint_in(data, path, options, _side_files(path, options.assume_relu), read_shards(data, path))


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The tensors of one network in a file, before it is decided what each of them is.

    Attributes:
        path, sha256, container, details: as in `Source`.
        tensors: the float tensors of the state dict, by name; ``kinds`` are their precisions.
        others: names of what else is in the state dict, which is no part of a network.
        beside: keys in the file beside the state dict under which there are more tensors.
        state: the path to the state dict where it was chosen, else ().
        own: whether the file is one of this project, which can be checked as it is.
        overridden: whether settings in the file were disregarded.
        layout: the reading that the user gave, or None.
        says_other: whether the file itself says that its activation is another one than relu, which is read.
        activation: what settings or the user say, or None where they say nothing: relu, unless the group's table speaks against it.
        from_file: whether it lies in a file, and was not handed over in memory as a network of which the user knows what it is.

    """

    path: Path
    sha256: str
    container: str
    details: dict[str, object]
    tensors: dict[str, FloatMatrix]
    kinds: dict[str, str]
    others: tuple[str, ...]
    beside: tuple[str, ...]
    state: tuple[str, ...]
    own: bool
    overridden: bool
    layout: Reading | None
    says_other: bool
    activation: Activation | None
    from_file: bool = True

    @cached_property
    def _published(self) -> tuple[str, Layers] | MalformedInput | None:
        """The network where the tensors' names are those of a published layout; the mistake where it is none; None for other names."""
        tensors, _ = without_prefix(self.tensors)
        names = set(tensors)
        layout = next((layout for layout in _LAYOUTS if layout.matches(names)), None)
        if layout is None or self.layout is not None:
            return None
        try:
            return str(layout.NAME), layout.layers(tensors)
        except MalformedInput as error:
            return error

    @property
    def mistake(self) -> MalformedInput | None:
        """What is wrong with a file whose names are almost those of a published layout."""
        return self._published if isinstance(self._published, MalformedInput) else None

    def elements(self, wanted: int | None = None) -> int:
        """The number of elements that the network is over; ``wanted`` where the tensors can be read so.

        Raises:
            MalformedInput: the tensors are those of no network that is read.

        """
        if isinstance(self._published, tuple):
            return self._published[1].order
        if self.layout is not None:
            return layers_of(self.layout, self._named()).order
        if wanted is not None and self._readings(wanted):
            return wanted
        shapes = sizes_of(self.tensors)
        possible = [] if other_network(set(shapes)) else possible_elements(shapes)
        if not possible or (wanted is not None and not any(likely_group(size) for size in possible)):
            raise self.mistake or MalformedInput(self._refusal(wanted))
        return next((size for size in possible if likely_group(size)), possible[-1])

    def ways(self, elements: int) -> list[tuple[float, Layers, Source]]:
        """Every way to read the tensors as a network over so many elements, the likeliest first, each with a score.

        Raises:
            MalformedInput: there is none.

        """
        if isinstance(self._published, tuple):
            name, layers = self._published
            if not self.state and not self.others and self.activation in (None, "relu"):
                return [(0.0, layers, self._source(None, name, self.tensors))]
        if self.layout is not None:
            given = msgspec.structs.replace(self.layout, state=self.state, activation=self.activation or self.layout.activation)
            return [(0.0, layers_of(given, self._named()), self._source(given, BY_MEANING, self.tensors))]
        found = []
        for score, reading in self._readings(elements):
            layers = layers_of(reading, self.tensors)
            found.append((score, layers, self._source(reading, BY_MEANING, self.tensors)))
        if not found:
            raise self.mistake or MalformedInput(self._refusal(elements))
        return found

    def _named(self) -> dict[str, FloatMatrix]:
        """The tensors of the layout that was given, without those that it skips."""
        assert self.layout is not None
        return {name: tensor for name, tensor in self.tensors.items() if name not in self.layout.skipped}

    @lru_cache(maxsize=8)  # noqa: B019 - a checkpoint lives as long as the process that reads it, or not much longer
    def _readings(self, elements: int) -> list[tuple[float, Reading]]:
        if isinstance(self._published, tuple):
            prefix = without_prefix(self.tensors)[1].get("prefix", "")
            found = [(0.0, published_reading(self._published[0], sizes_of(self.tensors), prefix))]
        elif other_network(set(self.tensors)):
            return []
        else:
            found = readings(sizes_of(self.tensors), elements)
        if self.activation is None and not isinstance(self._published, tuple):
            found = [
                (score - _LESS_LIKELY * k, msgspec.structs.replace(reading, activation=activation))
                for k, activation in enumerate(ACTIVATIONS)
                for score, reading in found
            ]
        elif self.activation is not None:
            found = [(score, msgspec.structs.replace(reading, activation=self.activation)) for score, reading in found]
        return [(score, msgspec.structs.replace(reading, skipped=self.others, state=self.state)) for score, reading in found]

    def _source(self, reading: Reading | None, name: str, tensors: Mapping[str, FloatMatrix]) -> Source:
        rewritten = None
        used = set(tensors) if reading is None else {tensor_of(term) for term in reading.terms()}
        published = self._published_names(reading, used)
        # a file in which weights are left out, or whose activation is said beside it, could be taken for another network
        taken = self.activation is None and self.layout is None and self.from_file and not self.own
        other = "" if reading is None or reading.activation == "relu" else reading.activation
        beside = bool(other) and published and not self.says_other
        if self.overridden or self.container not in _CHECKED or used != set(tensors) or beside:
            record: dict[str, object] = {"config": {"act_fn": other}} if other and not taken else {}
            rewritten = safetensors_bytes({key: _narrow(tensors[key], self.kinds[key]) for key in tensors if key in used}, record)
            if reading is not None:
                reading = msgspec.structs.replace(reading, skipped=(), state=())
        if reading is not None:
            # what else the state dict holds is named
            reading = msgspec.structs.replace(reading, skipped=() if rewritten is not None else self.others)
        own = self.own and rewritten is None
        return Source(
            self.path,
            self.sha256,
            BY_MEANING if reading is not None else OWN_FORMAT if own else name,
            max((self.kinds[key] for key in used), key=FLOATS.index, default="float32"),
            sum(tensors[key].size for key in used),
            self.details,
            self.container,
            rewritten,
            reading,
            (*self.others, *sorted(set(tensors) - used), *self.beside),
            taken,
        )

    def _published_names(self, reading: Reading | None, used: set[str]) -> bool:
        """Whether the names are those of a published layout, of which a given layout may not say something else.

        Raises:
            MalformedInput: it does.

        """
        if self.layout is None or reading is None:
            return isinstance(self._published, tuple)
        shapes = sizes_of({key: self.tensors[key] for key in self.tensors if key in used})
        plain, about = without_prefix({key: self.tensors[key] for key in self.tensors if key in used})
        layout = next((layout for layout in _LAYOUTS if layout.matches(set(plain))), None)
        if layout is None:
            return False
        try:
            layout.layers(plain)
        except MalformedInput:  # other shapes than the layout's: names alone
            return False
        usual = published_reading(str(layout.NAME), shapes, about.get("prefix", ""))
        if msgspec.structs.replace(reading, skipped=(), state=(), activation="relu") != usual:
            raise MalformedInput(f"expected tensors with the names of the layout {layout.NAME} to be read as {usual.formula()}")
        return True

    def _refusal(self, elements: int | None) -> str:
        shapes = sizes_of(self.tensors)
        listed = ", ".join(f"{name!r:.40} {shape}" for name, shape in list(shapes.items())[:8]) or "none"
        kind = other_network(set(shapes)) or _deeper(shapes, elements)
        came = f"{kind}, with tensors named {listed}" if kind else f"those named {listed}"
        over = "" if elements is None else f" over {plural(elements, 'element')}"
        mend = "" if kind else "; what they are can be said with --layout FILE.toml"
        if re.search(r"-[0-9]+-of-[0-9]+\.", self.path.name):
            mend = "; of a network in several files give the index (model.safetensors.index.json)"
        return f"expected the tensors of a network{over} in a known layout (docs/checkpoints.md), got {came}{mend}"


def _deeper(shapes: Mapping[str, tuple[int, ...]], elements: int | None) -> str:
    """What a network with more layers than one hidden layer seems to be, for a sentence."""
    sizes = [elements] if elements is not None else sorted({size for shape in shapes.values() for size in shape})
    count = max((hidden_layers(shapes, size) for size in sizes if size > 0), default=0)
    names = {2: "two", 3: "three", 4: "four"}
    return f"a network with {names.get(count, count)} hidden layers" if count > 1 else ""


def steps_of(path: Path) -> list[int]:
    """The steps of the checkpoints that a file holds, out of which `ReadOptions` chooses; none where it holds one or cannot be read."""
    try:
        return steps_in(read_contents(path.read_bytes()))
    except (MalformedInput, OSError):
        return []


def checkpoint_in(
    data: bytes,
    path: Path,
    options: ReadOptions | None = None,
    beside: dict[str, dict[str, object]] | None = None,
    shards: tuple[Contents, int] | None = None,
) -> Checkpoint:
    """The checkpoint in the bytes of a file, which says that it came from ``path``.

    ``beside`` are the settings in files beside it, by the names of these files; ``shards`` are what the files hold of which this one
    is the index, and how many bytes they have.

    Raises:
        MalformedInput: as `open_checkpoint`.

    """
    options = options or ReadOptions()
    contents, length = shards or (read_contents(data), len(data))
    given = options.layout.state if options.step is None and options.layout else ()
    stored, inside, about, state = network_tensors(contents, options.step, given)
    inside |= settings_of(contents.metadata)
    from_file, beside = beside is not None, beside or {}
    overridden = options.assume_relu and _refuses(inside)
    activation = _stated_activation([inside, *beside.values()])
    if options.layout is not None or options.activation is not None:
        activation = options.activation or (options.layout.activation if options.layout else None)
    if not options.assume_relu:
        check_settings(inside, activation=activation or "relu")
        if inside.get("format") == OWN_FORMAT and activation not in (None, "relu") and _stated_activation([inside]) != activation:
            raise MalformedInput(f"expected relu, which files of {OWN_FORMAT!r} have where they state no activation, got {activation}")
        for name, settings in beside.items():
            check_settings(settings, f"{name}: ", activation or "relu")
    elif options.layout is None and options.activation is None:
        activation = "relu"
    for name, tensor in stored.items():
        if _rearranges(name, tensor):
            raise MalformedInput(
                f"expected no buffer that masks or reorders numbers, got {name!r:.60} {tensor.shape} of {tensor.kind}:"
                " apply it to the weights and save them without it"
            )
    others = tuple(sorted(name for name, tensor in stored.items() if _no_weights(name, tensor)))
    floats = {name: tensor for name, tensor in stored.items() if name not in others}
    if not any(tensor.kind in FLOATS and len(tensor.shape) > 1 for tensor in floats.values()):
        floats, others = stored, ()  # whose sentence says what came in place of floats
    tensors, _ = to_arrays(floats, length)
    return Checkpoint(
        path,
        hashlib.sha256(data).hexdigest(),
        contents.container,
        {**_config(inside, beside), **about, **{key: inside[key] for key in _RECORDED if key in inside}},
        tensors,
        {name: tensor.kind for name, tensor in floats.items()},
        others,
        _with_tensors(contents, stored, state or (str(about.get("state", "")),)),
        state,
        inside.get("format") == OWN_FORMAT,
        overridden,
        options.layout,
        _refuses(inside, "relu") and any(not _refuses(inside, other) for other in ACTIVATIONS if other != "relu"),
        activation,
        from_file,
    )


def _with_tensors(contents: Contents, state: Mapping[str, Stored], path: tuple[str, ...]) -> tuple[str, ...]:
    """The keys on the first level of a torch file under which there are tensors, but for the network's own."""
    top = contents.value if isinstance(contents.value, dict) else {}
    return tuple(sorted(str(key) for key, value in top.items() if str(key) not in (*state, path[0]) and has_tensors(value)))


def _stated_activation(settings: list[dict[str, object]]) -> Activation | None:
    """The activation that settings state, out of those that are read; None where they state none, or another one."""
    fits = [activation for activation in ACTIVATIONS if not any(_refuses(one, activation) for one in settings)]
    return fits[0] if len(fits) == 1 else None


#: Words in the name of a single number that counts something, and those of which the name of a measured one consists.
_COUNTERS = frozenset({"step", "steps", "epoch", "epochs", "iteration", "iterations", "averaged", "tracked"})
_MEASURES = frozenset(
    {"accuracy", "acc", "loss", "train", "training", "test", "val", "valid", "validation", "best", "final", "lr", "seed"}
)


def _no_weights(name: str, tensor: Stored) -> bool:
    """Whether a tensor of a state dict is no weight: integers and truth values (buffers), and one number that counts or measures.

    A table of integers that is called a weight, and more than one integer called a bias, may be weights in lower precision.
    """
    found = {word for word in words(name) if not word.isdigit()}
    if tensor.kind in FLOATS or tensor.kind.startswith("complex"):
        return tensor.kind in FLOATS and tensor.size == 1 and bool(found) and (bool(found & _COUNTERS) or found <= _MEASURES)
    return not (len(tensor.shape) > 1 and names_a_weight(name)) and not (tensor.size > 1 and found & {"bias", "biases"})


#: Words in the names of buffers that a forward pass would mask or reorder numbers with, and of those that are about training data.
_MASKS = {
    "mask", "masks", "masked", "prune", "pruned", "keep", "kept", "select", "selected", "selection", "active", "dead",
    "sign", "signs", "sparsity",
}  # fmt: skip
_ORDERS = {
    "perm", "permutation", "permute", "permuted", "reorder", "shuffle", "gather", "index", "indices", "idx",
}  # fmt: skip
_DATA = {
    "train", "training", "trained", "test", "tests", "val", "valid", "validation", "split", "data", "dataset", "held",
    "holdout",
}  # fmt: skip


def _rearranges(name: str, tensor: Stored) -> bool:
    """Whether a buffer of integers or truth values may be part of the function: a mask, or a list by which numbers are reordered.

    A list of all permutations or a table of products has two dimensions; a mask may have as well.
    """
    if tensor.kind in FLOATS or tensor.size <= 1:
        return False
    found = set(words(name))
    return not found & _DATA and bool(found & _MASKS or (len(tensor.shape) == 1 and found & _ORDERS))


#: Entries of our own record that are kept beside `config`.
_RECORDED = ("format", "element_order", "product", "split_sha256", "step", "history")


def _config(inside: dict[str, object], beside: dict[str, dict[str, object]]) -> dict[str, object]:
    """The settings that are recorded, under "config": those in the file, or else those beside it."""
    config = inside.get("config")
    if isinstance(config, dict):
        return {"config": config}
    return {"config": next(iter(beside.values()))} if beside else {}


def _stated(value: object, known: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in known else None


def _refuses(settings: dict[str, object], activation: str = "relu") -> bool:
    """Whether the settings in the file would be refused, by the checker too."""
    try:
        check_settings(settings, activation=activation)
    except MalformedInput:
        return True
    return False


def _narrow(tensor: FloatMatrix, kind: str) -> npt.NDArray[np.generic]:
    """The array in the precision in which it was stored; bfloat16, which numpy lacks, as float32."""
    return tensor.astype({"bfloat16": np.float32}.get(kind) or np.dtype(kind))


def _side_files(path: Path, assume_relu: bool) -> dict[str, dict[str, object]]:
    """Contents of `cfg`, `config` and STEM beside the file, `.json`, `.yaml` or `.yml`, where they are there and settings of a run.

    A certificate, summary or program of this project (told by its `format`) is none. Where relu is assumed, files that cannot be read
    are passed over.
    """
    found = {}
    stems, kinds = dict.fromkeys(("cfg", "config", path.stem)), (".json", ".yaml", ".yml")
    for name in (stem + kind for kind in kinds for stem in stems):
        side = path.with_name(name)
        if not side.is_file() or side == path:
            continue
        try:
            if side.stat().st_size > _SIDE_FILE_LIMIT:
                raise MalformedInput(f"expected at most {_SIDE_FILE_LIMIT:,} bytes in {side}, got more")
            text = side.read_bytes().decode()
        except (OSError, ValueError) as error:
            raise MalformedInput(f"expected settings in {side}, got: {first_line(error)}") from error
        try:
            config = parse_json(text, str(side)) if side.suffix == ".json" else parse_plain_yaml(text, str(side))
        except MalformedInput:
            if not assume_relu:
                raise
            continue
        if not isinstance(config, dict):
            raise MalformedInput(f"expected a JSON object in {side}, got {type(config).__name__}")
        if not str(config.get("format", "")).startswith(_OWN_OUTPUT):
            found[name] = config
    return found
