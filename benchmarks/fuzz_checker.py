"""Feed damaged files to the small checker: `python benchmarks/fuzz_checker.py [COUNT] [SEED]`.

The checker has readers of its own, for safetensors, for torch archives (zip and pickle) and for certificates. The good files are
those in tests/certificates/accepted, so all layouts and number types; six ways of damage, in turn:

    bytes         bits, bytes, numbers, blocks moved, doubled or cut, pieces of other files put in
    header        the JSON header of a safetensors file: types, shapes, offsets, names, metadata; the file itself stays whole
    pickle        opcodes of the pickle left out, doubled, exchanged, put in (with code to run among them), arguments changed
    zip           fields of the directory, the local headers and the end record; members doubled, renamed, left out or compressed
    json          bytes of the certificate
    certificate   values in the certificate: other types, huge numbers, keys left out, put in or there twice; with a new digest

A checkpoint must be read or refused with Malformed, a certificate must get its line or be refused with Malformed or Differs; each
within TIME_LIMIT and, in every twentieth round, within MEMORY_BASE + MEMORY_FACTOR times the size of the files; every message is one
line; and no directory entry may appear that code in a pickle would have made. Every fiftieth round goes through the command line too.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import resource
import signal
import sys
import tempfile
import time
import traceback
import tracemalloc
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from checker_damage import changed_json, damaged_directory, damaged_header, damaged_pickle, pick, repacked
from fuzz_readers import damaged

from verify.checker import command, layouts, shape, statement, tables
from verify.checker.groups import Group, named_group
from verify.checker.progress import Progress

ACCEPTED = Path(__file__).parents[1] / "tests" / "certificates" / "accepted"
TIME_LIMIT = 10.0
#: Bytes that one input may take: a constant, and so much for each byte of the certificate and the checkpoint.
MEMORY_BASE, MEMORY_FACTOR = 2**18, 500
GROUPS: dict[int, Group] = {}
#: 32 MB that are taken once for a certificate with a plan, whatever is in it, would hide what an input takes.
tables.keep_memory = lambda: None
KINDS = ("bytes", "header", "pickle", "zip", "json", "certificate")


class Overtime(BaseException):
    """An input that takes too long; no reader catches this."""


@dataclass
class Outcome:
    """Counts by kind of damage and result; `crashes` holds (error, kind, input) for whatever was neither read nor refused."""

    counts: Counter = field(default_factory=Counter)
    crashes: list = field(default_factory=list)
    ratio: float = 0.0
    slowest: float = 0.0
    grown: int = 0


def corpus() -> list[tuple[dict, bytes]]:
    """The accepted certificates with their checkpoints."""
    return [(json.loads(path.read_bytes()), path.with_suffix(".ckpt").read_bytes()) for path in sorted(ACCEPTED.glob("*.json"))]


def sealed(certificate) -> bytes:
    """The certificate with its digest as it should be."""
    blank = json.dumps(certificate | {"sha256": ""}, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")
    certificate = certificate | {"sha256": hashlib.sha256(blank).hexdigest()}
    return json.dumps(certificate).encode()


def input_of(kind, files, rng, trap) -> tuple[bytes, bytes, dict]:
    """A certificate and a checkpoint, one of them damaged in this way, and what the certificate says about the checkpoint."""
    archives = [file for file in files if file[1][:2] == b"PK"]
    plain = [file for file in files if file[1][:2] != b"PK"]
    certificate, data = pick(rng, {"header": plain, "pickle": archives, "zip": archives}.get(kind, files))
    if kind == "bytes":
        data = damaged(data, rng, [other for _, other in files])
    elif kind == "header":
        data = damaged_header(data, rng)
    elif kind == "pickle":
        data = repacked(data, rng, lambda content: damaged_pickle(content, rng, trap))
    elif kind == "zip":
        data = damaged_directory(data, rng)
    record = certificate["checkpoint"] | {"sha256": hashlib.sha256(data).hexdigest()}
    if kind == "certificate":
        certificate = changed_json(json.loads(json.dumps(certificate)), rng)
    elif kind != "json":
        certificate = certificate | {"checkpoint": record}
    text = sealed(certificate)
    if kind == "json":
        text = damaged(text, rng, [json.dumps(other).encode() for other, _ in files[:3]])
    return text, data, record


def read(kind, text, data, record) -> str:
    """What the checker makes of it: "read", "refused" or "differs"; other exceptions come through."""
    try:
        if kind in ("json", "certificate"):
            line = statement.check(text, data, statement.Options(), Progress(None)).line
            assert line in ("s VERIFIED", "s CONFIRMED REFUTED")
        else:
            order = len(record["numbering"])
            if order not in GROUPS:
                name = {6: "S3", 12: "A4", 24: "S4"}[order]
                named = named_group(name)
                assert named
                degree, generators = named
                GROUPS[order] = Group(shape.GroupRecord(name, degree, order, generators))
            layout, layers = layouts.read_checkpoint(data)
            shape.same("elements", layers.order, order)
            layouts.folded(layout, layers, shape.CheckpointRecord(**record), GROUPS[order])
        return "read"
    except (shape.Malformed, shape.Differs) as error:
        if ("expected" not in str(error) and "the certificate states" not in str(error)) or not str(error).isprintable():
            raise AssertionError(f"no clean sentence: {str(error)!r:.300}") from error
        return "refused" if isinstance(error, shape.Malformed) else "differs"


def command_line(text, data, result, folder) -> None:
    """The same through the command, whose line and exit code must fit."""
    (folder / "certificate.json").write_bytes(text)
    (folder / "checkpoint").write_bytes(data)
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
        code = command.main(["--quiet", str(folder / "certificate.json"), "--checkpoint", str(folder / "checkpoint")])
    lines = {0: {"s VERIFIED"}, 1: {"s NOT VERIFIED", "s CONFIRMED REFUTED"}, 4: {"s MALFORMED"}}
    assert output.getvalue().splitlines()[-1] in lines[code], (code, output.getvalue())
    assert result != "refused" or code == 4, "what a reader refuses is malformed"


def overtime(*_) -> None:
    raise Overtime(f"more than {TIME_LIMIT} seconds")


def one(k, kind, files, rng, folder, outcome) -> None:
    """Make, read and count one input."""
    trap = folder / "trap"
    text, data, record = input_of(kind, files, rng, str(trap).encode())
    began = time.perf_counter()
    signal.setitimer(signal.ITIMER_REAL, TIME_LIMIT)
    try:
        if k // len(KINDS) % 20 == 0:
            tracemalloc.start()
        with contextlib.redirect_stderr(io.StringIO()):
            result = read(kind, text, data, record)
        if tracemalloc.is_tracing():
            peak = max(0, tracemalloc.get_traced_memory()[1] - MEMORY_BASE) / (len(text) + len(data))
            outcome.ratio = max(outcome.ratio, peak)
            assert peak <= MEMORY_FACTOR, f"{peak:.0f} bytes of memory for each byte of the files"
        if k // len(KINDS) % 50 == 0:
            command_line(text, data, result, folder)
        assert not trap.exists(), "code in a file was run"
        outcome.counts[kind, result] += 1
    except (Exception, Overtime) as error:
        outcome.crashes.append(("".join(traceback.format_exception(error)[-3:]), kind, text, data))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        tracemalloc.stop()
    outcome.slowest = max(outcome.slowest, time.perf_counter() - began)


def fuzz(count: int, seed: int, folder: Path, kinds: tuple[str, ...] = KINDS) -> Outcome:
    """Check `count` damaged inputs, one after the other; the kinds of damage take turns."""
    files, rng, outcome = corpus(), np.random.default_rng(seed), Outcome()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    previous = signal.signal(signal.SIGALRM, overtime)
    try:
        for k in range(count):
            one(k, kinds[k % len(kinds)], files, rng, folder, outcome)
    finally:
        signal.signal(signal.SIGALRM, previous)
    outcome.grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return outcome


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        outcome = fuzz(count, seed, Path(folder))
        seconds = time.perf_counter() - began
    print("| damage | inputs | read | differs from the certificate | malformed |\n|---|---:|---:|---:|---:|")
    for kind in KINDS:
        found = [outcome.counts[kind, result] for result in ("read", "differs", "refused")]
        print(f"| {kind} | {sum(found):,} | " + " | ".join(f"{number:,}" for number in found) + " |")
    print(f"\ninputs {count:,}, crashes {len(outcome.crashes):,}, seconds {seconds:.0f}, the slowest {outcome.slowest:.2f}")
    print(f"memory beyond {MEMORY_BASE:,} bytes: at most {outcome.ratio:.0f} bytes for each byte of the files", end="; ")
    print(f"process grew by {outcome.grown / 2**20:.0f} MiB")
    for error, kind, text, data in outcome.crashes[:5]:
        print(kind, error, text[:100], data[:100], sep="\n")
    return 1 if outcome.crashes else 0


if __name__ == "__main__":
    sys.exit(main())
