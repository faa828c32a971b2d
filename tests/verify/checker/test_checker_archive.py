"""The checker as one file: the same bytes every time, and the same verdicts as the package."""

import subprocess
import sys
from pathlib import Path

from verify.record.checker_archive import checker_archive

FOLDER = Path(__file__).parents[2] / "certificates"


def test_the_archive_is_the_same_every_time_and_checks_certificates_by_itself(tmp_path: Path) -> None:
    archive = checker_archive()
    assert archive == checker_archive()
    (tmp_path / "checker.pyz").write_bytes(archive)
    for name, code, line in [("accepted/refuted_tie", 1, "s CONFIRMED REFUTED"), ("rejected/vote_changed", 1, "s NOT VERIFIED"),
                             ("malformed/nan", 4, "s MALFORMED"), ("accepted/s3_sn_grok_even_first", 0, "s VERIFIED")]:  # fmt: skip
        path = FOLDER / name
        command = [sys.executable, "-I", "-S", str(tmp_path / "checker.pyz"), f"{path}.json", "--checkpoint", f"{path}.ckpt"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=tmp_path)
        assert (done.returncode, done.stdout.splitlines()[-1]) == (code, line)
