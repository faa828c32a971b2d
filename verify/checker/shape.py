"""The certificate as records: what fields there are, of which types, and how JSON is read into them.

What this module proves: a value that `parse` returns has exactly the fields and types of its class, nothing more and nothing less, so
the other modules need not ask again. A file in which a key is missing, unknown or there twice, in which a number stands where a text
should, or in which there is a floating-point number is `Malformed`. Only fields that earlier certificates did not have may be
missing; they are then what their defaults say.

Every record of verify/record/certificate.py stands here once more under the same name; a test compares the two.
"""

import hashlib
import json
import re
import reprlib
from dataclasses import MISSING, dataclass, field, fields
from fractions import Fraction
from functools import cache
from types import NoneType, UnionType
from typing import Literal, NoReturn, TypeVar, Union, get_args, get_origin, get_type_hints

FORMAT = "coset-verify certificate 2"
#: Integers are below this in absolute value: sums of products of float64 weights of every size are, and 4,300 digits are not reached.
LARGEST = 2**12000
#: A rational, with no more digits than Python reads.
RATIONAL = re.compile("-?[0-9]{1,4300}(/[1-9][0-9]{0,4299})?")
#: Bits of the longest integers that are written out: a number of 4,300 digits has 14,285.
LONGEST = 14_000

Record = TypeVar("Record")
Class = TypeVar("Class")


class Malformed(Exception):  # noqa: N818 - says what the file is
    """A file that is not what it should be."""


class Differs(Exception):  # noqa: N818 - says what the two values do
    """A statement of the certificate that does not hold."""


class _Short(reprlib.Repr):
    """Writes any value in a few hundred characters, however deep it is, however often it holds itself, and however long a number."""

    def repr_int(self, x: int, level: int) -> str:
        """An integer; of one with more digits than Python writes, how long it is."""
        return super().repr_int(x, level) if x.bit_length() <= LONGEST else f"<an integer of {x.bit_length():,} bits>"


_SHORT = _Short()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother, _SHORT.maxlong = 3, 300, 300, 300


def shown(value: object) -> str:
    """A value as one line of printable ASCII characters, shortened: what a file contains forges no line of our output."""
    return _SHORT.repr(value).encode("ascii", "backslashreplace").decode()


def need(true: bool, sentence: str) -> None:
    """Raise Malformed with the sentence unless it is true."""
    if not true:
        raise Malformed(sentence)


def same(what: str, stated: object, found: object) -> None:
    """Raise Differs unless the certificate states what was found."""
    if type(stated) is not type(found) or stated != found:
        raise Differs(f"{what}: the certificate states {shown(stated)}, the checker finds {shown(found)}")


def written(value: Fraction) -> str:
    """A rational as a certificate writes it, p or p/q; Malformed where it takes more digits than any that may stand in one."""
    longest = max(value.numerator.bit_length(), value.denominator.bit_length())
    need(longest <= LONGEST, f"expected rationals of at most {LONGEST:,} bits to be stated, got one of {longest:,}")
    return str(value)


def rational(text: str) -> Fraction:
    """The rational that `written` writes so; Malformed for other texts, such as 1e9999999999, that `Fraction` reads or fails at."""
    need(RATIONAL.fullmatch(text) is not None, f"expected a rational as p or p/q, got {shown(text)}")
    return Fraction(text)


# ---- the records

Status = Literal["PROVED", "REFUTED", "UNKNOWN"]
Kind = Literal["coset", "twisted", "dual", "sign", "rank one", "raw", "dead", "left out", "divided"]
On = Literal[
    "right cosets",
    "left cosets",
    "double cosets",
    "coset sum",
    "coset matrix",
    "images",
    "preimages",
    "rank",
    "shared",
    "elements",
    "sum",
]


@dataclass(frozen=True)
class GroupRecord:
    """A permutation group by generators in cycle notation."""

    name: str
    degree: int
    order: int
    generators: list[str]


@dataclass(frozen=True)
class SubgroupRecord:
    """A subgroup by generators; programs refer to it by its place in their list."""

    name: str
    order: int
    generators: list[str]


