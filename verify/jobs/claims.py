"""The same claims on every network of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from net.checkpoint import ReadOptions, open_checkpoint
from net.discovery import checkpoints_in
from net.errors import MalformedInput
from verify.claims.decide import Report, decide_claims, named_group, open_subject
from verify.jobs.many import Died, finished
from verify.reading import AS_FOUND, How

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from verify.claims.schema import ClaimsFile


def decide_folder(
    path: Path,
    claims: ClaimsFile,
    folder: Path,
    group: str,
    progress: Callable[[str], None],
    jobs: int = 1,
    scheduler: str | None = None,
    how: How = AS_FOUND,
) -> list[Report | tuple[Path, str]]:
    """In order of paths, the report on every checkpoint in the folder, or the checkpoint and why it could not be read.

    With a ``group``, networks over another number of elements are passed over in silence. ``jobs`` and ``scheduler`` are those of
    `verify.jobs.many.finished`; ``how`` is the same for all networks.

    Raises:
        MalformedInput: a claim makes no sense, with the path of the mistake, or the folder holds no checkpoint.

    """
    wanted = named_group(group).order if group else 0
    paths = checkpoints_in(folder)
    found: dict[int, Report | tuple[Path, str] | None] = {}
    for k, result in finished(_decided, [(path, claims, checkpoint, group, wanted, how) for checkpoint in paths], jobs, scheduler):
        found[k] = (paths[k], result.reason) if isinstance(result, Died) else result
        progress(f"{len(found)} of {len(paths)}: {paths[k]}")
    return [one for one in (found[k] for k in sorted(found)) if one is not None]


def _decided(path: Path, claims: ClaimsFile, checkpoint: Path, group: str, wanted: int, how: How) -> Report | tuple[Path, str] | None:
    try:
        options = ReadOptions(step=None if how.step is None else str(how.step), activation=how.activation)
        if wanted and how.layout is None and open_checkpoint(checkpoint, options).elements(wanted) != wanted:
            return None
        subject = open_subject(checkpoint, group, path.parent, how)
    except MalformedInput as error:
        return checkpoint, str(error)
    return decide_claims(path, claims, subject)
