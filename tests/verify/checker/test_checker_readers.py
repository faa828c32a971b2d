"""The checker's own readers, of safetensors, torch archives and certificates: damaged and hostile files end in one clean sentence."""

import hashlib
import importlib.util
import io
import json
import pickle
import struct
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from verify import checker

ACCEPTED = Path(__file__).parents[2] / "certificates" / "accepted"
SCRIPT = Path(__file__).parents[3] / "benchmarks" / "fuzz_checker.py"


def module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


hostile = module(Path(__file__).with_name("checker_hostile_files.py"))
GOOD = json.loads((ACCEPTED / "s3_every_form.json").read_bytes())
CHECKPOINT = (ACCEPTED / "s3_every_form.ckpt").read_bytes()


@pytest.fixture(scope="module")
def fuzz() -> Iterator[ModuleType]:
    """The fuzzing script as a module."""
    before = list(sys.path)
    yield module(SCRIPT)
    sys.path[:] = before
    for name in ("fuzz_checker", "checker_damage", "fuzz_readers"):
        sys.modules.pop(name, None)


def test_damaged_files_of_every_kind_are_read_or_refused(fuzz: ModuleType, tmp_path: Path) -> None:
    """900 seeded inputs; each kind of damage is refused often, and that done to checkpoints is read now and then."""
    outcome = fuzz.fuzz(900, seed=1, folder=tmp_path)
    assert outcome.crashes == []
    assert sum(outcome.counts.values()) == 900
    for kind in fuzz.KINDS:
        assert outcome.counts[kind, "refused"] > 50
    assert min(outcome.counts[kind, "read"] for kind in ("bytes", "pickle", "zip")) > 3


class Careless(pickle.Unpickler):
    """Calls what a pickle names; of torch it makes nothing."""

    def persistent_load(self, pid: object) -> object:
        """A storage is the words that name it."""
        return pid

    def find_class(self, module: str, name: str) -> Any:
        """What has this name, whatever it does."""
        return (lambda *_: None) if module.startswith("torch") else super().find_class(module, name)


