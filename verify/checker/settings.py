"""Settings in a file, where they say that it is another function than relu(L[x] + R[y]) U + b.

What this module proves: nothing; it refuses files. A checkpoint often carries the settings of its training. Where one of them names
another activation, another kind of model, or is of a kind that nobody knows to leave the function alone, the file is `Malformed`. A
setting passes only when its name or its value is known to be harmless, by the words that its name consists of; settings of training
and what stands below them pass unless they name another activation. docs/checkpoints.md has the rules, which the loader of this
project follows as well, with code of its own.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .pickles import Array, Opaque
from .shape import Malformed, need, read_json, shown
from .tensors import Tensor


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Under this key files of this project have their record.
OWN_RECORD = "coset-verify"
#: So many dictionaries and lists may lie in each other.
DEEPEST = 100

ACTIVATION = {"act", "acts"}
#: With these words alone a key names the activation itself.
ACTIVATION_WORDS = _words(
    """
    act activation activations acts class cls config default fn func function hidden kind layer layers mlp model module name
    nonlin nonlinear nonlinearity relu str type use
    """
)
#: Keys of training, which come after the network is defined.
TRAINING = _words(
    """
    acc accuracies accuracy adam adamw amp author batch batches batchsize best beta betas bs callback callbacks cayley
    checkpoint checkpoints ckpt ckpts comment comments commit cpu criterion cuda data dataloader dataset
    datasets date ddp debug decay description device devices dir directory distributed dtype duration early elapsed ema
    entity epoch epochs eps epsilon eval evaluate evaluation every experiment file filename files folder frac fraction freq
    frequency git gpu gpus grad gradient gradients grads grokked growth hash history host hostname init initial
    initialisation initialization initializations initializer initializers interval iter iteration iterations iters job
    learning license lightning load loader log logger logging logs loop loops loss losses lr lrs metric metrics minutes
    mlflow momentum mps nesterov note notes optim optimiser optimizer optimizers path paths patience plot plots project
    random regularization resume rng run runs save saved saving schedule scheduler schedulers seconds seed seeds sgd sha
    sha256 shuffle slurm split splits step steps stop stopping swa tag tags tensorboard test tests timestamp train trained
    trainer training url user val valid validation verbose version versions wall wandb warmup wd workers
    """
)
#: Words that make a key of training one of the function (batch_norm).
FUNCTION = _words(
    """
    batchnorm bilinear bn gate gated gates glu layernorm ln norm normalisation normalise normalised normalization normalize
    normalized norms quantization quantize quantized residual residuals rmsnorm skip
    """
)
#: Keys of what comes after the logits, before the first step or between steps, whose texts name other functions than the network's.
AFTER = _words(
    """
    adam adamw criterion decay grad gradient gradients grads init initial initialisation initialization initializations
    initializer initializers learning loss losses lr lrs metric metrics momentum optim optimiser optimizer optimizers
    regularization schedule scheduler schedulers sgd warmup wd
    """
)
#: Words with which it is one of training all the same (max_grad_norm).
GRADIENT = _words(
    """
    grad gradient gradients grads init initial initialisation initialization
    """
)
#: Keys that name the kind of model.
MODEL_KEYS = _words(
    """
    model model_name model_type model_class arch architecture architectures net network network_type class class_name classname
    type fn_name func_name function_name
    """
)
#: Words of which the name of a model with one hidden layer may consist.
MODEL = _words(
    """
    a addition arithmetic basic classification classifier composition connected custom fc feed feedforward ff for forward fully
    grok grokking group groups hidden layer layered layers mlp mlps model modular multi multilayer multiplication my net network
    one perceptron relu simple single small tiny toy two add subtract subtraction compose division minus plus
    """
)
#: Words of keys that say how large a network is, or how something is called.
PLAIN = _words(
    """
    a an args arguments bias biases cfg channels class classes conf config count ctx d degree dim dimension dims dropout element
    elements emb embd embed embedding embeddings embeds extra feature features ff ffn format group groups h has hidden hparams
    hyper hyperparameters hyperparams id idx in index inner input inputs is k label labels layer layers m max min mlp mod model
    module modulus n name names net network neuron neurons num number of options order out output outputs p param parameter
    parameters params prime q settings share shared size sizes state task the threads tie tied time total unembed unembedding
    unit units use vocab vocabulary width with op ops operation operations target targets head heads
    instance instances style sequence seq length len token tokens modulo symbol mapping kwargs desc value values cmd command argv
    """
)
#: Words of keys under which numbers may be a bias, and no settings.
BIASES = _words("bias biases")
#: Words of another function.
OTHER = _words(
    """
    abs attention bilinear celu cnn conv cos elu gated geglu gelu glu gru identity leaky lstm mish multiplicative polynomial
    prelu quad quadratic rnn selu sigmoid silu sin sine softmax softplus square squared swiglu swish tanh transformer
    """
)
#: Those that are activations, or a product in the place of one: no text about training may say them.
OTHER_ACTIVATIONS = _words(
    """
    bilinear celu elu gated geglu gelu glu leaky mish prelu quad quadratic selu sigmoid silu softplus square squared swiglu
    swish tanh
    """
)
#: Found in words that were run together, too.
OTHER_ENDINGS = ["bilinear", "gelu", "silu", "swish", "tanh", "sigmoid", "softplus"]
OTHER_PARTS = ["transformer", "attention", "bilinear", "quad", "gelu", "silu", "swish", "tanh", "sigmoid"]
SPELLING = {
    activation: re.compile(
        rf"(<(built-in )?(function|class|method) '?)?([a-z_]+\.)*{word}( at 0x[0-9a-f]+)?('?>)?(\((inplace=(true|false))?\))?",
        re.IGNORECASE | re.ASCII,
    )
    for activation, word in (
        ("relu", "relu"),
        ("abs", "abs(olute)?"),
        ("square", r"(square|squared|sq|quad|quadratic|x ?(\^|\*\*) ?2|pow2)"),
    )
}


#: Where a text gives an activation, as in "Namespace(act_fn='relu')", "activation: relu" or "--act relu"; and words made with relu.
_WORD_OF_IT = "(?:activation|act|nonlinearity|nonlin)(?:[_-]?(?:fn|func|function|type|name|kind|cls|class))?"
GIVEN = re.compile(
    rf"(?<![a-z]){_WORD_OF_IT}[\\'\" ]*[=:]>?[\\'\" ]*([a-z_.0-9]+)|--?(?:[a-z]+[_-])*{_WORD_OF_IT} +[\\'\"]*([a-z_.0-9]+)",
    re.IGNORECASE | re.ASCII,
)
RELU_LIKE = re.compile("relu6|[a-z]*relu[a-z]*")


def gives_another(text: str, activation: str) -> bool:
    """Whether a text gives another activation than this one, by whatever name: one that is written behind the word, or PReLU."""
    given = [one or other for one, other in GIVEN.findall(text)]
    others = [name for name in given if name.lower() not in ("none", "null") and not SPELLING[activation].fullmatch(name)]
    return bool(others) or bool({*RELU_LIKE.findall(text.lower())} - {"relu"})


def words(text: str) -> list[str]:
    """The words of a name in camelCase or snake_case, in lower case, without digits."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+", text)
    return [word.lower() for word in found if not word.isdigit()]


