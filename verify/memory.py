"""What is kept while one network is examined, and given up before the next one.

A search asks for the same coset spaces, forms and partitions again and again, so they are kept. Over S6 these are some 500 MB, which a
process that examines many networks must not carry from one to the next, nor one network from stage to stage: each asks for others.
What belongs to a group alone (its lattice, its irreps) is small and stays.
"""

import ctypes
import gc
from collections.abc import Callable
from functools import lru_cache
from typing import ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_FORGET: list[Callable[[], None]] = []
#: From so many elements on what one stage keeps is hundreds of megabytes, and is given up before the next.
LARGE = 500


def kept(size: int) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """The decorator of functions of hashable arguments whose last ``size`` results are kept until `release`."""

    def decorated(function: Callable[P, T]) -> Callable[P, T]:
        cached = lru_cache(maxsize=size)(function)
        _FORGET.append(cached.cache_clear)
        return cast("Callable[P, T]", cached)

    return decorated


def relieve(order: int) -> None:
    """`release` between the stages of a search over a group of ``order`` elements, where that is large."""
    if order >= LARGE:
        release()


def release() -> None:
    """Forget what functions under `kept` have kept, and give free memory back to the system where the C library can (glibc)."""
    for forget in _FORGET:
        forget()
    gc.collect()
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # another C library
        return
    trim(0)
