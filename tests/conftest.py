"""Scripts as modules, long searches that many tests begin with, and modules that are compiled once."""

import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

# Whatever the environment says: else each process of each run takes ten seconds to make its assertions tell what they saw, and each
# interpreter that a test starts compiles the project again.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

#: Searches for programs over groups with fewer elements take less than a second.
LARGE = 100


@pytest.fixture(autouse=True, scope="session")
def distilled_once() -> Iterator[None]:
    """`verify.analyse` looks for the programs of a network over a large group once in a session, whichever tests ask for them.

    The search is the same every time, and nobody changes what it found. Tests of the search itself call `distill`.
    """
    from verify.distil import curve

    known: dict[tuple[object, ...], Any] = {}
    search = curve.distill

    def remembered(lattice: Any, weights: Any, evaluation: Any, progress: Any, labelling: Any, settings: Any) -> Any:
        if lattice.group.order < LARGE:
            return search(lattice, weights, evaluation, progress, labelling, settings)
        digest = hashlib.sha256(b"".join(array.tobytes() for array in (weights.L, weights.R, weights.U, weights.b)))
        key = lattice, weights.activation, digest.hexdigest(), repr(settings)
        if key not in known:
            known[key] = search(lattice, weights, evaluation, progress, labelling, settings)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(curve, "distill", remembered)
        yield


@pytest.fixture(scope="module")
def script(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The script at the path SCRIPT of the test's module, which is run once for all of its tests."""
    spec = importlib.util.spec_from_file_location(f"{request.module.SCRIPT.stem}_script", request.module.SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]
