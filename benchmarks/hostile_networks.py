"""Small hostile networks through the analysis and the checker: `python benchmarks/hostile_networks.py [COUNT] [--first N]`.

Networks over groups of order 1 to 8: right ones, nearly right ones, ties, dead, duplicated and constant neurons, zeros; at every scale
from the least denormal to the largest float, of the network, of each array, of each neuron and of single entries; in float16,
bfloat16, float32, float64 and mixtures; with biases beside which float64 loses everything; folded or in layers. Network number N is
always the same one, whatever its neurons make of their preactivations (``--activation``): relu, the square or the absolute value.

Each goes through what `verify run` and `verify check` do, in this process, with warnings as errors, and must end in one of two ways.
Refused: by MalformedInput, and then a weight or a product of weights is beyond the largest float64. Or with a verdict, which is held
against Python's integers on all pairs: right pairs, ties, every wrong pair, the smallest margin, the program's answers as program.py
gives them, Q3 (a program called right is right), and the float32 statement against sums in random order. The checker must say the
same. Anything else (an exception is an exit code 5) is printed with the network's number, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import verify
from algebra.group import FiniteGroup, parse_group
from net.errors import MalformedInput
from net.formats.reading import ACTIVATIONS, Activation
from reports.coset_voting import Program
from reports.program_text import program_constants
from verify.checker.progress import Progress
from verify.checker.statement import Options, check
from verify.record.certificate import canonical_bytes
from verify.record.summary import summary_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from reports.records import Record

GROUPS = ("C1", "C2", "C3", "C4", "C2xC2", "C5", "C6", "S3", "C7", "C8", "D8", "C4xC2", "C2xC2xC2")
#: For each type of float: its name in a file, the bits of its significand, the exponents of its least and its largest number.
FLOATS = {
    "float16": ("F16", 11, -24, 15),
    "bfloat16": ("BF16", 8, -133, 127),
    "float32": ("F32", 24, -149, 127),
    "float64": ("F64", 53, -1074, 1023),
}
#: Every so many networks all files are written, the report and its figures too: that takes ten times as long as the rest.
EVERY = 200
Arrays = dict[str, np.ndarray]
FIRED: dict[Activation, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda p: np.maximum(p, 0),
    "square": lambda p: p * p,
    "abs": np.abs,
}


@dataclass(frozen=True)
class Hostile:
    """One network: its group, a word for how it was made, its tensors with the type of each, its activation, and its file's bytes."""

    group: str
    kind: str
    tensors: Arrays
    types: dict[str, str]
    activation: Activation = "relu"

    @property
    def data(self) -> bytes:
        """A safetensors file, written by hand, since NumPy has no bfloat16."""
        header: dict[str, object] = {"__metadata__": {"act_fn": self.activation}} if self.activation != "relu" else {}
        blobs, end = list[bytes](), 0
        for name, array in self.tensors.items():
            blobs.append(as_bytes(array, self.types[name]))
            header[name] = {"dtype": FLOATS[self.types[name]][0], "shape": array.shape, "data_offsets": (end, end + len(blobs[-1]))}
            end += len(blobs[-1])
        text = json.dumps(header).encode()
        return len(text).to_bytes(8, "little") + text + b"".join(blobs)


