"""Which of the things in a file are the network's tensors, and which are settings beside it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias, TypeGuard, TypeVar

from algebra.plural import plural
from net.errors import MalformedInput
from net.formats.pickles import Opaque, Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from net.formats.container import Contents, Stored

Held = TypeVar("Held")
#: A dictionary of a torch file with a tensor among its values, or one in which such a dictionary lies; and several of them.
_State: TypeAlias = "dict[object, object]"
_Collection: TypeAlias = "dict[object, _State] | Sequence[_State]"
#: A state dict, the settings beside it, what is worth recording, and the path to it where that is recorded.
_Found: TypeAlias = "tuple[_State, dict[str, object], dict[str, object], tuple[str, ...]]"

#: Where training code puts the state dict in an outer dict.
_KEYS = ("model", "state_dict", "model_state_dict", "model_state", "net", "network", "params", "weights")
#: What wrappers put before every name: DataParallel, torch.compile, Lightning, and modules that hold the network in an attribute.
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "mlp.")


def network_tensors(
    contents: Contents, step: str | None = None, given: tuple[str, ...] = ()
) -> tuple[dict[str, Stored], dict[str, object], dict[str, object], tuple[str, ...]]:
    """(the tensors of one network by name, all settings in the file, what is worth recording, the path to the state dict or ()).

    ``step`` chooses one of several checkpoints: by epoch, by its place in a list, or by its key (``final``, ``runs.best``). There is a
    path where it chose one, and where the state dict was found under a key of no usual name. ``given`` is such a path, to be followed.

    Raises:
        MalformedInput: there is no state dict, more than one, or one with something else than tensors in it.

    """
    if not contents.container.startswith("torch"):
        if step is not None or given:
            raise MalformedInput(f"expected several checkpoints in the file for --step, got {contents.container}, which holds one")
        return contents.tensors, {}, {**without_prefix(contents.tensors)[1]}, ()
    top = contents.value
    state: _State
    settings: dict[str, object] = {}
    about: dict[str, object] = {}
    path: tuple[str, ...] = ()
    if given:
        state, settings, about, path = _followed(top, given), _beside(top, given), {"state": ".".join(given)}, given
    elif step is not None:
        state, settings, about, path = _chosen(top, step)
    elif isinstance(top, list | tuple) and top and all(isinstance(value, Tensor) for value in top):
        state = {str(place): value for place, value in enumerate(top)}
    elif not isinstance(top, dict):
        mend = "choose one of its state dicts with --step" if _collections(top) else "save module.state_dict()"
        raise MalformedInput(f"expected a dict in the torch archive, got {_kind(top)}: {mend}")
    else:
        state, settings, about, path = _state(top)
    found: dict[str, Stored] = {}
    for name, value in state.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise MalformedInput(f"expected a state dict of named tensors, got {_kind(value)} at {name!r:.80}")
        found[name] = contents.stored(value)
    return found, settings, about | without_prefix(found)[1], path


def _collections(top: object) -> list[tuple[tuple[str, ...], _Collection]]:
    """Every list of state dicts, or dict of them by epoch, that is the value in a file or lies in it under a key, with its path.

    In a list each may lie one key deeper, with other things beside it: [{"epoch": 10, "state_dict": ...}, ...].
    """

    def is_collection(value: object) -> TypeGuard[_Collection]:
        if isinstance(value, dict):
            return len(value) > 0 and all(_epoch(key) is not None and _is_state(state) for key, state in value.items())
        return isinstance(value, list | tuple) and len(value) > 0 and all(_within(entry) is not None for entry in value)

    found: list[tuple[tuple[str, ...], _Collection]] = [((), top)] if is_collection(top) else []
    if isinstance(top, dict):
        found += [((key,), value) for key, value in top.items() if isinstance(key, str) and is_collection(value)]
    return found


def _within(entry: object) -> tuple[str, ...] | None:
    """The path from an entry of a list to its state dict: the entry itself, or the one under a usual key; None where there is none."""
    if _is_state(entry):
        return ()
    keys = [key for key in _KEYS if _is_state(entry.get(key))] if isinstance(entry, dict) else []
    return (keys[0],) if len(keys) == 1 else None


def _states(top: dict[object, object]) -> list[tuple[str, ...]]:
    """The paths of all state dicts, which hold tensors and nothing else, one or two keys deep."""

    def within(value: object) -> list[str]:
        return [key for key, inner in value.items() if isinstance(key, str) and _is_state(inner)] if isinstance(value, dict) else []

    deeper = [(key, inner) for key, value in top.items() if isinstance(key, str) for inner in within(value)]
    found = [(key,) for key in within(top)] + [path for path in deeper if not _is_state(top[path[0]])]
    return [path for path in found if all(isinstance(value, Tensor) for value in _at(top, path).values())]


def _at(top: dict[object, object], path: tuple[str, ...]) -> _State:
    """The state dict at the end of a path that `_states` gave."""
    for key in path:
        inner = top[key]
        assert isinstance(inner, dict)
        top = inner
    return top


def _followed(top: object, path: tuple[str, ...]) -> _State:
    """The state dict at the end of a path of keys and places in lists.

    Raises:
        MalformedInput: there is none.

    """
    for text in path:
        inner = dict(enumerate(top)) if isinstance(top, list | tuple) else top if isinstance(top, dict) else {}
        keys = [key for key in inner if str(key) == text]
        if len(keys) != 1:
            raise MalformedInput(f"expected a state dict under {'.'.join(path)!r:.80}, got nothing of that name")
        top = inner[keys[0]]
    if not _is_state(top):
        raise MalformedInput(f"expected a state dict under {'.'.join(path)!r:.80}, got {_kind(top)}")
    return top


def _beside(top: object, path: tuple[str, ...]) -> dict[str, object]:
    """What lies beside the state dict at the end of a path of keys, on both levels, but for other state dicts."""
    found: dict[str, object] = {}
    level: object = top
    for chosen in path:
        inner = dict(enumerate(level)) if isinstance(level, list | tuple) else level
        for key, value in level.items() if isinstance(level, dict) else ():
            if str(key) != chosen and not (_is_state(value) and all(isinstance(inner, Tensor) for inner in value.values())):
                name = str(key)
                while name in found:  # one more stroke is no other word
                    name += "'"
                found[name] = value
        level = next((value for key, value in inner.items() if str(key) == chosen), None) if isinstance(inner, dict) else None
    return found


def _epoch(key: object) -> int | None:
    """The number that a key is or ends in: 100, "100", "epoch_100"."""
    if type(key) is int:
        return key
    match = re.fullmatch(r"(?:[A-Za-z]+[_ -]?)?([0-9]{1,15})", key) if isinstance(key, str) else None
    return int(match[1]) if match else None


def _chosen(top: object, step: str) -> _Found:
    """The state dict of an epoch or under a key, what lies beside, what to record, and the path to it."""
    named = [path for path in _states(top) if ".".join(path) == step] if isinstance(top, dict) else []
    if isinstance(top, dict) and len(named) == 1:
        return _at(top, named[0]), _beside(top, named[0]), {"state": step}, named[0]
    collections = _collections(top)
    if len(collections) != 1:
        raise MalformedInput(
            f"expected a key of a state dict, or one list or dict by epoch of them, for --step, got {len(collections) or 'none'}"
        )
    (where, states) = collections[0]
    beside = _beside(top, where) if where else {}
    keys, epochs = _keys_and_epochs(states, beside)
    entries = list(states.values()) if isinstance(states, dict) else list(states)
    wanted = int(step) if re.fullmatch(r"-[0-9]{1,15}", step) else _epoch(step)
    at = [k for k, epoch in enumerate(epochs) if epoch == wanted]
    if wanted is not None and wanted < 0 and not at:  # counted from the end, as Python does
        at = [len(epochs) + wanted] if len(epochs) + wanted >= 0 else []
    if len(at) != 1:
        listed = ", ".join(map(str, epochs[:3])) + (f", ..., {epochs[-1]}" if len(epochs) > 4 else "")
        raise MalformedInput(f"expected one of the {plural(len(epochs), 'step')} {listed} for --step, got {step!r:.40}")
    about: dict[str, object] = {"state": ".".join(where) or "list", "epoch": epochs[at[0]]}
    path, deeper = (*where, str(keys[at[0]])), _within(entries[at[0]])
    if not deeper:
        return entries[at[0]], beside, about, path
    path = (*path, *deeper)
    return _followed(top, path), _beside(top, path), about, path


def _keys_and_epochs(states: _Collection, beside: dict[str, object]) -> tuple[Sequence[object], list[int]]:
    """The keys of several state dicts and their epochs.

    Those of a list are the numbers in a list beside it, or the numbers that all entries have under one of the words for them, or its
    places.
    """
    if isinstance(states, dict):
        return list(states), [epoch for key in states if (epoch := _epoch(key)) is not None]
    for word in ("epoch", "step", "iteration"):
        own = [entry.get(word) for entry in states]
        if _are_integers(own) and len(set(own)) == len(own):
            return list(range(len(states))), own
    numbers = [
        v
        for k, v in beside.items()
        if isinstance(v, list) and len(v) == len(states) and _are_integers(v) and re.search("epoch|step", k)
    ]
    places = list(range(len(states)))
    return places, numbers[0] if len(numbers) == 1 else places


def _are_integers(values: list[object]) -> TypeGuard[list[int]]:
    return all(type(value) is int for value in values)


def steps_in(contents: Contents) -> list[int]:
    """The steps out of which ``network_tensors`` lets one choose, in the order of the file; none where it holds one network."""
    if not contents.container.startswith("torch"):
        return []
    collections = _collections(contents.value)
    if len(collections) != 1:
        return []
    (where, states) = collections[0]
    outer = contents.value if where and isinstance(contents.value, dict) else {}
    return _keys_and_epochs(states, {str(key): value for key, value in outer.items() if (key,) != where})[1]


def has_tensors(value: object) -> bool:
    """Whether there is a tensor in a value, at any depth."""
    waiting, seen = [value], set()
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, Tensor):
            return True
        if isinstance(inner, dict | list | tuple) and id(inner) not in seen:
            seen.add(id(inner))
            waiting += inner.values() if isinstance(inner, dict) else inner
    return False


def _kind(value: object) -> str:
    return "tensor" if isinstance(value, Tensor) else type(value).__name__.strip("_")


def _is_state(value: object) -> TypeGuard[_State]:
    return isinstance(value, dict) and any(isinstance(inner, Tensor) for inner in value.values())


def _state(top: dict[object, object]) -> _Found:
    if top and all(isinstance(value, Tensor) for value in top.values()):
        return top, {}, {}, ()
    found = {key: value for key in _KEYS if _is_state(value := top.get(key))}
    keys = list(found)
    if len(keys) > 1:
        raise MalformedInput(
            f"expected one state dict, got {len(keys)}, under {' and '.join(map(repr, keys))}: choose one with --step {keys[0]}"
        )
    left = {str(key): value for key, value in top.items()}
    if keys:
        left.pop("checkpoints", None)
        left.pop(keys[0])
        return found[keys[0]], left, {"state": keys[0]}, ()
    if "checkpoints" in top:
        state, about = _last(left.pop("checkpoints"), left.pop("checkpoint_epochs", None))
        return state, left, about, ()
    if _is_state(top):  # with settings among the tensors
        state = {name: value for name, value in top.items() if isinstance(value, Tensor)}
        return state, {str(key): value for key, value in top.items() if key not in state}, {}, ()
    paths = _states(top)
    if len(paths) == 1:
        return _at(top, paths[0]), _beside(top, paths[0]), {"state": ".".join(paths[0])}, paths[0]
    if paths and not _collections(top):
        named = " and ".join(repr(".".join(path))[:60] for path in paths[:4]) + (" and more" if len(paths) > 4 else "")
        raise MalformedInput(
            f"expected one state dict, got {len(paths)}, under {named}: choose one with --step {'.'.join(paths[-1]):.60}"
        )
    listed = ", ".join(sorted(repr(key)[:40] for key in top)[:8]) or "nothing in it"
    arrays = any(isinstance(value, Opaque) and value.is_array for value in top.values())
    mend = "; save its numpy arrays as tensors (torch.from_numpy), or in an npz (numpy.savez)" if arrays else ""
    mend = "; choose one of its checkpoints with --step" if _collections(top) else mend
    raise MalformedInput(
        f"expected a state dict under {', '.join(map(repr, _KEYS[:3]))}, or several under 'checkpoints', got a dict with {listed}{mend}"
    )


def _last(states: object, epochs: object) -> tuple[_State, dict[str, object]]:
    """The state of the last epoch: a dict by epoch, or a list, perhaps with the epochs beside it."""
    found: object = None
    about: dict[str, object] = {}
    if isinstance(states, dict) and states and all(type(epoch) is int for epoch in states):
        last = max(states)
        found, about = states[last], {"state": "checkpoints", "epoch": last}
    elif isinstance(states, list) and states and (not isinstance(epochs, list) or any(type(epoch) is not int for epoch in epochs)):
        found, about = states[-1], {"state": f"last of {plural(len(states), 'checkpoint')}"}
    elif isinstance(states, list) and states and isinstance(epochs, list):
        if len(epochs) != len(states):
            raise MalformedInput(f"expected as many checkpoint_epochs as checkpoints ({len(states)}), got {len(epochs)}")
        at = max(range(len(epochs)), key=epochs.__getitem__)
        found, about = states[at], {"state": "checkpoints", "epoch": epochs[at]}
    if not _is_state(found):
        raise MalformedInput(
            f"expected a list of state dicts under 'checkpoints', or a dict of them by epoch, got {_kind(found or states)}"
        )
    return found, about


def without_prefix(tensors: dict[str, Held]) -> tuple[dict[str, Held], dict[str, str]]:
    """The tensors without the prefixes that all of their names share, and a note of what was left out."""
    dropped = ""
    while prefix := next((p for p in _PREFIXES if tensors and all(name.startswith(p) and name != p for name in tensors)), ""):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        dropped += prefix
    return tensors, {"prefix": dropped} if dropped else {}


_TRANSFORMER = re.compile(
    r"attn|attention|\bblocks?\.|\bW_[QKVO]\b|self_attn|transformer|encoder\.layer|c_attn|pos_embed|W_pos", re.IGNORECASE
)
_OTHERS = (
    (
        re.compile(r"weight_[gv]\b|parametrizations"),
        "a parametrized network (remove_parametrizations or remove_weight_norm before saving)",
    ),
    (re.compile(r"weight_(orig|mask)\b"), "a pruned network (torch.nn.utils.prune.remove before saving)"),
    (
        re.compile(r"^(ema|shadow|swa|averaged|target|teacher)[_.]", re.MULTILINE),
        "two copies of a network (save one of them by itself)",
    ),
    (re.compile(r"conv", re.IGNORECASE), "a convolutional network"),
    (re.compile(r"lstm|gru|rnn|weight_hh", re.IGNORECASE), "a recurrent network"),
    (re.compile(r"norm|\bln\b|\bbn\b|running_mean", re.IGNORECASE), "a network with normalisation"),
    (re.compile(r"exp_avg|param_groups|momentum_buffer", re.IGNORECASE), "the state of an optimiser"),
)


def other_network(names: set[str]) -> str:
    """What a network whose tensors have these names seems to be, for a sentence: "a transformer" or ""."""
    joined = "\n".join(sorted(names)[:500])
    if _TRANSFORMER.search(joined):
        return "a transformer"
    return next((what for pattern, what in _OTHERS if pattern.search(joined)), "")
