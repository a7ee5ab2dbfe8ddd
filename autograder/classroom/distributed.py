"""Grading on a Dask cluster: what a class is graded with goes out once, then bytes go out and bytes come back.

Start workers without a nanny, `dask worker ADDRESS --no-nanny`, on machines that have the same course installed. Each
grades in a process of its own, behind the same sandbox as here. Who can reach the scheduler can run code on the
workers, so it belongs on a private network, or behind Dask's own TLS.
"""

import hashlib
import multiprocessing
import platform
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import autograder
from autograder.classroom.folder import Classroom
from autograder.classroom.worker import TASK_SECONDS, grader
from autograder.classroom.workers import ATTEMPTS, Died, Raised, Resident
from autograder.grading.record import Record
from autograder.sandbox import layers
from nlpcourse.errors import CourseError

_CONNECT_SECONDS = 10
#: How long to wait for a worker when the last has gone, and how often to look.
PATIENCE_SECONDS = 300
LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Pack:
    """All that grading a topic of a class depends on, as data."""

    topic: str
    files: tuple[tuple[str, bytes], ...]
    """The pin: path below it, content."""
    salt: bytes
    unsafe: bool
    facts: tuple[tuple[str, str], ...] = ()
    """What must be equal on every worker, see `facts`; a worker that came later is asked by this."""

    @property
    def digest(self) -> str:
        """Names the pack: equal for equal content."""
        digest = hashlib.sha256(repr((self.topic, self.unsafe)).encode() + self.salt)
        for path, content in self.files:
            digest.update(f"\0{path}\0{len(content)}\0".encode() + content)
        return digest.hexdigest()

    def unpack(self, folder: Path) -> None:
        """Write the pin's files below `folder`."""
        for path, content in self.files:
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def pack(classroom: Classroom, topic: str, *, unsafe: bool) -> Pack:
    """The pack of a topic as it is pinned for a class."""
    pin = classroom.pin(topic)
    files = sorted(path for path in pin.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    content = tuple((path.relative_to(pin).as_posix(), path.read_bytes()) for path in files)
    return Pack(topic, content, classroom.salt(), unsafe, tuple(facts().items()))


def work_on(
    address: str, submissions: Mapping[str, bytes], graded_with: Pack
) -> Iterator[tuple[str, tuple[Record, bytes] | Died | Raised]]:
    """Yield (student, result) as results come, as `workers.work` does.

    A worker that dies loses its submission to another; one that outlives no worker is `Died`. When the last worker has
    gone, what is not done yet waits for a new one, for some minutes.

    Args:
        address: of the Dask scheduler, such as `tcp://10.0.0.5:8786`.
        submissions: the bytes handed in, by student.
        graded_with: the pack of the topic.

    Raises:
        CourseError: no scheduler answers, it has no workers or no longer any, or one of them is not fit to grade.
    """
    from distributed import Client, as_completed

    try:
        client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise CourseError(
            f"no Dask scheduler answers at {address}; start one: dask scheduler, and workers: "
            f"dask worker {address} --no-nanny"
        ) from error
    with client:
        _check_workers(client, graded_with.unsafe)
        everywhere = _spread(client, graded_with, address)
        waiting = {
            client.submit(grade_bytes, everywhere, student, submission, pure=False): (student, 1)
            for student, submission in submissions.items()
        }
        answers = as_completed(waiting, loop=client.loop)
        for future in answers:
            student, attempt = waiting.pop(future)
            lost = future.cancelled()  # the last worker took the pack with it
            if lost and everywhere.status != "finished":
                everywhere = _spread(client, graded_with, address)
            answer = _answer(future)
            if (lost or isinstance(answer, Died)) and attempt < ATTEMPTS:
                again = client.submit(grade_bytes, everywhere, student, submissions[student], pure=False)
                waiting[again] = (student, attempt + 1)
                answers.add(again)
                continue
            yield student, answer


def _spread(client: Any, graded_with: Pack, address: str) -> Any:
    """Give the pack to all workers, as soon as there is one.

    Raises:
        CourseError: none comes.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    said = False
    while not client.scheduler_info()["workers"]:
        if time.monotonic() > until:
            raise CourseError(
                f"no Dask worker is left at {address}, and none came in {PATIENCE_SECONDS} s; what was graded stays: "
                f"start workers, dask worker {address} --no-nanny, and run the same command again"
            )
        if not said:
            print(
                f"no Dask worker is left at {address}; waiting {PATIENCE_SECONDS} s for one", file=sys.stderr
            )
            said = True
        time.sleep(LOOK_SECONDS)
    return client.scatter(graded_with, broadcast=True)


def _answer(future: Any) -> tuple[Record, bytes] | Died | Raised:
    """What came of a submission. Only workers that died at it speak against it; all else is the cluster's failure."""
    from distributed.scheduler import KilledWorker

    try:
        answer = future.result()
        if isinstance(answer, Died | Raised):
            return answer
        record, notebook = answer
        return Record.from_json(record), bytes(notebook)
    except KilledWorker as error:
        return Died(f"{type(error).__name__}: {error}")
    except Exception as error:  # noqa: BLE001 - a full disk there, a lost scheduler, an answer that is no record
        return Raised(f"on the Dask cluster: {type(error).__name__}: {error}", traceback.format_exc())


def _check_workers(client: Any, unsafe: bool) -> None:
    here = facts()
    answers = client.run(fitness, on_error="return")
    fit = {address: answer for address, answer in answers.items() if isinstance(answer, tuple)}
    for address, answer in answers.items():
        if not isinstance(answer, tuple | OSError):  # an OSError: it ended just now
            raise CourseError(f"the Dask worker {address} cannot say what it is: {answer}")
    if not fit:
        raise CourseError("the Dask scheduler has no workers; start one: dask worker ADDRESS --no-nanny")
    for address, (there, complaint) in fit.items():
        for name, value in here.items():
            if there.get(name) != value:
                raise CourseError(
                    f"the Dask worker {address} has another {name} ({there.get(name)}, here {value}); "
                    "install the same course and constraints.txt there"
                )
        if complaint and not unsafe:
            raise CourseError(f"the Dask worker {address} cannot grade: {complaint}")
        if there.get("nanny"):
            raise CourseError(f"the Dask worker {address} has a nanny; start it with --no-nanny")


def facts() -> dict[str, str]:
    """What must be equal here and on every worker for equal results."""
    digest = hashlib.sha256()
    folder = Path(autograder.__file__).parent
    for file in sorted(folder.rglob("*.py")):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    python = ".".join(platform.python_version_tuple()[:2])
    packages = {name: version(name) for name in ("nlpcourse", "torch", "numpy", "nbgrader")}
    return {"Python": python, **packages, "grader": digest.hexdigest()[:12]}


def fitness() -> tuple[dict[str, str], str]:
    """The facts of this worker, and why it cannot sandbox, or ""."""
    found = facts()
    if multiprocessing.current_process().daemon:
        found["nanny"] = "yes"
    try:
        layers.require()
    except CourseError as error:
        return found, str(error)
    return found, ""


@cache
def _unfit(wanted: tuple[tuple[str, str], ...], unsafe: bool) -> str:
    """Why this worker must not grade what was made with the facts `wanted`, or ""."""
    there, complaint = fitness()
    for name, value in wanted:
        if there.get(name) != value:
            return f"has another {name} ({there.get(name)}, not {value}); install the same course there"
    return f"cannot grade: {complaint}" if complaint and not unsafe else ""


_idle: dict[str, list[Resident]] = {}
_folders: dict[str, tempfile.TemporaryDirectory[str]] = {}
_lock = threading.Lock()


def grade_bytes(graded_with: Pack, student: str, submission: bytes) -> Any:
    """Grade one submission in a process kept for this pack; runs in a thread of a Dask worker.

    Returns:
        The record as JSON and the graded notebook; or `Died`, or `Raised`.

    Raises:
        CourseError: this worker is not fit: it came after the others had been asked.
    """
    if complaint := _unfit(graded_with.facts, graded_with.unsafe):
        raise CourseError(f"a Dask worker {complaint}")
    key = graded_with.digest
    with _lock:
        if key not in _folders:
            _folders[key] = tempfile.TemporaryDirectory(prefix="nlpcourse-pin-")
            graded_with.unpack(Path(_folders[key].name))
        free = _idle.setdefault(key, [])
        resident = free.pop() if free else None
    if resident is None:
        arguments = (_folders[key].name, graded_with.topic, graded_with.salt, graded_with.unsafe)
        resident = Resident(grader, arguments, seconds=TASK_SECONDS)
    answer = resident.ask((student, submission))
    if isinstance(answer, Died):
        resident.end()
    else:
        with _lock:
            free.append(resident)
    if isinstance(answer, Died | Raised):
        return answer
    record, notebook = answer
    return record.to_json(), notebook
