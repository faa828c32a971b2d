"""Which tensor of a file is what: a network of one hidden layer, written as terms in the names of its tensors.

With a(x) = row x of ``left`` + ``left_bias`` and c(y) the same on the right,

    p(x, y) = a(x) hidden_left + c(y) hidden_right + hidden_bias
    logits(x, y) = ((activation(p) + after) out + out_bias) unembed + bias

An empty ``left`` is a one-hot input: a(x) hidden_left is row x of ``hidden_left``; an empty ``hidden_left`` leaves a(x) as it is; the
same on the right. Other empty fields are not there. A term is a tensor's name and what is done to it, in that order: ``^T``
transposed, ``[k]`` the k-th along the first dimension, ``[a:b]`` rows a to b - 1 (either may be left out).

The certificate holds a reading as `checkpoint.reading`, and the checker follows it with code of its own.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from algebra.plural import plural
from net.errors import MalformedInput
from net.formats.layers import Layers, check_finite, with_absolute_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from net.dyadic import FloatMatrix

Activation = Literal["relu", "square", "abs"]
#: The likeliest first, where a file says nothing.
ACTIVATIONS: tuple[Activation, ...] = ("relu", "square", "abs")
#: How the certificate calls a network that was read by a reading, not in a published layout.
BY_MEANING = "by meaning"
_TERM = re.compile(r"(.+?)((?:\^T|\[[0-9]+\]|\[[0-9]*:[0-9]*\])*)", re.DOTALL)
_LONGEST_TERM = 1000
_STEP = re.compile(r"\^T|\[[0-9]+\]|\[[0-9]*:[0-9]*\]")


class Reading(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What each tensor is, as terms; see the module's docstring.

    ``hidden_bias`` are vectors that are all added (two linear layers that are added have two). ``skipped`` are the tensors of the same
    state dict that are no part of the network; ``state`` is the path of keys to that state dict in a torch file, where it is not the
    one that docs/checkpoints.md finds by its rules.
    """

    left: str = ""
    left_bias: str = ""
    hidden_left: str = ""
    right: str = ""
    right_bias: str = ""
    hidden_right: str = ""
    hidden_bias: tuple[str, ...] = ()
    activation: Activation = "relu"
    after: str = ""
    out: str = ""
    out_bias: str = ""
    unembed: str = ""
    bias: str = ""
    skipped: tuple[str, ...] = ()
    state: tuple[str, ...] = ()

    def terms(self) -> Iterator[str]:
        """Every term that is there."""
        single = (self.left, self.left_bias, self.hidden_left, self.right, self.right_bias, self.hidden_right)
        yield from filter(None, (*single, *self.hidden_bias, self.after, self.out, self.out_bias, self.unembed, self.bias))

    def formula(self) -> str:
        """The function as a formula in the tensors' names.

        >>> Reading(left="E", hidden_left="W[:8]", right="E", hidden_right="W[8:]", hidden_bias=("b",), out="U", bias="c").formula()
        'logits(x, y) = relu(E[x] W[:8] + E[y] W[8:] + b) U + c'
        """
        sides = [_side(self.left, self.left_bias, self.hidden_left, "x"), _side(self.right, self.right_bias, self.hidden_right, "y")]
        inside = " + ".join([*sides, *self.hidden_bias])
        hidden = {"relu": f"relu({inside})", "square": f"({inside})^2", "abs": f"|{inside}|"}[self.activation]
        hidden = f"({hidden} + {self.after})" if self.after else hidden
        logits = f"{hidden} {self.out}"
        if self.unembed:
            logits = f"({logits} + {self.out_bias}) {self.unembed}" if self.out_bias else f"{logits} {self.unembed}"
        return f"logits(x, y) = {logits}{f' + {self.bias}' if self.bias else ''}"


def _side(embedding: str, bias: str, matrix: str, at: str) -> str:
    if not embedding:
        return _row(matrix, at)
    row = _row(embedding, at)
    found = f"({row} + {bias})" if bias and matrix else f"{row}{f' + {bias}' if bias else ''}"
    return f"{found} {matrix}" if matrix else found


def _row(term: str, at: str) -> str:
    """Row ``at`` of a term: E[x], or W[6 + y] where the term is a part W[6:] of the rows."""
    part = re.fullmatch(r"(.+)\[([0-9]*):[0-9]*\]", term, re.DOTALL)
    if part is None:
        return f"{term}[{at}]"
    return f"{part[1]}[{f'{part[2]} + ' if part[2] else ''}{at}]"


