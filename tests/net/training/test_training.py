"""Training: gradients, the split, the stopping rule, interruption, and the command."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from algebra.group import parse_group
from net.checkpoint import load_network
from net.errors import MalformedInput
from net.training.architecture import cross_entropy_gradients, initial_parameters, logits, parameter_shapes
from net.training.loop import batch_indices, float32_score, has_settled, train, use_one_thread
from net.training.state import (
    TrainingSettings,
    default_settings,
    load_state,
    save_network,
    save_state,
    split_digest,
    start,
    training_pairs,
)
from verify.commands.train import command

SMALL = TrainingSettings("S3", width=16, embed=8, batch=16, steps=40, evaluate_every=10, fraction=0.8)


@pytest.fixture(autouse=True)
def one_thread():
    """As `verify train` does: threads that wait for each other over matrices this small take fifty times as long."""
    use_one_thread()


@pytest.fixture
def mul(s3):
    return s3.mul


def digest(state):
    return hashlib.sha256(b"".join(v.numpy().tobytes() for v in state.parameters.values())).hexdigest()


@pytest.mark.parametrize("activation", ["relu", "square"])
def test_gradients_are_those_of_automatic_differentiation(activation):
    """With repeated inputs in the batch, so that rows of the embeddings collect several terms."""
    parameters = initial_parameters(24, 16, 12, seed=0)
    rng = np.random.default_rng(0)
    x, y, target = (torch.from_numpy(rng.integers(0, 24, 50)) for _ in range(3))
    found = cross_entropy_gradients(parameters, x, y, target, torch.empty(50, 24), activation)
    for value in parameters.values():
        value.requires_grad_(True)
    torch.nn.functional.cross_entropy(logits(parameters, x, y, activation), target).backward()
    for name, value in parameters.items():
        torch.testing.assert_close(found[name], value.grad, rtol=1e-4, atol=1e-7)


def test_a_network_of_squares_says_so_in_its_file(tmp_path, mul):
    """Its record names the activation, and it is read with squares; the record of one of relu is as it always was."""
    from net.checkpoint import open_checkpoint

    for activation, said in (("square", "square"), ("relu", None)):
        settings = replace(SMALL, activation=activation)
        state = train(settings, mul, start(settings, 6))
        save_network(tmp_path / "net.safetensors", settings, state)
        checkpoint = open_checkpoint(tmp_path / "net.safetensors")
        assert checkpoint.details["config"].get("activation") == said
        reading = checkpoint.ways(6)[0][2].reading
        assert (reading and reading.activation) == said


def test_initial_parameters_have_the_stated_shapes_and_variances():
    parameters = initial_parameters(120, 256, 128, seed=1)

    assert {name: tuple(value.shape) for name, value in parameters.items()} == parameter_shapes(120, 256, 128)
    for value in parameters.values():
        assert abs(float(value.var()) * value.shape[1] - 1) < 0.05


@pytest.mark.parametrize(("fraction", "count"), [(0.5, 7200), (0.4, 5760), (1.0, 14400)])
def test_the_split_has_the_stated_size_and_no_repetition(fraction, count):
    pairs = training_pairs(120, fraction, seed=0)

    assert len(np.unique(pairs)) == len(pairs) == count
    assert np.array_equal(pairs, np.sort(pairs))
    assert len({split_digest(training_pairs(120, 0.5, seed)) for seed in range(5)}) == 5


def test_the_split_is_the_one_in_the_bundled_file():
    """PCG64's raw stream is guaranteed by numpy; a change of the split would show here."""
    assert split_digest(training_pairs(120, 0.5, 0)) == ("a6ee8fced3d3194d301864d9053d06955932ebfc01464cf312a61d24747945be")


def test_batches_depend_on_seed_and_step_alone():
    assert np.array_equal(batch_indices(1, 2, 50, 16), batch_indices(1, 2, 50, 16))
    assert not np.array_equal(batch_indices(1, 2, 50, 16), batch_indices(1, 3, 50, 16))
    assert batch_indices(1, 2, 50, 1000).max() == 49


def test_training_learns_the_pairs_it_sees(mul):
    """On all pairs of S3, 1,500 steps are enough to be right everywhere, with a positive margin."""
    settings = replace(SMALL, steps=1500, fraction=1.0, width=32, embed=16)
    state = train(settings, mul, start(settings, 6))

    assert float32_score(state.parameters, mul)[0] == 36
    assert state.history[-1] == {"step": 1500, "right": 36, "margin": state.history[-1]["margin"]}
    assert state.history[-1]["margin"] > 0


def test_evaluation_counts_right_pairs_and_finds_the_smallest_margin(mul):
    """Against a loop over the pairs."""
    parameters = initial_parameters(6, 8, 16, seed=3)
    margins = []
    for x in range(6):
        for y in range(6):
            row = logits(parameters, torch.tensor([x]), torch.tensor([y]))[0]
            own = float(row[int(mul[x, y])])
            margins.append(own - max(float(v) for z, v in enumerate(row) if z != mul[x, y]))
    right, smallest = float32_score(parameters, mul)

    assert right == sum(margin > 0 for margin in margins)
    assert smallest == pytest.approx(min(margins), abs=1e-5)
    assert float32_score(parameters, mul, np.array([2]))[0] == sum(margin > 0 for margin in margins[12:18])


