"""A file that does not name its activation: the certificate, the report and stdout say that one was taken, and the checker looks."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from safetensors.numpy import save

import verify
from algebra.group import parse_group
from net.planted import planted_network
from verify.checker.progress import Progress
from verify.checker.shape import Malformed
from verify.checker.statement import Options, check
from verify.commands.run import command
from verify.record.certificate import canonical_bytes, read_certificate, sealed

S3 = parse_group("S3")


@pytest.fixture(scope="module")
def tensors():
    weights = planted_network(S3, seed=0, width=24).network.weights
    return {name: np.ascontiguousarray(array, np.float32) for name, array in zip("LRU", (weights.L, weights.R, weights.U), strict=True)}


@pytest.mark.parametrize(("settings", "taken"), [(None, True), ({"lr": "0.1"}, True), ({"act_fn": "relu"}, False)])
def test_what_the_file_does_not_say_is_said_to_be_taken(tensors, tmp_path, settings, taken):
    path = tmp_path / "net.safetensors"
    path.write_bytes(save(tensors, settings))
    done = CliRunner().invoke(command, ["--group", "S3", "--checkpoint", str(path), "--out", str(tmp_path / "run"), "--timeout", "0"])
    certificate = read_certificate(tmp_path / "run" / "certificate.json")
    stated = json.loads((tmp_path / "run" / "certificate.json").read_bytes())["checkpoint"]

    assert "s VERIFIED" in done.stdout
    assert ("does not name its activation, and relu was taken" in done.stdout) == taken
    assert ("does not name the activation, and relu was taken" in (tmp_path / "run" / "report.md").read_text()) == taken
    assert stated.get("activation_taken", "absent") == (True if taken else "absent")
    assert check(canonical_bytes(certificate), path.read_bytes(), Options(), Progress(None)).line == "s VERIFIED"
    changed = msgspec.structs.replace(certificate.checkpoint, activation_taken=True)
    false = canonical_bytes(sealed(msgspec.structs.replace(certificate, checkpoint=changed)))
    if not taken:
        with pytest.raises(Malformed, match="as activation, got"):
            check(false, path.read_bytes(), Options(), Progress(None))


def test_what_the_user_or_the_project_says_is_not_taken(tensors, tmp_path):
    """--activation, arrays handed over in memory, and a file beside that names it; a file of this project means relu."""
    path = tmp_path / "net.safetensors"
    path.write_bytes(save(tensors))
    assert verify.analyse(path, "S3").network.source.activation_taken
    assert not verify.analyse(path, "S3", activation="relu").network.source.activation_taken
    assert not verify.analyse(tensors, "S3").network.source.activation_taken
    (tmp_path / "config.json").write_text('{"activation": "relu"}')
    assert not verify.analyse(path, "S3").network.source.activation_taken
