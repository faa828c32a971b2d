"""The networks that come with the project."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

import net
from net.bundled import bundled_checkpoint, bundled_groups
from net.checkpoint import ReadOptions, load_network, open_checkpoint
from net.errors import MalformedInput
from net.training.state import split_digest, training_pairs

README = Path(net.__file__).parent / "checkpoints" / "README.md"


@pytest.mark.parametrize(("name", "step"), [("S5", 1), ("S6", 16), pytest.param("S6", 1, marks=pytest.mark.slow)])
def test_bundled_network_is_right_on_every_pair(name, step):
    """In float64, with margins above 3 (S6: every 16th row, and all when slow tests run)."""
    network = load_network(bundled_checkpoint(name), name)
    weights, mul, n = network.weights, network.group.mul, network.group.order
    smallest = np.inf
    columns = np.arange(n)
    for x in range(0, n, step):
        logits = np.maximum(weights.L[x] + weights.R, 0) @ weights.U
        own = logits[columns, mul[x]].copy()
        logits[columns, mul[x]] = -np.inf
        smallest = min(smallest, float((own - logits.max(axis=1)).min()))

    assert smallest > 3
    assert (network.convention.order, network.convention.product) == ("lexicographic", "left-first")


@pytest.mark.parametrize("name", ["S5", "S6"])
def test_bundled_file_is_small_and_its_record_is_true(name):
    path = bundled_checkpoint(name)
    details = load_network(path, name).source.details
    config = details["config"]
    order = {"S5": 120, "S6": 720}[name]

    assert path.stat().st_size < 6_000_000
    assert config["group"] == name
    assert details["split_sha256"] == split_digest(training_pairs(order, config["fraction"], config["seed"]))


@pytest.mark.parametrize("name", ["S5", "S6"])
def test_the_note_beside_the_files_states_their_digests(name):
    digest = hashlib.sha256(bundled_checkpoint(name).read_bytes()).hexdigest()

    assert re.search(rf"{name}\.safetensors.*{digest}", README.read_text(encoding="utf-8"), re.DOTALL)


def test_a_file_of_this_project_states_its_activation(tmp_path):
    """Where its record names none it is relu, and no option makes it another."""
    for activation in ("square", "abs"):
        with pytest.raises(MalformedInput, match=f"expected relu, which files of .* have .*, got {activation}"):
            open_checkpoint(bundled_checkpoint("S5"), ReadOptions(activation=activation))
    assert open_checkpoint(bundled_checkpoint("S5"), ReadOptions(activation="relu")).activation == "relu"

    with bundled_checkpoint("S5").open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header, data = json.loads(file.read(size)), file.read()
    record = json.loads(header["__metadata__"]["coset-verify"])
    record["config"]["activation"] = "square"
    header["__metadata__"]["coset-verify"] = json.dumps(record)
    written = json.dumps(header).encode()
    path = tmp_path / "squares.safetensors"
    path.write_bytes(len(written).to_bytes(8, "little") + written + data)
    assert open_checkpoint(path, ReadOptions(activation="square")).activation == "square"
    with pytest.raises(MalformedInput, match="expected relu as activation, got 'square'"):
        open_checkpoint(path, ReadOptions(activation="relu"))


def test_groups_without_a_bundled_network_are_refused():
    assert bundled_groups() == ["S5", "S6"]
    assert bundled_checkpoint(" s5 ").name == "S5.safetensors"
    for name in ("A5", "../S5", "", "S5.safetensors"):
        with pytest.raises(MalformedInput, match="bundled are S5 and S6 alone: give the file with --checkpoint"):
            bundled_checkpoint(name)
