"""Feed damaged checkpoint files to the readers: `python benchmarks/fuzz_readers.py [COUNT] [SEED]`.

Takes small good files in every container and layout and damages them: bits, bytes, numbers, blocks moved,
doubled or cut, pieces of other files put in; inside a zip archive the members too, with the archive made
whole again, so that the damage gets past the checksums. Each must be read as a network or refused with
`MalformedInput`; no directory entry may appear beside the file (code in a pickle would leave one), and the
process may not grow by more than MEMORY_LIMIT.
"""

from __future__ import annotations

import io
import os
import pickle
import resource
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from net.checkpoint import read_checkpoint
from net.errors import MalformedInput

#: Bytes that the process may grow by, over all inputs; the files themselves are below 10 kB.
MEMORY_LIMIT = 300 * 2**20
NUMBERS = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**64 - 1]


class Trap:
    """Unpickling this without care makes a directory."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (self.path,))


@dataclass
class Outcome:
    """Counts over all inputs; `crashes` holds (error, input) for whatever was neither read nor refused."""

    read: int = 0
    refused: int = 0
    crashes: list = field(default_factory=list)
    messages: Counter = field(default_factory=Counter)
    grown: int = 0


def corpus(trap):
    """Good files of every kind (n = 6, d = 3, m = 2), and a torch archive with code in it."""
    import torch
    from safetensors.numpy import save

    rng = np.random.default_rng(0)
    n, d, m = 6, 3, 2

    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    folded = {"L": draw(n, m), "R": draw(n, m), "U": draw(m, n), "b": draw(n)}
    chughtai = {"W_x": draw(n, d), "W_y": draw(n, d), "W": draw(2 * d, m), "W_U": draw(m, n), "b": draw(m)}
    grok = {
        "lembed.weight": draw(n, d),
        "rembed.weight": draw(n, d),
        "linear.weight": draw(m, 2 * d),
        "unembed.weight": draw(n, m),
        "unembed.bias": draw(n),
    }
    wu = {
        "embedding_left": draw(1, n, d),
        "embedding_right": draw(1, n, d),
        "linear_left": draw(1, d, m),
        "linear_right": draw(1, d, m),
        "unembedding": draw(1, m, n),
        "unembed_bias": draw(1, n),
    }

    def tensors(state):
        return {name: torch.from_numpy(array) for name, array in state.items()}

    full_run = {
        "model": tensors(grok),
        "config": {"act_fn": "relu"},
        "checkpoints": [tensors(grok)],
        "checkpoint_epochs": [0],
    }
    files = [save(folded), save(chughtai, {"coset-verify": '{"config": {"seed": 0}}'}), save(wu)]
    for content in (tensors(chughtai), full_run, tensors(wu), tensors(folded), {"model": Trap(trap)}):
        stream = io.BytesIO()
        torch.save(content, stream)
        files.append(stream.getvalue())
    stream = io.BytesIO()
    np.savez(stream, **folded)
    files += [stream.getvalue(), pickle.dumps({"model": Trap(trap)})]
    return files


def damaged(data, rng, files):
    """The bytes with one to four kinds of damage."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not data:
            break
        i, j = sorted(rng.integers(0, len(data) + 1, 2).tolist())
        j = min(j, i + int(2 ** rng.integers(0, 11)))
        kind = rng.integers(8)
        if kind == 0:
            data[min(i, len(data) - 1)] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            data[i : i + 1] = bytes([rng.integers(256)])
        elif kind == 2:
            size = int(rng.choice([1, 2, 4, 8]))
            data[i : i + size] = (NUMBERS[rng.integers(len(NUMBERS))] % 2 ** (8 * size)).to_bytes(size, "little")
        elif kind == 3:
            del data[i:j]
        elif kind == 4:
            data[i:i] = data[i:j]
        elif kind == 5:
            other = files[rng.integers(len(files))]
            k = int(rng.integers(len(other)))
            data[i:j] = other[k : k + j - i]
        elif kind == 6:
            digits = [k for k in range(i, j) if 48 <= data[k] <= 57]
            for k in digits[:3]:
                data[k] = int(rng.integers(48, 58))
        else:
            data = data[:j] if rng.integers(4) == 0 else data
    return bytes(data)


def damaged_inside(data, rng, files):
    """The zip archive with one member damaged, dropped or doubled, and the archive itself whole."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        members = old.infolist()
        pickled = [k for k, member in enumerate(members) if member.filename.endswith("data.pkl")]
        chosen = pickled[0] if pickled and rng.integers(3) else int(rng.integers(len(members)))
        for k, member in enumerate(members):
            content = old.read(member)
            new.writestr(member.filename, damaged(content, rng, files) if k == chosen else content)
    return stream.getvalue()


def read(data, path):
    """Whether the file with these bytes is "read" or "refused"; other exceptions come through."""
    path.write_bytes(data)
    try:
        read_checkpoint(path)
    except MalformedInput as error:
        message = str(error)
        if not message.startswith("expected") or "\n" in message:
            raise AssertionError(f"no clean sentence: {message!r}") from error
        return "refused"
    return "read"


def fuzz(count, seed, folder):
    """Read `count` damaged files, one after the other, in `folder`."""
    trap = folder / "trap"
    files = corpus(str(trap))
    rng = np.random.default_rng(seed)
    outcome = Outcome()
    read(files[3], folder / "file")  # imports torch before memory is measured
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count):
        data = files[rng.integers(len(files))]
        inside = data[:2] == b"PK" and rng.integers(3)
        data = damaged_inside(data, rng, files) if inside else damaged(data, rng, files)
        try:
            result = read(data, folder / "file")
            assert not trap.exists(), "code in a file was run"
            setattr(outcome, result, getattr(outcome, result) + 1)
        except Exception as error:
            outcome.crashes.append(("".join(traceback.format_exception(error)[-3:]), data))
    outcome.grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert outcome.grown < MEMORY_LIMIT, f"the process grew by {outcome.grown:,} bytes"
    return outcome


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        outcome = fuzz(count, seed, Path(folder))
        seconds = time.perf_counter() - began
    print(f"inputs {count:,}  read {outcome.read:,}  refused {outcome.refused:,}", end="  ")
    print(f"crashes {len(outcome.crashes):,}")
    print(f"seconds {seconds:.1f}  process grew by {outcome.grown / 2**20:.0f} MiB")
    for error, data in outcome.crashes[:5]:
        print(error, data[:200], sep="\n")
    return 1 if outcome.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
