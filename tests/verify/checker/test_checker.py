"""The checker says VERIFIED exactly where a twin in fractions does, and refuses every lie and every damaged file."""

import hashlib
import importlib.util
import json
import random
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import get_args

import msgspec
import pytest
from click.testing import CliRunner

import verify.checker
from verify.checker import layouts, processes, shape
from verify.checker.command import main
from verify.checker.integers import Packed
from verify.checker.progress import Progress
from verify.checker.statement import Options, check
from verify.checker.tensors import Tensor
from verify.commands.check import command
from verify.program.program import Program
from verify.record.certificate import Certificate, canonical_bytes

CHECKER = Path(verify.checker.__file__).parent
FOLDER = Path(__file__).parents[2] / "certificates"
ACCEPTED = sorted(path.stem for path in (FOLDER / "accepted").glob("*.json"))
REJECTED = sorted(path.stem for path in (FOLDER / "rejected").glob("*.json"))
MALFORMED = sorted(path.stem for path in (FOLDER / "malformed").glob("*.json"))


def helper(name: str) -> ModuleType:
    """A module beside this file: the twin in fractions and its cases."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


mutations = helper("checker_mutations")
SMALL, load, sealed, verdict = mutations.SMALL, mutations.load, mutations.sealed, mutations.verdict


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(CHECKER), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def last(text: str) -> str:
    return text.splitlines()[-1]


def test_the_folders_have_certificates() -> None:
    """What the other tests go through is there to be gone through."""
    assert min(len(ACCEPTED), len(REJECTED), len(MALFORMED)) >= 15


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_fractions_twin_states_is_confirmed(name: str) -> None:
    certificate, checkpoint = load(name)
    expected = "s CONFIRMED REFUTED" if name.startswith("refuted") else "s VERIFIED"
    assert verdict((FOLDER / "accepted" / f"{name}.json").read_bytes(), checkpoint) == expected
    assert verdict(sealed(certificate), checkpoint) == expected


@pytest.mark.parametrize("name", ["s3_every_form", "s3_points", "s3_wu_right_first", "refuted_tie"])
def test_the_committed_certificates_are_what_the_fractions_twin_states(name: str) -> None:
    reference, cases = helper("checker_reference"), helper("checker_cases")
    case = next(case for case in cases.cases() if case.name == name)
    checkpoint = (FOLDER / "accepted" / f"{name}.ckpt").read_bytes()
    assert reference.stored(case) == checkpoint
    assert canonical_bytes(reference.certificate(case, checkpoint)) == (FOLDER / "accepted" / f"{name}.json").read_bytes()


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_accepted_certificate_fits_the_schema_of_the_project(name: str) -> None:
    data = (FOLDER / "accepted" / f"{name}.json").read_bytes()
    again = msgspec.json.encode(msgspec.json.decode(data, type=Certificate), order="deterministic")
    assert (again == data) == (name != "s3_format_1")


def test_a_program_of_format_1_is_read_as_the_same_program() -> None:
    """The certificate that the last version wrote of the network of s3_every_form, byte by byte."""
    old, new = (load(name)[0]["program"] for name in ("s3_format_1", "s3_every_form"))
    assert (old["format"], new["format"]) == ("coset-voting program 1", "coset-voting program 2")
    program = msgspec.convert(old, Program)
    assert msgspec.structs.replace(program, format=new["format"]) == msgspec.convert(new, Program)


@pytest.mark.parametrize("name", REJECTED)
def test_a_false_certificate_is_not_verified(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(FOLDER / "rejected" / f"{name}.json"), "--checkpoint", str(FOLDER / "rejected" / f"{name}.ckpt")])
    done = capsys.readouterr()
    assert (code, done.out) == (1, "s NOT VERIFIED\n")
    assert "the certificate states" in done.err


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_gets_one_sentence_and_exit_code_4(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(FOLDER / "malformed" / f"{name}.json"), "--checkpoint", str(FOLDER / "malformed" / f"{name}.ckpt")])
    done = capsys.readouterr()
    assert (code, done.out) == (4, "s MALFORMED\n")
    assert "expected" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(("name", "code"), [("rejected/vote_changed", 1), ("malformed/deeply_nested", 4)])
def test_refusals_are_exit_codes_of_the_process(name: str, code: int) -> None:
    done = run(FOLDER / f"{name}.json", "--checkpoint", FOLDER / f"{name}.ckpt")
    assert (done.returncode, done.stdout) == (code, "s NOT VERIFIED\n" if code == 1 else "s MALFORMED\n")
    assert "Traceback" not in done.stderr


def test_it_runs_alone_and_in_several_processes() -> None:
    path = FOLDER / "accepted" / "s3_every_form"
    done = run(path.with_suffix(".json"), "--checkpoint", path.with_suffix(".ckpt"), "--jobs", "2")
    assert (done.returncode, last(done.stdout)) == (0, "s VERIFIED")


def test_a_sample_is_never_called_verified() -> None:
    path = FOLDER / "accepted" / "s3_every_form"
    done = run(path.with_suffix(".json"), "--checkpoint", path.with_suffix(".ckpt"), "--sample", "36")
    assert (done.returncode, last(done.stdout)) == (3, "s SAMPLED")
    assert "36 pairs" in done.stdout


def test_a_sample_finds_a_false_list_on_the_pairs_that_it_looks_at() -> None:
    certificate, checkpoint = load("refuted_network")
    certificate["correct"]["wrong"][0][2] = 5 - certificate["correct"]["wrong"][0][2]
    assert verdict(sealed(certificate), checkpoint, sample=36) == "s NOT VERIFIED"


@pytest.mark.parametrize(("name", "longest"), [("s3_every_form", 27), ("s3_sn_grok_even_first", 20)])
def test_nothing_is_said_of_float32_where_a_dot_product_is_too_long(name: str, longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound of a float32 dot product holds below 2^23 terms; here that limit is at the longest one, and one above."""
    certificate, checkpoint = load(name)
    assert layouts.LARGEST_TERMS == 2**23
    monkeypatch.setattr(layouts, "LARGEST_TERMS", longest + 1)
    assert verdict(sealed(certificate), checkpoint) == "s VERIFIED"
    monkeypatch.setattr(layouts, "LARGEST_TERMS", longest)
    assert verdict(sealed(certificate), checkpoint) == "s NOT VERIFIED"
    certificate["checkpoint"]["float32_forward"], certificate["correct"]["float32_any_order"] = False, None
    assert verdict(sealed(certificate), checkpoint) == "s VERIFIED"


