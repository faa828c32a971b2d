"""Ways to damage a safetensors header, a pickle, a zip directory or a JSON value, for fuzz_checker.py."""

from __future__ import annotations

import copy
import io
import itertools
import json
import pickletools
import re
import struct
import sys
import warnings
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from fuzz_readers import NUMBERS

WORDS = ["", "F16", "BF16", "F32", "F64", "I64", "L", "W", "b", "relu", "gelu", "VERIFIED", "\n", "\ud800", "x" * 5000]
VALUES: list[object] = [None, True, 0, 1, -1, 2, 6, 2**31, 2**64, -(10**400), 10**4000, 0.5, [], [0], [[]], {}, {"a": 1}, *WORDS]


def pick(rng, choices):
    return choices[int(rng.integers(len(choices)))]


def changed_json(value, rng):
    """A JSON value with one to three of its parts replaced, left out, doubled, exchanged or put under another key."""
    for _ in range(rng.integers(1, 4)):
        place = value
        while True:
            if not isinstance(place, dict | list) or not place:
                break
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = pick(rng, keys)
            if isinstance(place[key], dict | list) and place[key] and rng.integers(5):
                place = place[key]
                continue
            kind = rng.integers(6)
            if kind == 0:
                del place[key]
            elif kind == 1:
                other = pick(rng, keys)
                place[key], place[other] = place[other], place[key]
            elif kind == 2 and isinstance(place, dict):
                place[pick(rng, WORDS)] = place[key]
            elif kind == 2:
                place.insert(key, place[key])
            elif kind == 3 and type(place[key]) is int:
                place[key] += int(rng.integers(-2, 3))
            else:
                place[key] = copy.deepcopy(pick(rng, VALUES))  # changed in its turn, perhaps
            break
    return value


def damaged_header(data, rng):
    """A safetensors file with another header."""
    start = 8 + struct.unpack("<Q", data[:8])[0]
    header = changed_json(json.loads(data[8:start]), rng)
    if rng.integers(4) == 0:
        settings = changed_json({"config": {"act_fn": "relu"}, "format": "coset-verify network 1"}, rng)
        header["__metadata__"] = {"coset-verify": json.dumps(settings)}
    text = json.dumps(header).encode()
    if rng.integers(8) == 0:
        text = text[:-1] + b"," + text[1:]  # every key twice
    body = data[start:] if rng.integers(4) else data[start : start + int(rng.integers(len(data) - start + 1))]
    return struct.pack("<Q", len(text)) + text + body


def snippets(trap: bytes) -> list[bytes]:
    """Pieces of pickles: code to run, numbers, containers, references, and tuples that double when they are written out."""
    path = b"\x8c" + bytes([len(trap)]) + trap
    code = [b"cos\nmkdir\n" + path + b"\x85R", b"cposix\nmkdir\n" + path + b"\x85R", b"\x8c\x02os\x8c\x05mkdir\x93" + path + b"\x85R"]
    code += [b"(" + path + b"ios\nmkdir\n", b"cos\nmkdir\n" + path + b"\x85\x81", b"c_codecs\nencode\n", b"\x82\x01"]
    marks = [bytes([opcode]) for opcode in b"]})(N\x88\x8902aesut\x85\x86\x87RbQ"]
    numbers = [b"K\x00", b"J\xff\xff\xff\xff", b"\x8a\xff" + b"\x7f" * 255, b"G\x7f\xf8" + b"\0" * 6, b"B\xff\xff\xff\x7f"]
    words = [b"X\x05\0\0\0model", b"X\x06\0\0\0config", b"X\x01\0\0\0\n", b"\x80\x05", b"\x95" + b"\xff" * 8]
    torch = [b"ctorch._utils\n_rebuild_tensor_v2\n", b"ctorch\nDoubleStorage\n"]
    references = [b"h\x00", b"q\x00", b"r\xff\xff\xff\xff"]
    doubling = b")" + b"q\x07h\x07\x86" * 60
    large = [doubling, doubling + b"Q", doubling + b"b", doubling + doubling + b"R", b")" + b"\x85" * 20_000, b"]" * 20_000]
    return [*code, *marks, *numbers, *words, *torch, *references, *large]


def damaged_pickle(pickled, rng, trap):
    """A pickle with one to three opcodes left out, doubled, exchanged, put in or given other arguments."""
    places = [place for _, _, place in pickletools.genops(pickled)] + [len(pickled)]
    ops = [pickled[a:b] for a, b in itertools.pairwise(places)]
    pieces = snippets(trap)
    for _ in range(rng.integers(1, 4)):
        i, j, kind = int(rng.integers(len(ops))), int(rng.integers(len(ops))), rng.integers(6)
        if kind == 0 and len(ops) > 1:
            del ops[i]
        elif kind == 1:
            ops.insert(j, ops[i])
        elif kind == 2:
            ops[i], ops[j] = ops[j], ops[i]
        elif kind == 3 and len(ops[i]) in (2, 3, 5):
            number = pick(rng, NUMBERS) % 256 ** (len(ops[i]) - 1)
            ops[i] = ops[i][:1] + number.to_bytes(len(ops[i]) - 1, "little")
        else:
            ops.insert(i, pick(rng, pieces))
    return b"".join(ops)


def repacked(data, rng, change):
    """The archive with its pickle changed by `change`, now and then with members left out, doubled, renamed or compressed."""
    stream = io.BytesIO()
    packing = zipfile.ZIP_DEFLATED if rng.integers(20) == 0 else zipfile.ZIP_STORED
    with warnings.catch_warnings(), zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", packing) as new:
        warnings.simplefilter("ignore")  # of names that are there twice
        for member in old.infolist():
            content, name = old.read(member), member.filename
            content = change(content) if name.endswith("data.pkl") else content
            if rng.integers(60) == 0:
                name = pick(rng, [name + "x", "data.pkl", "archive/byteorder", "\n"])
            if rng.integers(60):
                new.writestr(name, content)
            if rng.integers(60) == 0:
                new.writestr("again/" + name, content)
    return stream.getvalue()


#: where a field lies in a directory entry, a local header or the end record, and its size
FIELDS = {
    b"PK\x01\x02": [(4, 2), (6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (34, 2), (42, 4)],
    b"PK\x03\x04": [(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)],
    b"PK\x05\x06": [(4, 2), (6, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)],
    b"PK\x06\x06": [(4, 8), (24, 8), (32, 8), (40, 8), (48, 8)],
}


def damaged_directory(data, rng):
    """A zip archive with one to three fields of its structures replaced."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 4)):
        signature = pick(rng, list(FIELDS))
        starts = [found.start() for found in re.finditer(re.escape(signature), data)] or [data.rfind(b"PK\x05\x06")]
        start, (offset, size) = pick(rng, starts), pick(rng, FIELDS[signature])
        old = int.from_bytes(data[start + offset : start + offset + size], "little")
        value = pick(rng, [*NUMBERS, old + 1, old - 1, old * 2, len(data), len(data) - 1]) % 256**size
        data[start + offset : start + offset + size] = value.to_bytes(size, "little")
    return bytes(data)
