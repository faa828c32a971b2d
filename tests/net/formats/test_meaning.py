"""Networks are read by the shapes and names of their tensors: each ordinary way of writing one is the function that it says."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import product

import msgspec
import numpy as np
import pytest
from safetensors.numpy import save

from algebra.group import parse_group
from net import checkpoint
from net.checkpoint import ReadOptions, checkpoint_in, network_over, open_checkpoint
from net.errors import MalformedInput
from net.folded import fold
from net.formats import meaning
from net.formats.container import Stored
from net.formats.meaning import readings
from net.formats.reading import Reading, layers_of, read_layout
from verify.checker import layers as checker_layers
from verify.checker import layouts, shape
from verify.checker.readings import described
from verify.checker.shape import Malformed
from verify.checker.tensors import Tensor

N, D, M = 6, 5, 8
S3 = parse_group("S3")


def draw(*shape, seed=3):
    return np.random.default_rng([seed, *shape]).integers(-8, 9, shape).astype(np.float32) / 4


E, F, W, H, U = draw(N, D), draw(N, D, seed=4), draw(2 * D, M), draw(D, M), draw(M, N)
B, C, K = draw(M), draw(N), draw(D)
HOT = draw(2 * N, M)


def relu(p):
    return np.maximum(p, 0)


def joined(a, b):
    return np.concatenate([a, b], axis=-1)


#: For every way of writing a network: its tensors, and what it computes at (x, y), written as its author would.
WAYS = {
    "sequential on one-hot": (
        {"0.weight": HOT.T, "0.bias": B, "2.weight": U.T, "2.bias": C},
        lambda x, y: relu(HOT[x] + HOT[N + y] + B) @ U + C,
    ),
    "numpy arrays": ({"W1": HOT, "b1": B, "W2": U, "b2": C}, lambda x, y: relu(HOT[x] + HOT[N + y] + B) @ U + C),
    "no bias": ({"W1": HOT, "W2": U}, lambda x, y: relu(HOT[x] + HOT[N + y]) @ U),
    "one shared embedding": (
        {"embed.weight": E, "fc1.weight": W.T, "fc1.bias": B, "fc2.weight": U.T, "fc2.bias": C},
        lambda x, y: relu(joined(E[x], E[y]) @ W + B) @ U + C,
    ),
    "layers named like parameters": (
        {"E.weight": E, "W_in.weight": W.T, "W_in.bias": B, "W_out.weight": U.T, "W_out.bias": C},
        lambda x, y: relu(joined(E[x], E[y]) @ W + B) @ U + C,
    ),
    "flax": (
        {
            "params/Embed_0/embedding": E,
            "params/Dense_0/kernel": W,
            "params/Dense_0/bias": B,
            "params/Dense_1/kernel": U,
            "params/Dense_1/bias": C,
        },
        lambda x, y: relu(joined(E[x], E[y]) @ W + B) @ U + C,
    ),
    "two embeddings, joined": (
        {"embed_x.weight": E, "embed_y.weight": F, "hidden.weight": W.T, "hidden.bias": B, "out.weight": U.T, "out.bias": C},
        lambda x, y: relu(joined(E[x], F[y]) @ W + B) @ U + C,
    ),
    "two embeddings, added": (
        {"emb_a.weight": E, "emb_b.weight": F, "lin.weight": H.T, "lin.bias": B, "out.weight": U.T, "out.bias": C},
        lambda x, y: relu((E[x] + F[y]) @ H + B) @ U + C,
    ),
    "linear layers as embeddings": (
        {
            "a.weight": E.T,
            "a.bias": K,
            "b.weight": F.T,
            "b.bias": 2 * K,
            "hidden.weight": W.T,
            "hidden.bias": B,
            "readout.weight": U.T,
            "readout.bias": C,
        },
        lambda x, y: relu(joined(E[x] + K, F[y] + 2 * K) @ W + B) @ U + C,
    ),
    "two linear layers, added": (
        {"emb.weight": E, "lin_x.weight": H.T, "lin_x.bias": B, "lin_y.weight": -H.T, "lin_y.bias": 2 * B, "unembed.weight": U.T},
        lambda x, y: relu(E[x] @ H + B - E[y] @ H + 2 * B) @ U,
    ),
    "embeddings as wide as the hidden layer": (
        {"embedding_a.weight": HOT[:N], "embedding_b.weight": HOT[N:], "bias": B, "head.weight": U.T, "head.bias": C},
        lambda x, y: relu(HOT[x] + HOT[N + y] + B) @ U + C,
    ),
    "names of TransformerLens": (
        {
            "embed.W_E": E,
            "mlp.W_in": W,
            "mlp.b_in": B,
            "mlp.W_out": U @ E,
            "mlp.b_out": K,
            "unembed.W_U": F.T,
            "unembed.b_U": C,
        },
        lambda x, y: (relu(joined(E[x], E[y]) @ W + B) @ (U @ E) + K) @ F.T + C,
    ),
    "output tied to the embedding": (
        {"embed.weight": E, "up.weight": W.T, "up.bias": B, "down.weight": (U @ F).T, "down.bias": K},
        lambda x, y: (relu(joined(E[x], E[y]) @ W + B) @ (U @ F) + K) @ E.T,
    ),
    "tokens of both inputs in one embedding": (
        {"tok_embed.weight": np.vstack([E, F]), "fc1.weight": W.T, "fc2.weight": U.T},
        lambda x, y: relu(joined(E[x], F[y]) @ W) @ U,
    ),
    "an embedding with a further token": (
        {"embed.weight": np.vstack([E, E[:1]]), "fc1.weight": W.T, "fc2.weight": U.T},
        lambda x, y: relu(joined(E[x], E[y]) @ W) @ U,
    ),
    "a stack of two": ({"E": np.stack([E, F]), "W_in": np.stack([H, -H]), "W_out": U}, lambda x, y: relu(E[x] @ H - F[y] @ H) @ U),
    "a row as bias": (
        {"W1": HOT, "b1": B[None], "W2": U, "b2": C[None]},
        lambda x, y: relu(HOT[x] + HOT[N + y] + B) @ U + C,
    ),
}


def shapes(tensors):
    return {name: tensor.shape for name, tensor in tensors.items()}


def in_checker(reading):
    return shape.parse(shape.Reading, msgspec.json.decode(msgspec.json.encode(reading)), "reading")


@pytest.mark.parametrize("way", WAYS)
def test_the_likeliest_reading_is_the_function_that_was_written(way):
    """Logits of the folded network, as exact integers, against the author's own line; the weights are eighths, so floats are exact."""
    tensors, logits = WAYS[way]
    reading = readings(shapes(tensors), N)[0][1]
    exact = fold(layers_of(reading, {name: t.astype(np.float64) for name, t in tensors.items()}), S3, None).weights.exact()
    scale = 1 << exact.preactivation_bits + exact.vote_bits

    for x in range(N):
        for y in range(N):
            expected = logits(x, y).astype(np.float64)
            assert [int(v) / scale for v in exact.logits(x, y)] == expected.tolist(), reading.formula()


