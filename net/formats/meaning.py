"""What the tensors of an unknown file are, from their shapes, and from their names where shapes leave a choice.

Every way is listed in which all tensors together are a network of one hidden layer (`net.formats.reading`): the inputs as two
embeddings, one shared, or one-hot; joined or added; the hidden layer; the output layer, through one matrix, two, or the embedding
again. Names only order these ways: a way whose names speak for it comes first. Which one is meant is decided by the group's table
(`net.checkpoint`), never here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import msgspec

from net.formats.reading import Reading, looks_like_a_term

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Shape = tuple[int, ...]
#: The most ways that are tried on a group's table.
MOST = 64
#: Embeddings may have rows for a few more tokens (such as "="), which no input uses.
_MORE_TOKENS = 4

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
#: A place in a list, or what numpy.savez calls arrays without names: of such a vector nothing says that it is not a bias.
_NUMBER = re.compile(r"(arr_)?\d+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WEIGHT = _set("weight weights kernel kernels w matrix mat")
_BIAS = _set("bias biases b offset")
#: A vector of such a name is multiplied by, not added.
_FACTOR = _set("scale scales gamma gain gains temperature temp tau alpha mask masks multiplier factor norm std var variance mean")
_EMBEDDING = _set(
    "embed embeds embedding embeddings emb embs e tok token tokens wte lookup lembed rembed vocab encoder enc encode embedder"
)
_OUTPUT = _set(
    "unembed unembedding unemb u out output outputs outp head classifier decoder dec decode readout logits logit lm down final last"
    " classify cls proj pred prediction predict unembedder answer"
)
_HIDDEN = _set("hidden in up h hid inner")
_LEFT = _set("l left a x lhs first lembed")
_RIGHT = _set("r right b y rhs second rembed")
_UNEMBEDDING = _set("unembed unembedding unemb u logits logit lm head decoder readout unembedder")


def words(name: str) -> list[str]:
    """The words and numbers in a name, in lower case: W_in has w, in; fc1.weight has fc, 1, weight."""
    return [word.lower() for word in _WORD.findall(name)]


def names_a_weight(name: str) -> bool:
    """Whether a name is that of a weight rather than a buffer: W_x, fc1.weight, hidden."""
    return bool(set(words(name)) & (_WEIGHT | _EMBEDDING | _HIDDEN | _OUTPUT))


@dataclass(frozen=True)
class _Part:
    """A matrix or a vector to be placed: its term, its shape, the words of its name, and its number in the file."""

    term: str
    shape: Shape
    words: frozenset[str]
    stem: tuple[str, ...]
    number: float
    conventional: bool  # whether its name is that of a torch.nn.Linear: (outputs, inputs)


@dataclass(frozen=True)
class _Slot:
    """A place for a matrix: what it is, and its rows and columns as expressions in the letters n, d, e, m, k."""

    role: str
    rows: str
    columns: str


_INPUTS: dict[str, tuple[_Slot, ...]] = {
    "one-hot joined": (_Slot("hidden", "n+n", "m"),),
    "one-hot apart": (_Slot("hidden left", "n", "m"), _Slot("hidden right", "n", "m")),
    "one-hot added": (_Slot("hidden", "n", "m"),),
    "shared joined": (_Slot("embedding", "n", "d"), _Slot("hidden", "d+d", "m")),
    "shared added": (_Slot("embedding", "n", "d"), _Slot("hidden", "d", "m")),
    "shared apart": (_Slot("embedding", "n", "d"), _Slot("hidden left", "d", "m"), _Slot("hidden right", "d", "m")),
    "tokens joined": (_Slot("embedding", "n+n", "d"), _Slot("hidden", "d+d", "m")),
    "tokens added": (_Slot("embedding", "n+n", "d"), _Slot("hidden", "d", "m")),
    "two joined": (_Slot("left", "n", "d"), _Slot("right", "n", "e"), _Slot("hidden", "d+e", "m")),
    "two added": (_Slot("left", "n", "d"), _Slot("right", "n", "d"), _Slot("hidden", "d", "m")),
    "two apart": (
        _Slot("left", "n", "d"),
        _Slot("right", "n", "e"),
        _Slot("hidden left", "d", "m"),
        _Slot("hidden right", "e", "m"),
    ),
}
#: The role of these inputs that may change places with the role before it, which exchanges the two inputs and nothing else.
_EXCHANGED = {"one-hot apart": "hidden right", "shared apart": "hidden right", "two apart": "right", "two added": "right"}
_OUTPUTS: dict[str, tuple[_Slot, ...]] = {
    "plain": (_Slot("out", "m", "n"),),
    "two": (_Slot("out", "m", "k"), _Slot("unembed", "k", "n")),
    "tied": (_Slot("out", "m", "d"),),
    "tied at once": (),
}


def readings(shapes: Mapping[str, Shape], elements: int) -> list[tuple[float, Reading]]:
    """Every way to read tensors of these shapes as a network over that many elements, the best names first, each with its score.

    ``shapes`` are in the order of the file. Ways that are the same function are listed once.
    """
    if any(looks_like_a_term(name) for name in shapes) or not shapes:
        return []
    parts = _parts(shapes)
    if parts is None:
        return []
    matrices, vectors = parts
    found: dict[Reading, float] = {}
    for inputs, outputs in product(_INPUTS, _OUTPUTS):
        slots = (*_INPUTS[inputs], *_OUTPUTS[outputs])
        if len(slots) != len(matrices) or (outputs.startswith("tied") and not inputs.startswith("shared")):
            continue
        for placed in _placements(slots, _EXCHANGED.get(inputs, ""), matrices, elements):
            if outputs == "tied at once" and placed.sizes["d"] != placed.sizes["m"]:
                continue
            if outputs.startswith("tied") and placed.term("embedding") != _rows(placed, "embedding", elements):
                continue  # its further tokens would be outputs too
            if (outputs.startswith("tied") or inputs.startswith("tokens")) and not _called_embedding(placed):
                continue
            if outputs == "two" and not _linear_output(placed):
                continue
            for reading in _with_vectors(inputs, outputs, placed, vectors):
                score = placed.score - (len(reading.hidden_bias) > len(set(reading.hidden_bias)))
                found[reading] = max(found.get(reading, score), score)
    return sorted(((score, reading) for reading, score in found.items()), key=lambda item: (-item[0], item[1].formula()))[:MOST]


def possible_elements(shapes: Mapping[str, Shape]) -> list[int]:
    """The numbers of elements over which the tensors could be a network, by their shapes alone."""
    sizes = {size for shape in shapes.values() for size in shape}
    return [size for size in sorted(sizes) if size > 0 and readings(shapes, size)]


def _parts(shapes: Mapping[str, Shape]) -> tuple[list[_Part], list[_Part]] | None:
    """(matrices, vectors), stacks of one or two taken apart; None where something is neither."""
    matrices, vectors = [], []
    deep = all(len(shape) == (2 if _is_bias(name) else 3) for name, shape in shapes.items())
    for number, (name, shape) in enumerate(shapes.items()):
        found = frozenset(words(name))
        weights = frozenset() if _ends_as_bias(name) else _WEIGHT
        if 0 in shape or (len(shape) < 2 and found & (_FACTOR | weights)) or found & {"mask", "masks"}:
            return None
        stem = _stem(name)
        conventional = name.endswith("weight")
        if len(shape) == 3 and (shape[0] == 1 or (shape[0] == 2 and not deep)):
            stack = [f"{name}[{k}]" for k in range(shape[0])] if shape[0] > 1 else [f"{name}[0]"]
            matrices += [_Part(term, shape[1:], found, stem, number + k / 4, conventional) for k, term in enumerate(stack)]
        elif len(shape) == 2 and (shape[0] == 1 or (shape[1] == 1 and _is_bias(name))) and _is_bias(name):
            vectors.append(_Part(f"{name}[0]" if shape[0] == 1 else f"{name}^T[0]", (max(shape),), found, stem, number, False))
        elif len(shape) == 2:
            matrices.append(_Part(name, shape, found, stem, number, conventional))
        elif len(shape) == 1:
            vectors.append(_Part(name, shape, found, stem, number, False))
        else:
            return None
    return (matrices, vectors) if matrices and len(matrices) <= 6 and len(vectors) <= 6 else None


def _is_bias(name: str) -> bool:
    return _ends_as_bias(name) or (bool(_BIAS & set(words(name))) and not _WEIGHT & set(words(name)))


def _ends_as_bias(name: str) -> bool:
    """W_in.bias: the bias of a layer that is called W_in."""
    return name.endswith((".bias", "/bias"))


def _stem(name: str) -> tuple[str, ...]:
    """What a matrix and its bias have in common: the words of the name without the one that says which of the two it is."""
    found = words(name)
    if found and found[-1] in _WEIGHT | _BIAS:
        found = found[:-1]
    elif found and found[0] in _WEIGHT | _BIAS:
        found = found[1:]
    return tuple(_plain(word) for word in found)


def _plain(word: str) -> str:
    """One spelling of a word that has several."""
    return {"unembedding": "unembed", "embedding": "embed", "embeddings": "embed", "output": "out", "input": "in"}.get(word, word)


@dataclass(frozen=True)
class _Placed:
    """Matrices in slots: for each role its part and whether it is transposed; the letters' sizes; how well the names fit."""

    slots: tuple[_Slot, ...]
    parts: tuple[_Part, ...]
    transposed: tuple[bool, ...]
    sizes: dict[str, int]
    score: float

    def of(self, role: str) -> tuple[_Part, str] | None:
        """The part in a role and its term."""
        for slot, part, turned in zip(self.slots, self.parts, self.transposed, strict=True):
            if slot.role == role:
                return part, part.term + ("^T" if turned else "")
        return None

    def term(self, role: str) -> str:
        """The term in a role, or ""."""
        found = self.of(role)
        return "" if found is None else found[1]