def test_an_interrupted_run_ends_with_the_same_bits(mul, tmp_path):
    """40 steps at once, or 20, saved, loaded, and 20 more."""
    whole = train(SMALL, mul, start(SMALL, 6))
    half = train(replace(SMALL, steps=20), mul, start(SMALL, 6))
    save_state(tmp_path / "run.partial", SMALL, half)
    resumed = train(SMALL, mul, load_state(tmp_path / "run.partial", SMALL, 6))

    assert resumed.step == whole.step == 40
    assert digest(resumed) == digest(whole)
    assert resumed.history == whole.history


def test_a_state_of_other_settings_or_another_group_is_refused(mul, tmp_path):
    path = tmp_path / "run.partial"
    save_state(path, SMALL, train(replace(SMALL, steps=10), mul, start(SMALL, 6)))
    with pytest.raises(MalformedInput, match="weight_decay"):
        load_state(path, replace(SMALL, weight_decay=0.5), 6)
    with pytest.raises(MalformedInput, match="24 elements"):
        load_state(path, SMALL, 24)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(MalformedInput, match="whole safetensors file"):
        load_state(path, SMALL, 6)


def history(*records):
    return [{"step": step, "right": right, "margin": margin} for step, right, margin in records]


@pytest.mark.parametrize(
    ("records", "settled"),
    [
        ([], False),
        ([(500, 36, 5.0)], False),  # nothing to compare with yet
        ([(500, 36, 5.0), (10_500, 36, 5.05)], True),  # grew by 1 % in 10,000 steps
        ([(500, 36, 5.0), (10_500, 36, 5.5)], False),  # grew by 10 %
        ([(500, 36, 5.0), (5_000, 36, 5.5), (10_500, 36, 5.05)], False),  # the best one grew by 10 %
        ([(500, 36, 5.0), (10_500, 35, -1.0)], False),  # not right now
        ([(500, 35, -1.0), (10_500, 36, 5.0)], False),  # was not right then
        ([(500, 36, 5.0), (10_000, 36, 5.0)], False),  # too early by 500 steps
    ],
)
def test_stopping_rule(records, settled):
    assert has_settled(history(*records), TrainingSettings("S3"), 36) is settled


def test_default_settings_are_the_measured_ones():
    small, large = default_settings("S5", 120), default_settings("S6", 720)

    assert (small.embed, small.width, small.batch) == (256, 128, 1024)
    assert (large.embed, large.width, large.batch) == (512, 256, 4096)


def test_the_file_records_what_recreates_the_run(mul, tmp_path):
    state = train(SMALL, mul, start(SMALL, 6))
    save_network(tmp_path / "a.safetensors", SMALL, state)
    network = load_network(tmp_path / "a.safetensors", "S3", "lexicographic", "left-first")
    details = network.source.details

    assert TrainingSettings(**{**details["config"], "betas": tuple(details["config"]["betas"])}) == SMALL
    assert details["split_sha256"] == split_digest(training_pairs(6, SMALL.fraction, SMALL.seed))
    assert (details["step"], details["element_order"], details["product"]) == (
        40,
        "lexicographic",
        "left-first",
    )
    assert network.source.format == "coset-verify network 1"
    left = (state.parameters["W_x"].double() @ state.parameters["W"][:8].double()).numpy()
    assert np.abs(network.weights.L - left).max() < 1e-12


ARGUMENTS = [
    "--group",
    "S3",
    "--width",
    "16",
    "--embed",
    "8",
    "--batch",
    "16",
    "--steps",
    "60",
    "--fraction",
    "1",
]


def invoke(*arguments):
    return CliRunner().invoke(command, [*ARGUMENTS, *map(str, arguments)])


def test_the_command_writes_the_same_bytes_every_time(tmp_path):
    """And leaves no partial state behind."""
    for name in ("a", "b"):
        result = invoke("--out", tmp_path / name, "--seed", 3)
        assert result.exit_code == 0
        assert "of 36 pairs right after 60 steps" in result.stdout

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
    assert load_network(tmp_path / "a", "S3", "lexicographic", "left-first").source.details["config"]["seed"] == 3


def test_the_command_goes_on_where_it_was_interrupted(tmp_path, monkeypatch):
    """Interrupted while it evaluates after the saved step 500 of 600; --resume then gives the same file."""
    monkeypatch.setattr("net.training.state.TrainingSettings.evaluate_every", 500)
    long = ("--steps", 600)
    assert invoke("--out", tmp_path / "whole", *long).exit_code == 0

    import net.training.state

    original = net.training.state.save_state

    def save_and_stop(*arguments):
        original(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(net.training.state, "save_state", save_and_stop)
    assert invoke("--out", tmp_path / "parts", *long).exit_code != 0
    assert not (tmp_path / "parts").exists()
    monkeypatch.setattr(net.training.state, "save_state", original)
    assert "no unfinished run" in invoke("--out", tmp_path / "parts", *long).stderr
    assert invoke("--out", tmp_path / "parts", *long, "--resume").exit_code == 0
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "none/at/all"], "existing folder"),
        (["--out", "x", "--resume"], "an unfinished run"),
        (["--out", "x", "--fraction", "0"], "fraction"),
        (["--out", "x", "--steps", "0"], "steps"),
    ],
)
def test_wrong_usage_is_said_in_one_sentence(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert message in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_s4_is_learned_from_most_of_its_pairs():
    """A group of 24 elements, nine tenths of the pairs: right on all of them within 6,000 steps."""
    group = parse_group("S4")
    settings = TrainingSettings("S4", width=64, embed=64, batch=256, steps=6_000, fraction=0.9)
    state = train(settings, group.mul, start(settings, 24))

    assert max(record["right"] for record in state.history) == 576
