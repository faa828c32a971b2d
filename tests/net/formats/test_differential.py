"""Files that could be read in two ways are refused, and what is read is what PyTorch, safetensors and numpy read."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
import torch

from net.errors import MalformedInput
from net.formats.container import read_contents

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "fuzz_differential.py"


@pytest.fixture(scope="module")
def fuzz(script):
    """The fuzzing script as a module."""
    return script


@pytest.mark.parametrize("kind", ["pickle_files", "zip_files", "safetensors_files", "npy_files", "legacy_files", "random_files"])
def test_readers_agree_where_all_accept(fuzz, kind):
    """Every 97th of the first constructed files (the benchmark looks at every one)."""
    tally = fuzz.Tally()
    arguments = {"pickle_files": (3,), "random_files": (5,)}.get(kind, ())
    for what, data in itertools.islice(getattr(fuzz, kind)(*arguments), 0, 8_000, 97):
        fuzz.judge(what, data, tally, checker=False)
    counts = sum(tally.counts.values(), fuzz.Counter())

    assert tally.disagreements == []
    assert counts["ours and theirs"] > 0
    assert counts["ours"] < counts["files"]


def test_the_comparison_notices(fuzz, monkeypatch):
    """Another number in one tensor is a difference."""
    data = fuzz.bases()["views"]
    theirs = fuzz.read_theirs(data)
    theirs["R"] = theirs["R"].copy()
    theirs["R"][0, 0] += 2.0**-40
    monkeypatch.setattr(fuzz, "read_theirs", lambda _: theirs)
    tally = fuzz.Tally()
    fuzz.judge("views", data, tally, checker=False)

    assert [found for _, found, _ in tally.disagreements] == ["ours and theirs: .R"]


def hostile(fuzz):
    """(name, file, words of the refusal): each one change away from a file that is read."""
    base = fuzz.bases()["state dict"]

    def pickled(old, new):
        return fuzz.with_members(
            base, lambda members: [(n, c.replace(old, new, 1) if n.endswith("data.pkl") else c) for n, c in members]
        )

    def added(name, contents=b"", first=False):
        return fuzz.with_members(base, lambda members: [(name, contents), *members] if first else [*members, (name, contents)])

    tensor = b"(" + fuzz.storage("FloatStorage", "1", "cpu", 6) + b"K\x00K\x03K\x02\x86K\x02K\x01\x86tb"
    yield "BUILD on a tensor", pickled(b"u.", tensor + b"u."), "changes a Tensor after it was made"
    yield "a seventh argument", pickled(b")Rq", b")R}q"), "further arguments"
    yield (
        "one storage, two types",
        fuzz.with_members(base, lambda m: [(n, two_types(c) if n.endswith("data.pkl") else c) for n, c in m]),
        "got '0' under two",
    )
    yield "names that differ in case", added("archive/DATA/0", bytes(24)), "differ in more than case"
    yield "a member twice", added("archive/data/0", bytes(24)), "differ in more than case"
    yield "a prefix", b"PK\x03\x04" + base, "members one after the other|right before|elsewhere"
    yield "a second archive behind", base + fuzz.bases()["mixed"], "right before|one number and place|elsewhere"
    at = base.index(b"PK\x01\x02") + 38
    yield "a member with a directory's attribute", base[:at] + b"\x10" + base[at + 1 :], "no directories"
    yield "a comment", base[:-2] + b"\x01\x00x", "end record"
    yield "TorchScript", added("archive/constants.pkl", b"\x80\x02)."), "TorchScript"
    yield (
        "big-endian",
        fuzz.with_members(base, lambda m: [(n, b"big" if n.endswith("byteorder") else c) for n, c in m]),
        "little-endian",
    )
    plain = read_safetensors()
    tail = fuzz.small_zip([("a/data.pkl", b"\x80\x02}.")])
    yield "safetensors and zip", with_tail(plain, tail), "a zip archive too"
    wide = b"PK\x06\x07" + bytes(16) + tail[-22:]  # what stands before the end record of an archive whose sizes take 64 bits
    yield "safetensors and zip in 64 bits", with_tail(plain, wide), "a zip archive too"


def two_types(pickled):
    """The pickle with the second tensor made of the first one's storage, as half precision."""
    first = pickled.index(b"FloatStorage\n") + 1
    second = pickled.find(b"X\x01\x00\x00\x001", first)
    changed = pickled[:second] + b"X\x01\x00\x00\x000" + pickled[second + 6 :]
    start = changed.rindex(b"h", 0, second)  # the reference to the first one's type
    return changed[:start] + b"ctorch\nHalfStorage\n" + changed[start + 2 :]


def read_safetensors():
    from safetensors.torch import save

    return save({"L": torch.ones(6, 4), "R": torch.ones(6, 4), "U": torch.ones(4, 6)})


def with_tail(data, tail):
    """The safetensors file with one more tensor of bytes, which are a zip archive."""
    import json

    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    size = len(data) - 8 - length
    header["Z"] = {"dtype": "U8", "shape": [len(tail)], "data_offsets": [size, size + len(tail)]}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :] + tail


def test_files_with_two_readings_are_refused(fuzz):
    read_contents(fuzz.bases()["state dict"])
    read_contents(with_tail(read_safetensors(), b"xyz"))
    seen = 0
    for name, data, words in hostile(fuzz):
        with pytest.raises(MalformedInput) as caught:
            read_contents(data)
        assert re.search(words, str(caught.value)), (name, str(caught.value))
        seen += 1
    assert seen == 13
