"""The checker's own readers, of safetensors, torch archives and certificates: damaged and hostile files end in one clean sentence."""

import hashlib
import importlib.util
import io
import json
import pickle
import re
import struct
import sys
import time
import tracemalloc
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import net.formats.own
import net.formats.pickles
import net.formats.reading
import net.formats.settings
from net.errors import MalformedInput
from verify.checker import files, layouts, pickles, readings
from verify.checker.groups import Group
from verify.checker.progress import Progress
from verify.checker.settings import Walk, parsed
from verify.checker.shape import CheckpointRecord, Differs, GroupRecord, Malformed
from verify.checker.statement import Options, check
from verify.checker.tensors import Tensor

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
S3 = Group(GroupRecord("S3", 3, 6, ["(1 2 3)", "(1 2)"]))
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
    assert min(outcome.counts[kind, "read"] for kind in ("bytes", "pickle", "zip")) > 0


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
        patch.setattr(pickles, "Unpickler", lambda pickled, storages: SimpleNamespace(result=Careless(io.BytesIO(pickled)).load()))
        assert any("code in a file was run" in crash[0] for crash in fuzz.fuzz(120, 1, tmp_path, ("pickle",)).crashes)
    monkeypatch.setattr(layouts, "read_checkpoint", lambda data: dict[str, bytes]()["missing"])
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
        with pytest.raises((Malformed, Differs)) as caught:
            check(json.dumps(certificate).encode(), checkpoint, Options(), Progress(None))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2**20 + 500 * (len(checkpoint) + len(blank))
    assert time.perf_counter() - began < 20
    assert str(caught.value).isprintable()
    return f"{caught.type.__name__}: {caught.value}"


@pytest.mark.parametrize("name", hostile.checkpoints())
def test_small_files_that_would_take_memory_time_or_stack_are_refused(name: str) -> None:
    assert sentence(GOOD, hostile.checkpoints()[name]).startswith("Malformed: expected ")


@pytest.mark.parametrize("name", hostile.certificates(GOOD))
def test_small_certificates_that_would_take_memory_or_time_are_refused(name: str) -> None:
    found = sentence(hostile.certificates(GOOD)[name], CHECKPOINT)
    assert ("expected" in found) if found.startswith("Malformed") else ("the certificate states" in found)


@pytest.mark.parametrize("kind", ["[", '{"format":'])
def test_certificates_nested_up_to_the_limit_of_the_stack_are_malformed(kind: str) -> None:
    """At some depth the value can still be read, and no longer be written into a message."""
    for depth in range(1, sys.getrecursionlimit() + 10, 7):
        text = kind * depth + "0" + {"[": "]", '{"format":': "}"}[kind] * depth
        with pytest.raises(Malformed, match=r"^(certificate: expected|expected JSON)"):
            check(text.encode(), b"", Options(), Progress(None))


WU = ["embedding_left", "embedding_right", "linear_left", "linear_right", "unembedding", "unembed_bias"]
SHAPES = dict(zip(WU, [(6, 3), (6, 3), (3, 2), (3, 2), (2, 6), (6,)], strict=True))


def read(**changed: tuple[int, ...] | None) -> str:
    """What the checker makes of a network with two halves of a layer, with other shapes for these tensors or without them."""
    shapes = {name: shape for name, shape in {**SHAPES, **changed}.items() if shape}
    data = hostile.safetensors({name: np.ones(shape) for name, shape in shapes.items()})
    record = CheckpointRecord("", "wu", "lexicographic", "left-first", list(range(6)), 2, 42, True)
    try:
        return type(layouts.folded(*layouts.read_checkpoint(data), record, S3)[0]).__name__
    except (Malformed, Differs) as error:
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
    assert read(**{name: shape}).startswith("Malformed: expected ")


