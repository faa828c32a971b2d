"""The certificate: what was proved, in a form that `verify/checker/` can redo from the checkpoint alone.

Everything in a certificate is exact and can be recomputed: integers, rationals as strings "p/q", permutations in cycle notation,
digests. Measured figures and times live in summary.json, which no proof rests on.
Pairs are (x, y) and elements are numbers in the group's lexicographic order.
An answer table is an |G| x |G| array of big-endian 16-bit integers, row by row, -1 for a tie; its digest is SHA-256.
"""

import hashlib
from fractions import Fraction
from pathlib import Path
from typing import Literal

import msgspec

from net.formats.reading import Reading
from verify.program.program import GroupRecord, Program

FORMAT = "coset-verify certificate 2"

Status = Literal["PROVED", "REFUTED", "UNKNOWN"]
Verdict = Literal["VERIFIED", "REFUTED", "UNKNOWN"]
Kind = Literal["coset", "twisted", "dual", "sign", "rank one", "raw", "dead", "left out", "divided"]
#: What labels of neurons may say: a neuron that a program leaves out has a label all the same.
KINDS: tuple[Kind, ...] = ("coset", "twisted", "dual", "sign", "rank one", "raw", "dead")


class CheckpointRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which file, and how its numbering maps to the group.

    ``numbering[k]`` is the group element that the file calls k; ``product`` says whether the file's product x*y applies x first
    ("left-first") or y first ("right-first"; then the file's two inputs are exchanged).
    ``float32_forward`` is true when the weights are float32 or narrower, so that a float32 forward pass exists to speak of.
    ``reading`` says which tensor is what, and where the state dict lies, unless the file is a published layout and nothing else;
    ``format`` is then "by meaning". ``activation_taken`` is true when the file does not name the activation, and that of the
    reading, or relu, was taken.
    """

    sha256: str
    format: str
    order: str
    product: Literal["left-first", "right-first"]
    numbering: tuple[int, ...]
    width: int
    parameters: int
    float32_forward: bool
    reading: Reading | None = None
    activation_taken: bool = False


class Correct(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q1: the network's answers on every pair, against the group's product.

    ``wrong`` lists every pair that is not right as (x, y, answer), answer -1 for a tie.
    ``min_margin`` is the smallest difference between the right logit and the best other one over the pairs that are right.
    ``float32_any_order`` counts the pairs whose answer a float32 forward pass gives in any order of summation.
    """

    status: Status
    pairs: int
    right: int
    ties: int
    wrong: tuple[tuple[int, int, int], ...]
    answers_sha256: str
    min_margin: str | None
    min_margin_pair: tuple[int, int] | None
    float32_any_order: int | None


class Equivalent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q2: program against network on every pair; ``differ`` lists (x, y, network's answer, program's answer)."""

    status: Status
    pairs: int
    agree: int
    differ: tuple[tuple[int, int, int, int], ...]
    answers_sha256: str


class NeuronRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Mechanism: one neuron's kind and the largest differences between network and program over the group.

    The kind follows from the forms of its circuit (`verify.program.kind`); a neuron that is positive on no pair or whose outgoing
    weights are all equal is dead, one that a provable program has several times is divided, and any other that the program does without
    is left out.

    ``left_deviation`` is max over x of |L[x, i] - l_i(x)|, and so on: the preactivations at any pair differ by at most the sum of
    the left and the right one. ``circuit`` is None for a neuron that the program leaves out or divides.
    """

    index: int
    kind: Kind
    circuit: int | None
    left_deviation: str | None
    right_deviation: str | None
    votes_deviation: str | None


class ProvableProgram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another program than the certificate's own, made so that lemmas can bound it, with the records of the network's neurons in it.

    It may have a neuron of the network several times, each with lists of its own: the neuron is divided.
    """

    program: Program
    neurons: tuple[NeuronRecord, ...]


class SymbolicMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A circuit in a family: all of its votes, or the term on right or left cosets of votes on a coset sum.

    ``point`` is the point p of the family's space that its reading of x and its votes look at (in a mirrored family: of y); how it
    reads the other input is free.
    """

    circuit: int
    share: Literal["whole", "right", "left"]
    point: int


class SymbolicFamily(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Circuits that look at points of one space: the right cosets of a subgroup of the program, numbered by their least elements.

    ``bias`` is the family's table B[p, q, parity of z] of the bias, row by row, or empty; q is where z takes p (z^-1 if mirrored).
    """

    subgroup: int
    mirrored: bool
    members: tuple[SymbolicMember, ...]
    bias: tuple[int, ...]


class SymbolicRest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A circuit of no family, and the most by which it can prefer one output to another at any pair."""

    circuit: int
    swing: int


class SymbolicDuals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dual variables mu[p] and lam[j, q, k] of one family, row by row (lam empty where it is 0), and the minima beta[j, j']."""

    mu: tuple[int, ...]
    lam: tuple[int, ...]
    beta: tuple[int, ...]


class SymbolicTie(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dual variables phi[j, q, p, k], row by row, that a family and a mirrored one share with opposite signs."""

    plain: int
    mirrored: int
    phi: tuple[int, ...]


class SymbolicBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One choice of dual variables for all families, in their order."""

    duals: tuple[SymbolicDuals, ...]
    ties: tuple[SymbolicTie, ...]


class SymbolicLines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Dual variables mu[p] for each y by itself (x^-1 where the families are mirrored), in multiples of ``unit``.

    ``choices`` has a list for every y of the case, by rising numbers; each of its entries has the numbers of each family, in their
    order, empty where they are 0.
    """

    unit: int
    choices: tuple[tuple[tuple[tuple[int, ...], ...], ...], ...]


class SymbolicCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One case of parities of x, y and s (0 even, 1 odd).

    ``signs`` is what neurons that read parities alone give; ``least`` the least over all y and s != 1 of the case of the sum of the
    best batch or line.
    """

    x: int
    y: int
    s: int
    signs: int
    least: int
    batches: tuple[SymbolicBatch, ...]
    lines: SymbolicLines | None = None


class SymbolicProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That a program is right for all x, y and z, by lemmas about points (docs/obligations.md).

    Integers are in units of one vote, 2^-(preactivation_bits + scale_bits + vote_bits). ``signs`` are the circuits that read parities
    alone; ``bias_rest`` is the range of what the families' tables leave of the bias, for even and for odd z.
    """

    families: tuple[SymbolicFamily, ...]
    signs: tuple[int, ...]
    rest: tuple[SymbolicRest, ...]
    bias_rest: tuple[tuple[int, int], ...]
    cases: tuple[SymbolicCase, ...]


class SymbolicInterval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The least and the largest push where xy lies in the double coset of ``element``, its least element; null: at every pair."""

    element: int | None
    low: str
    high: str


class SymbolicPush(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one neuron does, for all preactivations within its deviations from the program's."""

    index: int
    intervals: tuple[SymbolicInterval, ...]


class Symbolic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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
    pushes: tuple[SymbolicPush, ...]
    distance: str | None


class CompactFamily(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Neurons that read one input through the same cosets; ``levels[k][c]`` is the level of neuron ``neurons[k]`` on coset c.

    Cosets are numbered by their least elements. ``generators`` are those of the subgroup; none where neurons are read by element.
    """

    on: Literal["right cosets", "left cosets", "elements"]
    generators: tuple[str, ...]
    neurons: tuple[int, ...]
    levels: tuple[tuple[int, ...], ...]


class CompactPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody needs to redo the compact proof: how each neuron's ``side`` input is read, with levels over 2^level_bits.

    Neurons in no family are left out, and enter the bound with all they can do. Each family makes a table for every element of the
    other side; ``merges`` says which two of them are added up first: tables are numbered by family, then sums in their order.
    """

    side: Literal["left", "right"]
    level_bits: int
    families: tuple[CompactFamily, ...]
    merges: tuple[tuple[int, int], ...]


class Compact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Q4: the plan proves ``certified`` pairs right, and all pairs are settled with ``flops`` operations, counted in exact arithmetic.

    These are the operations of the plan and, at the cost of evaluation, those of the pairs that it leaves open; brute force takes
    ``flops_brute``, 2 m n^3. PROVED when the plan proves all pairs.
    """

    status: Status
    certified: int
    flops: int
    flops_brute: int
    plan: CompactPlan | None


class Obligation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lemma's file for SMT solvers, and its digest."""

    file: str
    sha256: str


class Original(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file from which the certified one, `network.safetensors` in the run's directory, was written: its name and digest."""

    name: str
    sha256: str


class NotChecked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in a certificate for information alone; the checker redoes none of it.

    The versions of the software that wrote it, the lemmas' files for SMT solvers, and where the certified file was converted from
    another one that the checker does not read, that one.
    """

    versions: dict[str, str]
    obligations: tuple[Obligation, ...] = ()
    original: Original | None = None


class Certificate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole certificate; ``sha256`` is the digest of all the rest in canonical form."""

    format: str
    verdict: Verdict
    group: GroupRecord
    checkpoint: CheckpointRecord
    program: Program
    neurons: tuple[NeuronRecord, ...]
    correct: Correct
    equivalent: Equivalent
    symbolic: Symbolic
    compact: Compact | None
    not_checked: NotChecked
    sha256: str = ""


def rational(value: Fraction | int) -> str:
    """A rational number as the certificate writes it: "p" or "p/q" in lowest terms."""
    return str(Fraction(value))


def canonical_bytes(value: object) -> bytes:
    """JSON without spaces, fields in the order of the schema and dictionary keys sorted: the same value gives the same bytes."""
    return msgspec.json.encode(value, order="deterministic")


def sealed(certificate: Certificate) -> Certificate:
    """The certificate with its digest: SHA-256 of its canonical bytes with ``sha256`` empty."""
    blank = msgspec.structs.replace(certificate, sha256="")
    digest = hashlib.sha256(canonical_bytes(blank)).hexdigest()
    return msgspec.structs.replace(certificate, sha256=digest)


def overall_verdict(correct: Status, equivalent: Status) -> Verdict:
    """VERIFIED when Q1 and Q2 are proved, REFUTED when one is refuted, else UNKNOWN."""
    if "REFUTED" in (correct, equivalent):
        return "REFUTED"
    return "VERIFIED" if correct == equivalent == "PROVED" else "UNKNOWN"


def read_certificate(path: Path) -> Certificate:
    """The certificate in a file; msgspec.ValidationError names the path of what does not fit the schema."""
    return msgspec.json.decode(path.read_bytes(), type=Certificate)
