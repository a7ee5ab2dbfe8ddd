"""Grading on Dask: the same records as here, whatever dies; workers that are not fit are refused."""

import json
import os
import re
import signal
import threading
import time
from concurrent.futures import CancelledError
from dataclasses import replace
from types import SimpleNamespace

import nbformat
import pytest
from distributed import Client
from distributed.scheduler import KilledWorker
from servers import dask_cluster

from autograder.classroom import distributed
from autograder.classroom.folder import Classroom
from autograder.classroom.grade import Order, grade
from autograder.classroom.workers import Died, Raised
from autograder.sandbox.layers import layers
from nlpcourse.errors import CourseError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("dask"),
    pytest.mark.skipif(
        not any(layer.live and layer.covers == "network" for layer in layers()), reason="no sandbox here"
    ),
]
TOPIC = "embeddings"
ANSWER = "def sgns_loss(center, context, negatives):\n    return (center * context).sum()"


@pytest.fixture(scope="module")
def cluster():
    with dask_cluster(2) as (address, workers):
        yield address, workers


@pytest.fixture
def handed_in(released: Classroom) -> Classroom:
    """Three submissions: untouched, with a wrong answer, and a file that is no notebook."""
    content = nbformat.read(released.release(TOPIC), as_version=4)
    for student, answer in (("ada", None), ("bob", ANSWER), ("eve", "no notebook")):
        path = released.submission(student, TOPIC)
        path.parent.mkdir(parents=True)
        for cell in content.cells:
            if cell.id == "sgns_loss" and answer == ANSWER:
                cell.source = ANSWER
        path.write_text(answer if student == "eve" else nbformat.writes(content), encoding="utf-8")
    return released


def records(classroom: Classroom) -> dict[str, dict]:
    return {
        path.stem: json.loads(path.read_text())
        for path in (classroom.root / "results" / TOPIC).glob("*.json")
    }


def test_a_worker_that_is_killed_costs_nothing(handed_in: Classroom) -> None:
    with dask_cluster(2) as (address, workers):
        kill = threading.Thread(target=_kill_when_work_has_begun, args=(handed_in, workers[0].pid))
        kill.start()
        outcome = grade(handed_in, Order(TOPIC, dask=address))
        kill.join()
        assert workers[0].wait() == -signal.SIGKILL
    assert (outcome.problems, outcome.graded) == ([], 3)
    assert {name: record["status"] for name, record in records(handed_in).items()} == {
        "ada": "graded",
        "bob": "graded",
        "eve": "failed",
    }


def _kill_when_work_has_begun(classroom: Classroom, pid: int) -> None:
    while not records(classroom):
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)


def test_when_no_worker_is_left_it_stops_and_says_so(
    handed_in: Classroom, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All machines of a cluster can be gone at once; what was graded stays."""
    monkeypatch.setattr(distributed, "PATIENCE_SECONDS", 3)
    monkeypatch.setattr(distributed, "LOOK_SECONDS", 0.5)
    submit = Client.submit
    with dask_cluster(1) as (address, (worker,)):

        def submit_to_nobody(client: Client, *arguments: object, **named: object) -> object:
            worker.kill()
            worker.wait()
            return submit(client, *arguments, **named)

        monkeypatch.setattr(Client, "submit", submit_to_nobody)
        packed = distributed.pack(handed_in, TOPIC, unsafe=False)
        with pytest.raises(CourseError, match=r"no Dask worker is left at .* run the same command again"):
            list(distributed.work_on(address, {"ada": b"{}", "bob": b"{}"}, packed))
    assert "waiting 3 s for one" in capsys.readouterr().err


def test_nobody_at_the_address() -> None:
    started = time.monotonic()
    with pytest.raises(CourseError, match=re.escape("no Dask scheduler answers at tcp://127.0.0.1:9")):
        list(_ask("tcp://127.0.0.1:9"))
    assert time.monotonic() - started < 60


def _ask(address: str):
    return distributed.work_on(address, {"ada": b""}, distributed.Pack(TOPIC, (), b"", False))


def test_another_version_is_refused_before_work_is_sent(cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    address, _ = cluster
    here = distributed.facts()
    monkeypatch.setattr(distributed, "facts", lambda: {**here, "torch": "1.0"})
    monkeypatch.setattr(distributed, "grade_bytes", lambda *_: pytest.fail("work was sent"))
    with pytest.raises(CourseError, match=r"has another torch \(.*, here 1\.0\)"):
        list(_ask(address))


def test_a_worker_with_a_nanny_is_refused() -> None:
    with dask_cluster(1, "--nanny") as (address, _), pytest.raises(CourseError, match="--no-nanny"):
        list(_ask(address))


def test_a_pack_that_grades_nothing_is_the_graders_failure(cluster, handed_in: Classroom) -> None:
    address, _ = cluster
    packed = distributed.pack(handed_in, TOPIC, unsafe=False)
    without = replace(
        packed, files=tuple(each for each in packed.files if not each[0].startswith("solutions"))
    )
    ((student, answer),) = distributed.work_on(address, {"ada": b"{}"}, without)
    assert student == "ada"
    assert isinstance(answer, Raised), "no fault of the student's: it must be graded again, not given up"
    assert "do not start" in answer.summary


def test_a_worker_that_came_later_is_asked_too(handed_in: Classroom, cluster) -> None:
    address, _ = cluster
    packed = distributed.pack(handed_in, TOPIC, unsafe=False)
    assert dict(packed.facts) == distributed.facts()
    other = replace(packed, facts=(("torch", "1.0"),))
    ((_, answer),) = distributed.work_on(address, {"ada": b"{}"}, other)
    assert isinstance(answer, Raised)
    assert "has another torch" in answer.summary


class Lost:
    """A future whose answer is `answer`, or raises it."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def result(self) -> object:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    "answer",
    [OSError("No space left on device"), CancelledError("the scheduler is gone"), None, ("{}", b""), 3],
)
def test_what_the_cluster_did_wrong_is_no_zero_for_the_student(answer: object) -> None:
    assert isinstance(distributed._answer(Lost(answer)), Raised)


def test_a_submission_that_kills_its_workers_is_given_up() -> None:
    killed = KilledWorker("task", SimpleNamespace(address="tcp://127.0.0.1:1"), 3)
    assert isinstance(distributed._answer(Lost(killed)), Died)
