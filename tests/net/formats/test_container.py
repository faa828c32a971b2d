"""Damaged, lying and malicious files: one clean error, no code run, no memory taken on a file's word."""

from __future__ import annotations

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
import torch
from safetensors.numpy import save

from net.checkpoint import read_checkpoint
from net.errors import MalformedInput
from net.formats import container

L, R, U = np.ones((6, 4), np.float32), np.ones((6, 4), np.float32), np.ones((4, 6), np.float32)


def torch_bytes(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def npz_bytes(**arrays):
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def rewritten(data, change, compression=zipfile.ZIP_STORED):
    """The zip archive with `change(name, content)` applied to each member."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", compression) as new:
        for member in old.infolist():
            new.writestr(member.filename, change(member.filename, old.read(member)))
    return stream.getvalue()


FILES = {
    "safetensors": save({"L": L, "R": R, "U": U}),
    "torch": torch_bytes({name: torch.from_numpy(a) for name, a in zip("LRU", (L, R, U), strict=True)}),
    "npz": npz_bytes(L=L, R=R, U=U),
}


def refused(path, data):
    """The message with which the file is refused."""
    path.write_bytes(data)
    with pytest.raises(MalformedInput) as caught:
        read_checkpoint(path)
    message = str(caught.value)
    assert message.startswith("expected")
    assert "\n" not in message
    return message


class Touch:
    """Unpickling this creates the file at `path`."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize("wrap", [lambda e: e, lambda e: {"model": e}, lambda e: {"L": torch.ones(6, 4), "x": [e]}])
def test_code_in_a_torch_archive_never_runs(tmp_path, wrap):
    trap = tmp_path / "trap"
    message = refused(tmp_path / "model.pt", torch_bytes(wrap(Touch(trap))))

    assert not trap.exists()
    assert "tensors and nothing else, got a pickle that asks for posix.mkdir" in message


def test_the_trap_would_have_worked(tmp_path):
    """The same bytes create the file when unpickled without care: the tests above test something."""
    trap = tmp_path / "trap"
    torch.load(io.BytesIO(torch_bytes(Touch(trap))), weights_only=False)

    assert trap.is_dir()


@pytest.mark.parametrize("protocol", range(6))
def test_a_bare_pickle_is_refused_unread(tmp_path, protocol):
    trap = tmp_path / "trap"
    refused(tmp_path / "model.pt", pickle.dumps({"model": Touch(trap)}, protocol))

    assert not trap.exists()


def test_a_torch_file_before_1_6_is_read_and_each_truncation_refused(tmp_path):
    state = {name: torch.from_numpy(array) for name, array in zip("LRU", (L, R, U), strict=True)}
    stream = io.BytesIO()
    torch.save({"model": state, "epoch": 3}, stream, _use_new_zipfile_serialization=False)
    data = stream.getvalue()
    layers, source = read_checkpoint(write(tmp_path / "old.pt", data))

    assert (layers.left[0] == L).all()
    assert source.container == "torch before 1.6"
    assert source.rewritten is None
    for length in range(0, len(data), 3):
        refused(tmp_path / "cut", data[:length])


def test_objects_in_npz_never_run(tmp_path):
    trap = tmp_path / "trap"
    array = np.array([Touch(trap)], dtype=object)
    message = refused(tmp_path / "folded.npz", npz_bytes(L=array))

    assert not trap.exists()
    assert "array of floats" in message


@pytest.mark.parametrize("kind", FILES)
def test_every_truncation_is_refused(tmp_path, kind):
    """Cut after every byte, from none to all but one."""
    data = FILES[kind]
    read_checkpoint(write(tmp_path / "whole", data))
    for length in range(len(data)):
        refused(tmp_path / "cut", data[:length])


def write(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", FILES)
def test_bytes_in_front_are_refused(tmp_path, kind):
    refused(tmp_path / "file", b"junk" + FILES[kind])


def test_no_file_a_directory_a_device_an_empty_file(tmp_path):
    for path, came in (
        (tmp_path / "none", "no file"),
        (tmp_path, "a directory"),
        ("/dev/zero", "something else"),
    ):
        with pytest.raises(MalformedInput, match=came):
            read_checkpoint(type(tmp_path)(path))
    assert "got 0 bytes" in refused(tmp_path / "empty", b"")


def test_a_name_with_a_null_byte_and_an_endless_name(tmp_path):
    for name in ("a\0b", "a" * 5000):
        with pytest.raises(MalformedInput, match="expected"):
            read_checkpoint(tmp_path / name)


def test_a_file_above_the_limit_is_not_read(tmp_path):
    """A sparse file of 3 GB takes no room on the disk and no time here."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(3 * 10**9)
    with pytest.raises(MalformedInput, match="expected a file of 1 to 1,073,741,824 bytes"):
        read_checkpoint(path)


def test_a_file_that_cannot_be_opened(tmp_path, monkeypatch):
    """Root may open anything, so the refusal is simulated."""
    path = write(tmp_path / "file", b"x" * 20)

    def deny(self, mode):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", deny)
    with pytest.raises(MalformedInput, match="Permission denied"):
        read_checkpoint(path)


@pytest.mark.parametrize("kind", ["torch", "npz"])
def test_deflated_members_are_read_within_a_limit(tmp_path, kind):
    """A deflated member may be a thousand times its size in the file: more than the limit is refused before it is unpacked."""
    data = rewritten(FILES[kind], lambda name, content: content, zipfile.ZIP_DEFLATED)

    assert (read_checkpoint(write(tmp_path / "file", data))[0].unembedding == U).all()
    bomb = rewritten(data, lambda name, content: content + bytes(2**22), zipfile.ZIP_DEFLATED)
    assert len(bomb) < 2**17
    assert "members of at most" in refused(tmp_path / "bomb", bomb)


def test_members_that_claim_more_than_the_archive_are_refused(tmp_path):
    data = FILES["npz"]
    size = (128 + L.nbytes).to_bytes(4, "little")
    central = data.rindex(b"PK\x01\x02")
    assert size in data[central:]
    lying = data[:central] + data[central:].replace(size, (2**31).to_bytes(4, "little"))

    refused(tmp_path / "file", lying)


def test_an_archive_of_something_else_is_refused(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("notes.txt", "hello")

    assert "neither" in refused(tmp_path / "file", stream.getvalue())


@pytest.mark.parametrize("shape", ["(10000000000, 4)", "(6, 5)", "(-6, -4)", "(6, 4, 0)", "(6.0, 4)", "'x'", "()"])
def test_npy_headers_that_lie_are_refused(tmp_path, shape):
    old = b"(6, 4), }" + b" " * 20
    new = f"{shape}, }}".encode().ljust(len(old))

    def change(name, content):
        return content.replace(old, new)

    data = rewritten(FILES["npz"], change)
    assert data != FILES["npz"]
    refused(tmp_path / "file", data)


def test_a_torch_archive_whose_pickle_claims_a_larger_storage_is_refused(tmp_path):
    """The number of elements of the 24-element storages becomes 2^30."""
    claimed = b"J" + (2**30).to_bytes(4, "little")
    data = rewritten(
        FILES["torch"],
        lambda name, content: content.replace(b"K\x18", claimed) if name.endswith("data.pkl") else content,
    )

    assert "size" in refused(tmp_path / "file", data)


@pytest.mark.parametrize(
    "header",
    [
        b'{"L":{"dtype":"F32","shape":[1000000000,1000000000],"data_offsets":[0,96]}}',
        b'{"L":{"dtype":"F32","shape":[6,4],"data_offsets":[0,4294967296]}}',
        b'{"L":{"dtype":"I32","shape":[6,4],"data_offsets":[0,96]}}',
        b'{"L":{"dtype":"F32","shape":[6,4],"data_offsets":[0,96]}',
        b'{"L":' + b"[" * 5000 + b"}",
        b'{"__metadata__":{"coset-verify":"["},"L":{"dtype":"F32","shape":[6,4],"data_offsets":[0,96]}}',
        b'{"__metadata__":{"coset-verify":"[]"},"L":{"dtype":"F32","shape":[6,4],"data_offsets":[0,96]}}',
        b'{"__metadata__":7,"L":{"dtype":"F32","shape":[6,4],"data_offsets":[0,96]}}',
    ],
)
def test_safetensors_headers_that_lie_are_refused(tmp_path, header):
    refused(tmp_path / "file", len(header).to_bytes(8, "little") + header + bytes(96))


def test_a_safetensors_file_with_an_enormous_header_length_is_refused(tmp_path):
    refused(tmp_path / "file", b"\xff" * 7 + b"\x7f" + b"{" + bytes(100))


def test_memory_stays_within_a_small_multiple_of_the_file():
    """Reading 8 MB of float32 takes the file, its float64 arrays, and copies of one array at a time."""
    import tracemalloc

    arrays = {name: np.ones((1000, 700), np.float32) for name in "LRU"}
    data = save(arrays)
    tracemalloc.start()
    container.read_contents(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 6 * len(data)
