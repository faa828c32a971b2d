"""Settings as YAML beside a checkpoint: read as PyYAML reads them, or refused by name."""

import pytest

from net.errors import MalformedInput
from net.formats.plain_yaml import parse_plain_yaml

READ = [
    "act_fn: relu\nwidth: 128 # neurons\nlr: 1.0e-3\nseed: -1\n",
    "---\nmodel:\n  act_fn: 'gelu'\n  layers:\n    relu_embed: yes\n  depth: 1\noptimizer:\n  betas: [0.9, 0.98]\n  name: AdamW\n",
    'seeds:\n- 1\n- 2\nnames:\n  - a\n  - "b c"\nnothing:\nempty: {}\nnone: ~\nnull_too: null\nflag: off\n',
    "# a comment\n\npath: /data/a#b\ntext: 'it # stays'\nlist: []\n",
]
REFUSED = [
    "a: &x 1\nb: *x\n",
    "a: !!python/object:os.system {}\n",
    "a: |\n  text\n  more\n",
    "a: 1\na: 2\n",
    "- 1\n- 2\n",
    "just words\n",
    "a: 1\n  b: 2\n",
    "a: {b: 1}\n",
    "a: 1\n---\nb: 2\n",
    "? a\n: b\n",
    "a:\tb\n",
    "a: 'open\n",
]


@pytest.mark.parametrize("text", READ)
def test_plain_settings_are_read_as_another_reader_does(text: str) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    assert parse_plain_yaml(text, "cfg.yaml") == yaml.safe_load(text)


@pytest.mark.parametrize("text", REFUSED)
def test_everything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(MalformedInput, match=r"cfg\.yaml"):
        parse_plain_yaml(text, "cfg.yaml")
