"""Run the checker as a directory (`python -I verify/checker ...`), as a zip file, or as a package (`python -m verify.checker ...`)."""

import importlib.util
import sys
from pathlib import Path


def _alone() -> str:
    """Make this directory a package by itself, under the name `checker`, whatever lies beside it."""
    here = Path(__file__).resolve().parent
    specification = importlib.util.spec_from_file_location("checker", here / "__init__.py", submodule_search_locations=[str(here)])
    assert specification is not None
    assert specification.loader is not None
    sys.path.pop(0)  # this directory, which python put there: its modules are parts of a package, and hide no others
    sys.modules["checker"] = module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return "checker"


if __name__ == "__main__":
    sys.exit(importlib.import_module(".command", __package__ or _alone()).main())