def test_exchanged_arguments_and_a_project_that_is_not_there_are_said_to_be_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence each, and s MALFORMED: nothing was compared."""
    certificate, checkpoint = (str(FOLDER / "accepted" / f"s3_float64.{ending}") for ending in ("json", "ckpt"))

    assert main([checkpoint, "--checkpoint", certificate]) == 4
    printed = capsys.readouterr()
    assert printed.out == "s MALFORMED\n"
    assert printed.err == "expected a certificate, and its network behind --checkpoint, got the two the other way round\n"
    for place in (tmp_path / "none", Path(checkpoint)):
        assert main([certificate, "--checkpoint", checkpoint, "--coq", str(place)]) == 4
        assert "expected the folder of a Coq project, got none at" in capsys.readouterr().err


def test_the_file_that_the_certified_one_was_written_from_is_told_from_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run that writes network.safetensors certifies that file; the original is not verified, and the sentence says what is."""
    original, other = tmp_path / "model.pt", tmp_path / "other.pt"
    original.write_bytes(b"original")
    other.write_bytes(b"other")
    stated = json.loads((FOLDER / "accepted" / "s3_float64.json").read_text())
    stated["not_checked"]["original"] = {"name": "model.pt", "sha256": hashlib.sha256(b"original").hexdigest()}
    blank = json.dumps(stated | {"sha256": ""}, ensure_ascii=False, separators=(",", ":"))
    sealed = stated | {"sha256": hashlib.sha256(blank.encode()).hexdigest()}
    (tmp_path / "certificate.json").write_text(json.dumps(sealed))

    assert main([str(tmp_path), "--checkpoint", str(original)]) == 1
    assert "says that it is about network.safetensors, written from this file" in capsys.readouterr().err
    assert main([str(tmp_path), "--checkpoint", str(other)]) == 1
    assert "network.safetensors" not in capsys.readouterr().err


def test_a_missing_file_is_malformed_and_a_missing_option_is_usage(tmp_path: Path) -> None:
    assert run(tmp_path / "none.json", "--checkpoint", tmp_path / "none").returncode == 4
    assert run(tmp_path, "--checkpoint", tmp_path).returncode == 4
    assert run("--sample").returncode == 2


# ---- mutations


@pytest.mark.parametrize("name", SMALL)
def test_no_change_goes_unnoticed_when_the_digest_stays(name: str) -> None:
    counts = mutations.attacks(name, reseal=False, step=23)
    assert set(counts) == {"s NOT VERIFIED", "s MALFORMED"}
    assert counts.total() > 150


@pytest.mark.parametrize("name", SMALL)
def test_a_change_with_a_new_digest_passes_only_if_what_is_stated_stays_true(name: str) -> None:
    counts = mutations.attacks(name, reseal=True, step=61)
    assert counts["s NOT VERIFIED"] > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", SMALL)
def test_no_change_at_all_goes_unnoticed_when_the_digest_stays(name: str) -> None:
    assert mutations.attacks(name, reseal=False, step=1).total() > 3000