@dataclass(frozen=True)
class Reading:
    """Which tensor is what, as terms; readings.py says what each field means. Fields that are missing are empty."""

    left: str = ""
    left_bias: str = ""
    hidden_left: str = ""
    right: str = ""
    right_bias: str = ""
    hidden_right: str = ""
    hidden_bias: list[str] = field(default_factory=list)
    activation: Literal["relu", "square", "abs"] = "relu"
    after: str = ""
    out: str = ""
    out_bias: str = ""
    unembed: str = ""
    bias: str = ""
    skipped: list[str] = field(default_factory=list)
    state: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class CheckpointRecord:
    """Which file, and how its numbering maps to the group: ``numbering[k]`` is the element that the file calls k."""

    sha256: str
    format: str
    order: Literal["lexicographic", "even-first", "sympy", "table"]
    product: Literal["left-first", "right-first"]
    numbering: list[int]
    width: int
    parameters: int
    float32_forward: bool
    reading: Reading | None = None
    activation_taken: bool = False


@dataclass(frozen=True)
class Form:
    """How a list of integers becomes a function on the group; programs.py says what each word means."""

    on: On
    subgroups: list[int]
    kernels: list[int | None]
    weights: list[int] = field(default_factory=list)
    rank: int = 0
    constant: bool = False
    parts: list["Form"] = field(default_factory=list)


@dataclass(frozen=True)
class Neuron:
    """One neuron of a program: its number in the network and its three lists."""

    index: int
    left: list[int]
    right: list[int]
    votes: list[int]


@dataclass(frozen=True)
class Circuit:
    """Neurons that share three forms."""

    left: Form
    right: Form
    votes: Form
    neurons: list[Neuron]


@dataclass(frozen=True)
class Program:
    """A coset-voting program; programs.py writes it out as a network."""

    format: Literal["coset-voting program 1", "coset-voting program 2", "coset-voting program 3"]
    group: GroupRecord
    subgroups: list[SubgroupRecord]
    preactivation_bits: int
    vote_bits: int
    bias: list[int]
    circuits: list[Circuit]
    scale_bits: int = 0


@dataclass(frozen=True)
class NeuronRecord:
    """One neuron of the network: its kind, its circuit, and the largest differences between network and program."""

    index: int
    kind: Kind
    circuit: int | None
    left_deviation: str | None
    right_deviation: str | None
    votes_deviation: str | None


@dataclass(frozen=True)
class Correct:
    """Q1: the network's answers on every pair against the group's product."""

    status: Status
    pairs: int
    right: int
    ties: int
    wrong: list[tuple[int, int, int]]
    answers_sha256: str
    min_margin: str | None
    min_margin_pair: tuple[int, int] | None
    float32_any_order: int | None


@dataclass(frozen=True)
class Equivalent:
    """Q2: the program's answers on every pair against the network's."""

    status: Status
    pairs: int
    agree: int
    differ: list[tuple[int, int, int, int]]
    answers_sha256: str


# ---- Q3


@dataclass(frozen=True)
class ProvableProgram:
    """The program that Q3 is about, where it is not the certificate's own."""

    program: Program
    neurons: list[NeuronRecord]


@dataclass(frozen=True)
class SymbolicMember:
    """A circuit in a family: all of its votes, or the term on right or left cosets of votes on a coset sum.

    ``point`` is the point p of the family's space that its reading of x and its votes look at (in a mirrored family: of y); how it
    reads the other input is free.
    """

    circuit: int
    share: Literal["whole", "right", "left"]
    point: int


@dataclass(frozen=True)
class SymbolicFamily:
    """Circuits that look at points of one space: the right cosets of a subgroup of the program, numbered by their least elements.

    ``bias`` is the family's table B[p, q, parity of z] of the bias, row by row, or empty; q is where z takes p (z^-1 if mirrored).
    """

    subgroup: int
    mirrored: bool
    members: list[SymbolicMember]
    bias: list[int]


@dataclass(frozen=True)
class SymbolicRest:
    """A circuit of no family, and the most by which it can prefer one output to another at any pair."""

    circuit: int
    swing: int


@dataclass(frozen=True)
class SymbolicDuals:
    """Dual variables mu[p] and lam[j, q, k] of one family, row by row (lam empty where it is 0), and the minima beta[j, j']."""

    mu: list[int]
    lam: list[int]
    beta: list[int]


@dataclass(frozen=True)
class SymbolicTie:
    """Dual variables phi[j, q, p, k], row by row, that a family and a mirrored one share with opposite signs."""

    plain: int
    mirrored: int
    phi: list[int]


@dataclass(frozen=True)
class SymbolicBatch:
    """One choice of dual variables for all families, in their order."""

    duals: list[SymbolicDuals]
    ties: list[SymbolicTie]


