"""Workers that die, raise, or never start."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from autograder.classroom.folder import Classroom
from autograder.classroom.workers import Died, Raised, Resident, work
from nlpcourse.errors import CourseError

# A module of its own, so that a fresh interpreter can import it.
TASKS = """
import os, signal, time

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


def test_a_resident_worker_answers_and_is_ended_when_a_task_does_not_end(tasks: ModuleType) -> None:
    resident = Resident(tasks.make, (10,), seconds=2)
    try:
        assert resident.ask(1) == 10
        assert isinstance(resident.ask(4), Raised)
        assert resident.ask(8) == Died("not done after 2 s")
    finally:
        resident.end()