def test_a_leading_dimension_of_one_is_left_out_where_all_tensors_have_it() -> None:
    assert read(**{name: (1, *shape) for name, shape in SHAPES.items()}) == "Network"
    for name in WU:
        assert read(**{name: (1, *SHAPES[name])}).startswith("Malformed: expected a leading dimension of all tensors or of none")


def test_a_tensor_is_read_through_its_strides_and_offset() -> None:
    """The twin walks over all indices: number offset + i down + j across."""
    numbers = [0.5 * k for k in range(40)]
    data = struct.pack("<40f", *numbers)
    cases = [((3, 4), (4, 1), 0), ((4, 3), (1, 4), 5), ((2, 3), (7, 2), 1), ((5,), (3,), 2), ((2, 2), (0, 9), 3), ((4,), (0,), 7)]
    for shape, strides, offset in cases:
        found = Tensor("F32", memoryview(data), shape, strides, offset).checked("it").matrix()
        (rows, columns), (down, across) = (1, *shape)[-2:], (0, *strides)[-2:]
        twin = [[numbers[offset + i * down + j * across] for j in range(columns)] for i in range(rows)]
        assert [[value / 2**found.bits for value in row] for row in found.rows] == twin


def test_numbers_beyond_the_end_of_a_storage_are_malformed() -> None:
    data = memoryview(struct.pack("<12f", *range(12)))
    assert Tensor("F32", data, (3, 4), (4, 1), 0).checked("it").matrix().rows[2] == [8, 9, 10, 11]
    for shape, strides, offset in [((3, 4), (4, 1), 1), ((3, 4), (5, 1), 0), ((13,), (1,), 0), ((0, 4), (4, 1), 13), ((), (), 12)]:
        with pytest.raises(Malformed, match=r"^expected a tensor that lies within its data, got 'it' of shape"):
            Tensor("F32", data, shape, strides, offset).checked("it")
    for shape, strides in [((0, 4), (4, 1)), ((2, 2, 2), (4, 2, 1)), ((), ())]:
        with pytest.raises(Malformed, match=r"^expected a vector or a matrix"):
            Tensor("F32", data, shape, strides).checked("it").matrix()


# ---- one file, one network: what the readers of torch, safetensors and numpy make of it