def _called_embedding(placed: _Placed) -> bool:
    found = placed.of("embedding")
    return found is not None and bool(found[0].words & _EMBEDDING)


def _placements(slots: tuple[_Slot, ...], exchanged: str, matrices: Sequence[_Part], elements: int) -> Iterator[_Placed]:
    """All ways to put the matrices into the slots so that the shapes fit; one order of the ``exchanged`` role and the one before."""

    def place(
        k: int, left: tuple[_Part, ...], chosen: tuple[_Part, ...], turned: tuple[bool, ...], sizes: dict[str, int]
    ) -> Iterator[_Placed]:
        if k == len(slots):
            yield _Placed(slots, chosen, turned, sizes, _score(slots, chosen, turned))
            return
        for part in left:
            if slots[k].role == exchanged and chosen[-1].shape == part.shape and _side_rank(chosen[-1]) > _side_rank(part):
                continue
            rest = tuple(other for other in left if other is not part)
            for transposed in (False, True):
                shape = part.shape[::-1] if transposed else part.shape
                found = _match(slots[k], shape, sizes)
                if found is not None:
                    yield from place(k + 1, rest, (*chosen, part), (*turned, transposed), found)

    yield from place(0, tuple(matrices), (), (), {"n": elements})


def _side_rank(part: _Part) -> tuple[int, float]:
    hits = (bool(part.words & _LEFT), bool(part.words & _RIGHT))
    return {(True, False): 0, (False, True): 2}.get(hits, 1), part.number


