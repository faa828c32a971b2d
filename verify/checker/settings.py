"""Settings in a file, where they say that it is another function than relu(L[x] + R[y]) U + b.

What this module proves: nothing; it refuses files. A checkpoint often carries the settings of its training. Where one of them names
another activation, another kind of model, or is of a kind that nobody knows to leave the function alone, the file is `Malformed`. A
setting passes only when its name or its value is known to be harmless, by the words that its name consists of. docs/checkpoints.md
has the rules, which the loader of this project follows as well, with code of its own.
"""

import json
import re
from typing import Any

from .shape import Malformed, need, shown
from .tensors import Tensor


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Under this key files of this project have their record.
OWN_RECORD = "coset-verify"

ACTIVATION = {"act", "acts"}
#: With these words alone a key names the activation itself.
ACTIVATION_WORDS = _words(
    """
    act acts activation activations relu nonlinearity nonlin nonlinear fn func function type name hidden mlp layer layers model
    default config use str cls class kind module
    """
)
#: Keys of training, which come after the network is defined.
TRAINING = _words(
    """
    lr lrs learning optimizer optimizers optimiser optim adam adamw sgd betas beta eps epsilon momentum nesterov decay wd warmup
    scheduler schedulers schedule seed seeds epoch epochs iter iters iteration iterations batch batches batchsize bs loss losses
    acc accuracy accuracies metric metrics grad grads gradient gradients ema train training trained trainer test tests val valid
    validation eval evaluation evaluate frac fraction split splits shuffle data dataset datasets dataloader loader workers rng
    random cuda gpu gpus device devices cpu mps amp dtype ddp distributed wandb tensorboard mlflow log logs logging logger
    verbose debug plot plots save saved saving load resume checkpoint checkpoints ckpt ckpts dir directory folder path paths
    file files filename run runs experiment project entity tag tags note notes comment comments description author user host
    hostname date timestamp version versions commit git sha sha256 hash license url callback callbacks loop loops history
    patience early stopping growth init initial initialization initialisation initializer initializers initializations steps
    step every interval freq frequency regularization slurm job lightning
    """
)
MODEL_KEYS = _words(
    """
    model model_name model_type model_class arch architecture architectures net network network_type class class_name classname
    type
    """
)
#: Words of which the name of a model with one hidden layer may consist.
MODEL = _words(
    """
    a one single hidden layer layers layered mlp mlps relu net network model perceptron multilayer multi fc ff fully connected
    feed forward feedforward group groups simple basic small tiny toy grok grokking modular arithmetic addition multiplication
    composition two custom my
    """
)
#: Words of keys that say how large a network is, or how something is called.
PLAIN = _words(
    """
    a an the num n number of count total max min size sizes dim dims dimension d h m p q k width hidden embed embeds embedding
    embeddings emb embd unembed unembedding model layer layers mlp net network input inputs in output outputs out vocab
    vocabulary class classes label labels feature features unit units neuron neurons channels ff ffn inner group groups
    parameter parameters params param config cfg conf args arguments hparams hyper hyperparameters hyperparams settings options
    name names id index idx extra order element elements task format bias biases use with has is dropout tie tied share shared
    modulus mod prime degree ctx time threads num state module
    """
)
#: Words of another function.
OTHER = _words(
    """
    gelu silu swish mish tanh sigmoid softplus softmax elu selu celu leaky prelu quad quadratic square squared bilinear
    multiplicative polynomial sin sine cos gated glu swiglu geglu transformer attention conv cnn rnn lstm gru abs identity
    """
)
OTHER_PARTS = ["transformer", "attention", "bilinear", "quad", "gelu", "silu", "swish", "tanh", "sigmoid"]
RELU = re.compile(
    r"(<(function|class) '?)?([a-z_]+\.)*relu( at 0x[0-9a-f]+)?('>|>)?(\((inplace=(true|false))?\))?", re.IGNORECASE | re.ASCII
)


