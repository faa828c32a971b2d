"""Many pieces of work at once: nothing is lost and nothing comes twice, whatever happens to the processes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING

import pytest

from algebra.group import parse_group
from net.errors import MalformedInput
from net.formats.folded_arrays import save_folded
from net.planted import planted_network
from verify import analyse
from verify.compact.partition import Refinement
from verify.jobs import many
from verify.jobs.many import Died, at_once, finished, only_one
from verify.memory import release
from verify.program.form import LinearForm

if TYPE_CHECKING:
    from pathlib import Path


def work(k: int, folder: str) -> int:
    """k^2; the process that does 3 for the first time is killed, and so is every one that does 5."""
    marker = os.path.join(folder, "killed")
    if k == 3 and not os.path.exists(marker):
        with open(marker, "w", encoding="utf-8"):
            pass
        os.kill(os.getpid(), signal.SIGKILL)
    if k == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return k * k


work.__module__ = "__main__"  # pickled by value: other processes cannot import this module


def test_one_job_is_done_here_and_in_order(tmp_path: Path) -> None:
    assert list(finished(work, [(k, str(tmp_path)) for k in (2, 1, 4)])) == [(0, 4), (1, 1), (2, 16)]


def count_kept() -> int:
    """How many forms and refinements of partitions this process holds."""
    return sum(type(one) in (LinearForm, Refinement) for one in gc.get_objects())


def test_a_finished_piece_leaves_nothing_behind(tmp_path: Path) -> None:
    """Forms and partitions are kept while a network is examined, and not longer."""
    file = tmp_path / "network.safetensors"
    save_folded(file, planted_network(parse_group("S3"), seed=1, width=18).network.weights)

    def examine(group: str) -> int:
        analyse(file, group, timeout_s=0).certificate  # noqa: B018 - computed when asked for
        return count_kept()

    release()
    before = count_kept()
    for _, held in finished(examine, [("S3",), ("S3",)]):
        assert isinstance(held, int)
        assert held > before
        assert count_kept() == before


def test_two_jobs_give_what_one_gives(tmp_path: Path) -> None:
    tasks = [(k, str(tmp_path)) for k in (0, 1, 2, 4, 6)]

    assert sorted(finished(work, tasks, jobs=2)) == list(finished(work, tasks))


def test_a_killed_process_costs_no_result_and_the_guilty_piece_is_named(tmp_path: Path) -> None:
    """The piece that dies once is done again; the one that always dies is told apart from its neighbours."""
    found = list(finished(work, [(k, str(tmp_path)) for k in range(8)], jobs=2))

    assert sorted(k for k, _ in found) == list(range(8))
    results = dict(found)
    assert isinstance(results.pop(5), Died)
    assert results == {k: k * k for k in range(8) if k != 5}


@pytest.mark.slow
def test_a_killed_worker_of_a_cluster_costs_no_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setenv("DASK_DISTRIBUTED__LOGGING__DISTRIBUTED", "critical")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        found = list(finished(work, [(k, str(tmp_path)) for k in range(8)], scheduler=cluster.scheduler_address))

    results = dict(found)
    assert len(found) == 8
    assert isinstance(results.pop(5), Died)
    assert results == {k: k * k for k in range(8) if k != 5}


def test_what_the_function_raises_is_raised(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="can't multiply sequence"):
        list(finished(work, [("x", str(tmp_path))]))


@pytest.mark.parametrize("failure", [TimeoutError("timed out"), OSError("no route"), ValueError("missing port number")])
def test_no_scheduler_is_one_sentence(failure: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the client says of an address at which nothing answers; a real one leaves sockets to the garbage collector."""
    distributed = pytest.importorskip("distributed")

    def refuse(*_: object, **__: object) -> None:
        raise failure

    monkeypatch.setattr(distributed, "Client", refuse)
    with pytest.raises(MalformedInput, match="expected a dask scheduler at nowhere:1, got no answer there"):
        list(finished(len, [("a",)], scheduler="nowhere:1"))


def _hold(folder: Path, held: multiprocessing.synchronize.Event, go: multiprocessing.synchronize.Event) -> None:
    with only_one(folder, "sweep"):
        held.set()
        go.wait(20)


def test_a_folder_is_held_by_one_process_and_free_after_it_was_killed(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    held, go = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "out", held, go))
    other.start()
    assert held.wait(20)
    with pytest.raises(MalformedInput, match="that no other sweep writes into"), only_one(tmp_path / "out", "sweep"):
        pass
    other.kill()
    other.join()
    with only_one(tmp_path / "out", "sweep"):
        pass


def test_what_fails_before_it_writes_leaves_no_folder(tmp_path: Path) -> None:
    """Only folders that were made for it, and hold nothing but its lock, are removed."""

    def fails(folder: Path, name: str | None) -> None:
        with only_one(folder, "sweep"):
            if name is not None:
                (folder / name).write_text("kept")
            raise ValueError(str(folder))

    for folder, name in ((tmp_path / "a" / "b", None), (tmp_path / "there", None), (tmp_path / "c", "table")):
        (tmp_path / "there").mkdir(exist_ok=True)
        with pytest.raises(ValueError, match=str(folder)):
            fails(folder, name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "there"]
    assert (tmp_path / "c" / "table").read_text() == "kept"
    assert not (tmp_path / "a").exists()
    with only_one(tmp_path / "there", "sweep"):
        pass


def test_no_more_processes_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """But two where several are asked for, since work in this process would take it along when it dies."""
    for cores, expected in ((1, [1, 2, 2]), (4, [1, 2, 4])):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert [at_once(jobs) for jobs in (1, 2, 1000)] == expected


def test_a_thousand_jobs_start_a_few_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def started(function: object, arguments: object, jobs: int) -> object:
        asked.append(jobs)
        return iter(())

    monkeypatch.setattr(many, "_here", started)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert list(finished(work, [(1, "")], 1000)) == []
    assert asked == [2]