@pytest.mark.parametrize("activation", ["relu", "square", "abs"])
@pytest.mark.parametrize("way", WAYS)
def test_the_checker_reads_the_same_network(way, activation):
    """Both readers, which share no code, fold to the same exact weights, and state the same formula."""
    tensors, _ = WAYS[way]
    reading = msgspec.structs.replace(readings(shapes(tensors), N)[0][1], activation=activation)
    data = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    layout, theirs = layouts.read_checkpoint(data, in_checker(reading))
    mine = fold(layers_of(reading, {name: t.astype(np.float64) for name, t in tensors.items()}), S3, None).weights.exact()
    theirs = checker_layers.mirror(theirs) if theirs.mirrored else theirs

    assert layout == "by meaning"
    assert described(in_checker(reading)) == reading.formula()
    for factors, added, ours in ((theirs.left, theirs.left_added, mine.L), (theirs.right, theirs.right_added, mine.R)):
        side, _ = checker_layers.side_of(factors, added)
        bits = max(side.bits, mine.preactivation_bits)
        assert side.at(bits) == (ours * (1 << bits - mine.preactivation_bits)).tolist()
    votes = checker_layers.fold(theirs.votes, *([theirs.through] if theirs.through else []))[0]
    bits = max(votes.bits, mine.vote_bits)
    assert votes.at(bits) == (mine.U * (1 << bits - mine.vote_bits)).tolist()
    bias, total = checker_layers.bias_of(theirs, votes, N), mine.logit_bits
    bits = max(bias.bits, total)
    assert bias.at(bits)[0] == (mine.b * (1 << bits - total)).tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bias": ""}, "says of every tensor"),
        ({"skipped": ("0.bias",)}, "leaves out what it does not use"),
        ({"hidden_left": "0.weight^T[:5]"}, "order [56] and width 8"),
        ({"hidden_left": "0.weight[:6]"}, "order [56] and width 8"),
        ({"out": "nothing"}, "says of every tensor"),
        ({"hidden_bias": ("0.bias", "0.bias", "0.bias")}, "at most two"),
        ({"hidden_bias": ("2.bias",), "bias": "0.bias"}, "numbers in"),
        ({"state": ("model", "x")}, "torch file alone"),
        ({"hidden_left": "0.weight[0][0][0]"}, "more dimensions"),
    ],
)
def test_the_checker_refuses_a_reading_that_does_not_fit(change, message):
    tensors, _ = WAYS["sequential on one-hot"]
    reading = msgspec.structs.replace(readings(shapes(tensors), N)[0][1], **change)
    data = save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})

    with pytest.raises(Malformed, match=message):
        layouts.read_checkpoint(data, in_checker(reading))