def test_the_fuzzer_notices_code_that_runs_and_errors_that_are_not_clean(
    fuzz: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a reader that runs what a pickle names, and with one that lets a KeyError out, the same inputs are crashes."""
    with monkeypatch.context() as patch:
        patch.setattr(checker, "unpickle", lambda pickled, storages: Careless(io.BytesIO(pickled)).load())
        assert any("code in a file was run" in crash[0] for crash in fuzz.fuzz(120, 1, tmp_path, ("pickle",)).crashes)
    monkeypatch.setattr(checker, "read_network", lambda data, record: {}["missing"])
    assert len(fuzz.fuzz(12, 1, tmp_path).crashes) >= 8


@pytest.mark.slow
def test_a_hundred_thousand_damaged_files(fuzz: ModuleType, tmp_path: Path) -> None:
    outcome = fuzz.fuzz(100_000, seed=2, folder=tmp_path)
    assert outcome.crashes == []


def sentence(certificate: dict[str, Any], checkpoint: bytes) -> str:
    """What the checker says when it refuses these, under the limits on time and memory that hold for all files."""
    certificate = {**certificate, "checkpoint": {**certificate["checkpoint"], "sha256": hashlib.sha256(checkpoint).hexdigest()}}
    blank = json.dumps({**certificate, "sha256": ""}, ensure_ascii=False, separators=(",", ":")).encode()
    certificate["sha256"] = hashlib.sha256(blank).hexdigest()
    began = time.perf_counter()
    tracemalloc.start()
    try:
        with pytest.raises((checker.Malformed, checker.Differs)) as caught:
            checker.check(certificate, checkpoint, ACCEPTED, None, 0, 1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**20 + 500 * (len(checkpoint) + len(blank))
    assert time.perf_counter() - began < 20
    assert str(caught.value).isprintable()
    return f"{caught.type.__name__}: {caught.value}"


@pytest.mark.parametrize("name", hostile.checkpoints())
def test_small_files_that_would_take_memory_time_or_stack_are_refused(name: str) -> None:
    assert sentence(GOOD, hostile.checkpoints()[name]).startswith("Malformed: expected a checkpoint, got: Malformed: expected ")


@pytest.mark.parametrize("name", hostile.certificates(GOOD))
def test_small_certificates_that_would_take_memory_or_time_are_refused(name: str) -> None:
    found = sentence(hostile.certificates(GOOD)[name], CHECKPOINT)
    assert ("expected" in found) if found.startswith("Malformed") else ("the certificate states" in found)


@pytest.mark.parametrize("kind", ["[", '{"format":'])
def test_certificates_nested_up_to_the_limit_of_the_stack_are_malformed(kind: str) -> None:
    """At some depth the value can still be read, and no longer be written into a message."""
    for depth in range(1, sys.getrecursionlimit() + 10, 7):
        text = kind * depth + "0" + {"[": "]", '{"format":': "}"}[kind] * depth
        with pytest.raises(checker.Malformed):
            checker.check(checker.parse_json(text.encode()), b"", ACCEPTED, None, 0, 1)


WU = ["embedding_left", "embedding_right", "linear_left", "linear_right", "unembedding", "unembed_bias"]
SHAPES = dict(zip(WU, [(6, 3), (6, 3), (3, 2), (3, 2), (2, 6), (6,)], strict=True))


def read(**changed: tuple[int, ...] | None) -> str:
    """What the checker makes of a network with two halves of a layer, with other shapes for these tensors or without them."""
    shapes = {name: shape for name, shape in {**SHAPES, **changed}.items() if shape}
    data = hostile.safetensors({name: np.ones(shape) for name, shape in shapes.items()})
    record = {"format": "wu", "width": 2, "parameters": 42, "order": "lexicographic", "numbering": list(range(6)),
              "product": "left-first", "float32_forward": True}  # fmt: skip
    try:
        return type(checker.read_network(data, record)[0]).__name__
    except (checker.Malformed, checker.Differs) as error:
        return f"{type(error).__name__}: {error}"


def test_one_half_of_a_layer_is_no_network() -> None:
    """Without the left half the shapes may still fit, but the number of terms in a pre-activation is another on each side."""
    assert read() == "Network"
    assert read(linear_left=None, embedding_left=(6, 2)).startswith("Malformed")
    assert read(linear_right=None, embedding_right=(6, 2)).startswith("Malformed")


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("embedding_left", (5, 3)), ("embedding_right", (7, 3)), ("linear_left", (3, 3)), ("linear_right", (3, 1)),
        ("unembedding", (2, 5)), ("unembedding", (3, 6)), ("unembed_bias", (5,)), ("unembed_bias", (2, 6)),
        ("unembedding", (1, 2, 3)), ("embedding_left", (2, 6, 3)), ("unembed_bias", (1, 1, 1, 6)), ("embedding_left", (6, 4)),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_malformed(name: str, shape: tuple[int, ...]) -> None:
    assert read(**{name: shape}).startswith("Malformed: expected a checkpoint")


@pytest.mark.parametrize("name", WU)
def test_a_third_dimension_of_one_is_left_out(name: str) -> None:
    assert read(**{name: (1, *SHAPES[name][-2:])} if len(SHAPES[name]) == 2 else {name: (1, 6)}) == "Network"


def test_a_tensor_is_read_through_its_strides_and_offset() -> None:
    """The twin walks over all indices: number offset + i down + j across."""
    numbers = [0.5 * k for k in range(40)]
    data = struct.pack("<40f", *numbers)
    cases = [((3, 4), (4, 1), 0), ((4, 3), (1, 4), 5), ((2, 3), (7, 2), 1), ((5,), (3,), 2), ((1, 2, 2), (0, 9, 4), 3)]
    for shape, strides, offset in cases:
        found = checker.matrix("F32", data, offset, shape, strides)
        (rows, columns), (down, across) = (1, *shape)[-2:], (0, *strides)[-2:]
        twin = [[numbers[offset + i * down + j * across] for j in range(columns)] for i in range(rows)]
        assert [[value / 2**found.bits for value in row] for row in found.rows] == twin


def test_numbers_beyond_the_end_of_a_storage_are_malformed() -> None:
    data = struct.pack("<12f", *range(12))
    assert checker.matrix("F32", data, 0, (3, 4), (4, 1)).rows[2] == [8, 9, 10, 11]
    cases = [((3, 4), (4, 1), 1), ((3, 4), (5, 1), 0), ((13,), (1,), 0), ((3, 4), (0, 0), 0), ((0, 4), (4, 1), 0)]
    for shape, strides, offset in cases:
        with pytest.raises(checker.Malformed, match=r"^expected a vector or a matrix with each number stored, got shape \(.*\)$"):
            checker.matrix("F32", data, offset, shape, strides)
