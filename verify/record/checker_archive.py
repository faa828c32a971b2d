"""The checker as one file, `checker.pyz`, for `python -I checker.pyz CERTIFICATE --checkpoint FILE`."""

import io
import zipfile
from pathlib import Path

import verify.checker

#: What Python runs when it is given the archive.
START = "import sys\n\nfrom checker.command import main\n\nif __name__ == '__main__':\n    sys.exit(main())\n"
#: The date of all members: the same sources give the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)


def checker_archive() -> bytes:
    """A zip archive of the package `verify.checker`, as `checker`, with what starts it; stored, sorted, without dates or owners."""
    package = Path(verify.checker.__file__).parent
    members = {f"checker/{path.name}": path.read_text(encoding="utf-8") for path in package.glob("*.py")}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in sorted({**members, "__main__.py": START}.items()):
            entry = zipfile.ZipInfo(name, DATE)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text.replace("\r\n", "\n"))
    return buffer.getvalue()