def _match(slot: _Slot, shape: Shape, sizes: dict[str, int]) -> dict[str, int] | None:
    found = dict(sizes)
    for expression, size, more in ((slot.rows, shape[0], _MORE_TOKENS), (slot.columns, shape[1], 0)):
        letters = expression.split("+")
        unknown = [letter for letter in letters if letter not in found]
        if not unknown:
            total = sum(found[letter] for letter in letters)
            if size != total and not (slot.role in ("embedding", "left", "right") and total < size <= total + more):
                return None
        elif len(letters) == 1:
            found[letters[0]] = size
        else:
            return None
    return found


def _score(slots: Sequence[_Slot], parts: Sequence[_Part], turned: Sequence[bool]) -> float:
    """How well names, numbers in names, and the order of the file speak for this way."""
    total = 0.0
    for slot, part, transposed in zip(slots, parts, turned, strict=True):
        role = "embedding" if slot.role in ("embedding", "left", "right") else slot.role.split()[0]
        of = {"embedding": _EMBEDDING, "hidden": _HIDDEN, "out": _OUTPUT, "unembed": _UNEMBEDDING}
        if slot.rows == "n" and role == "hidden":  # a row for each element, which is an embedding by another name
            of["hidden"] |= _EMBEDDING
            of["embedding"] = frozenset()
        mine = bool(part.words & of[role])
        others = any(part.words & of[other] for other in of if other != role and {other, role} != {"out", "unembed"})
        total += 2 * mine - 2 * (others and not mine)
        if slot.role.endswith(("left", "right")):
            same, opposite = (_LEFT, _RIGHT) if slot.role.endswith("left") else (_RIGHT, _LEFT)
            total += bool(part.words & same) - bool(part.words & opposite)
        if part.shape[0] == part.shape[1]:
            total += transposed == (part.conventional and role != "embedding")
    for i in range(len(parts)):
        for j in range(i + 1, len(parts)):
            first, second = _numbers(parts[i]), _numbers(parts[j])
            if first and second and first != second:
                total += 0.5 if first < second else -0.5
            total += 0.125 if parts[i].number <= parts[j].number else -0.125
    return total