def tensor_of(term: str) -> str:
    """The name of the tensor in a term."""
    match = _TERM.fullmatch(term) if len(term) <= _LONGEST_TERM else None  # the time that a match takes grows with the square of it
    return match[1] if match else term


def looks_like_a_term(name: str) -> bool:
    """Whether a tensor's own name ends as if something were done to it, so that a term could mean two things."""
    return tensor_of(name) != name


def evaluated(term: str, tensors: Mapping[str, FloatMatrix]) -> FloatMatrix:
    """The array that a term means.

    Raises:
        MalformedInput: there is no such tensor, or it has not the dimensions for what is done to it.

    """
    match = _TERM.fullmatch(term) if len(term) <= _LONGEST_TERM else None
    if match is None or match[1] not in tensors:
        raise MalformedInput(f"expected a tensor of the file in the layout, got {term!r:.80}; it has {_listed(tensors)}")
    array = tensors[match[1]]
    for step in _STEP.findall(match[2]):
        if array.ndim < 1 or (step == "^T" and array.ndim != 2):
            raise MalformedInput(f"expected a tensor of more dimensions for {term!r:.80}, got one of shape {array.shape}")
        if step == "^T":
            array = array.T
        elif ":" in step:
            first, last = (int(text) if text else None for text in step[1:-1].split(":"))
            array = array[first:last]
        elif int(step[1:-1]) < len(array):
            array = array[int(step[1:-1])]
        else:
            raise MalformedInput(f"expected an index below {len(array)} in {term!r:.80}, got {step}")
    return array


def _listed(tensors: Mapping[str, FloatMatrix]) -> str:
    return ", ".join(f"{name!r:.40} {tuple(tensor.shape)}" for name, tensor in list(tensors.items())[:8]) or "none"


def layers_of(reading: Reading, tensors: Mapping[str, FloatMatrix]) -> Layers:
    """The layers that the tensors are.

    Raises:
        MalformedInput: a tensor is missing, not named and not skipped, NaN or infinite, or the shapes do not fit together.

    """
    used = {tensor_of(term) for term in reading.terms()}
    if left_out := sorted(set(tensors) - used - set(reading.skipped)):
        raise MalformedInput(f"expected every tensor of the file in the layout or under 'skipped', got {left_out[0]!r:.80} in neither")
    for name in sorted(used & set(tensors)):
        check_finite(name, tensors[name], "the file")
    get = {term: evaluated(term, tensors) for term in reading.terms()}
    n = _fitting(reading, {term: array.shape for term, array in get.items()})
    left, left_added = _factors(get, reading.left, reading.left_bias, reading.hidden_left)
    right, right_added = _factors(get, reading.right, reading.right_bias, reading.hidden_right)
    biases = [(get[term],) for term in reading.hidden_bias]
    assert n > 0
    layers = Layers(
        left,
        right,
        get[reading.out],
        get.get(reading.bias),
        get.get(reading.after),
        (*left_added, *biases[:1]),
        (*right_added, *biases[1:]),
        get.get(reading.unembed),
        get.get(reading.out_bias),
        "square" if reading.activation == "square" else "relu",
    )
    return with_absolute_values(layers) if reading.activation == "abs" else layers


def _factors(
    get: Mapping[str, FloatMatrix], embedding: str, bias: str, matrix: str
) -> tuple[tuple[FloatMatrix, ...], tuple[tuple[FloatMatrix, ...], ...]]:
    through = (get[matrix],) if matrix else ()
    factors = (get[embedding], *through) if embedding else through
    return factors, ((get[bias], *through),) if bias else ()