def test_the_checker_refuses_a_reading_that_leaves_out_a_weight():
    """The bias of the output, or of the hidden layer, cannot be said away; nor can a single number that is no counter."""
    tensors = {"first.weight": HOT.T, "first.bias": B, "second.weight": U.T, "second.bias": C}
    reading = readings(shapes(tensors), N)[0][1]
    for kept in ({"bias": "", "skipped": ("second.bias",)}, {"hidden_bias": (), "skipped": ("first.bias",)}):
        with pytest.raises(Malformed, match="leaves out no weights"):
            layouts.read_checkpoint(saved(tensors), in_checker(msgspec.structs.replace(reading, **kept)))
    for name, number, fine in (
        ("second.scale", np.float32([2]), False),
        ("steps", np.float32([2]), True),
        ("ids", np.arange(6), True),
        ("hidden_mask", np.zeros(M, bool), False),
        ("outputPerm", np.arange(N), False),
        ("train_mask", np.zeros((N, N), bool), True),
        ("permutations", np.zeros((N, 3), np.int64), True),
        ("hidden2.weight", np.ones((M, M), np.int8), False),
        ("second.bias_q", np.ones(N, np.int32), False),
    ):
        told = in_checker(msgspec.structs.replace(reading, skipped=(name,)))
        if fine:
            assert layouts.read_checkpoint(saved({**tensors, name: number}), told)[0] == "by meaning"
        else:
            with pytest.raises(Malformed, match="leaves out no weights"):
                layouts.read_checkpoint(saved({**tensors, name: number}), told)


