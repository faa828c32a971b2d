"""How many cores this process may use."""

import os

__all__ = ["cores"]


def cores() -> int:
    """Those that it may run on, where the system tells; else all of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
