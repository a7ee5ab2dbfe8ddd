"""Workers that die, raise, or never start."""

import importlib
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from autograder.classroom.folder import Classroom
from autograder.classroom.workers import Died, Pool, Raised, Resident, work
from nlpcourse.errors import CourseError

# A module of its own, so that a fresh interpreter can import it.
TASKS = """
import os, pathlib, signal, time

def make_marker(folder):
    (pathlib.Path(folder) / "begun").touch()
    return lambda task: (pathlib.Path(folder) / str(task)).touch()

def make(ten):
    def handle(task):
        if task == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        if task == 4:
            raise ValueError("four")
        if task == 8:
            time.sleep(1000)
        return task * ten
    return handle

def make_nothing():
    raise RuntimeError("no checks here")
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "tasks_of_workers.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("tasks_of_workers")
    del sys.modules["tasks_of_workers"]


def test_a_death_costs_one_task_and_is_tried_twice(tasks: ModuleType) -> None:
    found = dict(work(range(7), workers=2, make=tasks.make, arguments=(10,), seconds=100))
    assert found.pop(3) == Died("killed by SIGKILL")
    raised = found.pop(4)
    assert isinstance(raised, Raised)
    assert raised.summary == "ValueError: four"
    assert found == {0: 0, 1: 10, 2: 20, 5: 50, 6: 60}


def test_a_task_that_does_not_end_is_given_up_and_the_rest_is_done(tasks: ModuleType) -> None:
    found = dict(work([8, 1, 2], workers=1, make=tasks.make, arguments=(10,), seconds=2))
    assert found == {8: Died("not done after 2 s"), 1: 10, 2: 20}


def test_workers_that_cannot_start_are_the_graders_failure(tasks: ModuleType) -> None:
    with pytest.raises(CourseError, match=r"do not start \(RuntimeError: no checks here\)"):
        list(work([1, 2], workers=2, make=tasks.make_nothing, arguments=(), seconds=100))


def test_a_process_can_get_ready_to_grade_twice(released: Classroom) -> None:
    """In a process of its own: getting ready replaces modules."""
    source = (
        "import sys; from autograder.classroom.worker import make\n"
        "for again in range(2): make(sys.argv[1], 'embeddings', True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", source, str(released.root)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nothing_to_do_starts_nobody(tasks: ModuleType) -> None:
    assert list(work([], workers=2, make=tasks.make_nothing, arguments=(), seconds=100)) == []


def appears(path: Path) -> bool:
    """Whether a file is there within a minute."""
    for _ in range(600):
        if path.exists():
            return True
        time.sleep(0.1)
    return False


def test_a_worker_is_at_its_next_task_while_the_last_result_is_taken(
    tasks: ModuleType, tmp_path: Path
) -> None:
    results = work([1, 2], workers=1, make=tasks.make_marker, arguments=(str(tmp_path),), seconds=100)
    assert next(results) == (1, None)
    assert appears(tmp_path / "2")
    assert list(results) == [(2, None)]


def test_workers_begun_early_get_ready_before_there_is_work_and_end_with_their_block(
    tasks: ModuleType, tmp_path: Path
) -> None:
    with Pool(workers=1, make=tasks.make_marker, arguments=(str(tmp_path),), seconds=100, begun=2) as pool:
        assert appears(tmp_path / "begun")
        (process,) = multiprocessing.active_children()
        assert list(pool.work([1])) == [(1, None)]
        assert multiprocessing.active_children() == [process]
    assert not process.is_alive()


def test_a_resident_worker_answers_and_is_ended_when_a_task_does_not_end(tasks: ModuleType) -> None:
    resident = Resident(tasks.make, (10,), seconds=2)
    try:
        assert resident.ask(1) == 10
        assert isinstance(resident.ask(4), Raised)
        assert resident.ask(8) == Died("not done after 2 s")
    finally:
        resident.end()
