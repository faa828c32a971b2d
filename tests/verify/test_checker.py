"""The checker says VERIFIED exactly where a twin in fractions does, and refuses every lie and every damaged file."""

import copy
import hashlib
import io
import json
import pickle
import random
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from verify import checker
from verify.certificate import Certificate

FOLDER = Path(__file__).parents[1] / "certificates"
ACCEPTED = sorted(path.stem for path in (FOLDER / "accepted").glob("*.json"))
REJECTED = sorted(path.stem for path in (FOLDER / "rejected").glob("*.json"))
MALFORMED = sorted(path.stem for path in (FOLDER / "malformed").glob("*.json"))
SMALL = ["s3_every_form", "s3_chughtai_table", "s3_sn_grok_even_first", "refuted_network", "refuted_program"]


def load(name: str) -> tuple[dict[str, Any], bytes]:
    certificate = json.loads((FOLDER / "accepted" / f"{name}.json").read_bytes())
    return certificate, (FOLDER / "accepted" / f"{name}.ckpt").read_bytes()


def sealed(certificate: dict[str, Any]) -> bytes:
    """The digest of what is there now, by the rule of the format."""
    blank = json.dumps({**certificate, "sha256": ""}, ensure_ascii=False, separators=(",", ":")).encode()
    return json.dumps({**certificate, "sha256": hashlib.sha256(blank).hexdigest()}, ensure_ascii=False).encode()


def verdict(certificate: bytes, checkpoint: bytes, sample: int | None = None) -> str:
    try:
        c = checker.read_certificate(certificate)
        return checker.check(c, checkpoint, FOLDER / "accepted", sample, 0, 1)
    except checker.Differs:
        return "s NOT VERIFIED"
    except checker.Malformed:
        return "s MALFORMED"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", checker.__file__, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_fractions_twin_states_is_confirmed(name: str) -> None:
    certificate, checkpoint = load(name)
    expected = "s CONFIRMED REFUTED" if name.startswith("refuted") else "s VERIFIED"
    assert verdict((FOLDER / "accepted" / f"{name}.json").read_bytes(), checkpoint) == expected
    assert verdict(sealed(certificate), checkpoint) == expected


@pytest.mark.parametrize("name", ACCEPTED)
def test_an_accepted_certificate_fits_the_schema_of_the_project(name: str) -> None:
    data = (FOLDER / "accepted" / f"{name}.json").read_bytes()
    assert msgspec.json.encode(msgspec.json.decode(data, type=Certificate), order="deterministic") == data


@pytest.mark.parametrize("name", REJECTED)
def test_a_false_certificate_is_not_verified(name: str) -> None:
    done = run(FOLDER / "rejected" / f"{name}.json", "--checkpoint", FOLDER / "rejected" / f"{name}.ckpt")
    assert (done.returncode, done.stdout) == (1, "s NOT VERIFIED\n")
    assert "the certificate states" in done.stderr


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_gets_one_sentence_and_exit_code_4(name: str) -> None:
    done = run(FOLDER / "malformed" / f"{name}.json", "--checkpoint", FOLDER / "malformed" / f"{name}.ckpt")
    assert (done.returncode, done.stdout) == (4, "s MALFORMED\n")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_it_runs_alone_and_in_several_processes() -> None:
    path = FOLDER / "accepted" / "s3_every_form"
    done = run(path.with_suffix(".json"), "--checkpoint", path.with_suffix(".ckpt"), "--jobs", "2")
    assert (done.returncode, done.stdout) == (0, "s VERIFIED\n")


def test_a_sample_is_never_called_verified() -> None:
    path = FOLDER / "accepted" / "s3_every_form"
    done = run(path.with_suffix(".json"), "--checkpoint", path.with_suffix(".ckpt"), "--sample", "36")
    assert (done.returncode, done.stdout) == (3, "s SAMPLED\n")
    assert "36 of the 36 pairs" in done.stderr


def test_a_sample_finds_a_false_list_on_the_pairs_that_it_looks_at() -> None:
    certificate, checkpoint = load("refuted_network")
    certificate["correct"]["wrong"][0][2] = 5 - certificate["correct"]["wrong"][0][2]
    assert verdict(sealed(certificate), checkpoint, sample=36) == "s NOT VERIFIED"