def as_bytes(array: np.ndarray, kind: str) -> bytes:
    """The numbers in a type that holds each of them."""
    if kind == "bfloat16":
        return (array.astype("<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return array.astype(np.dtype(kind).newbyteorder("<")).tobytes()


def fitted(array: np.ndarray, kind: str) -> np.ndarray:
    """The nearest numbers of a type of floats, as float64: rounded to its significand, its least number and its largest."""
    _, bits, least, top = FLOATS[kind]
    largest = np.ldexp(2 - 2.0 ** (1 - bits), top)
    fraction, exponent = np.frexp(np.clip(array, -largest, largest))
    keep = np.minimum(bits, exponent - least)  # a denormal has fewer bits
    rounded = np.ldexp(np.rint(np.ldexp(fraction, np.maximum(keep, 0))), exponent - np.maximum(keep, 0))
    return np.where(keep < 0, 0.0, np.clip(rounded, -largest, largest))


# ---- networks


def lookup(group: FiniteGroup, activation: Activation) -> Arrays:
    """A right network of n^2 neurons: neuron (a, b) is strongest at x = a, y = b, and votes for ab.

    With relu it fires there alone, by 1. With squares and absolute values by 4 and 2, and by 1 where one of the two is so: at (x, y)
    two neurons of each other output do that.
    """
    n = group.order
    arrays = {"L": np.full((n, n * n), -1.0 if activation == "relu" else 0.0), "R": np.zeros((n, n * n)), "U": np.zeros((n * n, n))}
    for k, (a, b) in enumerate(np.ndindex(n, n)):
        arrays["L"][a, k] += 1
        arrays["R"][b, k], arrays["U"][k, group.mul[a, b]] = 1, 1
    return arrays


def ramp(n: int) -> Arrays:
    """A right network of width 3 over C_n: s = x + y - n [x + y >= n] by three relus, and logit z = 2 z s - z^2."""
    k = np.arange(n, dtype=float)
    right, votes = np.stack([k, k - n + 1, k - n], 1), np.stack([2 * k, -2 * n * k, 2 * n * k])
    return {"L": np.stack([k, k, k], 1), "R": right, "U": votes, "b": -k * k}


def by_cosets(group: FiniteGroup, rng: np.random.Generator) -> Arrays:
    """Neurons whose functions take few values: constant on the classes of a random map, as on cosets, with small integers."""
    n, m = group.order, int(rng.integers(1, 13))
    left = rng.integers(-2, 3, (n, m)).astype(float)[rng.integers(0, n, n)]
    right = rng.integers(-2, 3, (n, m)).astype(float)[rng.integers(0, n, n)]
    return {"L": left, "R": right, "U": rng.integers(-2, 3, (m, n)).astype(float)}


def small(group: FiniteGroup, rng: np.random.Generator, draw: str) -> Arrays:
    """Few neurons with normal weights, with integers from -1 to 2 (many ties), with zeros alone, or with one value each."""
    n, m = group.order, int(rng.integers(1, 9))
    shapes = {"L": (n, m), "R": (n, m), "U": (m, n)}
    if draw == "normal":
        return {name: rng.normal(size=shape) for name, shape in shapes.items()}
    if draw == "integers":
        return {name: rng.integers(-1, 3, shape).astype(float) for name, shape in shapes.items()}
    if draw == "zero":
        return {name: np.zeros(shape) * rng.choice([1.0, -1.0]) for name, shape in shapes.items()}
    return {name: np.full(shape, rng.normal()) for name, shape in shapes.items()}


def plain(group: FiniteGroup, rng: np.random.Generator, activation: Activation) -> tuple[str, Arrays]:
    """A network of usual size, and a word for it."""
    kind = rng.choice(
        ["lookup", "altered", "ramp", "normal", "integers", "cosets", "zero", "constant"],
        p=[0.25, 0.2, 0.15, 0.1, 0.1, 0.1, 0.05, 0.05],
    )
    if kind == "ramp":
        cyclic = group.name.startswith("C") and "x" not in group.name
        return ("ramp", ramp(group.order)) if cyclic else ("lookup", lookup(group, activation))
    if kind in ("lookup", "altered"):
        arrays = lookup(group, activation)
        if kind == "altered":  # one vote changed: by a unit in the last place, to a tie, to a wrong answer
            k, z = rng.integers(len(arrays["U"])), rng.integers(group.order)
            arrays["U"][k, z] = rng.choice([1.0, 1 - 2.0**-8, 1 - 2.0**-53, 1 + 2.0**-7, 1 + 2.0**-52, 2.0, -1.0, 5e-324])
        return kind, arrays
    return kind, by_cosets(group, rng) if kind == "cosets" else small(group, rng, kind)


def hostile(number: int, activation: Activation = "relu") -> Hostile:
    """Network number N."""
    rng = np.random.default_rng(number)
    group = parse_group(str(rng.choice(GROUPS)))
    kind, arrays = plain(group, rng, activation)
    words = [kind]
    if rng.random() < 0.25 and arrays["L"].shape[1] < 30:  # neurons there twice, and dead ones
        twice = rng.integers(0, arrays["L"].shape[1], int(rng.integers(1, 4)))
        both = {"L": 1, "R": 1, "U": 0}
        arrays |= {name: np.concatenate([arrays[name], np.take(arrays[name], twice, axis)], axis) for name, axis in both.items()}
        words.append("duplicated")
    if rng.random() < 0.15:
        dead = rng.random(arrays["L"].shape[1]) < 0.3
        arrays["L"][:, dead], arrays["R"][:, dead] = -np.abs(arrays["L"][:, dead]), -np.abs(arrays["R"][:, dead])
        words.append("dead")
    if rng.random() < 0.35:
        bias = str(rng.choice(["random", "common", "huge", "one"]))
        size = np.exp2(rng.uniform(-1000, 1000)) if bias in ("huge", "one") else 1.0
        values = {"common": np.full(group.order, rng.normal()), "one": (np.arange(group.order) == rng.integers(group.order)) * 1.0}
        added = size * values.get("common" if bias == "huge" else bias, rng.normal(size=group.order))
        arrays["b"] = arrays.get("b", 0.0) + added
        words.append(f"bias {bias}")
    types = {name: str(rng.choice(list(FLOATS))) for name in (*arrays, "W_x", "W_y", "W", "W_U", "bias")}
    if rng.random() < 0.8:
        types = dict.fromkeys(types, types["L"])
    words.append(scale(arrays, types, rng))
    tensors = arrays
    if rng.random() < 0.15:
        tensors, word = layered(arrays, rng), "layers"
        words.append(word)
    with np.errstate(all="ignore"):
        fit = {name: fitted(a, types[name]) for name, a in tensors.items()}
    return Hostile(group.name, ", ".join(words), fit, types, activation)


def scale(arrays: Arrays, types: dict[str, str], rng: np.random.Generator) -> str:
    """Multiply in place by powers of two and other numbers within the range of each array's type; a word for what was done."""
    how = str(rng.choice(["usual", "network", "arrays", "neurons", "entries", "edges"], p=[0.15, 0.25, 0.25, 0.15, 0.1, 0.1]))

    def exponent(name: str, size: int | tuple[int, ...] | None = None) -> np.ndarray:
        _, _, least, top = FLOATS[types[name]]
        return np.asarray(rng.integers(least, top + 1, size))

    with np.errstate(all="ignore"):
        if how == "network":
            i, v = int(exponent("L")), int(exponent("U"))
            factor = 1.0 if rng.random() < 0.5 else rng.uniform(1, 2)
            for name, e in (("L", i), ("R", i), ("U", v), ("b", i + v)):
                if name in arrays:
                    arrays[name] = np.ldexp(arrays[name] * factor ** (2 if name == "b" else 1), e)
        if how == "arrays":
            arrays |= {name: np.ldexp(a, exponent(name)) for name, a in arrays.items()}
        if how == "neurons":
            e = exponent("L", arrays["L"].shape[1])
            back = exponent("U", len(e)) if rng.random() < 0.5 else -e
            arrays |= {"L": np.ldexp(arrays["L"], e), "R": np.ldexp(arrays["R"], e), "U": np.ldexp(arrays["U"], back[:, None])}
        if how == "entries":
            arrays |= {name: np.ldexp(a, exponent(name, a.shape)) for name, a in arrays.items()}
        if how == "edges":
            for name, a in arrays.items():
                _, bits, least, top = FLOATS[types[name]]
                edge = np.ldexp([1.0, 3.0, 2 - 2.0 ** (1 - bits), 1.0], [least, least, top, top])
                arrays[name] = np.where(rng.random(a.shape) < 0.3, rng.choice([-1.0, 1.0], a.shape) * rng.choice(edge, a.shape), a)
    return f"scale of {how}"


def layered(arrays: Arrays, rng: np.random.Generator) -> Arrays:
    """The network in layers: embeddings of a one-hot matrix, or random ones, in front of L and R."""
    n, m = arrays["L"].shape
    tensors = {"W_x": np.eye(n), "W_y": np.eye(n), "W": np.concatenate([arrays["L"], arrays["R"]]), "W_U": arrays["U"]}
    if rng.random() < 0.3:
        d = int(rng.integers(1, 4))
        tensors |= {"W_x": rng.normal(size=(n, d)), "W_y": rng.normal(size=(n, d)), "W": rng.normal(size=(2 * d, m))}
    return tensors | ({"bias": arrays["b"]} if "b" in arrays else {})


# ---- the truth, in Python's integers

#: Every float64 is an integer over 2^BITS.
BITS = 1074


def integers(array: np.ndarray) -> np.ndarray:
    """The numbers times 2^BITS."""
    whole = [(p << BITS) // q for p, q in (float(v).as_integer_ratio() for v in array.ravel())]
    return np.array(whole, dtype=object).reshape(array.shape)


@dataclass(frozen=True)
class Truth:
    """The answer at every pair (-1 for a tie), and the margin there."""

    answers: list[list[int]]
    margins: dict[tuple[int, int], Fraction]


def truth(network: Hostile) -> Truth:
    """All logits of the function of real numbers that the file states."""
    t = {name: integers(a) for name, a in network.tensors.items()}
    if "W" in t:
        d = t["W_x"].shape[1]
        left, right, votes, bits = t["W_x"] @ t["W"][:d], t["W_y"] @ t["W"][d:], t["W_U"], 2 * BITS
    else:
        left, right, votes, bits = t["L"], t["R"], t["U"], BITS
    bits = (2 if network.activation == "square" else 1) * bits + BITS
    n = len(left)
    bias = next((t[name] for name in ("b", "bias") if name in t), np.zeros(n, dtype=object)) * (1 << (bits - BITS))
    answers, margins = [], {}
    for x in range(n):
        logits = FIRED[network.activation](left[x] + right) @ votes + bias
        row = []
        for y in range(n):
            order = sorted(logits[y].tolist(), reverse=True)
            row.append(-1 if n > 1 and order[0] == order[1] else int(logits[y].argmax()))
            if n > 1:
                margins[x, y] = Fraction(order[0] - order[1], 1 << bits)
        answers.append(row)
    return Truth(answers, margins)


# ---- one network


class WrongError(Exception):
    """The tool said something that is not so."""


def same(what: str, said: object, found: object) -> None:
    """Raise WrongError where they differ."""
    if said != found:
        raise WrongError(f"{what}: said {str(said)[:200]}, is {str(found)[:200]}")


def outcome(number: int, activation: Activation) -> str:
    """What comes of network number N: its verdict or the reason for which it is refused; raises whatever should not be."""
    network = hostile(number, activation)
    group = parse_group(network.group)
    data, stderr, stdout = network.data, io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder) / "network.safetensors"
        path.write_bytes(data)
        with redirect_stderr(stderr), redirect_stdout(stdout):
            try:
                found = verify.analyse(path, group, order="lexicographic", product="left-first", timeout_s=0, activation=activation)
            except MalformedInput as refusal:
                return refused(network, str(refusal))
            certificate, summary = found.certificate, found.summary
            stated, told = canonical_bytes(certificate) + b"\n", summary_bytes(summary)
            if number % EVERY == 0:
                found.write(Path(folder) / "out")
                same("bytes of the certificate", (Path(folder) / "out" / "certificate.json").read_bytes(), stated)
        compared(network, group, json.loads(stated), json.loads(told))
        line = check(stated, data, Options(), Progress(None)).line
    same("what stands on stderr", stderr.getvalue(), "")
    same("the checker", line, "s VERIFIED" if certificate.verdict == "VERIFIED" else "s CONFIRMED REFUTED")
    return str(certificate.verdict)


def refused(network: Hostile, reason: str) -> str:
    """Only products beyond float64, or within 2^-40 of its end, are refused."""
    with np.errstate(all="ignore"):
        t = {name: np.abs(a) * (1 + 2.0**-40) for name, a in network.tensors.items()}
        d = t["W_x"].shape[1] if "W" in t else 0
        beyond = d and not np.isfinite([(t["W_x"] @ t["W"][:d]).max(), (t["W_y"] @ t["W"][d:]).max()]).all()
    same(f"refused ({reason}), and a product is beyond float64", True, bool(beyond))
    return f"refused: {reason}"


def compared(network: Hostile, group: FiniteGroup, certificate: Record, summary: Record) -> None:
    """Every statement about answers against the truth."""
    known, mul, n = truth(network), group.mul.tolist(), group.order
    pairs = list(np.ndindex(n, n))
    right = [(x, y) for x, y in pairs if known.answers[x][y] == mul[x][y]]
    correct, equivalent = certificate["correct"], certificate["equivalent"]
    same("right pairs", correct["right"], len(right))
    same("ties", correct["ties"], sum(row.count(-1) for row in known.answers))
    wrong = [[int(x), int(y), known.answers[x][y]] for x, y in pairs if known.answers[x][y] != mul[x][y]]
    same("wrong pairs", correct["wrong"], wrong)
    least = min((known.margins[pair] for pair in right), default=None) if n > 1 else None
    same("smallest margin", None if correct["min_margin"] is None else Fraction(correct["min_margin"]), least)
    same("Q1", correct["status"], "REFUTED" if wrong else "PROVED")
    answers = voted(certificate["program"], n)
    agree = sum(answers[x][y] == known.answers[x][y] for x, y in pairs)
    same("answers that agree", (equivalent["agree"], equivalent["status"]), (agree, "PROVED" if agree == n * n else "REFUTED"))
    same("Q2 is proved: the last program is the network", agree, n * n)
    same("verdict", certificate["verdict"], "REFUTED" if wrong else "VERIFIED")
    same("verdict in the summary", summary["verdict"], certificate["verdict"])
    if certificate["symbolic"]["status"] != "UNKNOWN":
        provable = certificate["symbolic"]["provable"]
        mine = answers if provable is None else voted(provable["program"], n)
        same("Q3", certificate["symbolic"]["status"], "PROVED" if mine == mul else "REFUTED")
    if network.activation != "square":  # nothing is proved of squares by tables
        same("Q4: certified pairs are right", certificate["compact"]["certified"] <= len(right), True)
    if correct["float32_any_order"] == n * n:
        same("answers in float32, summed in a random order", single(network, np.random.default_rng(0)), known.answers)


def voted(program: Record, n: int) -> list[list[int]]:
    """The answers as program.py gives them."""
    voting = Program(program_constants(program))
    return [[voting.answer(x, y) for y in range(n)] for x in range(n)]


def single(network: Hostile, rng: np.random.Generator) -> list[list[int]]:
    """The answers of the float32 forward pass, sums in random order, -1 for a tie."""
    t = {name: a.astype(np.float32) for name, a in network.tensors.items()}

    def product(vector: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        total = np.zeros(matrix.shape[1], dtype=np.float32)
        for k in rng.permutation(len(vector)):
            total = total + vector[k] * matrix[k]
        return total

    with np.errstate(all="ignore"):
        answers = []
        for x, y in np.ndindex(*(len(t["W_x"] if "W" in t else t["L"]),) * 2):
            if "W" in t:
                hidden = product(np.concatenate([t["W_x"][x], t["W_y"][y]]), t["W"])
            else:
                hidden = t["L"][x] + t["R"][y]
            bias, one = (t.get("b", t.get("bias")), np.ones(1, dtype=np.float32))
            votes = t["W_U"] if "W" in t else t["U"]
            active = FIRED[network.activation](hidden)
            logits = product(active, votes) if bias is None else product(np.append(active, one), np.vstack([votes, bias]))
            best = np.flatnonzero(logits == logits.max())
            answers.append(int(best[0]) if len(best) == 1 else -1)
    n = int(np.sqrt(len(answers)))
    return [answers[n * x : n * x + n] for x in range(n)]


# ---- many


def tried(number: int, activation: Activation = "relu") -> tuple[int, str, str]:
    """(number, what came of it, what went wrong or nothing)."""
    try:
        return number, outcome(number, activation), ""
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "hostile_networks" not in f.filename]
        where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in frames[:-4:-1])
        return number, "WRONG" if isinstance(error, WrongError) else "CRASH", f"{type(error).__name__}: {str(error)[:300]} [{where}]"


def main() -> int:
    """Try so many networks, print what came of them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first network")
    parser.add_argument("--activation", choices=ACTIVATIONS, default="relu")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--show", type=int, default=40, help="failures that are printed one by one")
    options = parser.parse_args()
    started, counts, kinds, failures, done = time.perf_counter(), Counter[str](), Counter[str](), 0, 0
    numbers = range(options.first, options.first + options.count)
    gc.freeze()  # what was imported is not gone through again and again: a sixth of the time
    gc.set_threshold(50_000, 20, 50)
    with ProcessPoolExecutor(options.jobs) as pool:
        work = partial(tried, activation=options.activation)
        results = map(work, numbers) if options.jobs == 1 else pool.map(work, numbers, chunksize=20)
        for number, word, trouble in results:
            network = hostile(number, options.activation)
            done += 1
            counts[word.partition(",")[0]] += 1
            kinds[network.kind.partition(",")[0]] += 1
            failures += bool(trouble)
            if trouble and failures <= options.show:
                print(f"{number} {network.group} ({network.kind}; {network.types['L']}): {trouble}", flush=True)
            if time.perf_counter() - started > options.seconds:
                pool.shutdown(cancel_futures=True)  # those that wait are not waited for
                break
    took = time.perf_counter() - started
    cpu = f", {1000 * time.process_time() / done:.0f} ms of processor time each" if options.jobs == 1 else ""
    print(f"{done:,} networks from number {options.first} in {took:.0f} s{cpu}")
    print("made as:", ", ".join(f"{word} {count:,}" for word, count in kinds.most_common()))
    print("ended as:", ", ".join(f"{word} {count:,}" for word, count in counts.most_common()))
    print(f"exit codes 5, false statements or warnings: {failures}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
