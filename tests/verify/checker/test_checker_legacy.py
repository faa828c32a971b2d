"""Files of PyTorch before 1.6 mean to the checker what they mean to PyTorch, and each damaged one is refused."""

from __future__ import annotations

import io
import pickle
import struct
import tarfile
from collections import OrderedDict

import pytest
import torch

from net.errors import MalformedInput
from net.formats.container import read_contents
from verify.checker.files import read_tensors
from verify.checker.layouts import state_dict
from verify.checker.pickles import LEGACY
from verify.checker.shape import Malformed

STATE = {"L": torch.arange(6.0).reshape(3, 2) / 8, "R": torch.arange(6.0).reshape(2, 3).T.half(), "U": torch.ones(1).expand(2, 3)}


def legacy(content):
    stream = io.BytesIO()
    torch.save(content, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


@pytest.mark.parametrize("content", [STATE, OrderedDict(STATE), {"model": STATE, "epoch": 3, "ids": torch.arange(3)}])
def test_what_is_read_is_what_torch_reads(content):
    container, value, _ = read_tensors(legacy(content))
    tensors = state_dict(value, [])[0]

    assert container == "torch"
    for name, tensor in tensors.items():
        matrix = tensor.matrix()
        assert [[number / 2**matrix.bits for number in row] for row in matrix.rows] == STATE[name].double().tolist()


def refused(data):
    try:
        read_tensors(data)
    except Malformed:
        return True
    except Exception:  # `read_network` says Malformed to all of these
        return True
    return False


def test_truncations_and_additions_are_refused():
    data = legacy({"model": STATE, "epoch": 3})

    assert not refused(data)
    assert all(refused(data[:length]) for length in range(len(data)))
    assert refused(data + b"\0")


def test_counts_and_keys_that_differ_are_refused():
    """One change each: the number of entries before a storage, a key of the list, the byte order, the version."""
    data = legacy(STATE)
    key = next(key for key in _keys(data))
    changes = [
        (b"\x06\0\0\0\0\0\0\0", b"\x05\0\0\0\0\0\0\0"),
        (b"M\xe9\x03.", b"M\xe8\x03."),
        (b"little_endianq\x02\x88", b"little_endianq\x02\x89"),
    ]
    for old, new in changes:
        assert data.count(old) >= 1
        assert refused(data.replace(old, new, 1))
    last = data.rindex(key)
    assert refused(data[:last] + bytes([data[last] ^ 1]) + data[last + 1 :])


def test_a_file_that_pytorch_reads_as_a_tar_archive_is_refused(tmp_path):
    """The pickles are those of one network, and the archive, in numbers beside it, is that of another, which PyTorch reads."""
    other = {name: -tensor.float().contiguous() for name, tensor in STATE.items()}
    data = with_archive({"model": STATE, "optimizer": torch.zeros(1)}, old_archive(other))
    path = tmp_path / "two.pt"
    path.write_bytes(data)
    seen = torch.load(path, weights_only=False)

    assert all(torch.equal(seen[name], other[name]) for name in STATE)
    with pytest.raises(Malformed, match="tar archive"):
        read_tensors(data)
    with pytest.raises(MalformedInput, match="tar archive"):
        read_contents(data)
    changed = data[:148] + b"9" + data[149:]  # no header any more
    assert read_tensors(changed)[1].keys() == {"model", "optimizer"}
    assert read_contents(changed).value.keys() == {"model", "optimizer"}


class _Place(int):
    """A tensor in a pickle of an old archive, by its number."""


def old_archive(state):
    """What the first versions of PyTorch wrote: a tar archive of storages, tensors and a pickle."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return int(value) if isinstance(value, _Place) else None

    storages, tensors, pickled, archive = (io.BytesIO() for _ in range(4))
    for stream in (storages, tensors):
        pickle.dump(len(state), stream, 2)
    for k, tensor in enumerate(state.values()):
        pickle.dump((k, "cpu", torch.FloatStorage), storages, 2)
        storages.write(struct.pack("<q", tensor.numel()) + tensor.numpy().tobytes())
        pickle.dump((100 + k, k, torch.FloatTensor), tensors, 2)
        numbers = [*tensor.shape, *tensor.stride(), 0]
        tensors.write(struct.pack(f"<2i{len(numbers)}q", tensor.dim(), 0, *numbers))
    pickle.dump([], storages, 2)
    Pickler(pickled, 2).dump({name: _Place(100 + k) for k, name in enumerate(state)})
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, stream in (("storages", storages), ("tensors", tensors), ("pickle", pickled)):
            member = tarfile.TarInfo(name)
            member.size = len(stream.getvalue())
            tar.addfile(member, io.BytesIO(stream.getvalue()))
    return archive.getvalue()


def with_archive(content, tar):
    """A file of PyTorch before 1.6 whose first 512 bytes are a header too, of a member that ends where the archive begins."""
    marks = torch.frombuffer(bytearray(b"\xab" * (len(tar) + 512)), dtype=torch.uint8)
    data = legacy({**content, "optimizer": marks})
    stream = io.BytesIO(data)
    for _ in range(3):
        pickle.load(stream)
    rest = data[stream.tell() :]
    text = LEGACY + b"\x80\x02M\xe9\x03.\x80\x02}(X\x0d\0\0\0little_endian\x88X\x01\0\0\0aX"
    begin = 512 + rest.index(b"\xab" * 512)
    begin += -begin % 512
    block = bytearray(text + struct.pack("<I", 512 - len(text) - 6) + b"\0" * (512 - len(text) - 6) + b"u.")
    for place, field in ((100, b"0000644"), (108, b"0"), (116, b"0"), (124, b"%011o" % (begin - 512)), (136, b"0"), (156, b"0")):
        block[place : place + len(field)] = field
    block[148:156] = b"%06o\0 " % (sum(block) + 256)
    return bytes(block) + rest[: begin - 512] + tar + rest[begin - 512 + len(tar) :]


def _keys(data):
    """The keys of the storages, as torch wrote them (addresses in digits)."""
    stream = io.BytesIO(data)
    for _ in range(3):
        pickle.load(stream)

    class Ignoring(pickle.Unpickler):
        def persistent_load(self, identity):
            return torch.storage.TypedStorage(wrap_storage=torch.UntypedStorage(4 * identity[4]), dtype=torch.float32, _internal=True)

    Ignoring(stream).load()
    return [key.encode() for key in pickle.load(stream)]
