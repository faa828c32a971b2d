"""Networks are read without PyTorch, its own files among them."""

import subprocess
import sys

import torch

SCRIPT = """
import sys
sys.modules["torch"] = None  # any import of it fails
from net.bundled import bundled_checkpoint
from net.checkpoint import load_network
print(load_network(bundled_checkpoint("S5"), "S5").width, load_network(sys.argv[1], "S3").source.container)
"""


def test_every_container_is_read_without_torch(tmp_path, planted_s3):
    torch.save(dict(zip("LRU", map(torch.from_numpy, planted_s3), strict=True)), tmp_path / "net.pt")
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path / "net.pt")], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["128", "torch"]


def test_settings_lists_are_those_of_the_page():
    """docs/checkpoints.md states every list of words, which the checker follows too."""
    from pathlib import Path

    from net.formats import settings
    from verify.checker import settings as checkers

    page = (Path(__file__).parents[2] / "docs" / "checkpoints.md").read_text(encoding="utf-8")
    for name, (words, again) in {
        "ACT": (settings._ACTIVATION, checkers.ACTIVATION_WORDS),
        "TRAINING": (settings._TRAINING, checkers.TRAINING),
        "FUNCTION": (settings._FUNCTION, checkers.FUNCTION),
        "AFTER": (settings._AFTER, checkers.AFTER),
        "GRADIENT": (settings._GRADIENT, checkers.GRADIENT),
        "MODEL": (settings._MODEL, checkers.MODEL),
        "PLAIN": (settings._PLAIN, checkers.PLAIN),
        "ACTIVATIONS": (settings._OTHER_ACTIVATIONS, checkers.OTHER_ACTIVATIONS),
        "OTHER": (settings._OTHER, checkers.OTHER),
    }.items():
        assert words == again
        assert f"- **{name}**: {' '.join(sorted(words))}\n" in page