def words(text: str) -> list[str]:
    """The words of a name in camelCase or snake_case, in lower case, without digits."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", text)
    return [word.lower() for word in found if not word.isdigit()]


def flat(text: str) -> str:
    """Its letters, in lower case."""
    return "".join(re.findall("[a-z]", text.lower()))


def check_settings(settings: dict[Any, Any]) -> None:
    """Raise Malformed where a setting says that the network is another function, or might."""
    for key, value in settings.items():
        Walk().visit(str(key), key, value)


def parsed(metadata: dict[str, str]) -> dict[str, Any]:
    """The metadata of safetensors, texts that are JSON objects or lists read as such; this project's own record is taken apart."""
    found: dict[str, Any] = {}
    for key, text in metadata.items():
        try:
            found[key] = json.loads(text) if text[:1] in ("{", "[") else text
        except (ValueError, RecursionError):
            found[key] = text
    record = found.pop(OWN_RECORD, {})
    need(type(record) is dict, f"expected an object under {OWN_RECORD!r} in the metadata, got something else")
    for key, value in record.items():
        found[f"{OWN_RECORD}.{key}" if key in found else key] = value
    return found


class Walk:
    """A walk through dictionaries and lists, each once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._depth = 0

    def visit(self, path: str, key: Any, value: Any) -> None:
        """One key with its value; Malformed where it is not known to be harmless."""
        need(self._depth < 100, "expected settings that are not nested deeply, got some that are")
        if isinstance(value, dict | list | tuple):
            if id(value) in self._seen:
                return
            self._seen.add(id(value))
        found = words(key) if isinstance(key, str) else []
        if isinstance(key, str) and self._is_activation(found, flat(key)):
            need(self._is_relu(found, flat(key), value), f"expected relu as activation, got {shown(value)} under {shown(path)}")
            return
        if {*found} & TRAINING:
            return
        if "_".join(found) in MODEL_KEYS and self._is_texts(value):
            for text in value if isinstance(value, list) else [value]:
                need(
                    {*words(text)} <= MODEL, f"expected a network with one hidden layer of relu, got {shown(text)} under {shown(path)}"
                )
            return
        if value is None or value is False or value in ("", [], {}, ()):
            return
        if (key == "product" and value in ("left-first", "right-first")) or key == "element_order":
            return
        if isinstance(key, str) and not (found and {*found} <= PLAIN):
            raise Malformed(f"expected settings that are known not to change the function, got {shown(path)} = {shown(value)}")
        self._plain(path, key, value)

    def _plain(self, path: str, key: Any, value: Any) -> None:
        """A value under a key that says nothing of the function by itself."""
        need(not isinstance(value, Tensor), f"expected no tensors beside the network, got {shown(path)}")
        if isinstance(value, str):
            other = {*words(value)} & OTHER or any(part in flat(value) for part in OTHER_PARTS)
            need(not other, f"expected settings that are known not to change the function, got {shown(path)} = {shown(value)}")
        self._depth += 1
        if isinstance(value, dict):
            for inner, item in value.items():
                self.visit(f"{path}.{inner}"[:200], inner if isinstance(inner, str) else key, item)
        elif isinstance(value, list | tuple) and not isinstance(value, Tensor):
            for item in value:
                self.visit(path, key, item)
        self._depth -= 1

    @staticmethod
    def _is_texts(value: Any) -> bool:
        return isinstance(value, str) or (isinstance(value, list) and len(value) > 0 and all(isinstance(item, str) for item in value))

    @staticmethod
    def _is_activation(found: list[str], letters: str) -> bool:
        return bool({*found} & ACTIVATION) or any(part in letters for part in ("activ", "relu", "nonlin"))

    @staticmethod
    def _is_relu(found: list[str], letters: str, value: Any) -> bool:
        """Whether the value of a key about the activation is relu, or nothing."""
        if value is None or value == "":
            return True
        if {*found} <= ACTIVATION_WORDS:
            texts = value if isinstance(value, list | tuple) else [value]
            spelt = all(isinstance(text, str) and RELU.fullmatch(text.strip()) for text in texts)
            return spelt or (value is True and letters in ("relu", "userelu"))
        return value is False or (isinstance(value, str) and value in ("none", "identity", "linear"))