def _numbers(part: _Part) -> tuple[int, ...]:
    return tuple(int(word) for word in words(part.term.split("[")[0]) if word.isdigit())


def _linear_output(placed: _Placed) -> bool:
    """Whether names say that two matrices follow the hidden layer with nothing between them, as in W_in, W_out, W_U."""
    out, unembed = placed.of("out"), placed.of("unembed")
    assert out is not None
    assert unembed is not None
    return bool(unembed[0].words & _UNEMBEDDING) and bool(out[0].words & _OUTPUT - _UNEMBEDDING)


def _with_vectors(inputs: str, outputs: str, placed: _Placed, vectors: Sequence[_Part]) -> Iterator[Reading]:
    """The readings in which every vector is some bias: that of the matrix of the same name, or else any that fits its length."""
    last = "bias" if outputs in ("plain", "tied at once") else "out_bias"
    slot_of_role = {"hidden": "hidden_bias", "hidden left": "hidden_bias", "hidden right": "hidden_bias"}
    slot_of_role |= {"embedding": "embedding", "left": "left_bias", "right": "right_bias", "out": last, "unembed": "bias"}
    lengths = {"hidden_bias": placed.sizes["m"], "bias": placed.sizes["n"]}
    if last == "out_bias":
        lengths["out_bias"] = placed.sizes["k" if outputs == "two" else "d"]
    if "d" in placed.sizes and "embedding" in (slot.role for slot in placed.slots):
        lengths["embedding"] = placed.sizes["d"]
    if "left" in (slot.role for slot in placed.slots):
        lengths |= {"left_bias": placed.sizes["d"], "right_bias": placed.sizes.get("e", placed.sizes["d"])}
    stems = {part.stem: slot.role for slot, part in zip(placed.slots, placed.parts, strict=True)}
    ambiguous = len(stems) < len(placed.parts)
    choices: list[list[str]] = []
    for vector in vectors:
        own = None if ambiguous or not vector.stem else stems.get(vector.stem)
        if own is not None:
            place = slot_of_role[own]
            choices.append([place] if lengths.get(place) == vector.shape[0] else [])
        elif not (_is_bias(vector.term) or _NUMBER.fullmatch(vector.term)):
            choices.append([])
        else:  # an embedding has a bias of its own only where a name says so
            free = [place for place in ("hidden_bias", "bias", "out_bias") if lengths.get(place) == vector.shape[0]]
            named = [place for place in free if vector.words & (_OUTPUT if place != "hidden_bias" else _HIDDEN)]
            choices.append(named if len(named) == 1 else free)
    for places in product(*choices):
        taken: dict[str, tuple[str, ...]] = {}
        for place, vector in zip(places, vectors, strict=True):
            taken[place] = (*taken.get(place, ()), vector.term)
        limits = {"hidden_bias": 2 if inputs.endswith("apart") else 1}
        if any(len(terms) > limits.get(place, 1) for place, terms in taken.items()):
            continue
        yield from _assembled(inputs, outputs, placed, taken)