def test_no_name_looks_like_a_part_of_the_formula_and_none_is_cut_off_unseen():
    """Names are quoted where they have odd characters, shortened where they are long, and counted where they are many."""
    odd = shape.Reading(hidden_left="W[:6]", hidden_right="W) + 0 (W[6:]", out="U + b; left out: nothing", state=["a / b\n"])
    assert described(odd) == (
        "logits(x, y) = relu(W[x] + 'W) + 0 (W'[6 + y]) 'U + b; left out: nothing'; of the state dict at 'a / b\\n'"
    )
    long = shape.Reading(left="L" * 1000, right="R", hidden_left="H" * 1000, hidden_right="K", out="U", activation="square")
    assert described(long).startswith("logits(x, y) = ('LLL")
    assert described(long).endswith("HHH' + R[y] K)^2 U")
    many = shape.Reading(hidden_left="L", hidden_right="R", out="U", skipped=[f"n{k}" for k in range(102)])
    assert described(many).endswith(", n98, n99 and 2 more")


def test_loader_and_checker_leave_out_the_same_tensors():
    """Every word that either of them knows, alone and beside another one, for every kind of number and several shapes."""
    known = meaning._WEIGHT | meaning._EMBEDDING | meaning._HIDDEN | meaning._OUTPUT | checkpoint._COUNTERS | checkpoint._MEASURES
    known |= checkpoint._MASKS | checkpoint._ORDERS | checkpoint._DATA | layouts.WEIGHTS | {"bias", "biases", "rotation"}
    kinds = {"float32": "F32", "float64": "F64", "int8": "I8", "int64": "I64", "bool": "BOOL", "complex64": "C64"}
    found: Counter[tuple[str, bool]] = Counter()
    for name in (form.format(word) for word in sorted(known) for form in ("{}", "{}.bias", "train_{}2")):
        for (kind, theirs), shape_ in product(kinds.items(), [(), (1,), (6,), (1, 1), (6, 2)]):
            stored = Stored(kind, memoryview(b""), shape_, (0,) * len(shape_))
            fine = checkpoint._no_weights(name, stored) and not checkpoint._rearranges(name, stored)
            told = layouts.is_no_weight(name, Tensor(theirs, memoryview(b""), shape_, (0,) * len(shape_)))
            assert told == fine, (name, kind, shape_)
            found[kind, fine] += 1
    assert min(found["float32", False], found["int8", False], found["int8", True], found["float32", True]) > 0
    assert found["complex64", False] > 0 == found["complex64", True]


def test_the_checker_refuses_another_reading_of_a_published_layout():
    """Names with a published meaning keep it: inputs exchanged, another activation, behind a prefix too; the layout's own is read."""
    L, R = draw(N, M), draw(N, M, seed=9)
    own = Reading(hidden_left="L", hidden_right="R", out="U", bias="b")
    data = saved({"L": L, "R": R, "U": U, "b": C})
    assert layouts.read_checkpoint(data, in_checker(own))[0] == "by meaning"
    for change in ({"hidden_left": "R", "hidden_right": "L"}, {"activation": "abs"}):
        with pytest.raises(Malformed, match="in the layout folded"):
            layouts.read_checkpoint(data, in_checker(msgspec.structs.replace(own, **change)))
    behind = {f"module.{name}": tensor for name, tensor in {"L": L, "R": R, "U": U, "b": C}.items()}
    exchanged = Reading(hidden_left="module.R", hidden_right="module.L", out="module.U", bias="module.b")
    with pytest.raises(Malformed, match="in the layout folded"):
        layouts.read_checkpoint(saved(behind), in_checker(exchanged))
    said = save({"L": L, "R": R, "U": U, "b": C}, {"act_fn": "abs"})
    assert layouts.read_checkpoint(said, in_checker(msgspec.structs.replace(own, activation="abs")))[1].mirrored


def test_a_layout_that_contradicts_a_published_one_is_refused(tmp_path):
    data = saved({"L": draw(N, M), "R": draw(N, M, seed=9), "U": U, "b": C})
    with pytest.raises(MalformedInput, match="layout folded to be read as"):
        checkpoint_in(data, tmp_path / "net", ReadOptions(layout=Reading(hidden_left="R", hidden_right="L", out="U", bias="b"))).ways(N)