def theirs(data: bytes) -> dict[str, Any] | None:
    """The float64 arrays that torch, safetensors or numpy read; None where they refuse, or it is something else than named tensors."""
    import safetensors
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if data[:2] != b"PK":
                entries = safetensors.deserialize(data)
                kinds = {"F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64}
                return {name: torch.frombuffer(bytearray(e["data"]), dtype=kinds[e["dtype"]]).reshape(e["shape"]).double().numpy()
                        for name, e in entries}  # fmt: skip
            if b".npy" in data:
                return {name: array.astype(np.float64) for name, array in np.load(io.BytesIO(data)).items()}
            content = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
            content = content.get("model", content)
            return {name: tensor.detach().double().numpy() for name, tensor in content.items()}
    except Exception:
        return None


def ours(data: bytes) -> dict[str, Any] | None:
    """The same by the checker's reader."""
    try:
        container, content, _ = files.read_tensors(data)
        tensors = layouts.state_dict(content, [])[0] if container == "torch" else content
        assert isinstance(tensors, dict)
        matrices = {name: (tensor.shape, tensor.matrix()) for name, tensor in tensors.items()}
    except DAMAGED:
        return None
    return {
        name: np.array([[Fraction(v, 1 << m.bits) for v in row] for row in m.rows], float).reshape(s)
        for name, (s, m) in matrices.items()
    }


DAMAGED = (Malformed, IndexError, KeyError, ValueError, TypeError, AttributeError, RecursionError)


def agree(data: bytes) -> bool:
    """Whether both readers read the file; AssertionError where they read different numbers."""
    mine = ours(data)
    if mine is None:
        return False
    other = theirs(data)
    assert other is not None, "the checker reads what the others refuse"
    assert mine.keys() == other.keys()
    assert all(np.array_equal(mine[name], other[name]) for name in mine)
    return True


@pytest.mark.parametrize("kind", ["bytes", "header", "pickle", "zip"])
def test_a_damaged_file_that_is_read_is_read_as_torch_safetensors_and_numpy_read_it(fuzz: ModuleType, kind: str) -> None:
    """Where the checker reads a file at all, the other reader reads the same numbers."""
    corpus, rng = fuzz.corpus(), np.random.default_rng(11)
    read = sum(agree(fuzz.input_of(kind, corpus, rng, b"/nowhere/trap")[1]) for _ in range(100))
    assert read > 0


def npz(**changed: Any) -> bytes:
    buffer = io.BytesIO()
    arrays = {"L": np.ones((6, 2), ">f4"), "R": np.asfortranarray(np.arange(12.0).reshape(6, 2)), "U": np.ones((2, 6), np.float16)}
    np.savez(buffer, **{**arrays, **changed})
    return buffer.getvalue()


def test_npz_files_are_read_as_numpy_reads_them() -> None:
    assert agree(npz())
    compressed = io.BytesIO()
    np.savez_compressed(compressed, L=np.ones((60, 20)), R=np.arange(1200.0).reshape(60, 20), U=np.ones((20, 60), "<f4"))
    assert agree(compressed.getvalue())
    assert not agree(npz(L=np.ones((6, 2), np.int64)))
    assert not agree(npz(L=np.array([["a"]])))


class Archive:
    """The parts of a small torch archive, to be put together otherwise."""

    def __init__(self) -> None:
        import torch

        buffer = io.BytesIO()
        torch.save({"L": torch.ones(6, 2), "R": torch.arange(12.0).reshape(6, 2), "U": torch.ones(2, 6)}, buffer)
        self.data = buffer.getvalue()
        with zipfile.ZipFile(buffer) as archive:
            self.members = {name: archive.read(name) for name in archive.namelist()}

    def written(self, members: dict[str, bytes] | None = None, **changed: bytes) -> bytes:
        """An archive of the members, some of them replaced by the last part of their names."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in (members or self.members).items():
                archive.writestr(name, changed.get(name.rpartition("/")[2].partition(".")[0], content))
        return buffer.getvalue()


def two_readings() -> dict[str, bytes]:
    """Files that another reader takes for something else, or might; each must be refused."""
    import torch

    made = Archive()
    pickled = made.members["archive/data.pkl"]
    one = made.written()
    doubled = io.BytesIO()
    torch.save(
        {"L": torch.ones(6, 2), "R": torch.ones(6, 2), "U": torch.ones(2, 6), "step": torch.arange(12, dtype=torch.int32)}, doubled
    )
    with zipfile.ZipFile(doubled) as archive:
        under_two_types = archive.read("archive/data.pkl").replace(b"X\x01\0\0\0003", b"X\x01\0\0\0000")
    files = {
        "BUILD on a tensor": made.written(data=re.sub(rb"(tq.Rq.)", rb"\1)b", pickled, count=1)),
        "metadata of a tensor": made.written(data=re.sub(rb"(tq.R)", rb"}X\\x03\\0\\0\\0neg\\x88s\1", pickled, count=1)),
        "a storage of another type": made.written(data=under_two_types),
        "names that differ in case alone": made.written({**made.members, "archive/DATA/0": b"\0" * 48}),
        "a name twice": made.written()[:0] + twice(made),
        "a prefix": b"PK\x03\x04" + b"\0" * 26 + one,
        "something behind": one + b"\0",
        "two archives": one + made.written(),
        "a comment": one[:-2] + b"\x01\x00!",
        "TorchScript": made.written({**made.members, "archive/constants.pkl": b"\x80\x02}."}),
        "high bytes first": made.written({**made.members, "archive/byteorder": b"big"}),
        "another folder": made.written({**made.members, "other/data/0": b""}),
        "a backslash": made.written({**made.members, "archive/data\\x": b""}),
        "something behind the pickle": made.written(data=pickled + b"N."),
    }
    header = json.dumps({"L": {"dtype": "F32", "shape": [len(one) // 4], "data_offsets": [0, len(one)]}}).encode()
    if len(one) % 4 == 0:
        files["safetensors with an archive at the end"] = struct.pack("<Q", len(header)) + header + one
    return files


def twice(made: Archive) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in [*made.members.items(), ("archive/data/0", b"\0" * 48)]:
                archive.writestr(name, content)
    return buffer.getvalue()


def test_a_file_that_can_be_read_in_two_ways_is_refused() -> None:
    made = Archive()
    assert agree(made.data)
    assert agree(made.written())
    cases = two_readings()
    assert len(cases) >= 14
    for name, data in cases.items():
        assert data != made.written(), name
        assert ours(data) is None, name


@pytest.mark.parametrize(
    "settings",
    [
        {"act_fn": "gelu"}, {"hidden_act": "gelu"}, {"nonlinearity": "silu"}, {"layers": {"act_fn": "gelu"}}, {"act_type": "Quad"},
        {"layers": {"relu_embed": True}}, {"model": "BilinearNet"}, {"logit_scale": 2.0}, {"activation": ["relu", "tanh"]},
        {"activation": {"name": "relu"}}, {"skip": True}, {"extra": {"deep": {"temperature": 3}}}, {"name": "transformer"},
        {"batch_norm": True}, {"training": {"act_fn": "gelu"}}, {"run": {"config": {"activation": "quadratic"}}},
        {"log": [{"epoch": 1}, {"act": "silu"}]}, {"checkpoint": {"batch_norm": True}}, {"train": {"use_relu": False}},
        {"run_name": "gelu-run"}, {"tags": ["s5", "swiglu"]}, {"notes": "with x^2 in the place of relu"}, {"trainer": {"gelu": True}},
    ],
)  # fmt: skip
def test_settings_that_say_that_it_is_another_function_are_refused(settings: dict[object, object]) -> None:
    every: list[dict[object, object]] = [settings, {"config": settings}]
    for beside in every:
        if beside == {"model": "BilinearNet"} or "name" in settings:
            beside = every[1]
        with pytest.raises(Malformed, match=r"^expected "):
            layouts.check_settings(beside)


@pytest.mark.parametrize(
    "spelling", ["relu", "ReLU", "RELU", "nn.ReLU", "ReLU()", "torch.nn.ReLU", "F.relu", "<function relu at 0x7f>", None, ""]
)
def test_spellings_of_relu_are_relu(spelling: str | None) -> None:
    layouts.check_settings({"config": {"activation": spelling, "layers": {"act_fn": spelling}}})
    with pytest.raises(Malformed, match="expected relu as activation"):
        layouts.check_settings({"config": {"activation": spelling, "layers": {"act_fn": f"{spelling} x"}}})


def test_a_dictionary_that_stands_in_two_places_is_looked_at_where_it_counts() -> None:
    gelu = {"act_fn": "gelu"}
    layouts.check_settings({"config": {"lr": gelu}})
    for config in ({"lr": gelu, "params": gelu}, {"model": ["MLP", gelu]}, [[gelu]]):
        with pytest.raises(Malformed, match=r"^expected relu as activation, got 'gelu'"):
            layouts.check_settings({"config": config})
    circle: dict[object, object] = {"width": 3}
    circle["config"] = circle
    layouts.check_settings(circle)


KEYS = (
    *("training", "run_name", "config", "act_fn", "use_relu", "model", "loss", "init", "metrics", "batch_norm", "grad_norm", "hidden"),
    *("tags", "gelu", "logit_scale", "optimizer", "wandb", "type", "name", "output_activation", "product", "relu_embed", "n_heads"),
    *("0", "17", "-", "", 0, 3, None, "hidden.bias", "use_biases"),
)
VALUES: tuple[Any, ...] = (
    *("relu", "gelu", "ReLU()", "s5-square", "x^2", "left-first", "none", "", "LeakyReLU", "transformer", "adamw", "mlp"),
    *(True, False, None, 0, 1, 3, 3.5, [], {}, [True], (2, "none"), ["relu", "gelu"], [1.0, 2.0], ["relu", "none"]),
)


class Object(list[Any]):
    """What an object in a pickle is made of."""


def as_read(value: Any, kind: Callable[[Any], Any], made: dict[int, Any]) -> Any:
    """The value with each object as one of this kind; what is shared, in ``made`` by its place in memory, stays shared."""
    if id(value) not in made:
        found = value
        if isinstance(value, dict):
            found = {key: as_read(item, kind, made) for key, item in value.items()}
        if isinstance(value, list | tuple):
            items = type(value)(as_read(item, kind, made) for item in value)
            found = kind(items) if isinstance(value, Object) else items
        made[id(value)] = found
    return made[id(value)]


def object_of_the_checker(parts: list[Any]) -> pickles.Opaque:
    made = pickles.Opaque()
    made.state = list(parts)
    return made


def some_settings(random: Random, depth: int, known: list[Any]) -> Any:
    """A value of random keys and words, nested up to ``depth``, now and then one that is there already."""
    if known and random.random() < 0.1:
        return random.choice(known)
    if depth == 0 or random.random() < 0.4:
        return random.choice(VALUES)
    found: Any = {random.choice(KEYS): some_settings(random, depth - 1, known) for _ in range(random.randint(1, 2))}
    if random.random() < 0.3:
        found = [some_settings(random, depth - 1, known) for _ in range(2)]
    elif random.random() < 0.15:
        found = Object([(some_settings(random, depth - 1, known),), some_settings(random, depth - 1, known)])
    known.append(found)
    return found


def outcomes(settings: Any, activation: str) -> list[bool]:
    """Whether the loader and the checker accept the settings."""
    found = []
    for reader, kind in (
        (net.formats.settings.check_settings, lambda parts: net.formats.pickles.Opaque("argparse.Namespace", list(parts))),
        (layouts.check_settings, object_of_the_checker),
    ):
        try:
            reader(as_read(settings, kind, {}), activation=activation)
            found.append(True)
        except (MalformedInput, Malformed):
            found.append(False)
    return found


def test_metadata_that_look_like_json_are_json_with_each_key_once() -> None:
    """So no other reader finds another activation in them; NaN, which Python writes, is a number."""
    assert parsed({"config": '{"loss": NaN}', "note": "x {", "lists": " [1]"})["lists"] == [1]
    for text in (
        '{"activation": "gelu", "activation": "relu"}',
        "{'activation': 'softsign'}",
        " {'activation': 'softsign'}",
        "[" * 10**5,
    ):
        with pytest.raises(Malformed, match=r"^expected (JSON in UTF-8|every key of an object once)"):
            parsed({"config": text})
        with pytest.raises(MalformedInput, match="in 'config' in the metadata"):
            net.formats.own.settings_of({"config": text})
    with pytest.raises(Malformed, match="gelu"):
        layouts.check_settings(parsed({"config": ' {"activation": "\\u0067elu"}'}))


TEXTS = ("Namespace(act_fn='softsign')", "activation: erf", "--hidden-act erf", "act=nn.PReLU()", "a crelu", "act_fn => 'softsign'")


@pytest.mark.parametrize("text", [*TEXTS, json.dumps({"act_fn": "softsign"}), json.dumps(json.dumps({"act_fn": "softsign"}))])
def test_a_text_that_gives_another_activation_is_refused(text: str) -> None:
    for key in ("args", "config", "argv"):
        for said in (text, json.dumps(text), json.dumps({"config": text})):
            assert outcomes({key: said}, "relu") == [False, False]
    harmless = {"args": "Namespace(act_fn='relu', out_act=None)", "argv": "--act relu --log_acts --x 1", "layers": ["relu1"]}
    assert outcomes({**harmless, "config": json.dumps({"args": json.dumps({"act_fn": "relu"})})}, "relu") == [True, True]


def test_words_in_letters_that_are_not_ascii_are_not_passed_over() -> None:
    with pytest.raises(Malformed, match="known not to change"):
        layouts.check_settings({"config\u00e9": "x"})


def test_a_name_of_a_hundred_thousand_characters_takes_no_time() -> None:
    """The time that it takes to match such a name grows with the square of its length."""
    name = "a" + "[0]" * 30_000 + "x"
    assert net.formats.reading.tensor_of(name) == name
    with pytest.raises(Malformed, match="at most 1,000 characters"):
        readings.name_of(name)


@pytest.mark.parametrize("activation", ["relu", "square"])
def test_both_readers_refuse_the_same_settings(activation: str) -> None:
    """Settings of random words, nested and shared, among them many that either reader accepts: the other one does, too."""
    random, accepted = Random(5), 0
    for _ in range(6000):
        known: list[Any] = []
        settings = {random.choice(KEYS): some_settings(random, 3, known) for _ in range(random.randint(1, 2))}
        found = outcomes(settings, activation)
        assert found[0] == found[1], settings
        accepted += found[0]
    assert 1000 < accepted < 5000


@pytest.mark.parametrize("key", ["config", "training"])
def test_both_readers_refuse_settings_from_the_same_depth_on(key: str) -> None:
    innermost: list[Any] = [{}, [], {"lr": 1}, {"act_fn": "relu"}, Object([("x",), [1]])]
    for last in innermost:
        for wrap in (lambda value: {key: value}, lambda value: [value], lambda value: {key: [value, 1]}):
            settings: Any = last
            for depth in range(1, 107):
                settings = wrap(settings)
                if depth in (40, *range(47, 53), *range(97, 103)):
                    found = outcomes({key: settings}, "relu")
                    assert found[0] == found[1]
                    assert found[0] or depth > 40
            assert found == [False, False]


def test_a_list_under_a_plain_key_and_under_one_of_the_model_is_looked_at_under_both() -> None:
    names = [["SoftsignNet"]]
    assert outcomes({"names": names}, "relu") == [True, True]
    for settings in ({"model": names, "names": names}, {"names": names, "model": names}, {"names": names, "config": {"model": names}}):
        assert outcomes(settings, "relu") == [False, False]


def test_a_list_under_many_keys_is_looked_at_once_for_each_class_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """So the time grows with the size of a file, not with its square."""
    looked = Counter[str]()
    shared: list[Any] = [[] for _ in range(500)]
    settings = {"config": {f"hidden_{'x' * k}_lr": shared for k in range(500)}}
    for owner, name in ((net.formats.settings, "_contents"), (Walk, "_look")):
        plain = getattr(owner, name)

        def counted(*arguments: Any, plain: Any = plain, name: str = name) -> Any:
            looked[name] += 1
            return plain(*arguments)

        monkeypatch.setattr(owner, name, counted)
    assert outcomes(settings, "relu") == [True, True]
    assert max(looked.values()) < 5000


def test_settings_of_training_and_of_sizes_are_harmless() -> None:
    config = {
        "lr": 1e-3,
        "betas": [0.9, 0.98],
        "seed": 3,
        "embed_dim": 256,
        "vocab_size": 120,
        "group": "S5",
        "frac_train": 0.4,
        "bias": False,
    }
    beside: dict[object, object] = {"epoch": 3, "optimizer": {"state": {0: {"act": "gelu"}}}, "model": "OneLayerMLP", "dropout": 0.0}
    layouts.check_settings({"config": config, **beside})
    for more in ({"act": "gelu"}, {"residual": True}, {"logit_scale": 2.0}):
        with pytest.raises(Malformed, match=f"'config.{next(iter(more))}"):
            layouts.check_settings({"config": {**config, **more}, **beside})
