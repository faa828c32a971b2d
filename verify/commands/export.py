"""Write a run's network for other tools: a project whose theorem Coq's kernel checks, an ONNX model, properties in VNN-LIB."""

from __future__ import annotations

from os import getpid
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING

import click

from algebra.plural import plural

if TYPE_CHECKING:
    from algebra.group import FiniteGroup
    from net.formats.layers import Layers
    from reports.document import Form
    from verify.record.certificate import Certificate


@click.group()
def command() -> None:
    """Write a run's network for other tools."""


@command.command("coq")
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True, help="The network that the run is about.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new directory, or one with an earlier export.")
def coq(run: Path, checkpoint: Path, out: Path) -> None:
    """Write a Coq project with the theorem that the network of RUN multiplies, for all pairs of inputs.

    RUN is the directory of `verify run`, or its certificate.json. `make -C DIRECTORY` compiles the project: the theory, Network.v with
    the exact weights, and Theorem.v, whose proof Coq's kernel checks. Where the network has wrong answers, Mistakes.v lists the pairs,
    and the theorem is that it is right at all others and at none of these.
    `verify check RUN --coq DIRECTORY` compares Network.v, Mistakes.v and Theorem.v with the checkpoint.
    The run's summary and report name the theorem.
    """
    from shutil import which

    from verify.formal.project import stored_network, write_project
    from verify.record.certificate import read_certificate

    path = run / "certificate.json" if run.is_dir() else run
    certificate = read_certificate(path)
    network = stored_network(certificate.group, certificate.checkpoint, certificate.correct, checkpoint)
    write_project(*network, out)
    if path.name == "certificate.json":
        _name_theorem(path.parent, out, len(certificate.correct.wrong))
    click.echo(out)
    if certificate.correct.wrong:
        wrong = f"{len(certificate.correct.wrong):,} of {plural(certificate.correct.pairs, 'pair')}"
        click.echo(f"the network is wrong at {wrong}: Theorem.v states that it is right at all others, and at none of these", err=True)
    if which("coqc") is None:
        click.echo(f"coqc was not found: install Coq (Debian and Ubuntu: apt-get install coq), then make -C {out}", err=True)


def _name_theorem(run: Path, out: Path, mistakes: int) -> None:
    """Put the theorem into the run's summary.json, and write its reports again; does nothing where there is no summary."""
    import msgspec

    from reports import write_report
    from verify.record.summary import Theorem, read_summary, summary_bytes

    path = run / "summary.json"
    if not path.is_file():
        return
    directory = Path(relpath(out, run)).as_posix()
    theorem = Theorem("multiplies_except" if mistakes else "multiplies", directory, mistakes)
    work = path.with_name(f".{path.name}.{getpid()}")
    work.write_bytes(summary_bytes(msgspec.structs.replace(read_summary(path), theorem=theorem)))
    work.replace(path)
    forms: tuple[Form, ...] = ("md", "html", "tex")
    for form in forms:
        if (run / f"report.{form}").is_file():
            write_report(run, form)


def _read(run: Path, checkpoint: Path) -> tuple[Certificate, Layers, FiniteGroup]:
    """A run's certificate, the layers of its network as they are in the file, and its group.

    Raises MalformedInput where the file is not the one that the certificate is about.
    """
    from algebra.errors import GroupError
    from net.checkpoint import ReadOptions, open_checkpoint
    from net.errors import MalformedInput
    from verify.program.program import group_of
    from verify.record.certificate import read_certificate

    certificate = read_certificate(run / "certificate.json" if run.is_dir() else run)
    record = certificate.checkpoint
    opened = open_checkpoint(checkpoint, ReadOptions(layout=record.reading))
    if opened.sha256 != record.sha256:
        raise MalformedInput(f"expected the checkpoint with digest {record.sha256[:16]}..., got one with {opened.sha256[:16]}...")
    try:
        group = group_of(certificate.group)
    except (GroupError, ValueError) as error:
        raise MalformedInput(f"expected a certificate over a group, got one whose generators make none: {error}") from error
    layers = opened.ways(group.order)[0][1]
    if sorted(record.numbering) != list(range(group.order)) or layers.order != group.order:
        raise MalformedInput(f"expected a certificate and a checkpoint over the group {group.name}, got others")
    return certificate, layers, group


