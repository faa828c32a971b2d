"""Checkpoints and certificates that are small and would take an unguarded reader's memory, time or stack.

Each was made by thinking about one line of a reader: what it multiplies, hashes, writes out or nests.
"""

import io
import json
import struct
import zipfile
from typing import Any

import numpy as np


def safetensors(tensors: dict[str, Any], shapes: dict[str, list[int]] | None = None) -> bytes:
    """The file with these arrays; `shapes` replaces what the header says about them."""
    header, body = {}, b""
    for name, array in tensors.items():
        data = np.asarray(array, np.float16).tobytes()
        shape = (shapes or {}).get(name, list(np.shape(array)))
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def archive(pickled: bytes) -> bytes:
    """A torch archive with this pickle and one storage of four float32 zeros."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02" + pickled)
        file.writestr("archive/data/0", b"\0" * 16)
    return buffer.getvalue()


def text(word: str) -> bytes:
    return b"X" + struct.pack("<I", len(word)) + word.encode()


#: t = (); t = (t, t), 60 times: 2^60 items when it is written out or hashed
DOUBLING = b")" + b"q\x07h\x07\x86" * 60
DEEP = b")" + b"\x85" * 100_000
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def storage(kind: bytes, key: bytes) -> bytes:
    """What names a storage: the persistent id ("storage", kind, key)."""
    return b"(" + text("storage") + kind + key + b"tQ"


def of_model(value: bytes) -> bytes:
    """{"L": value}."""
    return b"}" + text("L") + value + b"s."


def checkpoints() -> dict[str, bytes]:
    """Name: file; all must be refused as malformed."""
    n = 4_000
    long = {"embedding_left": np.ones((n, 1)), "embedding_right": np.ones((n, 1)), "unembedding": np.ones((2, 2))}
    halves = {"linear_left": np.ones((1, n)), "linear_right": np.ones((1, n))}
    tall = {"W_x": np.ones((n, 1)), "W_y": np.ones((n, 1)), "W": np.ones((2, 1)), "W_U": np.ones((1, n)), "b": np.ones((n, 1))}
    float_type = b"ctorch\nFloatStorage\n"
    return {
        "product of a long column and a long row": safetensors(long | halves),
        "bias of many rows": safetensors(tall),
        "thirty thousand dimensions": safetensors({"L": np.zeros(0)}, {"L": [0] * 30_000}),
        "dimensions of four thousand bits": safetensors({"L": np.zeros(0)}, {"L": [2**3999] * 400}),
        "argument that doubles when it is written out": archive(DOUBLING + b")R."),
        "setting that doubles when it is written out": archive(
            b"}" + text("model") + b"}s" + text("config") + b"}" + text("act") + DOUBLING + b"ss."
        ),
        "storage named by a tuple that doubles when it is hashed": archive(of_model(storage(float_type, DOUBLING))),
        "storage named by a deep tuple": archive(of_model(storage(float_type, DEEP))),
        "type that is a deep tuple": archive(of_model(REBUILD + b"(" + DEEP + text("data") + b"\x86K\x00K\x01\x85K\x01\x85t" + b"R")),
        "dictionary within dictionary": archive((b"}" + text("model")) * 20_000 + b"N" + b"s" * 20_000 + b"."),
        "name of two lines": safetensors({"L\ns VERIFIED": np.zeros(2)}, {"L\ns VERIFIED": [3]}),
    }


def certificates(good: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Name: a changed certificate; all must be malformed or not verified."""

    def changed(**parts: Any) -> dict[str, Any]:
        return {**json.loads(json.dumps(good)), **parts}

    large = {"name": "large", "degree": 40, "order": 8192, "generators": [f"({2 * k + 1} {2 * k + 2})" for k in range(13)]}
    circuit = good["program"]["circuits"][0]
    neuron = circuit["neurons"][0]
    copies = [{**circuit, "neurons": [{**neuron, "index": k} for k in range(1000, 3000)]}]
    huge = json.loads(json.dumps(good["program"]))
    huge["circuits"][0]["neurons"][0]["left"][0] = 10**4200
    return {
        "group of 8,192 elements for a network of six": changed(group=large, program=good["program"] | {"group": large}),
        "neurons that the network has not": changed(program=good["program"] | {"circuits": copies}),
        "number with more digits than Python writes out": changed(program=huge),
        "bits that make such a number": changed(program=good["program"] | {"preactivation_bits": 10_000}),
        "version of two lines": changed(versions={"a\ns VERIFIED": 1}),
    }