def saved(tensors):
    return save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})


def test_absolute_values_are_relus_of_a_number_and_its_negative(random_layers):
    from net.formats.layers import with_absolute_values

    layers = replace(random_layers, after_relu=None)
    exact = fold(with_absolute_values(layers), S3, None).weights
    left, right = (factors[0] @ factors[1] for factors in (layers.left, layers.right))
    for x in range(N):
        expected = np.abs(left[x] + right) @ layers.unembedding + layers.bias
        assert np.allclose(exact.logits(np.full(N, x), np.arange(N)), expected)


def planted_file(planted_s3, names=("0.weight", "2.weight"), **more):
    """A right network over S3, as one linear layer on one-hot inputs and another behind it."""
    L, R, votes = planted_s3
    tensors = {names[0]: np.ascontiguousarray(np.vstack([L, R]).T), names[1]: np.ascontiguousarray(votes.T), **more}
    return save(tensors)


def test_a_network_by_meaning_is_found_through_the_table(tmp_path, planted_s3):
    """With as many neurons as outputs shapes leave the last matrix open; both ways are tried, and the group's table decides."""
    (tmp_path / "net.safetensors").write_bytes(planted_file(planted_s3))
    network = network_over("S3", open_checkpoint(tmp_path / "net.safetensors"))

    assert network.convention.sample_accuracy == 1
    assert network.source.reading.formula() == "logits(x, y) = relu(0.weight^T[x] + 0.weight^T[6 + y]) 2.weight^T"


def test_a_layout_in_toml_says_what_each_tensor_is(tmp_path, planted_s3):
    data = planted_file(planted_s3, ("first", "second"), extra=np.ones(3, np.float32))
    with pytest.raises(MalformedInput, match="--layout"):
        network_over("S3", checkpoint_in(data, tmp_path / "net"))
    text = 'hidden_left = "first^T[:6]"\nhidden_right = "first^T[6:]"\nout = "second^T"\nskipped = "extra"\n'
    (tmp_path / "layout.toml").write_text(text)
    reading = read_layout(tmp_path / "layout.toml")
    network = network_over("S3", checkpoint_in(data, tmp_path / "net", ReadOptions(layout=reading)))

    assert reading == Reading(hidden_left="first^T[:6]", hidden_right="first^T[6:]", out="second^T", skipped=("extra",))
    # a weight is left out, so a file without it is written and certified
    assert network.source.reading == msgspec.structs.replace(reading, skipped=())
    assert network.source.skipped == ("extra",)
    assert checkpoint_in(network.source.rewritten, tmp_path / "net").tensors.keys() == {"first", "second"}
    (tmp_path / "layout.toml").write_text('hiden_left = "first"\n')
    with pytest.raises(MalformedInput, match="hiden_left"):
        read_layout(tmp_path / "layout.toml")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"0.weight": (8, 12), "2.weight": (8, 8), "4.weight": (6, 8)}, "two hidden layers"),
        ({"0.weight": (8, 12), "2.weight": (8, 8), "4.weight": (8, 8), "6.weight": (6, 8)}, "three hidden layers"),
        ({"0.weight_g": (8, 1), "0.weight_v": (8, 12), "2.weight": (6, 8)}, "parametrized"),
        ({"0.weight_orig": (8, 12), "0.weight_mask": (8, 12), "2.weight": (6, 8)}, "pruned"),
        ({"ema.0.weight": (8, 12), "ema.2.weight": (6, 8), "net.0.weight": (8, 12), "net.2.weight": (6, 8)}, "two copies"),
        ({"embed.weight": (6, 5), "blocks.0.attn.W_Q": (5, 5), "unembed.weight": (6, 5)}, "a transformer"),
        ({"0.weight": (8, 12), "norm.weight": (8,), "2.weight": (6, 8)}, "normalisation"),
        ({"0.weight": (8, 12), "2.weight": (7, 8)}, "over 6 elements"),
        ({"0.weight": (8, 12), "1.weight": (8,), "2.weight": (6, 8)}, "over 6 elements"),
        ({"W1": (8, 12), "gamma": (8,), "W2": (6, 8)}, "over 6 elements"),
    ],
)
def test_what_is_no_network_of_this_kind_is_called_by_its_name(tmp_path, names, message):
    data = save({name: draw(*size) for name, size in names.items()})
    with pytest.raises(MalformedInput, match=message):
        network_over("S3", checkpoint_in(data, tmp_path / "net"))


