"""Files of PyTorch before 1.6 mean to the checker what they mean to PyTorch, and each damaged one is refused."""

from __future__ import annotations

import io
from collections import OrderedDict

import pytest
import torch

from verify.checker.files import read_tensors
from verify.checker.layouts import state_dict
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


def _keys(data):
    """The keys of the storages, as torch wrote them (addresses in digits)."""
    import pickle

    stream = io.BytesIO(data)
    for _ in range(3):
        pickle.load(stream)

    class Ignoring(pickle.Unpickler):
        def persistent_load(self, identity):
            return torch.storage.TypedStorage(wrap_storage=torch.UntypedStorage(4 * identity[4]), dtype=torch.float32, _internal=True)

    Ignoring(stream).load()
    return [key.encode() for key in pickle.load(stream)]