def flat(text: str) -> str:
    """Its letters, in lower case."""
    return "".join(re.findall("[a-z]", text.lower()))


def check_settings(settings: dict[object, object], activation: str = "relu") -> None:
    """Raise Malformed where a setting says that the network is another function than one with this activation, or might."""
    Walk(activation).through(settings)


def parsed(metadata: dict[str, str]) -> dict[object, object]:
    """The metadata of safetensors: texts that begin like JSON objects or lists are read as such, the project's record taken apart."""
    found: dict[object, object] = {}
    for key, text in metadata.items():
        found[key] = read_json(text.encode(), constants=True) if text.lstrip()[:1] in ("{", "[") else text
    record = found.pop(OWN_RECORD, {})
    if type(record) is not dict:
        raise Malformed(f"expected an object under {OWN_RECORD!r} in the metadata, got something else")
    for key, value in record.items():
        found[f"{OWN_RECORD}.{key}" if key in found else key] = value
    return found


def texts(value: object) -> Iterator[str]:
    """The texts in a value: itself, or in the lists that it is made of."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        if isinstance(item, str | bytes):
            yield item if isinstance(item, str) else item.decode("latin-1")
        elif isinstance(item, list | tuple) and not isinstance(item, Tensor) and id(item) not in seen:
            seen.add(id(item))
            waiting.extend(item)


def has_numbers(value: object) -> bool:
    """Whether a value is a number other than 0 and 1, which may be a switch, or has a number among its items."""
    items: Iterable[object] = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return (type(value) in (int, float) and value not in (0, 1)) or any(type(item) in (int, float) for item in items)


class Below(NamedTuple):
    """A dictionary, a list or an object that is to be looked at: where it stands, below settings of training or not, how deep."""

    path: str
    key: object
    value: dict[object, object] | list[object] | tuple[object, ...] | Opaque
    training: bool
    depth: int


class Walk:
    """A walk through dictionaries and lists, those on top first, each once for each class of keys that it stands under."""

    def __init__(self, activation: str) -> None:
        self._activation = activation
        self._waiting: deque[Below] = deque()
        self._depth = -1

    def through(self, settings: dict[object, object]) -> None:
        """Look at all settings; Malformed where one is not known to be harmless, or where they are nested more than 100 deep."""
        seen: set[tuple[int, tuple[bool, ...], bool]] = set()
        self._below("", None, settings, training=False)
        while self._waiting:
            path, key, value, training, self._depth = self._waiting.popleft()
            what = id(value), self._class_of(key), training
            if what in seen:  # a circle, or something shared
                continue
            seen.add(what)
            need(self._depth <= DEEPEST, f"expected settings nested at most {DEEPEST} deep, got deeper ones under {shown(path)}")
            if isinstance(value, dict):
                for inner, item in value.items():
                    name = inner if isinstance(inner, str) and words(inner) else key  # a number is no name
                    place = f"{path}.{inner}"[:200] if path else str(inner)[:200]
                    self._look(place, name, item, training)
                continue
            for item in value.state if isinstance(value, Opaque) else value:
                if isinstance(item, dict | list | tuple | Opaque):  # texts in a list have been looked at together
                    self._look(path, key, item, training)

    def _look(self, path: str, key: object, value: object, training: bool) -> None:
        if training:
            self._training(path, key, value, words(key) if isinstance(key, str) else [])
        else:
            self._visit(path, key, value)

    def _class_of(self, key: object) -> tuple[bool, ...]:
        """All that is looked at of a key: what stands below two keys of one class is harmless below both, or below none."""
        if not isinstance(key, str):
            return ()
        listed, letters = words(key), flat(key)
        found = {*listed}
        return (
            self._is_activation(listed, letters),
            found <= ACTIVATION_WORDS,
            letters in ("relu", "userelu"),
            self._is_of_training(found),
            bool(found & AFTER),
            bool(found & (FUNCTION | OTHER_ACTIVATIONS)),
            "_".join(listed) in MODEL_KEYS,
            bool(found) and found <= PLAIN,
            bool(found & BIASES),
            key == "product",
            key == "element_order",
        )

    def _visit(self, path: str, key: object, value: object) -> None:
        """One key with its value; Malformed where it is not known to be harmless."""
        found = words(key) if isinstance(key, str) else []
        if isinstance(key, str) and self._is_activation(found, flat(key)):
            fits = self._is_expected(found, flat(key), value)
            need(fits, f"expected {self._activation} as activation, got {shown(value)} under {shown(path)}")
            return
        if self._is_of_training({*found}):
            self._training(path, key, value, found)
            return
        if "_".join(found) in MODEL_KEYS and isinstance(value, str | bytes | list | tuple) and value:
            other = [text for text in texts(value) if not {*words(text)} <= MODEL]
            need(not other, f"expected a network with one hidden layer of relu, got {shown(other)} under {shown(path)}")
            if isinstance(value, list | tuple):
                self._plain(path, key, value)
            return
        if value is None or value is False or value in ("", [], {}, ()):
            return
        if (key == "product" and value in ("left-first", "right-first")) or key == "element_order":
            return
        if isinstance(key, str) and not (found and {*found} <= PLAIN):
            raise Malformed(f"expected settings that are known not to change the function, got {shown(path)} = {shown(value)}")
        self._plain(path, key, value)

    def _plain(self, path: str, key: object, value: object) -> None:
        """A value under a key that says nothing of the function by itself."""
        need(not isinstance(value, Tensor | Array), f"expected no tensors beside the network, got {shown(path)}")
        weights = isinstance(key, str) and {*words(key)} & BIASES and has_numbers(value)
        need(not weights, f"expected settings that are known not to change the function, got {shown(path)} = {shown(value)}")
        for text in texts(value):
            other = {*words(text)} & OTHER or any(part in flat(text) for part in OTHER_PARTS) or gives_another(text, self._activation)
            need(not other, f"expected settings that are known not to change the function, got {shown(path)} = {shown(text)}")
        self._below(path, key, value, training=False)

    def _training(self, path: str, key: object, value: object, found: list[str]) -> None:
        """A key of training, or one below it: what it says of an activation or of the kind of model counts, numbers do not."""
        if {*found} & AFTER:
            return
        said = list(texts(value)) if isinstance(value, str | bytes | list | tuple) else []
        letters = flat(key) if isinstance(key, str) else ""
        if isinstance(key, str) and self._is_activation(found, letters):
            off = value is False and {*found} <= ACTIVATION_WORDS
            known = not off and not (isinstance(value, Opaque) and not isinstance(value, Array))
            need(
                known and all(self._is_expected(found, letters, text) for text in said),
                f"expected {self._activation} as activation, got {shown(value)} under {shown(path)}",
            )
            if said or value is False:
                self._below(path, key, value, training=True)
                return
        if {*found} & (FUNCTION | OTHER_ACTIVATIONS):
            need(
                value is not True and not said,
                f"expected settings that are known not to change the function, got {shown(path)} = {shown(value)}",
            )
        for text in said:
            other = self._names_other_activation(text) or ("_".join(found) in MODEL_KEYS and {*words(text)} & OTHER)
            need(not other, f"expected settings of a network with {self._activation}, got {shown(path)} = {shown(text)}")
        if not isinstance(value, Tensor | Array):
            self._below(path, key, value, training=True)

    def _names_other_activation(self, text: str) -> bool:
        """Whether a word of a text is another activation than the one that is expected, or x^2 stands in it."""
        if self._activation != "square" and any(SPELLING["square"].fullmatch(part) for part in re.split(r"[\s,;/]+", text)):
            return True
        others = [word for word in words(text) if SPELLING[self._activation].fullmatch(word) is None]
        return any(word in OTHER_ACTIVATIONS or any(part in word for part in OTHER_ENDINGS) for word in others)

    def _below(self, path: str, key: object, value: object, training: bool) -> None:
        """What stands in a dictionary, a list or an object is looked at after all that is less deep."""
        if isinstance(value, dict | list | tuple | Opaque):
            self._waiting.append(Below(path, key, value, training, self._depth + 1))

    @staticmethod
    def _is_of_training(found: set[str]) -> bool:
        return bool(found & TRAINING and (found & GRADIENT or not found & FUNCTION))

    @staticmethod
    def _is_activation(found: list[str], letters: str) -> bool:
        return bool({*found} & ACTIVATION) or any(part in letters for part in ("activ", "relu", "nonlin"))

    def _is_expected(self, found: list[str], letters: str, value: object) -> bool:
        """Whether the value of a key about the activation is the one that is expected, or nothing."""
        if value is None or value == "":
            return True
        if {*found} <= ACTIVATION_WORDS:
            texts = value if isinstance(value, list | tuple) else [value]
            spelt = bool(texts) and all(isinstance(text, str) and SPELLING[self._activation].fullmatch(text.strip()) for text in texts)
            return spelt or (value is True and self._activation == "relu" and letters in ("relu", "userelu"))
        return value is False or (isinstance(value, str) and value in ("none", "identity", "linear"))