@dataclass(frozen=True)
class SymbolicLines:
    """Dual variables mu[p] for each y by itself (x^-1 where the families are mirrored), in multiples of ``unit``.

    ``choices`` has a list for every y of the case, by rising numbers; each of its entries has the numbers of each family, in their
    order, empty where they are 0.
    """

    unit: int
    choices: list[list[list[list[int]]]]


@dataclass(frozen=True)
class SymbolicCase:
    """One case of parities of x, y and s (0 even, 1 odd). ``lines`` may be missing.

    ``signs`` is what neurons that read parities alone give; ``least`` the least over all y and s != 1 of the case of the sum of the
    best batch or line.
    """

    x: int
    y: int
    s: int
    signs: int
    least: int
    batches: list[SymbolicBatch]
    lines: SymbolicLines | None = None


@dataclass(frozen=True)
class SymbolicProof:
    """That a program is right for all x, y and z, by lemmas about points (docs/obligations.md).

    Integers are in units of one vote, 2^-(preactivation_bits + scale_bits + vote_bits). ``signs`` are the circuits that read parities
    alone; ``bias_rest`` is the range of what the families' tables leave of the bias, for even and for odd z.
    """

    families: list[SymbolicFamily]
    signs: list[int]
    rest: list[SymbolicRest]
    bias_rest: list[tuple[int, int]]
    cases: list[SymbolicCase]


@dataclass(frozen=True)
class SymbolicInterval:
    """The least and the largest push where xy lies in the double coset of ``element``, its least element; null: at every pair."""

    element: int | None
    low: str
    high: str


@dataclass(frozen=True)
class SymbolicPush:
    """What one neuron does, for all preactivations within its deviations from the program's."""

    index: int
    intervals: list[SymbolicInterval]


@dataclass(frozen=True)
class Symbolic:
    """Q3: a program with the network's answers is correct for all x, y and z != xy.

    The program is ``provable`` where there is one, else the certificate's own. ``proof`` is there when the status is PROVED;
    ``counterexample`` is (x, y, z) with votes for z at least those for xy when it is REFUTED. ``pushes`` are the neurons that read both
    inputs through cosets. ``distance`` bounds every difference of a margin of the network and of the program; it is stated where it
    is less than the network's smallest margin.
    """

    status: Status
    provable: ProvableProgram | None
    proof: SymbolicProof | None
    counterexample: tuple[int, int, int] | None
    pushes: list[SymbolicPush]
    distance: str | None


# ---- Q4


@dataclass(frozen=True)
class CompactFamily:
    """Neurons that read one input through the same cosets: ``levels[k][c]`` is the level of neuron ``neurons[k]`` on coset c."""

    on: Literal["right cosets", "left cosets", "elements"]
    generators: list[str]
    neurons: list[int]
    levels: list[list[int]]


@dataclass(frozen=True)
class CompactPlan:
    """How the compact proof reads its ``side`` input, with levels over 2^level_bits, and which tables it adds up first."""

    side: Literal["left", "right"]
    level_bits: int
    families: list[CompactFamily]
    merges: list[tuple[int, int]]


@dataclass(frozen=True)
class Compact:
    """Q4: pairs that the plan proves right, and operations with which all pairs are settled."""

    status: Status
    certified: int
    flops: int
    flops_brute: int
    plan: CompactPlan | None


# ---- the whole


@dataclass(frozen=True)
class Obligation:
    """A lemma's file for SMT solvers, and its digest."""

    file: str
    sha256: str


@dataclass(frozen=True)
class Original:
    """The file that was converted into the certified one."""

    name: str
    sha256: str


@dataclass(frozen=True)
class NotChecked:
    """What stands in the certificate for information alone; nothing in it is redone."""

    versions: dict[str, str]
    obligations: list[Obligation]
    original: Original | None


@dataclass(frozen=True)
class Certificate:
    """A whole certificate; ``sha256`` is the digest of the rest."""

    format: str
    verdict: Literal["VERIFIED", "REFUTED", "UNKNOWN"]
    group: GroupRecord
    checkpoint: CheckpointRecord
    program: Program
    neurons: list[NeuronRecord]
    correct: Correct
    equivalent: Equivalent
    symbolic: Symbolic
    compact: Compact | None
    not_checked: NotChecked
    sha256: str


# ---- reading


