"""The text of Network.v: a network's exact weights, digit by digit, as Coq reads them.

An integer v of a table becomes its highest digit, v >> (w k) in two's complement, and k lower digits in base 2^w. The highest digits
are what the proof computes with, so their size is a choice: they have at most `leading_bits` bits, so that no sum of the proof leaves a
machine integer of 63 bits. The choice decides how small a margin the proof sees at its first step, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

Rows = Sequence[Sequence[int]]

#: A machine integer of Coq has 63 bits; lower digits keep one bit less.
WORD = 63
#: Bits of the largest sum of products, and of the largest bias in its units.
SUM_BITS = 59


@dataclass(frozen=True)
class StoredNetwork:
    """What Network.v states: row k of each table belongs to element k of `numbering`, in the order of the checkpoint.

    Attributes:
        name: the group's name.
        degree: number of points moved.
        generators: image tuples that generate the group.
        numbering: image tuples, element by element.
        left, right: (n, m) integers over 2^input_bits.
        votes: (n, m) integers over 2^vote_bits: a row for each output.
        bias: (n,) integers over 2^(input_bits + vote_bits).
        input_bits, vote_bits: see above.
        sha256: the checkpoint's digest.
        product: "left-first" or "right-first": with the latter `left` belongs to the checkpoint's second input.
        mistakes: pairs (x, y) of image tuples at which x*y has not the largest logit, in the order of x and then of y.

    """

    name: str
    degree: int
    generators: Rows
    numbering: Rows
    left: Rows
    right: Rows
    votes: Rows
    bias: Sequence[int]
    input_bits: int
    vote_bits: int
    sha256: str
    product: str
    mistakes: Sequence[tuple[Sequence[int], Sequence[int]]] = ()


@dataclass(frozen=True)
class Split:
    """How integers are cut: shifted to the left by `shift` first, then `count` lower digits of `width` bits."""

    shift: int
    width: int
    count: int


def split(tables: Sequence[Rows], leading_bits: int) -> Split:
    """The cut that leaves at most `leading_bits` bits to the highest digit of the largest entry."""
    largest = max((abs(v) for rows in tables for row in rows for v in row), default=0)
    surplus = largest.bit_length() - leading_bits
    if surplus <= 0:
        return Split(-surplus, 0, 0)
    count = -(-surplus // (WORD - 1))
    width = -(-surplus // count)
    return Split(width * count - surplus, width, count)


def trailing_zeros(rows: Rows) -> int | None:
    """How often 2 divides every entry, None when all are 0."""
    return min((((v & -v).bit_length() - 1) for row in rows for v in row if v), default=None)


def shifted(rows: Rows, bits: int) -> list[list[int]]:
    """Each entry times 2^bits, which is an integer."""
    return [[v << bits if bits >= 0 else v >> -bits for v in row] for row in rows]


def in_least_units(network: StoredNetwork) -> StoredNetwork:
    """The same network over the least powers of two: first that of the inputs, then that of the votes, none below 1."""
    zeros = [trailing_zeros(rows) for rows in ([*network.left, *network.right], network.votes, [network.bias])]
    p, q = network.input_bits, network.vote_bits
    inputs = 0 if zeros[0] is None else max(0, p - zeros[0])
    votes = max(0, 0 if zeros[1] is None else q - zeros[1], 0 if zeros[2] is None else p + q - zeros[2] - inputs)
    return replace(
        network,
        left=shifted(network.left, inputs - p),
        right=shifted(network.right, inputs - p),
        votes=shifted(network.votes, votes - q),
        bias=shifted([network.bias], inputs + votes - p - q)[0],
        input_bits=inputs,
        vote_bits=votes,
    )


def splits(network: StoredNetwork) -> tuple[Split, Split]:
    """The cuts of the input tables and of the votes: as many leading bits as no sum can overflow with.

    With leading digits of a bits each, m neurons: |sum| <= m 2 2^a 2^a <= 2^59, and the bias, in the same units, is at most 2^59.
    """
    width = len(network.left[0])
    largest = max(map(abs, network.bias))
    for bits in range((SUM_BITS - 1 - width.bit_length()) // 2, 0, -1):
        inputs, votes = split((network.left, network.right), bits), split((network.votes,), bits)
        dropped = inputs.width * inputs.count + votes.width * votes.count - inputs.shift - votes.shift
        if largest.bit_length() - dropped <= SUM_BITS:
            break
    return inputs, votes


def scaled(rows: Rows, cut: Split) -> list[list[int]]:
    """The highest digits of a table, as signed integers."""
    return [[(v << cut.shift) >> (cut.width * cut.count) for v in row] for row in rows]


def list_of(items: Sequence[object]) -> str:
    """A Coq list on one line."""
    return "[" + ";".join(map(str, items)) + "]"


def table_of(rows: Rows) -> str:
    """A Coq list of lists, a row on each line; negative integers in two's complement."""
    return "[" + ";\n".join(list_of([v % (1 << WORD) for v in row]) for row in rows) + "]"


def permutations_of(elements: Rows) -> str:
    """A Coq list of permutations, one on each line."""
    return "[" + ";\n".join(list_of(images) for images in elements) + "]%nat"