def test_one_of_several_checkpoints_is_chosen_by_its_step(tmp_path, planted_s3):
    torch = pytest.importorskip("torch")
    L, R, votes = (torch.from_numpy(array) for array in planted_s3)
    right = {"0.weight": torch.cat([L, R]).T.contiguous(), "2.weight": votes.T.contiguous(), "step": torch.tensor(3)}
    wrong = {name: torch.zeros_like(tensor) for name, tensor in right.items()}
    for name, content, step, path in (
        ("by_epoch", {0: wrong, 100: right}, "100", ("100",)),
        ("list", [wrong, right], "-1", ("1",)),
        ("named", {"states": {"epoch_0": wrong, "epoch_7": right}, "losses": [1.0]}, "7", ("states", "epoch_7")),
        ("beside", {"snapshots": [right, wrong], "epochs": [50, 60]}, "50", ("snapshots", "0")),
        ("checkpoints", {"checkpoints": [right, wrong], "checkpoint_epochs": [5, 6]}, "5", ("checkpoints", "0")),
    ):
        torch.save(content, tmp_path / name)
        if name != "checkpoints":  # of which the last one is meant
            with pytest.raises(MalformedInput, match="--step"):
                open_checkpoint(tmp_path / name)
        network = network_over("S3", open_checkpoint(tmp_path / name, ReadOptions(step=step)))
        reading = network.source.reading
        assert (reading.state, reading.skipped) == (path, ("step",))
        _, theirs = layouts.read_checkpoint((tmp_path / name).read_bytes(), in_checker(reading))
        assert theirs.order == 6
        with pytest.raises(MalformedInput, match="for --step, got '8'"):
            open_checkpoint(tmp_path / name, ReadOptions(step="8"))


def test_a_module_is_compared_with_what_was_read_from_its_tensors(planted_s3):
    torch = pytest.importorskip("torch")
    from verify.analysis import analyse

    class Network(torch.nn.Module):
        def __init__(self, activation):
            super().__init__()
            L, R, votes = (torch.from_numpy(array) for array in planted_s3)
            self.first, self.second = torch.nn.Linear(12, 24), torch.nn.Linear(24, 6)
            self.register_buffer("calls", torch.tensor(7))
            self.activation = activation
            with torch.no_grad():
                self.first.weight.copy_(torch.cat([L, R]).T)
                self.second.weight.copy_(votes.T)
                self.first.bias.zero_()
                self.second.bias.fill_(0.5)

        def forward(self, inputs):
            return self.second(self.activation(self.first(inputs)))

    found = analyse(Network(torch.relu), "S3")
    assert found.correct.right == 36
    assert found.network.source.reading.hidden_bias == ("first.bias",)
    one_pair = torch.arange(36)[:, None] == 7
    others = (
        torch.abs,
        torch.nn.functional.gelu,
        lambda p: torch.relu(p) * 1.001,
        lambda p: torch.relu(p) * float("nan"),
        lambda p: torch.where(one_pair, float("nan"), p.abs()),  # NaN at one pair, another function at all others
        lambda p: torch.where(one_pair, float("inf"), torch.relu(p)),
    )
    for other in others:
        with pytest.raises(MalformedInput, match="computes what its tensors say"):
            analyse(Network(other), "S3")


