"""Many independent pieces of work, in processes of this machine or of a cluster, whatever happens to the processes.

Here joblib's processes do it, on a cluster a dask scheduler's workers. A worker that dies (killed, out of memory) costs no result: dask
gives what it was doing to another worker, up to its own number of failures; here it is done again, each piece alone, so that the one
that kills its process is found.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from net.errors import MalformedInput
from verify.cores import cores
from verify.memory import release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

__all__ = ["Died", "finished", "only_one"]

T = TypeVar("T")


@dataclass(frozen=True)
class Died:
    """What stands in the place of a result when every process that worked on it died."""

    reason: str


def finished(
    function: Callable[..., T], arguments: Sequence[tuple[object, ...]], jobs: int = 1, scheduler: str | None = None
) -> Iterator[tuple[int, T | Died]]:
    """(k, function(*arguments[k])) for every k, in the order in which they are done; `Died` for one that kills its process.

    ``jobs`` processes of this machine (`at_once`), or the workers of the dask scheduler at ``scheduler``, which must see the same
    files and have this package installed. With one job everything is done in this process.
    What the function itself raises is raised here and ends the work: it should return its failures.

    Raises:
        MalformedInput: ``scheduler`` is given and dask.distributed is not installed, or nothing answers there.

    """
    return _here(function, arguments, at_once(jobs)) if scheduler is None else _on_cluster(function, arguments, scheduler)


def at_once(jobs: int) -> int:
    """How many of so many processes are started: no more than there are cores, but two where several are asked for.

    With one job the work would be done in this process, which then dies with it.
    """
    return min(jobs, max(cores(), 2))


def _here(function: Callable[..., T], arguments: Sequence[tuple[object, ...]], jobs: int) -> Iterator[tuple[int, T | Died]]:
    left = dict(enumerate(arguments))
    while left:
        started: list[int] = []
        try:
            for k, result in _together(function, left, jobs, started):
                del left[k]
                yield k, result
        except Exception as error:
            if not _is_death(error):
                raise
            for k in [k for k in started if k in left]:
                yield k, _alone(function, left.pop(k))


def _together(
    function: Callable[..., T], left: dict[int, tuple[object, ...]], jobs: int, started: list[int]
) -> Iterator[tuple[int, T]]:
    """Results of what is left; ``started`` gets the numbers of those that were handed to a process."""
    from joblib import Parallel, delayed

    def work() -> Iterator[object]:
        for k, given in list(left.items()):
            started.append(k)
            yield delayed(_numbered)(function, k, given)

    yield from Parallel(n_jobs=jobs, backend="loky", return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs")(work())


def _alone(function: Callable[..., T], given: tuple[object, ...]) -> T | Died:
    """The result of one piece of work in a process with nothing else to do (two jobs, since joblib does one job in this process)."""
    from joblib import Parallel, delayed

    try:
        (result,) = Parallel(n_jobs=2, backend="loky", batch_size=1)([delayed(_released)(function, *given)])
    except Exception as error:
        if not _is_death(error):
            raise
        return Died(f"its process was killed twice ({type(error).__name__}); it may need more memory than there is")
    done: T = result
    return done


def _numbered(function: Callable[..., T], k: int, given: tuple[object, ...]) -> tuple[int, T]:
    return k, _released(function, *given)


def _released(function: Callable[..., T], *given: object) -> T:
    """The result, after which the process gives up the memory that the work took."""
    try:
        return function(*given)
    finally:
        release()


def _is_death(error: Exception) -> bool:
    """Whether a process of joblib's died, in its own words."""
    return any(kind.__name__ in ("TerminatedWorkerError", "BrokenProcessPool") for kind in type(error).__mro__)


def _on_cluster(function: Callable[..., T], arguments: Sequence[tuple[object, ...]], scheduler: str) -> Iterator[tuple[int, T | Died]]:
    try:
        import distributed
    except ImportError:
        raise MalformedInput(
            "expected dask.distributed for --scheduler, got none: install it with pip install 'coset-verify[cluster]'"
        ) from None
    try:
        client = distributed.Client(scheduler, timeout=10, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise MalformedInput(f"expected a dask scheduler at {scheduler}, got no answer there: {' '.join(str(error).split())}") from None
    try:
        futures = [client.submit(_released, function, *given, pure=False) for given in arguments]
        number = {future.key: k for k, future in enumerate(futures)}
        for future in distributed.as_completed(futures, loop=client.loop):
            failure = future.exception()
            if failure is None:
                yield number[future.key], future.result()
            elif isinstance(failure, distributed.KilledWorker):
                yield number[future.key], Died("every worker that had it died; it may need more memory than a worker has")
            else:
                raise failure
    finally:
        client.close()


@contextmanager
def only_one(folder: Path, doing: str) -> Iterator[None]:
    """Hold a folder for this process, which makes it if need be; the hold ends with the process, however that ends.

    What fails before it writes leaves no folder behind that was not there.

    Raises:
        MalformedInput: another process holds it, or it is a file.
        OSError: it cannot be written.

    """
    if folder.exists() and not folder.is_dir():
        raise MalformedInput(f"expected {folder} to be a folder, got a file; choose another --out")
    made = [above for above in (folder, *folder.parents) if not above.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with _held(folder, doing):
            yield
    except BaseException:
        _remove_empty(made)
        raise


@contextmanager
def _held(folder: Path, doing: str) -> Iterator[None]:
    try:
        import fcntl
    except ImportError:  # no such locks on this system
        yield
        return
    descriptor = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise MalformedInput(
                f"expected a folder that no other {doing} writes into, got {folder}: wait for the other one, or choose another --out"
            ) from None
        yield
    finally:
        os.close(descriptor)


def _remove_empty(folders: Sequence[Path]) -> None:
    """Remove folders, the innermost first, as far as they hold nothing but the innermost's lock."""
    with suppress(OSError):  # which is how a folder with something in it stays
        if folders and os.listdir(folders[0]) == [".lock"]:
            (folders[0] / ".lock").unlink()
        for folder in folders:
            folder.rmdir()
