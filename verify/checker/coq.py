"""The files of a Coq project against the checkpoint: the theorem in them is about this network and says what it should.

Network.v is written again from the checkpoint, by the checker's own reader, and compared byte for byte; so are Theorem.v and, where
the certificate lists wrong answers, Mistakes.v. The theory and the Makefile must be those of this version, by their digests. Plan.v
states nothing, so it may hold any numbers, but nothing else than numbers.
Files that coqc makes (.vo) are not looked at: compile the project afresh.

    integer of a table = high 2^(w k) + d_1 2^(w (k-1)) + ... + d_k,    0 <= d_j < 2^w, high signed
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from .groups import Group, permutation
from .integers import Rows, columns
from .layouts import folded, read_checkpoint
from .readings import described
from .shape import Certificate, Differs, Malformed, need, read_certificate, same

#: SHA-256 of the theory's files, one after the other in alphabetical order, each behind its name and a line feed.
THEORY = "b51b26bdc59ce867df156cd7f353b39db11147440ee32b91768f33de1a483cc8"

#: SHA-256 of the Makefile, and what make would read in its place.
MAKEFILE = "e66e38ab5b214234787a99a3f37e021d8e2a78315f4f7ff48280718e3ea1d687"
OTHER_MAKEFILES = ("GNUmakefile", "makefile")

PLAN_HEADER = """(** How neurons are read through levels, and in which order tables are added. Any plan that passes will do. *)

From Coq Require Import ZArith List Uint63.
From CosetVerify Require Import Tables Factored.
Import ListNotations.
Set Warnings "-abstract-large-number".
Open Scope list_scope.