def test_a_module_that_reads_y_as_a_token_of_its_own_is_called_so(planted_s3, monkeypatch):
    """Its table takes numbers of x in place of those of y too, and gives other logits for them. Blocks of pairs change nothing."""
    torch = pytest.importorskip("torch")
    from verify.analysis import analyse

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            L, R, votes = (torch.from_numpy(array) for array in planted_s3)
            self.embed, self.first, self.second = torch.nn.Embedding(12, 24), torch.nn.Linear(48, 24), torch.nn.Linear(24, 6)
            with torch.no_grad():
                self.embed.weight.copy_(torch.cat([L, R]))
                self.first.weight.copy_(torch.cat([torch.eye(24), torch.eye(24)], dim=1))
                self.second.weight.copy_(votes.T)
                self.first.bias.zero_()
                self.second.bias.zero_()

        def forward(self, pairs):
            return self.second(torch.relu(self.first(self.embed(pairs).flatten(1))))

    for logits in (7, 100, 4_000_000):
        monkeypatch.setattr("net.in_memory._LOGITS", logits)
        assert analyse(Network(), "S3").correct.right == 36


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_half_precision_hides_no_other_activation(kind, planted_s3):
    """Rounding in 8 bits may be as large as the logits, so that a bound of it would accept anything."""
    torch = pytest.importorskip("torch")
    from verify.analysis import analyse

    class Network(torch.nn.Module):
        def __init__(self, activation):
            super().__init__()
            L, R, votes = (torch.from_numpy(array) for array in planted_s3)
            self.first, self.second, self.activation = torch.nn.Linear(12, 24), torch.nn.Linear(24, 6), activation
            with torch.no_grad():
                self.first.weight.copy_(torch.cat([L, R]).T)
                self.second.weight.copy_(votes.T)
                self.first.bias.zero_()
                self.second.bias.zero_()

        def forward(self, inputs):
            return self.second(self.activation(self.first(inputs)))

    module = Network(torch.relu).to(getattr(torch, kind))
    assert analyse(module, "S3").network.width == 24
    assert module.first.weight.dtype == getattr(torch, kind)
    for other in (torch.nn.functional.gelu, torch.nn.functional.leaky_relu):
        with pytest.raises(MalformedInput, match="computes what its tensors say"):
            analyse(Network(other).to(getattr(torch, kind)), "S3")


def test_a_rounding_bound_beyond_floats_accepts_no_module(planted_s3):
    """Votes that cancel beside the others: sums of absolute values overflow, and the logits of gelu are finite all the same."""
    torch = pytest.importorskip("torch")
    from verify.analysis import analyse

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            L, R, votes = (torch.from_numpy(array).double() for array in planted_s3)
            large = torch.full((2, 6), 1e308, dtype=torch.float64) * torch.tensor([[1.0], [-1.0]], dtype=torch.float64)
            self.L, self.R = (torch.nn.Parameter(torch.cat([side, torch.ones(6, 2)], dim=1)) for side in (L, R))
            self.U = torch.nn.Parameter(torch.cat([votes, large]))

        def forward(self, x, y):
            return torch.nn.functional.gelu(self.L[x] + self.R[y]) @ self.U

    with pytest.raises(MalformedInput, match="whose rounding has no bound"):
        analyse(Network(), "S3")


def test_published_names_with_something_beside_them(tmp_path, planted_s3):
    """Integers in a state dict of a published layout are left out, and the certificate says so."""
    torch = pytest.importorskip("torch")
    L, R, votes = (torch.from_numpy(array) for array in planted_s3)
    state = {"module.W_x": L, "module.W_y": R, "module.W": torch.eye(24).repeat(2, 1), "module.W_U": votes}
    torch.save({"model": state | {"module.seen": torch.tensor(3)}}, tmp_path / "net.pt")
    source = network_over("S3", open_checkpoint(tmp_path / "net.pt")).source

    assert (source.format, source.reading.skipped) == ("by meaning", ("module.seen",))
    assert source.reading.formula() == "logits(x, y) = relu(module.W_x[x] module.W[:24] + module.W_y[y] module.W[24:]) module.W_U"


