"""Whether the settings in or beside a file say that the network is another function than the one that it is read as.

A checkpoint states its function only in part: the tensors' names tell the layers, and the activation, or a product in place of a
sum, stands in settings if it stands anywhere. So every setting is looked at, at any depth. One that is known to concern training or
sizes is harmless, and so is a spelling of the activation that the network is read with (relu, the square or the absolute value); any
other is refused by its name: whether it changes the function is for the user to say (`--assume-relu`). Settings of training, and what
stands below them, are harmless whatever they are called, but for what names another activation: a section of training may hold the
model's settings, and the name of a run may tell what was run.
The lists of words are in docs/checkpoints.md, which the checker follows too.
"""

from __future__ import annotations

import re
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from net.errors import MalformedInput
from net.formats.pickles import Opaque, Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SPELLING = {
    activation: re.compile(
        rf"(<(built-in )?(function|class|method) '?)?([a-z_]+\.)*{word}( at 0x[0-9a-f]+)?('?>)?(\((inplace=(true|false))?\))?",
        re.IGNORECASE,
    )
    for activation, word in (
        ("relu", "relu"),
        ("abs", "abs(olute)?"),
        ("square", r"(square|squared|sq|quad|quadratic|x ?(\^|\*\*) ?2|pow2)"),
    )
}
_NAMED = r"(?:activation|act|nonlinearity|nonlin)(?:[_-]?(?:fn|func|function|type|name|kind|cls|class))?"
_GIVEN = re.compile(
    rf"(?<![a-z]){_NAMED}[\\'\" ]*[=:]>?[\\'\" ]*(?P<value>[a-z_.0-9]+)"
    rf"|--?(?:[a-z]+[_-])*{_NAMED} +[\\'\"]*(?P<option>[a-z_.0-9]+)",
    re.IGNORECASE | re.ASCII,
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ACTIVATION = _words(
    "act acts activation activations relu nonlinearity nonlin nonlinear fn func function type name hidden mlp layer layers model"
    " default config use str cls class kind module"
)
_TRAINING = _words(
    "lr lrs learning optimizer optimizers optimiser optim adam adamw sgd betas beta eps epsilon momentum nesterov decay wd warmup"
    " scheduler schedulers schedule seed seeds epoch epochs iter iters iteration iterations batch batches batchsize bs loss losses acc"
    " accuracy accuracies metric metrics grad grads gradient gradients ema train training trained trainer test tests val valid"
    " validation eval evaluation evaluate frac fraction split splits shuffle data dataset datasets dataloader loader workers rng"
    " random cuda gpu gpus device devices cpu mps amp dtype ddp distributed wandb tensorboard mlflow log logs logging logger verbose"
    " debug plot plots save saved saving load resume checkpoint checkpoints ckpt ckpts dir directory folder path paths file files"
    " filename run runs experiment project entity tag tags note notes comment comments description author user host hostname date"
    " timestamp version versions commit git sha sha256 hash license url callback callbacks loop loops history patience early stopping"
    " growth init initial initialization initialisation initializer initializers initializations steps step every interval freq"
    " frequency regularization slurm job lightning best swa cayley elapsed wall criterion"
    " stop seconds minutes duration grokked"
)
#: Words that say more than a training word beside them ("batch_norm"), unless gradients are meant ("max_grad_norm").
_FUNCTION = _words(
    "norm norms normalize normalise normalized normalised normalization normalisation layernorm batchnorm rmsnorm ln bn residual"
    " residuals skip gate gated gates glu bilinear quantize quantized quantization"
)
#: Settings of what comes after the logits, before training and in its steps, whose texts name other functions than the network's.
_AFTER = _words(
    "loss losses criterion metric metrics optim optimiser optimizer optimizers adam adamw sgd scheduler schedulers schedule lr lrs"
    " learning warmup wd decay momentum regularization grad grads gradient gradients init initial initialization initialisation"
    " initializer initializers initializations"
)
_GRADIENT = _words("grad grads gradient gradients init initial initialization initialisation")
_MODEL = _words(
    "a one single hidden layer layers layered mlp mlps relu net network model perceptron multilayer multi fc ff fully connected feed"
    " forward feedforward group groups simple basic small tiny toy grok grokking modular arithmetic addition multiplication"
    " composition two custom my for classification classifier add subtract subtraction compose division minus plus"
)
_PLAIN = _words(
    "a an the num n number count total max min size sizes dim dims dimension d h m p q k width hidden embed embeds embedding"
    " embeddings emb embd unembed unembedding model layer layers mlp net network input inputs in output outputs out vocab vocabulary"
    " class classes label labels feature features unit units neuron neurons channels ff ffn inner group groups parameter parameters"
    " params param config cfg conf args arguments hparams hyper hyperparameters hyperparams settings options name names id index idx"
    " extra order element elements task format bias biases use with has is dropout tie tied share shared modulus mod prime degree ctx"
    " time threads state module of op ops operation operations target targets head heads instance instances"
    " style sequence seq length len token tokens modulo symbol mapping kwargs desc value values cmd command argv"
)
_OTHER = _words(
    "gelu silu swish mish tanh sigmoid softplus softmax elu selu celu leaky prelu quad quadratic square squared bilinear"
    " multiplicative polynomial sin sine cos gated glu swiglu geglu transformer attention conv cnn rnn lstm gru abs identity"
)
#: Those of them that are activations, or products in the place of one: what a text about training must not say.
_OTHER_ACTIVATIONS = _words(
    "gelu silu swish mish tanh sigmoid softplus elu selu celu leaky prelu quad quadratic square squared bilinear gated glu swiglu geglu"
)
#: Of a word that is several run together.
_OTHER_ENDINGS = ("bilinear", "gelu", "silu", "swish", "tanh", "sigmoid", "softplus")
_OTHER_PARTS = ("transformer", "attention", "bilinear", "quad", "gelu", "silu", "swish", "tanh", "sigmoid")
_MODEL_KEYS = _words(
    "model model_name model_type model_class arch architecture architectures net network net_type network_type class class_name"
    " classname type fn_name func_name function_name"
)
#: So many dictionaries and lists may lie in each other.
_DEEPEST = 100
#: Words of keys under which numbers may be a bias that is no tensor.
_BIASES = _words("bias biases")
#: Values that an activation key of another layer may have: none at all.
_NO_ACTIVATION = ("", "none", "identity", "linear")


def check_settings(settings: dict[str, object], where: str = "", activation: str = "relu") -> None:
    """Look at every setting, those on top first; O(their size), each object once for each class of keys. `where` is put before names.

    ``activation`` is "relu" or "abs", the one that the network is to have.

    Raises:
        MalformedInput: one of them says that the network is another function, or could, or they are nested more than 100 deep.

    """
    seen: set[tuple[int, tuple[bool, ...], bool]] = set()
    waiting = deque([_Waiting(where, "", settings, training=False, depth=0)])
    while waiting:
        path, key, value, training, depth = waiting.popleft()
        if not isinstance(value, dict | list | tuple | Opaque) or (id(value), _class_of(key), training) in seen:
            continue
        seen.add((id(value), _class_of(key), training))
        if depth > _DEEPEST:
            raise _refusal(f"settings nested at most {_DEEPEST} deep, got deeper ones under {path[:120]!r}")
        if isinstance(value, dict):
            for inner, content in value.items():
                # a number is no name: an epoch, or a parameter's number
                name = inner if isinstance(inner, str) and name_words(inner) else key
                place = f"{path}{'' if path.endswith(': ') else '.'}{inner}" if path else str(inner)
                waiting += _contents(_Waiting(place[:200], name, content, training, depth + 1), activation)
            continue
        for item in value.parts if isinstance(value, Opaque) else value:
            if isinstance(item, dict | list | tuple | Opaque):
                waiting += _contents(_Waiting(path, key, item, training, depth + 1), activation)


class _Waiting(NamedTuple):
    """A value to be looked at: its path and key, whether it stands below a setting of training, and in how many others."""

    path: str
    key: str
    value: object
    training: bool
    depth: int


@lru_cache(1024)
def _class_of(key: str) -> tuple[bool, ...]:
    """All that is looked at of a key: what stands below two keys of one class is harmless below both, or below none."""
    listed = name_words(key)
    found = set(listed)
    return (
        _names_activation(key, found),
        found <= _ACTIVATION,
        found <= {"use", "relu"},
        _is_of_training(found),
        bool(found & _AFTER),
        bool(found & (_FUNCTION | _OTHER_ACTIVATIONS)),
        "_".join(listed) in _MODEL_KEYS,
        found <= _PLAIN,
        bool(found & _BIASES),
        key == "product",
        key == "element_order",
    )


def _names_activation(key: str, found: set[str]) -> bool:
    flat = "".join(character for character in key.lower() if character.isalpha())
    return bool({"act", "acts"} & found or any(part in flat for part in ("activ", "relu", "nonlin")))


def _is_of_training(found: set[str]) -> bool:
    return bool(_TRAINING & found and (not _FUNCTION & found or _GRADIENT & found))


def name_words(key: str) -> list[str]:
    """The words of a name, in lower case: camelCase and snake_case are taken apart, numbers left out."""
    return [word.lower() for word in _WORD.findall(key) if not word.isdigit()]


def spells(value: object, activation: str) -> bool:
    """Whether the text spells the activation, such as "ReLU", "nn.ReLU()", "torch.nn.functional.relu", "<function relu at 0x7f>"."""
    return isinstance(value, str) and _SPELLING[activation].fullmatch(value.strip()) is not None


def _contents(setting: _Waiting, activation: str) -> list[_Waiting]:
    """What is to be looked at below a setting that is itself harmless."""
    path, key, value, training, _ = setting
    found = name_words(key)
    training = training or _is_of_training(set(found))
    names_activation = _names_activation(key, set(found))
    if names_activation and not setting.training:
        _check_activation(path, found, value, activation)
        return []
    if training:
        return _contents_of_training(setting, set(found), names_activation, activation)
    if _is_off(value) or _is_convention(key, value):
        return []
    texts = _texts(value)
    if "_".join(found) in _MODEL_KEYS and (texts or isinstance(value, list | tuple)):
        for text in texts:
            if not set(name_words(text)) <= _MODEL:
                raise _refusal(f"a network of one hidden layer with relu, got {text[:60]!r} under {path[:120]!r}")
        return [setting] if isinstance(value, list | tuple) else []
    if not set(found) <= _PLAIN or _is_tensor(value):
        raise _refusal(f"settings that are known not to change the function, got {_shown(value)} under {path[:120]!r}")
    if _BIASES & set(found) and _may_be_a_bias(value):
        raise _refusal(f"settings that are known not to change the function, got numbers, maybe a bias, under {path[:120]!r}")
    for text in texts:
        flat = "".join(character for character in text.lower() if character.isalpha())
        if set(name_words(text)) & _OTHER or any(part in flat for part in _OTHER_PARTS) or _gives_another(text, activation):
            raise _refusal(f"settings of a network with relu, got {text[:60]!r} under {path[:120]!r}")
    if isinstance(value, list | tuple) and any(_is_tensor(item) for item in value):
        raise _refusal(f"settings that are known not to change the function, got tensors under {path[:120]!r}")
    return [setting]


def _contents_of_training(setting: _Waiting, found: set[str], names_activation: bool, activation: str) -> list[_Waiting]:
    """What is to be looked at below a setting of training, whose own texts and switches name no other function.

    Numbers say nothing here: they are what was measured, as in {"metrics": {"activation_norm": 3.1}}.
    """
    path, key, value, _, _ = setting
    if found & _AFTER:
        return []
    texts = _texts(value)
    switched = value is False and found <= _ACTIVATION
    if names_activation and (texts or switched or (isinstance(value, Opaque) and not value.is_array)):
        said: Sequence[object] = texts or [value]
        for one in said:
            _check_activation(path, list(found), one, activation)
        return [setting._replace(training=True)]
    if found & (_FUNCTION | _OTHER_ACTIVATIONS) and (value is True or texts):
        raise _refusal(f"settings that are known not to change the function, got {_shown(value)} under {path[:120]!r}")
    for text in texts:
        if _names_other_activation(text, activation) or ("_".join(name_words(key)) in _MODEL_KEYS and set(name_words(text)) & _OTHER):
            raise _refusal(f"settings of a network with {activation}, got {text[:60]!r} under {path[:120]!r}")
    return [] if _is_tensor(value) else [setting._replace(training=True)]


def _names_other_activation(text: str, activation: str) -> bool:
    """Whether a word of the text is an activation, or x^2 in the place of one, and not the one that the network is to have."""
    formulas = any(spells(part, "square") for part in re.split(r"[\s,;/]+", text))
    others = (word for word in name_words(text) if not spells(word, activation))
    return (formulas and activation != "square") or any(
        word in _OTHER_ACTIVATIONS or any(part in word for part in _OTHER_ENDINGS) for word in others
    )


def _gives_another(text: str, activation: str) -> bool:
    """Whether the text itself is settings, "Namespace(act_fn='softsign')", "activation: erf" or "--act erf", with another activation.

    So is a word that is made with relu and is not relu (PReLU, crelu).
    """
    for match in _GIVEN.finditer(text):
        name = match["value"] or match["option"]
        if name.lower() not in ("none", "null") and not spells(name, activation):
            return True
    return any(word != "relu" for word in re.findall("relu6|[a-z]*relu[a-z]*", text.lower()))


def _check_activation(path: str, found: list[str], value: object, activation: str) -> None:
    if value is None or (isinstance(value, str) and not value):
        return
    known = set(found) <= _ACTIVATION
    spelt = spells(value, activation)
    spelt = spelt or (isinstance(value, list | tuple) and len(value) > 0 and all(spells(item, activation) for item in value))
    if known and (spelt or (value is True and activation == "relu" and set(found) <= {"use", "relu"})):
        return
    if not known and (value is False or (isinstance(value, str) and value.lower() in _NO_ACTIVATION)):
        return
    raise _refusal(f"{activation} as activation, got {_shown(value)} under {path[:120]!r}")


def _is_tensor(value: object) -> bool:
    return isinstance(value, Tensor) or (isinstance(value, Opaque) and value.is_array)


def _may_be_a_bias(value: object) -> bool:
    """Whether a value is a number, but for the switches 0 and 1, or has some in it."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return value not in (0, 1)
    inside: Iterable[object] = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(isinstance(item, int | float) and not isinstance(item, bool) for item in inside)


def _is_off(value: object) -> bool:
    return value is None or value is False or (isinstance(value, str | dict | list | tuple) and len(value) == 0)


def _is_convention(key: str, value: object) -> bool:
    return (key == "product" and value in ("left-first", "right-first")) or (key == "element_order" and isinstance(value, str))


def _texts(value: object) -> list[str]:
    """The strings in a value that is one, or a list with some in it."""
    items = value if isinstance(value, list | tuple) else [value]
    return [item.decode("latin-1") if isinstance(item, bytes) else item for item in items if isinstance(item, str | bytes)]


def _shown(value: object) -> str:
    if isinstance(value, bool | int | float | str):
        return repr(value)[:60]
    return f"a {value.name}" if isinstance(value, Opaque) else f"a {type(value).__name__}".lower()


def _refusal(sentence: str) -> MalformedInput:
    return MalformedInput(f"expected {sentence}; --assume-relu disregards settings")