@pytest.mark.slow
def test_the_table_of_all_changes_with_a_new_digest_is_that_of_the_page() -> None:
    """docs/certificate.md shows what became of every change; each accepted one is of a kind that the page argues."""
    page = (Path(__file__).parents[3] / "docs" / "certificate.md").read_text(encoding="utf-8")
    assert mutations.table() in page


@pytest.mark.parametrize("name", ["s3_every_form", "s3_chughtai_table"])
def test_one_bit_of_the_checkpoint_is_noticed(name: str) -> None:
    certificate, checkpoint = load(name)
    stated, rng = sealed(certificate), random.Random(1)
    for place in range(0, len(checkpoint), 11):
        flipped = checkpoint[:place] + bytes([checkpoint[place] ^ 1 << rng.randrange(8)]) + checkpoint[place + 1 :]
        assert verdict(stated, flipped) == "s NOT VERIFIED"


@pytest.mark.parametrize("name", ["s3_every_form", "s3_chughtai_table"])
def test_a_checkpoint_with_one_bit_changed_and_its_own_digest_never_crashes_the_checker(name: str) -> None:
    certificate, checkpoint = load(name)
    rng, counts = random.Random(2), Counter[str]()
    for place in rng.sample(range(len(checkpoint)), 80):
        flipped = checkpoint[:place] + bytes([checkpoint[place] ^ 1 << rng.randrange(8)]) + checkpoint[place + 1 :]
        certificate["checkpoint"]["sha256"] = hashlib.sha256(flipped).hexdigest()
        counts[verdict(sealed(certificate), flipped)] += 1
    assert counts["s MALFORMED"] > 0
    assert counts.total() == 80


# ---- kernels against slow twins


def test_packed_sums_are_the_sums() -> None:
    rng = random.Random(3)
    for bits in (1, 5, 30, 63, 64, 65, 200):
        for _ in range(20):
            count, width = rng.randint(1, 6), rng.randint(2, 7)
            rows = [[rng.randint(-(2**bits), 2**bits) for _ in range(width)] for _ in range(count)]
            base = [rng.randint(-(2**bits), 2**bits) for _ in range(width)]
            c = [rng.choice([0, rng.randint(-(2**bits), 2**bits)]) for _ in range(count)]
            packed = Packed(rows, base, [abs(v) for v in c])
            slots = packed.combine(c)
            expected = [base[j] + sum(c[i] * rows[i][j] for i in range(count)) for j in range(width)]
            assert [packed.number(slots, j) for j in range(width)] == expected


def test_contest_finds_the_unique_largest_number_and_every_tie() -> None:
    rng = random.Random(4)
    for scale in (1, 2**70):
        for _ in range(400):
            values = [rng.randint(-2, 2) * scale + rng.choice([0, 0, 0, 1]) for _ in range(5)]
            packed = Packed([], values, [])
            for z in range(5):
                best = [j for j in range(5) if values[j] == max(values)]
                lead = values[z] - max(v for j, v in enumerate(values) if j != z)
                assert packed.contest(packed.combine([]), z) == (best[0] if len(best) == 1 else -1, lead)


@pytest.mark.parametrize(("kind", "code", "size"), [("F16", "e", 2), ("F32", "f", 4), ("F64", "d", 8)])
def test_numbers_are_read_exactly_denormals_and_extremes_included(kind: str, code: str, size: int) -> None:
    rng = random.Random(5)
    patterns = [rng.getrandbits(8 * size) for _ in range(500)] + [0, 1, 1 << (8 * size - 1), (1 << (8 * size - 1)) + 1]
    values = [struct.unpack(f"<{code}", pattern.to_bytes(size, "little"))[0] for pattern in patterns]
    finite = [v for v in values if v == v and abs(v) != float("inf")]
    read = Tensor(kind, memoryview(struct.pack(f"<{len(finite)}{code}", *finite)), (len(finite),), (1,)).matrix()
    assert [Fraction(v, 2**read.bits) for v in read.rows[0]] == [Fraction(v) for v in finite]


def test_float32_numbers_in_a_float64_file_are_told_from_others() -> None:
    def narrow(value: float) -> bool:
        return Tensor("F64", memoryview(struct.pack("<d", value)), (1,), (1,)).matrix().narrow

    fine = [0.0, -0.0, 1.0, 2.0**-149, 2.0**-126, float(2**24 - 1) * 2.0**104, -1.5]
    assert [narrow(v) for v in fine] == [True] * len(fine)
    rough = [0.1, 2.0**-150, 2.0**128, 1 + 2.0**-24, 3 * 2.0**-150, float(2**25 - 1) * 2.0**103]
    assert [narrow(v) for v in rough] == [False] * len(rough)


# ---- the command line