def _matrix(name: str, rows: Rows, cut: Split) -> str:
    lower = []
    for k in range(cut.count - 1, -1, -1):
        digits = [[((v << cut.shift) >> (cut.width * k)) % (1 << cut.width) for v in row] for row in rows]
        lower.append(f"Definition {name}_digit_{k} : list (list int) :=\n{table_of(digits)}.\n")
    names = list_of([f"{name}_digit_{k}" for k in range(cut.count - 1, -1, -1)])
    return (
        f"Definition {name}_high : list (list int) :=\n{table_of(scaled(rows, cut))}.\n\n"
        + "".join(text + "\n" for text in lower)
        + f"Definition {name}_width : Z := {cut.width}.\nDefinition {name}_lower : list (list (list int)) := {names}.\n"
    )


def network_text(network: StoredNetwork) -> str:
    """The text of Network.v."""
    inputs, votes = splits(network)
    input_bits, vote_bits = network.input_bits + inputs.shift, network.vote_bits + votes.shift
    bias = [v << (inputs.shift + votes.shift) for v in network.bias]
    group = group_name(network.name)
    which = (
        ""
        if network.product == "left-first"
        else "\n    The checkpoint's product applies its second input first: [left] belongs to that one."
    )
    return f"""(** The network in the checkpoint with the SHA-256 digest
    {network.sha256}
    and the group {network.name}. Rows are in the order of the checkpoint.{which}
    [left] and [right] are in units of 2^-{input_bits}, [votes] in units of 2^-{vote_bits},
    [bias] in units of 2^-{input_bits + vote_bits}.
    Written by `verify export coq`; `verify check RUN --coq DIRECTORY` writes it again from the checkpoint and compares. *)

From Coq Require Import ZArith List Uint63.
From CosetVerify Require Import Definitions.
Import ListNotations.
Set Warnings "-abstract-large-number".
Open Scope list_scope.

Definition generators : list permutation :=
{permutations_of(network.generators)}.

Definition {group} : permutation -> Prop := generated {network.degree} generators.

Definition elements : list permutation :=
{permutations_of(network.numbering)}.

Open Scope uint63_scope.

{_matrix("left", network.left, inputs)}
{_matrix("right", network.right, inputs)}
{_matrix("votes", network.votes, votes)}
Definition bias_entries : list Z :=
{list_of(bias)}%Z.

Definition weights : network := {{|
  neurons := {len(network.left[0])};
  numbering := elements;
  left := matrix left_width left_high left_lower;
  right := matrix right_width right_high right_lower;
  votes := matrix votes_width votes_high votes_lower;
  bias := bias_entries
|}}.
"""


def group_name(name: str) -> str:
    """What Coq calls the group: its name where that is a letter and digits, else G."""
    plain = name.isascii() and name[:1] in "SACD" and name[1:].isdigit()
    return name if plain else "G"


def mistakes_text(network: StoredNetwork) -> str:
    """The text of Mistakes.v: the pairs at which the network is wrong, those of one x on each line."""
    by_first: dict[tuple[int, ...], list[str]] = {}
    for x, y in network.mistakes:
        by_first.setdefault(tuple(x), []).append(f"({list_of(x)},{list_of(y)})")
    rows = ";\n".join(map(list_of, by_first.values()))
    pairs = len(network.numbering) ** 2
    return f"""(** The {len(network.mistakes)} of {pairs} pairs (x, y) at which x * y has not the largest logit, or shares it. *)

From Coq Require Import List.
From CosetVerify Require Import Definitions.
Import ListNotations.
Open Scope list_scope.

Definition mistakes : list (permutation * permutation) := concat
[{rows}]%nat.
"""


def theorem_text(network: StoredNetwork, tables: bool = False) -> str:
    """The text of Theorem.v: by evaluating every pair, or through the tables of Plan.v.

    With mistakes it states that the network is right at all other pairs, and at none of these.
    """
    group = group_name(network.name)
    wrong = bool(network.mistakes)
    theory = "Factored AllPairs" if tables else "Check"
    files = "Network Mistakes" if wrong else "Network"
    check = "check" + "_tables" * tables + "_except" * wrong
    arguments = "digits_of_weights" + " Plan.mirrored Plan.chosen" * tables + " mistakes" * wrong
    holes = " _" * (3 + 2 * tables + wrong)
    if wrong:
        title = f"The network in Network.v multiplies in the group {network.name}, but at the pairs in Mistakes.v"
        name = "multiplies_except"
        statement = f"""forall x y, x ∈ {group} -> y ∈ {group} ->
  (forall z, z ∈ {group} -> z <> x * y -> (logit weights x y z < logit weights x y (x * y))%Z) <-> ~ In (x, y) mistakes."""
    else:
        title = f"The network in Network.v multiplies in the group {network.name}"
        name = "multiplies"
        statement = f"""forall x y z, x ∈ {group} -> y ∈ {group} -> z ∈ {group} ->
  z <> x * y -> (logit weights x y z < logit weights x y (x * y))%Z."""
    return f"""(** {title}. *)

From Coq Require Import ZArith List.
From CosetVerify Require Import Definitions Pairs {theory}.
Require Import {files}.
{"Require Plan." if tables else ""}
Import ListNotations.
Open Scope permutation_scope.

Definition digits_of_weights : stored := {{|
  stored_neurons := {len(network.left[0])};
  stored_numbering := elements;
  stored_left := Digits left_width left_high left_lower;
  stored_right := Digits right_width right_high right_lower;
  stored_votes := Digits votes_width votes_high votes_lower;
  stored_bias := bias_entries
|}}.

Lemma checked : {check} {network.degree} generators {arguments} = true.
Proof. vm_cast_no_check (@eq_refl bool true). Qed.

Theorem {name} : {statement}
Proof. exact ({check}_sound{holes} checked). Qed.

Check {name}.
Print Assumptions {name}.
"""
