"""The group of a checkpoint that nobody names: what its settings say, or what its size suggests."""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from net.checkpoint import load_network, read_checkpoint
from net.discovery import checkpoints, checkpoints_in
from net.errors import MalformedInput
from net.stated_group import default_group, stated_group


def write(path, n, record=None):
    arrays = {"L": np.ones((n, 1)), "R": np.ones((n, 1)), "U": np.ones((1, n))}
    save_file(arrays, path, {"coset-verify": json.dumps(record)} if record else None)
    return path


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"group": "SymmetricGroup", "group_parameter": 5}, "S5"),
        ({"group": "AlternatingGroup", "group_parameter": 5}, "A5"),
        ({"group": "CyclicGroup", "group_parameter": 113}, "C113"),
        ({"group": "DihedralGroup", "group_parameter": 59}, "D118"),
        ({"group": "D10"}, "D10"),
        ({"group": "SymmetricGroup"}, None),
        ({"group": ""}, None),
        ({"group": 5}, None),
        ({}, None),
    ],
)
def test_what_the_settings_say(config, name):
    assert stated_group({"config": config}) == stated_group(config) == name


def test_a_stated_group_comes_before_the_size(tmp_path):
    stated, silent = write(tmp_path / "stated.safetensors", 6, {"config": {"group": "C6"}}), write(tmp_path / "silent.safetensors", 6)
    assert default_group(read_checkpoint(stated)[1].details, 6, stated) == "C6"
    assert (
        default_group(read_checkpoint(silent)[1].details, 6, silent)
        == load_network(silent, None, "sympy", "left-first").group.name
        == "S3"
    )
    with pytest.raises(MalformedInput, match="--group for a network over 7 elements"):
        load_network(write(tmp_path / "seven.safetensors", 7))


def test_checkpoints_are_found_at_any_depth_and_in_the_order_of_their_paths(tmp_path):
    for name in ("b/c/last.ckpt", "b/model.pt", "a.safetensors", "notes.txt", "b/cfg.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.pt").mkdir()
    found = [tmp_path / "a.safetensors", tmp_path / "b/c/last.ckpt", tmp_path / "b/model.pt"]

    assert checkpoints_in(tmp_path) == found
    assert checkpoints([tmp_path / "notes.txt", tmp_path]) == [tmp_path / "notes.txt", *found]
    with pytest.raises(MalformedInput, match="got none"):
        checkpoints([tmp_path / "folder.pt"])


@pytest.mark.parametrize(
    ("config", "name"),
    [
        ({"group": "SymmetricGroup", "n": 3}, "S3"),
        ({"group": "DihedralGroup", "parameter": 59}, "D118"),
        ({"group": "CyclicGroup", "group_parameter": 7, "n": 3}, "C7"),
        ({"group": "AlternatingGroup"}, None),
    ],
)
def test_the_parameter_of_a_class_of_groups_has_several_names(config, name):
    """Without one the class says too little, and the number of elements decides."""
    assert stated_group({"config": config}) == name
