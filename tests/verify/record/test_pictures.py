"""pictures.json read again: what belongs to the run is taken, and each thing that does not is refused with the file's name."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from algebra.group import parse_group
from net.bundled import bundled_checkpoint
from net.errors import MalformedInput
from net.planted import planted_network
from verify import cli
from verify.analysis import analyse
from verify.record.pictures import picture_bytes, read_pictures

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """pictures.json of the bundled S5 network."""
    path = tmp_path_factory.mktemp("pictures") / "pictures.json"
    path.write_bytes(picture_bytes(analyse(bundled_checkpoint("S5"), "S5").pictures))
    return path


def test_pictures_are_read_as_they_were_written(written: Path) -> None:
    """120 bytes a column, 128 neurons; the same bytes come out again."""
    found = read_pictures(written, 120, 128)

    assert len(found.neurons) == 128
    assert found.partitions
    assert picture_bytes(found) == written.read_bytes()


@pytest.mark.parametrize(("exponent", "own"), [(0, True), (-900, False), (900, False)])
def test_values_in_other_units_are_called_so(exponent: int, own: bool) -> None:
    """A network times 2^900 or 2^-900 is drawn in units in which floats hold it, and the file says that these are not its own."""
    weights = planted_network(parse_group("S3"), seed=1, width=24).network.weights
    analysis = analyse({key: np.ldexp(getattr(weights, key), exponent * (key != "b")) for key in "LRU"}, group="S3")

    assert analysis.pictures.own is own


def neuron(**entries: Any) -> Callable[[JSON], None]:
    return lambda pictures: pictures["neurons"][0].update(entries)


def first_coset(label: Any) -> Callable[[JSON], None]:
    def change(pictures: JSON) -> None:
        pictures["partitions"][0][0] = label

    return change


ZEROS = base64.b64encode(bytes(120)).decode()
COLUMN: JSON = {"unit": 1.0, "bytes": ZEROS}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (first_coset(0.5), "Expected `int`, got `float`"),
        (first_coset(120), "the number of a coset for each of 120 elements"),
        (first_coset(-1), "the number of a coset for each of 120 elements"),
        (lambda pictures: pictures["partitions"][0].pop(), "the number of a coset for each of 120 elements"),
        (lambda pictures: pictures.update(partitions={}), "Expected `array`, got `object`"),
        (lambda pictures: pictures.update(partitions=[]), "some of its 0 partitions"),
        (neuron(index=128), "neurons from 0 to 127, each at most once"),
        (neuron(index=1), "neurons from 0 to 127, each at most once"),
        (neuron(x=-1), "neurons that name some of its"),
        (neuron(y=10**6), "neurons that name some of its"),
        (neuron(left=COLUMN | {"bytes": ZEROS[:-4]}), "columns of 120 bytes"),
        (neuron(right=COLUMN | {"bytes": "*" * 160}), "columns of 120 bytes"),
        (neuron(votes=COLUMN | {"unit": -1.0}), "a unit of at least 0"),
        (neuron(votes=COLUMN | {"unit": None}), "Expected `float`, got `null`"),
        (neuron(classes="F20"), "Expected `array`, got `str`"),
    ],
)
def test_pictures_of_something_else_are_refused(written: Path, tmp_path: Path, change: Callable[[JSON], None], message: str) -> None:
    """One entry changed: a sentence with the file and the way out."""
    pictures = json.loads(written.read_text())
    change(pictures)
    path = tmp_path / "pictures.json"
    path.write_text(json.dumps(pictures))

    with pytest.raises(MalformedInput) as refused:
        read_pictures(path, 120, 128)

    assert str(path) in str(refused.value)
    assert message in str(refused.value)
    assert "`verify run` writes the file again" in str(refused.value)


def test_a_report_with_pictures_of_something_else_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify report` reads the file before it draws from it, and takes none that does not say whose pictures it holds."""
    run = tmp_path / "run"
    accepted = Path(__file__).parents[2] / "certificates" / "accepted"
    assert cli.execute(["run", "--group", "S3", "--checkpoint", str(accepted / "s3_float64.ckpt"), "--out", str(run), "--quiet"]) == 0
    before = (run / "report.md").read_bytes()
    pictures = json.loads((run / "pictures.json").read_text())
    for change, message in (
        ({"partitions": [[0.5] * 6]}, "Expected `int`, got `float`"),
        ({"sha256": ""}, "expected certificate.json and pictures.json of one network"),
    ):
        (run / "pictures.json").write_text(json.dumps(pictures | change))
        capsys.readouterr()

        assert cli.execute(["report", str(run)]) == 4
        assert message in capsys.readouterr().err
        assert (run / "report.md").read_bytes() == before
