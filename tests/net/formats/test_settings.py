"""What settings may say beside a network: a word of training is harmless, another function is not, and what is unknown is refused."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file

from algebra.group import parse_group
from net.checkpoint import load_network, read_checkpoint
from net.errors import MalformedInput
from net.formats.folded_arrays import save_folded
from net.formats.pickles import Opaque
from net.formats.settings import check_settings, spells
from net.planted import planted_network

SPELLINGS = (
    *(
        "relu",
        "ReLU",
        "RELU",
        "nn.ReLU",
        "ReLU()",
        "torch.nn.ReLU",
        "nn.ReLU()",
        "F.relu",
        "torch.relu",
        "torch.nn.functional.relu",
        " relu ",
    ),
    *("nn.ReLU(inplace=True)", "<class 'torch.nn.modules.activation.ReLU'>", "<function relu at 0x7f12ab>", "jax.nn.relu"),
)
OTHERS = (
    "gelu",
    "relu6",
    "leaky_relu",
    "prelu",
    "ReLU6()",
    "relu^2",
    "relu2",
    "relu(x)**2",
    "squared_relu",
    "crelu",
    "relu + 1",
    "",
    "x relu",
    "ReLU(6)",
)
#: settings of published networks and of ordinary training scripts
ORDINARY = (
    {"lr": 0.001, "weight_decay": 1, "betas": [0.9, 0.98], "layers": {"embed_dim": 256, "hidden_dim": 128}, "model": "OneLayerMLP"},
    {
        "group": "DihedralGroup",
        "group_parameter": 59,
        "frac_train": 0.3,
        "seed": 1,
        "num_epochs": 250000,
        "extra_name": "_hidden_dim_32",
    },
    {
        "embed_dim": 256,
        "model_dim": [128],
        "vocab_size": 120,
        "act_fn": "relu",
        "optimizer": {"state": {0: {"step": 1}}, "param_groups": []},
    },
    {
        "config": {
            "num_epochs": 5,
            "batch_size": 64,
            "max_grad_norm": 1.0,
            "wandb_project": "grok",
            "device": "cuda:0",
            "init_scale": 0.5,
        }
    },
    {
        "epoch": 3,
        "global_step": 9,
        "pytorch-lightning_version": "2.0",
        "hyper_parameters": {"lr": 1e-3},
        "lr_schedulers": [],
        "callbacks": {},
    },
    {"use_layernorm": False, "dropout": 0.1, "activation": None, "residual": False, "use_bias": True, "d_mlp": 512, "d_vocab": 114},
    {"bias": 0, "use_biases": 1, "output_bias": [True, False], "hidden_bias": None, "biases": "yes", "n_params": [5.5], "bias_lr": 0.1},
    {"train_loss": [1.0, 0.5], "test_acc": [0.1], "rng": torch.zeros(3), "loss_scale": 2.0, "numEpochs": 3, "batchNorm": None},
    {"element_order": "lexicographic", "product": "left-first", "history": [{"step": 1, "margin": 2.0}], "split_sha256": "00"},
    {"format": "pt", "model_name": "mlp", "model": {"width": 3, "activation": "nn.ReLU"}, "arch": "TwoLayerMLP", "use_relu": True},
    {
        "run_name": "s5-relu-seed1",
        "metrics": {"activation_norm": 3.1, "relu_alive": [0.5, 0.4], "weight_norm": 2.0},
        "training": {"act_fn": "relu", "use_relu": True, "loss_fn": "square", "scheduler": {"name": "quadratic"}, "anything": 3},
        "wandb": {"config": {"activation": {"value": "ReLU", "desc": None}}, "url": "https://example.org/abs"},
        "init": {"nonlinearity": "leaky_relu"},
        "optimizer": {"softplus": True},
    },
    {
        "activation": ["relu", "ReLU"],
        "output_activation": None,
        "embed_act": "none",
        "args": Opaque("argparse.Namespace", [(), {"lr": 1}]),
    },
    {
        "args": "Namespace(act_fn='relu', hidden=8, out_act=None)",
        "config": "activation: nn.ReLU()",
        "argv": ["--act relu --log_acts --x 1"],
    },
    {"layers": ["fc1", "relu1", "fc2"]},
)
#: each says, or could say, that the network is another function, and the name that has to be in the sentence
OTHERWISE = (
    ({"layers": {"act_fn": "gelu"}}, "layers.act_fn"),
    ({"config": {"mlp": [{"act_type": "Quad"}]}}, "act_type"),
    ({"hidden_act": "gelu"}, "hidden_act"),
    ({"nonlinearity": "silu"}, "nonlinearity"),
    ({"nonLinearity": "tanh"}, "nonLinearity"),
    ({"layers": {"relu_embed": True}}, "relu_embed"),
    ({"use_relu": False}, "use_relu"),
    ({"activation": False}, "activation"),
    ({"activation": "identity"}, "activation"),
    ({"activation": ["relu", "gelu"]}, "activation"),
    ({"activation": {"name": "relu"}}, "activation"),
    ({"activation": Opaque("numpy._core.multiarray.scalar")}, "activation"),
    ({"output_activation": "relu"}, "output_activation"),
    ({"model": "BilinearNet"}, "BilinearNet"),
    ({"architecture": "Transformer"}, "Transformer"),
    ({"model_name": ["mlp", "quad"]}, "quad"),
    ({"name": "a bilinear one"}, "bilinear"),
    ({"options": [["x", "silu"]]}, "silu"),
    ({"batch_norm": True}, "batch_norm"),
    ({"layer_norm_eps": 1e-5}, "layer_norm_eps"),
    ({"layernorm": {"eps": 1e-5}}, "layernorm"),
    ({"logit_scale": 2.0}, "logit_scale"),
    ({"temperature": 0.5}, "temperature"),
    ({"skip_connections": True}, "skip_connections"),
    ({"mask": torch.ones(3)}, "mask"),
    ({"type": "bilinear"}, "bilinear"),
    ({"product": "elementwise"}, "product"),
    ({"fn": "x*x"}, "fn"),
    ({"unembed.bias": [5.0, 0.0]}, "unembed.bias"),
    ({"config": {"output_bias": ((1, 0), (0, 1))}}, "output_bias"),
    ({"hidden_biases": {0: 0.5, 1: 0}}, "hidden_biases"),
    ({"biases": 2}, "biases"),
    ({"args": Opaque("argparse.Namespace", [(), {"act_fn": "gelu"}])}, "act_fn"),
    ({"args": "Namespace(act_fn='softsign', hidden=8)"}, "softsign"),
    ({"config": "hidden: 8\nactivation: erf"}, "erf"),
    ({"argv": ["train.py", "--hidden-act erf"]}, "erf"),
    ({"args": "Namespace(activation=nn.PReLU())"}, "PReLU"),
    ({"config": "two layers of crelu"}, "crelu"),
    ({"модель": "x"}, "модель"),
    ({"training": {"act_fn": "gelu"}}, "training.act_fn"),
    ({"run": {"config": {"activation": "quadratic"}}}, "run.config.activation"),
    ({"wandb": {"config": {"nonlinearity": {"value": "tanh"}}}}, "tanh"),
    ({"experiment": {"model": "transformer"}}, "experiment.model"),
    ({"log": [{"epoch": 1}, {"act": "silu"}]}, "log.act"),
    ({"checkpoint": {"batch_norm": True}}, "checkpoint.batch_norm"),
    ({"train": {"use_relu": False}}, "train.use_relu"),
    ({"trainer": {"gelu": True}}, "trainer.gelu"),
    ({"run_name": "gelu-run"}, "run_name"),
    ({"run_name": "mygelurun"}, "run_name"),
    ({"tags": ["s5", "swiglu"]}, "tags"),
    ({"notes": "with x^2 in the place of relu"}, "notes"),
    ({"save_dir": "runs/LeakyReLU/1"}, "save_dir"),
    ({"experiment": Opaque("argparse.Namespace", [(), {"act_fn": "gelu"}])}, "act_fn"),
    ({"training": {"activation": Opaque("numpy._core.multiarray.scalar")}}, "training.activation"),
)  # fmt: skip


def test_a_run_may_be_called_after_the_activation_that_the_network_has():
    check_settings({"run_name": "square-run", "training": {"activation": "square"}}, activation="square")
    with pytest.raises(MalformedInput, match="settings of a network with square"):
        check_settings({"run_name": "gelu-run"}, activation="square")
    with pytest.raises(MalformedInput, match="settings of a network with relu"):
        check_settings({"run_name": "square-run"})


def test_settings_shared_by_training_and_the_model_are_looked_at_as_the_models():
    shared = {"logit_scale": 2.0}
    check_settings({"run": shared})
    for settings in ({"run": shared, "config": shared}, {"config": shared, "run": shared}):
        with pytest.raises(MalformedInput, match="logit_scale"):
            check_settings(settings)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_spellings_of_relu(spelling):
    assert spells(spelling, "relu")
    check_settings({"config": {"act_fn": spelling}})


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_not_relu(other):
    assert not spells(other, "relu")


@pytest.mark.parametrize("settings", ORDINARY, ids=lambda settings: next(iter(settings)))
def test_ordinary_settings_are_harmless(settings):
    """They pass, and beside them another activation does not."""
    check_settings(settings)
    with pytest.raises(MalformedInput, match="expected relu as activation"):
        check_settings({**settings, "nonlinearity": "gelu"})


@pytest.mark.parametrize(("settings", "name"), OTHERWISE, ids=lambda value: value if isinstance(value, str) else "")
def test_another_function_is_refused_by_its_name(settings, name):
    with pytest.raises(MalformedInput, match="assume-relu") as caught:
        check_settings(settings)
    assert name in str(caught.value)


def test_a_setting_that_holds_itself_is_looked_at_once():
    loop: dict = {"lr": 1}
    loop["config"] = loop
    check_settings(loop)
    loop["act"] = "gelu"
    with pytest.raises(MalformedInput, match="gelu"):
        check_settings(loop)


def state(planted_s3):
    L, R, U = (torch.from_numpy(array).contiguous() for array in planted_s3)
    return {"L": L, "R": R, "U": U}


@pytest.mark.parametrize("name", ["cfg.json", "config.json", "net.json", "cfg.yaml", "config.yml", "net.yaml"])
def test_settings_beside_every_container_are_read_and_can_be_disregarded(tmp_path, planted_s3, name):
    save_file(state(planted_s3), tmp_path / "net.safetensors")
    (tmp_path / name).write_text('{"layers": {"act_fn": "gelu"}}' if name.endswith("json") else "layers:\n  act_fn: gelu\n")
    with pytest.raises(MalformedInput, match=f"'{name}: layers.act_fn'"):
        load_network(tmp_path / "net.safetensors", "S3")
    source = load_network(tmp_path / "net.safetensors", "S3", assume_relu=True).source

    assert source.rewritten is None
    assert source.certified_sha256 == source.sha256


def test_yaml_that_is_not_plain_is_refused_by_name_and_can_be_disregarded(tmp_path, planted_s3):
    save_file(state(planted_s3), tmp_path / "net.safetensors")
    (tmp_path / "cfg.yaml").write_text("defaults: &d\n  act_fn: gelu\nmodel: *d\n")
    with pytest.raises(MalformedInput, match=r"cfg\.yaml.*write them as JSON"):
        load_network(tmp_path / "net.safetensors", "S3")
    assert load_network(tmp_path / "net.safetensors", "S3", assume_relu=True).width


def test_settings_inside_a_file_that_are_disregarded_make_another_file(tmp_path, planted_s3):
    """The checker reads them as well, and would refuse the original."""
    tensors = state(planted_s3)
    torch.save({"model": tensors, "config": {"act_fn": "gelu"}}, tmp_path / "net.pt")
    source = load_network(tmp_path / "net.pt", "S3", assume_relu=True).source
    (tmp_path / "again.safetensors").write_bytes(source.rewritten)
    again = read_checkpoint(tmp_path / "again.safetensors")

    assert again[1].sha256 == source.certified_sha256 != source.sha256
    assert (again[0].unembedding == tensors["U"].double().numpy()).all()


def test_a_certificate_beside_the_network_is_no_file_of_settings(tmp_path):
    """A certificate under the network's own name is passed over; the same words as settings are refused."""
    file = tmp_path / "n.safetensors"
    save_folded(file, planted_network(parse_group("S3"), seed=1, width=24).network.weights)
    (tmp_path / "n.json").write_text('{"format": "coset-verify certificate 2", "verdict": "VERIFIED", "hidden_act": "gelu"}')
    assert load_network(file, "S3").width == 24
    (tmp_path / "n.json").write_text('{"verdict": "VERIFIED", "hidden_act": "gelu"}')
    with pytest.raises(MalformedInput, match=r"under 'n\.json: verdict'"):
        load_network(file, "S3")