def test_the_command_is_the_checker() -> None:
    path = FOLDER / "accepted" / "refuted_tie"
    arguments = [str(path.with_suffix(".json")), "--checkpoint", str(path.with_suffix(".ckpt"))]
    done = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert (done.return_value, last(done.stdout)) == (1, "s CONFIRMED REFUTED")
    done = CliRunner().invoke(command, [*arguments, "--sample", "5"], standalone_mode=False)
    assert (done.return_value, last(done.stdout)) == (3, "s SAMPLED")


def test_the_committed_json_schema_is_that_of_the_certificate() -> None:
    committed = json.loads((Path(__file__).parents[3] / "docs" / "certificate.schema.json").read_text(encoding="utf-8"))
    assert committed == json.loads(json.dumps(msgspec.json.schema(Certificate)))


def test_the_checker_and_the_schema_know_the_same_keys() -> None:
    definitions = msgspec.json.schema(Certificate)["$defs"]
    known = {name: set(part["properties"]) for name, part in definitions.items()}
    assert {name: {field.name for field in fields(getattr(shape, name))} for name in known} == known
    assert set(definitions["Form"]["properties"]["on"]["enum"]) == set(get_args(shape.On))
    assert set(definitions["NeuronRecord"]["properties"]["kind"]["enum"]) == set(get_args(shape.Kind))


@pytest.mark.slow
def test_the_certificate_of_the_bundled_s5_network_is_verified_and_with_another_checkpoint_it_is_not(tmp_path: Path) -> None:
    from verify.jobs.run import run as verify_network

    bundled = Path(__file__).parents[3] / "net" / "checkpoints" / "S5.safetensors"
    directory = verify_network(bundled, "S5", tmp_path / "out", timeout_s=20).directory
    done = run(directory / "certificate.json", "--checkpoint", bundled)
    assert (done.returncode, last(done.stdout)) == (0, "s VERIFIED")
    flipped = bytearray(bundled.read_bytes())
    flipped[-1] ^= 1
    (tmp_path / "other.safetensors").write_bytes(flipped)
    done = run(directory / "certificate.json", "--checkpoint", tmp_path / "other.safetensors")
    assert (done.returncode, done.stdout) == (1, "s NOT VERIFIED\n")


READ = [
    ("the group is what it is called", "its generators multiplied out", 6, "elements"),
    ("the network is that of the file", "read, folded, and put in the group's order", 19, "neurons"),
    ("mechanism: the program's neurons are the network's, but for the deviations", "written out and compared", 19, "neurons"),
]
Q1, Q2 = "Q1: the network's answers against xy", "Q2: the program's answers against the network's"
Q4 = "Q4: pairs settled through the coset structure"
NEAR, REDONE = "margins of the network, which is close", "the plan's tables, with those of Q1; operations counted"
SEEN = {
    ("s3_chughtai_table", None): [(Q1, "tables of the compact plan", 36), (Q2, NEAR, 36), (Q4, REDONE, 36)],
    ("s3_wu_right_first", None): [(Q1, "every pair evaluated, in two precisions", 36), (Q2, NEAR, 36)],
    ("s3_chughtai_table", 5): [(Q1, "a sample", 5), (Q2, "a sample", 5), (Q4, "not redone", 36)],
}


@pytest.mark.parametrize(("name", "sample"), SEEN)
def test_the_table_says_how_each_statement_was_redone_and_on_how_much(name: str, sample: int | None) -> None:
    certificate, checkpoint = load(name)
    found = check(sealed(certificate), checkpoint, Options(sample), Progress(None))
    rows = [(line.statement, line.how, line.number, line.unit) for line in found.table]
    assert rows[:3] == READ
    assert [row for row in rows if row[0] in (Q1, Q2, Q4)] == [(*row, "pairs") for row in SEEN[name, sample]]
    assert (found.formula, found.line) == ("", "s VERIFIED" if sample is None else "s SAMPLED")
    assert all(0 <= line.seconds < 60 for line in found.table)


def test_no_more_processes_than_cores(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand processes are asked for and one core is there: one is started, and that is said."""
    monkeypatch.setattr(processes.os, "sched_getaffinity", lambda _: {0})
    path = FOLDER / "accepted" / "s3_every_form"
    assert main([str(path.with_suffix(".json")), "--checkpoint", str(path.with_suffix(".ckpt")), "--jobs", "1000"]) == 0
    assert "1 process in place of 1,000: there are no more cores" in capsys.readouterr().err
    assert (processes.at_once(1), processes.at_once(3)) == (1, 1)
    monkeypatch.setattr(processes.os, "sched_getaffinity", lambda _: {0, 3, 5})
    assert [processes.at_once(jobs) for jobs in (1, 2, 3, 4)] == [1, 2, 3, 3]