def read_json(data: bytes, constants: bool = False) -> object:
    """A JSON value whose objects have each key once; Malformed otherwise. With ``constants`` NaN and Infinity are numbers."""
    try:
        return json.loads(data.decode(), object_pairs_hook=_object, parse_constant=float if constants else _constant)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"expected JSON in UTF-8, got: {shown(str(error))}") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    need(len(found) == len(pairs), "expected every key of an object once, got one twice")
    return found


def _constant(word: str) -> None:
    raise Malformed(f"expected numbers, got {word}")


def read_certificate(data: bytes) -> Certificate:
    """The certificate in a file, after its digest was compared: that of the same JSON without spaces and with ``sha256`` empty."""
    value = read_json(data)
    if type(value) is dict and value.get("format") == "coset-verify certificate 1":
        raise Malformed("expected a certificate of format 2, got one of format 1: write it again with `verify run`")
    try:
        certificate = parse(Certificate, value, "certificate")
    except RecursionError:
        raise Malformed("certificate: expected forms whose parts have no parts, got parts within parts many times over") from None
    assert isinstance(value, dict)
    need(certificate.format == FORMAT, f"expected the format {FORMAT!r}, got {shown(certificate.format)}")
    blank = json.dumps({**value, "sha256": ""}, ensure_ascii=False, separators=(",", ":"))
    same("sha256", certificate.sha256, hashlib.sha256(blank.encode(errors="surrogatepass")).hexdigest())
    return certificate


def parse(cls: type[Record], value: object, where: str) -> Record:
    """The JSON value as a record of the class ``cls``; Malformed unless it has exactly that shape."""
    result = _read(cls, value, where)
    assert isinstance(result, cls)
    return result


@cache
def _types(cls: type) -> dict[str, object]:
    """The fields of a record and their types."""
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


@cache
def _needed(cls: type) -> set[str]:
    """The fields of a record that have no default."""
    return {one.name for one in fields(cls) if one.default is MISSING and one.default_factory is MISSING}


@cache
def _origin(kind: object) -> tuple[object, tuple[object, ...]]:
    """What a type is made from, list of list[int], and what of; None and nothing for a class."""
    return get_origin(kind), get_args(kind)


def _read(kind: object, value: object, where: str) -> object:
    """The value as ``kind``: int, str, bool, Literal, a record, list[...], dict[str, ...], tuple[...] or a choice with None."""
    if kind is int:
        number = _expect(int, value, where)
        return number if -LARGEST < number < LARGEST else _refuse("an integer below 2^12000", value, where)
    if kind is str or kind is bool:
        return _expect(str if kind is str else bool, value, where)
    origin, arguments = _origin(kind)
    if origin in (Union, UnionType):
        (other,) = (argument for argument in arguments if argument is not NoneType)
        return None if value is None else _read(other, value, where)
    if origin is Literal:
        return value if type(value) is str and value in arguments else _refuse(f"one of {arguments}", value, where)
    if origin is list:
        items = _expect(list, value, where)
        if arguments == (int,):
            fits = all(type(item) is int and -LARGEST < item < LARGEST for item in items)
            return items if fits else _refuse("integers", value, where)
        return [_read(arguments[0], item, f"{where}[{k}]") for k, item in enumerate(items)]
    if origin is tuple:
        if type(value) is not list or len(value) != len(arguments):
            _refuse(f"a list of {len(arguments)}", value, where)
        return tuple(_read(part, item, f"{where}[{k}]") for k, (part, item) in enumerate(zip(arguments, value, strict=True)))
    if origin is dict:
        return {key: _read(arguments[1], item, f"{where}[{shown(key)}]") for key, item in _expect(dict, value, where).items()}
    assert isinstance(kind, type)
    given, types = _expect(dict, value, where), _types(kind)
    if not _needed(kind) <= given.keys() <= types.keys():
        _refuse(f"the keys {[*types]}", sorted(given), where)
    known = {name: _read(part, given[name], f"{where}.{name}") for name, part in types.items() if name in given}
    return kind(**known)


def _expect(kind: type[Class], value: object, where: str) -> Class:
    """The value, which is of this class and of none below it: True is no int."""
    if type(value) is not kind:
        _refuse({int: "an integer", str: "a text", bool: "true or false", list: "a list", dict: "an object"}[kind], value, where)
    return value


def _refuse(expected: str, value: object, where: str) -> NoReturn:
    raise Malformed(f"{where}: expected {expected:.400}, got {shown(value)}")
