"""Networks whose tensors' names are in no published layout: the certificate says which tensor is what, and this module follows it.

With a(x) = row x of ``left`` + ``left_bias`` and c(y) the same on the right,

    p(x, y) = a(x) hidden_left + c(y) hidden_right + sum of hidden_bias
    logits(x, y) = ((activation(p) + after) out + out_bias) unembed + bias

An empty ``left`` is a one-hot input, an empty ``hidden_left`` leaves a(x) as it is; other empty fields are not there. A term is a
tensor's name and what is done to it, in that order: ^T transposed, [k] the k-th along the first dimension, [a:b] rows a to b - 1.

What this module proves: that the layers are those of this formula in the file's tensors, whose shapes fit together, and that each
tensor of the state dict is in the formula or among those that the certificate says it leaves out (layouts.py lets it leave out no
weights, and say nothing else of tensors with the names of a published layout). What the formula is belongs to the statement, and
`check` prints it: the file itself seldom says what its tensors are for.
"""

import re

from .integers import Matrix
from .layers import Layers
from .progress import amount
from .shape import Malformed, Reading, need, shown
from .tensors import Tensor, Tensors

STEP = re.compile(r"\^T|\[[0-9]{1,12}\]|\[[0-9]{0,12}:[0-9]{0,12}\]")
LONGEST_TERM = 1000
TERM = re.compile(rf"(.+?)((?:{STEP.pattern})*)", re.DOTALL)
#: Names that a formula has as they are: no numbers, inputs or differences. And how many tensors that are left out it lists.
PLAIN = re.compile(r"(?![xy]$)(?=[A-Za-z_]|.*[A-Za-z_]{2})[A-Za-z0-9_.:/]{1,200}")
LISTED = 100


def state_at(content: object, path: list[str]) -> tuple[object, dict[object, object]]:
    """(the state dict, what lies beside it on all levels) at the end of a path of keys, and of places in lists, through a torch file.

    Other state dicts, which hold tensors and nothing else, lie beside it too, and say nothing about it.
    """
    need(len(path) in (1, 2, 3), f"expected a path of one to three keys to the state dict, got {shown(path)}")
    beside: dict[object, object] = {}
    for text in path:
        if isinstance(content, dict):
            keys = [key for key in content if str(key) == text]
            need(len(keys) == 1, f"expected one key {shown(text)} on the way to the state dict, got {len(keys)}")
            for key, value in content.items():
                if key != keys[0] and not all_tensors(value):
                    while key in beside:  # on another level; the words of the key stay
                        key = f"{key}'"
                    beside[key] = value
            content = content[keys[0]]
        elif isinstance(content, list | tuple) and text.isdecimal() and int(text) < len(content):
            content = content[int(text)]
        else:
            raise Malformed("expected a list of state dicts")
    return content, beside


def all_tensors(value: object) -> bool:
    """Whether a value is a dictionary of tensors and nothing else."""
    return isinstance(value, dict) and len(value) > 0 and all(type(item) is Tensor for item in value.values())


def layers_of(reading: Reading, tensors: Tensors) -> Layers:
    """The layers that the reading makes of the tensors; Malformed unless every tensor is used or left out, and all shapes fit."""
    single = [reading.left, reading.left_bias, reading.hidden_left, reading.right, reading.right_bias, reading.hidden_right]
    terms = [
        *filter(None, [*single, *reading.hidden_bias, reading.after, reading.out, reading.out_bias, reading.unembed, reading.bias])
    ]
    used = {name_of(term) for term in terms}
    need(not used & {*reading.skipped}, "expected a reading that leaves out what it does not use, got a tensor in both")
    accounted = used | {*reading.skipped} == {*tensors}
    need(accounted, f"expected a reading that says of every tensor what it is, got {shown(sorted(used))} of {shown(sorted(tensors))}")
    get = {term: term_of(term, tensors) for term in terms}
    n = len(get[reading.left or reading.hidden_left].rows) if reading.left or reading.hidden_left else 0
    width = len(get[reading.out].rows) if reading.out else 0
    need(n > 0 and width > 0, "expected a reading with an input and an output layer, got one without")
    halves = []
    for embedding, bias, matrix in (
        (reading.left, reading.left_bias, reading.hidden_left),
        (reading.right, reading.right_bias, reading.hidden_right),
    ):
        need(bool(embedding or matrix) and bool(embedding or not bias), "expected an embedding or a matrix for each input, got neither")
        factors = tuple(get[term] for term in (embedding, matrix) if term)
        inner = len(factors[0].rows[0])
        fits = len(factors[0].rows) == n and len(factors[-1].rows[0]) == width and (len(factors) == 1 or len(factors[1].rows) == inner)
        need(
            fits,
            f"expected order {n} and width {width} through {shown([embedding, matrix])}, got other shapes",
        )
        added = [(vector(bias, get, inner), *factors[1:])] if bias else []
        halves.append((factors, added))
    biases = [(vector(term, get, width),) for term in reading.hidden_bias]
    need(len(biases) <= 2, "expected at most two biases of the hidden layer, got more")
    votes = get[reading.out]
    need(bool(reading.unembed or not reading.out_bias), "expected 'unembed' with 'out_bias', got the latter alone")
    if reading.unembed:
        need(len(get[reading.unembed].rows) == len(votes.rows[0]), "expected two matrices of the output that fit together, got others")
    last = get[reading.unembed or reading.out]
    need(len(last.rows[0]) == n, f"expected {amount(n, 'outputs')}, got {len(last.rows[0])}")
    return Layers(
        halves[0][0],
        halves[1][0],
        votes,
        vector(reading.bias, get, n) if reading.bias else None,
        vector(reading.after, get, width) if reading.after else None,
        (*halves[0][1], *biases[:1]),
        (*halves[1][1], *biases[1:]),
        get[reading.unembed] if reading.unembed else None,
        vector(reading.out_bias, get, len(votes.rows[0])) if reading.out_bias else None,
        reading.activation == "abs",
        reading.activation == "square",
    )


