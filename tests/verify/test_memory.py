"""What is kept, and when it is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from verify import memory

if TYPE_CHECKING:
    import pytest


def test_only_large_groups_forget_between_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept result is computed again after `relieve` of a large group, and after `release`; not after that of a small one."""
    monkeypatch.setattr(memory, "_FORGET", [])
    made: list[int] = []

    @memory.kept(4)
    def square(n: int) -> int:
        made.append(n)
        return n * n

    assert [square(3), square(3)] == [9, 9]
    memory.relieve(memory.LARGE - 1)
    assert square(3) == 9
    assert made == [3]
    memory.relieve(memory.LARGE)
    assert square(3) == 9
    assert made == [3, 3]
    memory.release()
    assert square(3) == 9
    assert made == [3, 3, 3]