def _assembled(inputs: str, outputs: str, placed: _Placed, taken: Mapping[str, tuple[str, ...]]) -> Iterator[Reading]:
    """The readings of matrices and biases in their places; two where one linear layer may be applied to each input or to their sum."""
    n, sizes = placed.sizes["n"], placed.sizes
    kind, how = inputs.split()
    left = right = ""
    if kind == "shared":
        left = right = _rows(placed, "embedding", n)
    elif kind == "tokens":
        left, right = f"{placed.term('embedding')}[:{n}]", f"{placed.term('embedding')}[{n}:{2 * n}]"
    elif kind == "two":
        left, right = _rows(placed, "left", n), _rows(placed, "right", n)
    first = n if kind == "one-hot" else sizes["d"]
    hidden = placed.term("hidden")
    halves = {
        "joined": (f"{hidden}[:{first}]", f"{hidden}[{first}:]"),
        "added": (hidden, hidden),
        "apart": (placed.term("hidden left"), placed.term("hidden right")),
    }[how]
    own = taken.get("embedding", ("",))[0]
    out, unembed = placed.term("out"), placed.term("unembed")
    if outputs.startswith("tied"):
        tied = left.removesuffix("^T") if left.endswith("^T") else f"{left}^T"
        out, unembed = (out, tied) if outputs == "tied" else (tied, "")
    hidden_bias = taken.get("hidden_bias", ())
    once = Reading(
        left=left,
        left_bias=own or taken.get("left_bias", ("",))[0],
        hidden_left=halves[0],
        right=right,
        right_bias=own or taken.get("right_bias", ("",))[0],
        hidden_right=halves[1],
        hidden_bias=hidden_bias,
        out=out,
        out_bias=taken.get("out_bias", ("",))[0],
        unembed=unembed,
        bias=taken.get("bias", ("",))[0],
    )
    yield once
    if how == "added" and len(hidden_bias) == 1:
        yield msgspec.structs.replace(once, hidden_bias=hidden_bias * 2)


def _rows(placed: _Placed, role: str, n: int) -> str:
    """The term of an embedding, without the rows of further tokens."""
    found = placed.of(role)
    assert found is not None
    part, term = found
    rows = part.shape[1] if term.endswith("^T") else part.shape[0]
    return term if rows == n else f"{term}[:{n}]"


def hidden_layers(shapes: Mapping[str, Shape], elements: int) -> int:
    """How many hidden layers a chain through all matrices would have, from the inputs to the elements; 0 where there is no chain."""
    matrices = [shape for shape in shapes.values() if len(shape) == 2]
    if len(matrices) > 8:
        return 0

    def longest(width: int, left: tuple[Shape, ...]) -> int:
        best = 0 if width == elements and not left else -100
        for k, shape in enumerate(left):
            rest = left[:k] + left[k + 1 :]
            for rows, columns in {shape, shape[::-1]}:
                if rows == width:
                    best = max(best, 1 + longest(columns, rest))
        return best

    starts = [longest(2 * elements, tuple(matrices)) - 1]
    for k, shape in enumerate(matrices):
        for rows, columns in {shape, shape[::-1]}:
            if elements <= rows <= elements + _MORE_TOKENS:
                rest = tuple(matrices[:k] + matrices[k + 1 :])
                starts += [longest(2 * columns, rest) - 1, longest(columns, rest) - 1]
    return max(0, *starts)