@pytest.mark.parametrize(
    ("name", "buffer"),
    [
        ("fc1.mask", np.zeros(24, bool)),
        ("the_mask", np.ones((24, 6), np.uint8)),
        ("out_perm", np.arange(6)),
        ("alive.keep", np.arange(9)),
    ],
)
def test_a_buffer_that_may_be_part_of_the_function_is_refused(tmp_path, planted_s3, name, buffer):
    """Zeros by which a forward pass multiplies, or a list by which it reorders logits: the weights alone are another network."""
    L, R, U = (np.ascontiguousarray(array) for array in planted_s3)
    data = save({"L": L, "R": R, "U": U, name: buffer})
    with pytest.raises(MalformedInput, match="masks or reorders"):
        network_over("S3", checkpoint_in(data, tmp_path / "net"))
    split = save({"L": L, "R": R, "U": U, f"train_{name}": buffer})
    assert network_over("S3", checkpoint_in(split, tmp_path / "net")).source.reading.skipped == (f"train_{name}",)


def test_a_reading_is_a_struct_without_empty_fields():
    assert msgspec.to_builtins(Reading(out="U")) == {"out": "U"}


def absolute_file(planted_s3):
    """A right network with |.|: relu(p) = (|p| + p) / 2, where |p + c| - c = p for c above all |p|."""
    L, R, votes = planted_s3
    hot = np.vstack([L, R])
    c = np.float32(np.abs(L).max() + np.abs(R).max() + 1)
    return {
        "0.weight": np.ascontiguousarray(np.hstack([hot, hot]).T),
        "0.bias": np.concatenate([np.zeros(L.shape[1]), np.full(L.shape[1], c)]).astype(np.float32),
        "2.weight": np.ascontiguousarray(np.vstack([votes, votes]).T / 2),
        "2.bias": -c * votes.sum(axis=0) / 2,
    }


@pytest.mark.parametrize("stated", [None, "abs", "torch.abs", "<built-in method abs of type object at 0x7f>"])
def test_absolute_values_as_activation(tmp_path, planted_s3, stated):
    """Stated or found through the table, |.| is read as relu of 2 m neurons, by the checker too."""
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(tensor) for name, tensor in absolute_file(planted_s3).items()}
    torch.save({"model": state} | ({"config": {"activation": stated}} if stated else {}), tmp_path / "net.pt")
    if stated and "built-in" in stated:
        with pytest.raises(MalformedInput, match="as activation"):
            open_checkpoint(tmp_path / "net.pt")
        return
    network = network_over("S3", open_checkpoint(tmp_path / "net.pt"))

    assert network.source.reading.formula() == "logits(x, y) = |0.weight^T[x] + 0.weight^T[6 + y] + 0.bias| 2.weight^T + 2.bias"
    assert (network.width, network.convention.sample_accuracy) == (96, 1)
    data, reading = (tmp_path / "net.pt").read_bytes(), in_checker(network.source.reading)
    assert layouts.read_checkpoint(data, reading)[1].mirrored
    if stated:
        with pytest.raises(Malformed, match="expected relu as activation"):
            layouts.read_checkpoint(data, replace(reading, activation="relu"))


def test_a_stated_relu_is_not_read_as_absolute_value(tmp_path, planted_s3):
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(tensor) for name, tensor in absolute_file(planted_s3).items()}
    torch.save({"model": state, "config": {"activation": "relu"}}, tmp_path / "net.pt")
    ways = open_checkpoint(tmp_path / "net.pt").ways(6)
    assert {source.reading.activation for _, _, source in ways} == {"relu"}