def _fitting(reading: Reading, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """The number of elements, once all shapes fit together.

    Raises:
        MalformedInput: they do not.

    """
    sizes: dict[str, tuple[int, str]] = {}

    def expect(term: str, *letters: str) -> None:
        shape = shapes[term]
        if len(shape) != len(letters) or 0 in shape:
            raise MalformedInput(f"expected {plural(len(letters), 'dimension')} of {term!r:.80}, none of them 0, got the shape {shape}")
        for letter, size in zip(letters, shape, strict=True):
            known, where = sizes.setdefault(letter, (size, term))
            if known != size:
                raise MalformedInput(f"expected {known} in place of {size} in the shape {shape} of {term!r:.80}, as in {where!r:.80}")

    for side, embedding, bias, matrix in (
        ("left", reading.left, reading.left_bias, reading.hidden_left),
        ("right", reading.right, reading.right_bias, reading.hidden_right),
    ):
        if not (embedding or matrix) or (bias and not embedding):
            raise MalformedInput(f"expected an embedding or a matrix for the {side} input in the layout, got neither")
        inner = f"embedding {side}" if embedding and matrix else "neurons"
        if embedding:
            expect(embedding, "elements", inner)
        if bias:
            expect(bias, inner)
        if matrix:
            expect(matrix, inner if embedding else "elements", "neurons")
    if len(reading.hidden_bias) > 2 or not reading.out or (reading.out_bias and not reading.unembed):
        raise MalformedInput("expected 'out', at most two of 'hidden_bias', and 'unembed' with 'out_bias' in the layout, got otherwise")
    for term in (*reading.hidden_bias, reading.after):
        if term:
            expect(term, "neurons")
    expect(reading.out, "neurons", "outputs" if reading.unembed else "elements")
    if reading.out_bias:
        expect(reading.out_bias, "outputs")
    if reading.unembed:
        expect(reading.unembed, "outputs", "elements")
    if reading.bias:
        expect(reading.bias, "elements")
    return sizes["elements"][0]


def read_layout(path: Path) -> Reading:
    """The reading in a TOML file whose keys are the fields of `Reading`; ``hidden_bias`` may be one text.

    Raises:
        MalformedInput: it cannot be read, or is none.

    """
    try:
        found = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise MalformedInput(f"expected a layout in TOML at {path}, got: {error.strerror or error}") from error
    except ValueError as error:
        raise MalformedInput(f"expected a layout in TOML, got {path}: {error}") from error
    for key in ("hidden_bias", "skipped", "state"):
        if isinstance(found.get(key), str):
            found[key] = [found[key]]
    try:
        return msgspec.convert(found, Reading)
    except msgspec.ValidationError as error:
        fields = ", ".join(Reading.__struct_fields__)
        raise MalformedInput(f"expected a layout with some of the keys {fields} in {path}, got: {error}") from error


def sizes_of(arrays: Mapping[str, FloatMatrix]) -> dict[str, tuple[int, ...]]:
    """The shapes by name."""
    return {name: tuple(int(size) for size in np.shape(array)) for name, array in arrays.items()}


def published_reading(layout: str, shapes: Mapping[str, tuple[int, ...]], prefix: str = "") -> Reading:
    """The reading of a published layout (sn-grok, wu, folded, chughtai), whose tensors' names begin with ``prefix``."""

    def first(*names: str) -> str:
        return next((prefix + name for name in names if prefix + name in shapes), "")

    if layout == "folded":
        return Reading(hidden_left=first("L"), hidden_right=first("R"), out=first("U"), bias=first("b"))
    if layout == "sn-grok":
        left, matrix = first("lembed.weight"), f"{first('linear.weight')}^T"
        d = shapes[left][1]
        bias = tuple(filter(None, [first("linear.bias")]))
        return Reading(
            left=left,
            hidden_left=f"{matrix}[:{d}]",
            right=first("rembed.weight"),
            hidden_right=f"{matrix}[{d}:]",
            hidden_bias=bias,
            out=f"{first('unembed.weight')}^T",
            bias=first("unembed.bias"),
        )
    if layout == "wu":
        only = "[0]" if len(shapes[first("unembedding")]) == 3 else ""
        bias_term = first("unembed_bias")
        return Reading(
            left=first("embedding_left") + only,
            hidden_left=first("linear_left") + only,
            right=first("embedding_right") + only,
            hidden_right=first("linear_right") + only,
            out=first("unembedding") + only,
            bias=bias_term + only if bias_term else "",
        )
    left, matrix = first("W_x", "W_E_a"), first("W")
    d = shapes[left][1]
    return Reading(
        left=left,
        hidden_left=f"{matrix}[:{d}]",
        right=first("W_y", "W_E_b"),
        hidden_right=f"{matrix}[{d}:]",
        after=first("b"),
        out=first("W_U"),
        bias=first("b_U", "bias", "unembed.bias", "unembed_bias"),
    )