"""
NUMBERS = r"[0-9;,()\[\]\n]+"
PLAN = re.compile(
    rf"(Definition table_\d+ : tree := (Family {NUMBERS}%nat\n{NUMBERS}%uint63\n{NUMBERS}%nat"
    rf"|Both table_\d+ table_\d+\n{NUMBERS}%nat\n{NUMBERS}%nat)\.\n\n)*"
    r"Definition mirrored : bool := (true|false)\.\nDefinition chosen : plan := Plan \[[table_0-9;]*\] \d+%Z \d+%Z\.\n"
)


def check_project(certificate: bytes, checkpoint: bytes, folder: Path) -> tuple[int, str]:
    """The number of weights compared, and what the network is in terms of the file's tensors, where the certificate states that.

    Raises Differs or Malformed where the project is not that of the network.
    """
    c = read_certificate(certificate)
    same("checkpoint.sha256", c.checkpoint.sha256, hashlib.sha256(checkpoint).hexdigest())
    layout, layers = read_checkpoint(checkpoint, c.checkpoint.reading)
    same("group.order, elements of the network", c.group.order, layers.order)
    group = Group(c.group)
    network, _ = folded(layout, layers, c.checkpoint, group)
    need(not network.squared, "expected a network of relu for a Coq project, got one of squares")
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.v"))
    theory = [name for name in files if name.startswith("theory/")]
    digest = hashlib.sha256(b"".join(name.encode() + b"\n" + _read(folder / name) for name in theory)).hexdigest()
    _agree("theory/", digest, THEORY)
    _agree("Makefile", hashlib.sha256(_read(folder / "Makefile")).hexdigest(), MAKEFILE)
    others = {path.name for path in folder.iterdir()} & {*OTHER_MAKEFILES}
    same("makefiles of the project, which make would take for its Makefile", [], sorted(others))
    tables = "Plan.v" in files
    wrong = [g for x, y, _ in c.correct.wrong for g in (x, y)]
    need(all(0 <= g < group.order for g in wrong), "expected wrong pairs of two elements of the group")
    mistakes = sorted((x, y) for x, y, _ in c.correct.wrong)
    expected = ["Network.v", "Theorem.v", *["Plan.v"] * tables, *["Mistakes.v"] * bool(mistakes), *theory]
    same("files of the project", sorted(expected), files)
    order = c.checkpoint.numbering
    rows = [[table[g] for g in order] for table in (network.left, network.right, columns(network.votes))]
    bias = [network.bias[g] for g in order]
    _agree(
        "Network.v",
        _read(folder / "Network.v").decode(errors="replace"),
        network_text(c, group, rows, bias, network.bits, network.vote_bits),
    )
    _agree("Theorem.v", _read(folder / "Theorem.v").decode(errors="replace"), theorem_text(c, tables, network.width))
    if mistakes:
        pairs = [(group.elements[x], group.elements[y]) for x, y in mistakes]
        _agree("Mistakes.v", _read(folder / "Mistakes.v").decode(errors="replace"), mistakes_text(pairs, group.order))
    if tables:
        text = _read(folder / "Plan.v").decode(errors="replace")
        good = text.startswith(PLAN_HEADER) and PLAN.fullmatch(text, len(PLAN_HEADER)) is not None
        need(good, "Plan.v: expected lists of numbers and nothing else, got something else; export the project again")
    return 3 * group.order * network.width + group.order, "" if c.checkpoint.reading is None else described(c.checkpoint.reading)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Malformed(
            f"expected a Coq project with {path.name}, got {error.strerror}; was it written by `verify export coq`?"
        ) from None


def _agree(name: str, stated: str, found: str) -> None:
    if stated != found:
        raise Differs(f"{name} of the Coq project is not that of the checkpoint and of this version; export it again")


def network_text(c: Certificate, group: Group, rows: Sequence[Rows], bias: list[int], bits: int, vote_bits: int) -> str:
    """Network.v, from integers over 2^bits and 2^vote_bits."""
    left, right, votes = rows
    # the least powers of two
    inputs = max([0, *(bits - _zeros(v) for table in (left, right) for row in table for v in row if v)])
    outputs = max(
        [0, *(vote_bits - _zeros(v) for row in votes for v in row if v), *(bits + vote_bits - _zeros(v) - inputs for v in bias if v)]
    )
    # as many leading bits as keep all sums below 2^59
    width, lead = len(left[0]), (58 - len(left[0]).bit_length()) // 2
    high_in, high_out = (max(abs(v) for table in tables for row in table for v in row) for tables in ((left, right), (votes,)))
    high_bias = max(map(abs, bias))
    while True:
        first, second = _cut(_moved(high_in, inputs - bits), lead), _cut(_moved(high_out, outputs - vote_bits), lead)
        dropped = first[1] * first[2] - first[0] + second[1] * second[2] - second[0]
        if _moved(high_bias, inputs + outputs - bits - vote_bits).bit_length() - dropped <= 59 or lead == 1:
            break
        lead -= 1
    p, q = inputs + first[0], outputs + second[0]
    name = _group_name(c.group.name)
    swapped = "\n    The checkpoint's product applies its second input first: [left] belongs to that one."
    numbered = [group.elements[g] for g in c.checkpoint.numbering]
    return "".join(
        [
            f"(** The network in the checkpoint with the SHA-256 digest\n    {c.checkpoint.sha256}\n    and the group {c.group.name}.",
            f" Rows are in the order of the checkpoint.{swapped if c.checkpoint.product == 'right-first' else ''}\n",
            f"    [left] and [right] are in units of 2^-{p}, [votes] in units of 2^-{q},\n    [bias] in units of 2^-{p + q}.\n",
            "    Written by `verify export coq`; `verify check RUN --coq DIRECTORY` writes it again",
            " from the checkpoint and compares. *)\n\n",
            "From Coq Require Import ZArith List Uint63.\nFrom CosetVerify Require Import Definitions.\nImport ListNotations.\n",
            'Set Warnings "-abstract-large-number".\nOpen Scope list_scope.\n\n',
            f"Definition generators : list permutation :=\n{_table(_images(c.group.generators, group))}%nat.\n\n",
            f"Definition {name} : permutation -> Prop := generated {group.degree} generators.\n\n",
            f"Definition elements : list permutation :=\n{_table(numbered)}%nat.\n\nOpen Scope uint63_scope.\n\n",
            _matrix("left", left, p - bits, first),
            _matrix("right", right, p - bits, first),
            _matrix("votes", votes, q - vote_bits, second),
            f"Definition bias_entries : list Z :=\n{_list(_moved(v, p + q - bits - vote_bits) for v in bias)}%Z.\n\n",
            f"Definition weights : network := {{|\n  neurons := {width};\n  numbering := elements;\n",
            "".join(f"  {part} := matrix {part}_width {part}_high {part}_lower;\n" for part in ("left", "right", "votes")),
            "  bias := bias_entries\n|}.\n",
        ]
    )


def mistakes_text(pairs: Sequence[tuple[Sequence[int], Sequence[int]]], order: int) -> str:
    """Mistakes.v, from the pairs of permutations in their order."""
    rows: list[list[str]] = []
    before: Sequence[int] | None = None
    for x, y in pairs:
        if x != before:
            rows.append([])
        rows[-1].append(f"({_list(x)},{_list(y)})")
        before = x
    return (
        f"(** The {len(pairs)} of {order**2} pairs (x, y) at which x * y has not the largest logit, or shares it. *)\n\n"
        "From Coq Require Import List.\nFrom CosetVerify Require Import Definitions.\nImport ListNotations.\nOpen Scope list_scope.\n\n"
        f"Definition mistakes : list (permutation * permutation) := concat\n{_table(rows)}%nat.\n"
    )


def theorem_text(c: Certificate, tables: bool, width: int) -> str:
    """Theorem.v."""
    name, wrong = _group_name(c.group.name), bool(c.correct.wrong)
    stored = "".join(f"  stored_{part} := Digits {part}_width {part}_high {part}_lower;\n" for part in ("left", "right", "votes"))
    check = f"check{'_tables' * tables}{'_except' * wrong}"
    theorem = "multiplies_except" if wrong else "multiplies"
    less = "(logit weights x y z < logit weights x y (x * y))%Z"
    if wrong:
        statement = (
            f"forall x y, x ∈ {name} -> y ∈ {name} ->\n  (forall z, z ∈ {name} -> z <> x * y -> {less}) <-> ~ In (x, y) mistakes.\n"
        )
    else:
        statement = f"forall x y z, x ∈ {name} -> y ∈ {name} -> z ∈ {name} ->\n  z <> x * y -> {less}.\n"
    return (
        f"(** The network in Network.v multiplies in the group {c.group.name}{', but at the pairs in Mistakes.v' * wrong}. *)\n\n"
        "From Coq Require Import ZArith List.\n"
        f"From CosetVerify Require Import Definitions Pairs {'Factored AllPairs' if tables else 'Check'}.\n"
        f"Require Import Network{' Mistakes' * wrong}.\n{'Require Plan.' if tables else ''}\n"
        "Import ListNotations.\nOpen Scope permutation_scope.\n\n"
        f"Definition digits_of_weights : stored := {{|\n  stored_neurons := {width};\n  stored_numbering := elements;\n"
        f"{stored}  stored_bias := bias_entries\n|}}.\n\n"
        f"Lemma checked : {check} {c.group.degree} generators digits_of_weights"
        f"{' Plan.mirrored Plan.chosen' * tables}{' mistakes' * wrong} = true.\n"
        f"Proof. vm_cast_no_check (@eq_refl bool true). Qed.\n\nTheorem {theorem} : {statement}"
        f"Proof. exact ({check}_sound{' _' * (3 + 2 * tables + wrong)} checked). Qed.\n\n"
        f"Check {theorem}.\nPrint Assumptions {theorem}.\n"
    )


def _images(generators: Iterable[str], group: Group) -> Rows:
    return [list(permutation(text, group.degree)) for text in generators]


def _zeros(v: int) -> int:
    return (v & -v).bit_length() - 1


def _moved(v: int, bits: int) -> int:
    return v << bits if bits >= 0 else v >> -bits


def _cut(largest: int, lead: int) -> tuple[int, int, int]:
    """Shift to the left, bits of a lower digit, number of lower digits, so that the highest digit has at most `lead` bits."""
    more = largest.bit_length() - lead
    if more <= 0:
        return -more, 0, 0
    count = (more + 61) // 62
    size = (more + count - 1) // count
    return size * count - more, size, count


def _list(items: Iterable[object]) -> str:
    return f"[{';'.join(map(str, items))}]"


def _table(rows: Iterable[Iterable[object]]) -> str:
    return f"[{';'.join(_list(row) + chr(10) for row in rows).rstrip()}]".replace("\n;", ";\n")


def _matrix(name: str, rows: Rows, shift: int, cut: tuple[int, int, int]) -> str:
    _, size, count = cut
    exact = [[_moved(v, shift) for v in row] for row in rows]
    text = f"Definition {name}_high : list (list int) :=\n{_table([(v >> size * count) % 2**63 for v in row] for row in exact)}.\n\n"
    places = range(count - 1, -1, -1)
    for k in places:
        digits = _table([(v >> size * k) % 2**size for v in row] for row in exact)
        text += f"Definition {name}_digit_{k} : list (list int) :=\n{digits}.\n\n"
    lower = _list(f"{name}_digit_{k}" for k in places)
    return text + f"Definition {name}_width : Z := {size}.\nDefinition {name}_lower : list (list (list int)) := {lower}.\n\n"


def _group_name(name: str) -> str:
    return name if re.fullmatch("[SACD][0-9]+", name) else "G"