@command.command("onnx")
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True, help="The network that the run is about.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write, NAME.onnx.")
def onnx(run: Path, checkpoint: Path, out: Path) -> None:
    """Write the network of RUN as an ONNX model, with the weights of its file in their own precision.

    RUN is the directory of `verify run`, or its certificate.json. Inputs are (batch, 2n): one-hot vectors of x and of y, one behind the
    other; outputs are (batch, n) logits. The elements' numbers are the file's own; the model's metadata list them as permutations.
    Needs the package onnx: pip install 'coset-verify[onnx]'.
    """
    from algebra.permutation import format_cycles
    from verify.formal.onnx_model import onnx_bytes

    if out.suffix != ".onnx":
        raise click.UsageError(f"expected a file's name that ends in .onnx for --out, got {out.name!r}")
    certificate, layers, group = _read(run, checkpoint)
    record = certificate.checkpoint
    about = {
        "checkpoint_sha256": record.sha256,
        "group": group.name,
        "product": record.product,
        "elements": [format_cycles(tuple(int(i) for i in group.elements[g])) for g in record.numbering],
    }
    _write(out, onnx_bytes(layers, about))
    click.echo(out)


@command.command("vnnlib")
@click.argument("run", type=click.Path(exists=True, path_type=Path))
@click.option("--checkpoint", type=click.Path(path_type=Path), required=True, help="The network that the run is about.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A directory for the properties and instances.csv.")
@click.option("--pair", "pairs", type=(click.IntRange(0), click.IntRange(0)), multiple=True, help="X Y, a pair by the file's numbers.")
@click.option("--sample", type=click.IntRange(1), help="That many pairs: the one of least margin, and others drawn with seed 0.")
@click.option("--all", "every", is_flag=True, help="All pairs, a file each.")
@click.option("--radius", default="0", show_default=True, help="Each input may be off by this decimal.")
@click.option("--model", default="network.onnx", show_default=True, help="The model's name in instances.csv.")
def vnnlib(
    run: Path,
    checkpoint: Path,
    out: Path,
    pairs: tuple[tuple[int, int], ...],
    sample: int | None,
    every: bool,
    radius: str,
    model: str,
) -> None:
    """Write pairs of inputs as VNN-LIB properties of the model that `verify export onnx` writes.

    Each property says that at this pair some other logit is not below that of the product: unsat means that the network's answer is
    right. instances.csv lists model, property and seconds, as the tools of the VNN competition read them.
    """
    import re

    import numpy as np

    from verify.formal.vnnlib import instances, property_text

    if (len(pairs) > 0) + (sample is not None) + every != 1:
        raise click.UsageError("expected one of --pair, --sample and --all")
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,20})?", radius):
        raise click.UsageError(f"expected a decimal such as 0.001 for --radius, got {radius!r}")
    radius = radius if float(radius) else "0"
    certificate, _, group = _read(run, checkpoint)
    n, record = group.order, certificate.checkpoint
    number = {g: k for k, g in enumerate(record.numbering)}
    if any(max(pair) >= n for pair in pairs):
        raise click.UsageError(f"expected pairs of numbers below {n} for --pair, got {max(pairs, key=max)}")
    chosen = list(dict.fromkeys(pairs))
    if sample is not None:
        least = certificate.correct.min_margin_pair
        first = [] if least is None else [_in_file(number, least, record.product)]
        drawn = np.random.default_rng(0).permutation(n * n)[:sample].tolist()
        chosen = list(dict.fromkeys([*first, *(divmod(k, n) for k in drawn)]))[:sample]
    if every:
        chosen = [divmod(k, n) for k in range(n * n)]
    out.mkdir(parents=True, exist_ok=True)
    names = [f"pair_{x}_{y}.vnnlib" for x, y in chosen]
    for name, (x, y) in zip(names, chosen, strict=True):
        a, b = record.numbering[x], record.numbering[y]
        product = group.mul[a, b] if record.product == "left-first" else group.mul[b, a]
        _write(out / name, property_text(n, x, y, number[int(product)], radius).encode())
    _write(out / "instances.csv", instances(model, iter(names)).encode())
    click.echo(f"{out}: {plural(len(names), 'property', 'properties')}")


def _in_file(number: dict[int, int], pair: tuple[int, int], product: str) -> tuple[int, int]:
    """A pair of the group's elements as the numbers of the file's two inputs."""
    x, y = pair if product == "left-first" else pair[::-1]
    return number[x], number[y]


def _write(path: Path, content: bytes) -> None:
    """Put the content in the place of a file, all of it or nothing."""
    work = path.with_name(f".{path.name}.{getpid()}")
    work.write_bytes(content)
    work.replace(path)