def test_a_missing_file_is_malformed_and_a_missing_option_is_usage(tmp_path: Path) -> None:
    assert run(tmp_path / "none.json", "--checkpoint", tmp_path / "none").returncode == 4
    assert run(tmp_path, "--checkpoint", tmp_path).returncode == 4
    assert run("--sample").returncode == 2


def test_the_file_is_small_and_imports_the_standard_library_alone() -> None:
    source = Path(checker.__file__).read_text(encoding="utf-8")
    imported = {line.split()[1].split(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names
    assert len(source.splitlines()) <= 600


# ---- mutations


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all strings, numbers, truth values and nulls, and of all lists."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
        return
    yield path
    if isinstance(value, list):
        for k, item in enumerate(value):
            yield from leaves(item, (*path, k))


def changes(value: Any) -> list[Any]:
    """Other values of the same type, and null for something or something for null."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, -value - 7]
    if value is None:
        return [0, "0"]
    if isinstance(value, list):
        shorter = [value[:-1], value[1:], value + value[-1:], value[::-1]] if value else [[0], [[0, 0, 0]]]
        return [other for other in shorter if other != value]
    words = ["PROVED", "REFUTED", "UNKNOWN", "VERIFIED", "left-first", "right-first", "right cosets", "left cosets"]
    words += ["double cosets", "coset matrix", "elements", "coset", "dead", "raw", "table", "lexicographic", "S3", "S4"]
    words += ["(1 2)", "(1 2 3)", "(2 3)", "()", "0", "1/2", "-" + value, value + "0", value[::-1]]
    words += [chr(ord(value[0]) ^ 1) + value[1:]] if value else []
    return [word for word in words if word != value]


def mutants(certificate: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    for path in leaves(certificate):
        place = certificate
        for key in path[:-1]:
            place = place[key]
        for other in changes(place[path[-1]]):
            changed = copy.deepcopy(certificate)
            inner = changed
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = other
            yield path, changed


def without_meaning(path: tuple[Any, ...], before: Any, after: dict[str, Any]) -> bool:
    """Changes after which a certificate with a new digest is still true; docs/certificate.md argues each one.

    Labels that people read (the name of a subgroup, a neuron's kind unless it is "dead", what the numbering is
    called, versions, sentences, strategies, the solver's part of the symbolic finding); a smaller count of float32
    pairs; other generators, or another order of things, for the same group, subgroups and network.
    """
    keys = [key for key in path if isinstance(key, str)]
    if keys[0] in ("versions",) or keys[:2] in (["checkpoint", "order"], ["program", "subgroups"]):
        return True
    if keys[0] in ("symbolic", "compact", "neurons") and keys[-1] not in ("circuit", "index"):
        return not keys[-1].endswith("deviation")
    if keys == ["correct", "float32_any_order"]:
        return 0 <= after["correct"]["float32_any_order"] < before["correct"]["float32_any_order"]
    return keys[0] == "program" and keys[-1] in ("circuits", "neurons", "subgroups", "kernels", "on")


@pytest.mark.parametrize("name", SMALL)
def test_no_change_goes_unnoticed_when_the_digest_stays(name: str) -> None:
    certificate, checkpoint = load(name)
    counts: dict[str, int] = {}
    for path, changed in mutants(certificate):
        found = verdict(json.dumps(changed).encode(), checkpoint)
        counts[found] = counts.get(found, 0) + 1
        assert found in ("s NOT VERIFIED", "s MALFORMED"), path
    assert counts["s NOT VERIFIED"] > 1000


@pytest.mark.parametrize("name", SMALL)
def test_a_change_with_a_new_digest_passes_only_if_what_is_stated_stays_true(name: str) -> None:
    certificate, checkpoint = load(name)
    good = verdict(sealed(certificate), checkpoint)
    accepted = []
    for path, changed in mutants(certificate):
        found = verdict(sealed(changed), checkpoint)
        if found not in ("s NOT VERIFIED", "s MALFORMED") and path != ("sha256",):
            accepted.append(path)
            assert found == good, path
            assert without_meaning(path, certificate, changed), path
    assert accepted  # labels, at least