def name_of(term: str) -> str:
    """The tensor's name in a term."""
    match = TERM.fullmatch(term) if len(term) <= LONGEST_TERM else None  # the time that a match takes grows with the square of it
    need(match is not None, f"expected a tensor's name of at most {LONGEST_TERM:,} characters in the reading, got {shown(term)}")
    assert match is not None
    return match[1]


def term_of(term: str, tensors: Tensors) -> Matrix:
    """The numbers that a term means; a vector is one row."""
    match = TERM.fullmatch(term)
    assert match is not None
    tensor = tensors[match[1]]
    for step in STEP.findall(match[2]):
        tensor = changed(tensor, step, term)
    return tensor.matrix()


def changed(tensor: Tensor, step: str, term: str) -> Tensor:
    """The tensor transposed, one of its parts, or some of its rows."""
    shape, strides = tensor.shape, tensor.strides
    need(len(shape) > 0 and (step != "^T" or len(shape) == 2), f"expected more dimensions for {shown(term)}, got {shown(shape)}")
    if step == "^T":
        return tensor._replace(shape=shape[::-1], strides=strides[::-1])
    if ":" in step:
        first, last = step[1:-1].split(":")
        begin, end = min(int(first or 0), shape[0]), min(int(last or shape[0]), shape[0])
        return tensor._replace(shape=(max(0, end - begin), *shape[1:]), offset=tensor.offset + begin * strides[0])
    k = int(step[1:-1])
    need(k < shape[0], f"expected an index below {shape[0]} in {shown(term)}, got {k}")
    return tensor._replace(shape=shape[1:], strides=strides[1:], offset=tensor.offset + k * strides[0])


def vector(term: str, get: dict[str, Matrix], length: int) -> Matrix:
    """The one row that a term means, of that length."""
    found = get[term]
    need(len(found.rows) == 1 and len(found.rows[0]) == length, f"expected {amount(length, 'numbers')} in {shown(term)}, got others")
    return found


def described(reading: Reading) -> str:
    """The function as a formula in the tensors' names, and what is left out, in one line of printable ASCII characters.

    A name with other characters than letters, digits and _ . : / is quoted, and so is one that could be a number or an input, so that
    no name looks like a part of the formula.
    """
    sides = [
        _side(reading.left, reading.left_bias, reading.hidden_left, "x"),
        _side(reading.right, reading.right_bias, reading.hidden_right, "y"),
    ]
    inside = " + ".join([*sides, *map(_term, reading.hidden_bias)])
    hidden = {"relu": f"relu({inside})", "square": f"({inside})^2", "abs": f"|{inside}|"}[reading.activation]
    hidden = f"({hidden} + {_term(reading.after)})" if reading.after else hidden
    logits = f"{hidden} {_term(reading.out)}"
    if reading.unembed:
        logits = f"({logits} + {_term(reading.out_bias)})" if reading.out_bias else logits
        logits = f"{logits} {_term(reading.unembed)}"
    text = f"logits(x, y) = {logits}{f' + {_term(reading.bias)}' if reading.bias else ''}"
    if reading.skipped:
        text += f"; left out: {', '.join(map(_name, reading.skipped[:LISTED]))}"
        text += f" and {len(reading.skipped) - LISTED:,} more" if len(reading.skipped) > LISTED else ""
    return text + (f"; of the state dict at {' / '.join(map(_name, reading.state))}" if reading.state else "")


def _side(embedding: str, bias: str, matrix: str, at: str) -> str:
    found = f"{_row(embedding or matrix, at)}{f' + {_term(bias)}' if bias else ''}"
    if not (embedding and matrix):
        return found
    return f"({found}) {_term(matrix)}" if bias else f"{found} {_term(matrix)}"


def _row(term: str, at: str) -> str:
    """Row ``at`` of a term: E[x], or W[6 + y] where the term is a part W[6:] of the rows."""
    part = re.fullmatch(r"(.+)\[([0-9]*):[0-9]*\]", term, re.DOTALL)
    if part is None:
        return f"{_term(term)}[{at}]"
    return f"{_term(part[1])}[{f'{part[2]} + ' if part[2] else ''}{at}]"


def _term(term: str) -> str:
    """A tensor's name and what is done to it."""
    match = TERM.fullmatch(term)
    assert match is not None
    return _name(match[1]) + match[2]


def _name(name: str) -> str:
    """A name as it stands, or quoted, and shortened where it is long."""
    return name if PLAIN.fullmatch(name) else shown(name)
