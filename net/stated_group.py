"""The group that a checkpoint says it was trained on."""

from pathlib import Path

from net.checkpoint import read_checkpoint
from net.errors import MalformedInput

_FAMILIES = {"SymmetricGroup": "S", "AlternatingGroup": "A", "CyclicGroup": "C"}


def stated_group(path: Path) -> str:
    """The group that a checkpoint says it was trained on, from its own metadata or the cfg.json beside it.

    Raises MalformedInput when it does not say.
    """
    details = read_checkpoint(path)[1].details
    config = details.get("config")
    config = config if isinstance(config, dict) else details
    name = config.get("group")
    if isinstance(name, str) and name in _FAMILIES and isinstance(config.get("group_parameter"), int):
        return f"{_FAMILIES[name]}{config['group_parameter']}"
    if isinstance(name, str) and name:
        return name
    raise MalformedInput(f"expected {path} to say what group it was trained on, got nothing; give --group")
