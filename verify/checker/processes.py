"""Work shared out among processes.

What this module proves: that `mapped` gives the values of a function for all items, each once and in the order of the items, however
many processes there are. Each process is a copy of this one as it was when the work began, so nothing is read again.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")


def at_once(jobs: int) -> int:
    """How many of so many processes are started: no more than there are cores for them to run on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(jobs, cores)


def mapped(function: Callable[[Item], Found], items: Iterable[Item], jobs: int = 1) -> Iterator[Found]:
    """The function of every item, in order, in that many processes; what the function knows is copied into them as they begin."""
    if jobs == 1:
        yield from map(function, items)
        return
    _SHARED[:] = [function]
    with multiprocessing.get_context("fork").Pool(jobs) as pool:
        yield from pool.imap(_shared, items)


_SHARED: list[Callable[[Any], Any]] = []


def _shared(item: Any) -> Any:
    return _SHARED[0](item)
