"""Grading a class: workers grade, the coordinator records, nbgrader's gradebook follows the records."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from nbgrader.coursedir import CourseDirectory

from autograder.assignment import Assignment
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom, lock, make_folder
from autograder.classroom.gradebook import database_url, ensure_assignment, name_student
from autograder.classroom.progress import GradingProgress
from autograder.classroom.received import Receipt, latest_receipts
from autograder.classroom.sharing import SharedGradebook, autograde, share_gradebook
from autograder.classroom.standing import Entry, entries_in, stands
from autograder.classroom.worker import TASK_SECONDS, make
from autograder.classroom.workers import Died, Pool, Raised, work
from autograder.grading.record import Record
from autograder.sandbox import layers
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically

#: How the system and the databases say that a disk is full.
_FULL = ("No space left on device", "disk is full", "Disk quota exceeded")


@dataclass(frozen=True)
class Order:
    """What one grading run is to do."""

    topic: str
    students: tuple[str, ...] = ()
    """Ids; none means all with a submission."""
    workers: int = 1
    db_url: str | None = None
    force: bool = False
    unsafe: bool = False
    """Without the sandbox."""
    dask: str | None = None
    """Address of a Dask scheduler whose workers grade, in place of processes here."""


@dataclass
class Outcome:
    """What one grading run did."""

    topic: str
    version: str
    assignment: Assignment
    records: list[Record] = field(default_factory=list)
    """Of every submission asked for, sorted by student."""
    graded: int = 0
    """How many were graded now; the others had a record that still holds."""
    problems: list[str] = field(default_factory=list)
    """What the grader itself failed at, one line each."""


@dataclass(frozen=True)
class _Run:
    """What is the same for every submission of a run."""

    classroom: Classroom
    assignment: Assignment
    directory: CourseDirectory
    due: str | None
    receipts: Mapping[tuple[str, str], Receipt]

    @property
    def topic(self) -> str:
        return self.assignment.topic

    def late(self, student: str) -> bool:
        """Whether the collector's time, or the platform's word, says late."""
        receipt = self.receipts.get((student, self.topic))
        if receipt is None:
            return False
        return bool(receipt.late) or (
            self.due is not None and receipt.time > datetime.fromisoformat(self.due)
        )


def grade(classroom: Classroom, order: Order, pool: Pool[str] | None = None) -> Outcome:
    """Grade the submissions of one topic that have no record that holds, and bring the gradebook up to the records.

    A record holds when it was made from these very bytes with this very pin. Records are written one by one as they
    come, so a kill costs at most the submissions in hand.

    Args:
        pool: workers of this very order that were begun earlier; without them, some are begun when there is work.

    Raises:
        CourseError: another command is at work, the topic is not released or its pin was changed, a student has no
            submission, a sandbox layer is missing, or the class folder cannot be written.
    """
    with lock(classroom.root):
        return _grade(classroom, order, pool)


def _grade(classroom: Classroom, order: Order, pool: Pool[str] | None) -> Outcome:
    students = _students(classroom, order)
    run = _prepare(classroom, order)
    outcome = Outcome(order.topic, str(classroom.read_pin(order.topic)["version"]), run.assignment)
    records = (
        {}
        if order.force
        else {
            student: record for student in students if (record := _holding(run, student, order)) is not None
        }
    )
    with share_gradebook(run.directory) as gradebook, GradingProgress(order.topic, len(students)) as progress:
        entries = entries_in(gradebook, order.topic)
        for record in records.values():
            _settle(run, gradebook, record, entries, outcome)
            progress.keep()
        todo = [student for student in students if student not in records]
        confirmed = {student: _confirmed(run, student, entries) for student in todo}
        for student, answer in _answers(classroom, order, todo, pool):
            if isinstance(answer, Raised):
                outcome.problems.append(f"{student}: the grader failed: {answer.summary}")
                print(answer.text, file=sys.stderr)
                progress.add(failed=True)
                continue
            if isinstance(answer, Died):
                answer = _given_up(run, student, answer)
            record, notebook = answer
            if strange := _strange(run, student, record):
                outcome.problems.append(f"{student}: the grader failed: {strange}")
                progress.add(failed=True)
                continue
            record = replace(record, late=run.late(student))
            _write(run, record, notebook)
            _settle(run, gradebook, record, entries, outcome, confirmed[student])
            outcome.graded += 1
            progress.add(failed=record.status == "failed")
    outcome.records.sort(key=lambda record: record.student)
    return outcome


def _answers(
    classroom: Classroom, order: Order, todo: list[str], pool: Pool[str] | None
) -> Iterator[tuple[str, Any]]:
    """(student, answer) as answers come, from processes of this machine or from a Dask cluster."""
    if pool is not None:
        return pool.work(todo)
    if order.dask is None or not todo:
        arguments = (str(classroom.root), order.topic, order.unsafe)
        return work(todo, workers=order.workers, make=make, arguments=arguments, seconds=TASK_SECONDS)
    from autograder.classroom.distributed import pack, work_on

    submissions = {student: classroom.read_submission(student, order.topic) for student in todo}
    return work_on(order.dask, submissions, pack(classroom, order.topic, unsafe=order.unsafe))


def _students(classroom: Classroom, order: Order) -> list[str]:
    classroom.read_pin(order.topic)
    known = classroom.students(order.topic)
    if missing := [student for student in order.students if student not in known]:
        raise CourseError(
            f"no submission of {order.topic} from {missing[0]!r}; "
            f"ids are the names of the folders in {classroom.root / 'submitted'}"
        )
    return sorted(set(order.students)) if order.students else known


def _prepare(classroom: Classroom, order: Order) -> _Run:
    pin = classroom.read_pin(order.topic)
    assignment = Assignment.load(order.topic, classroom.pin(order.topic))
    if assignment.fingerprint != pin["fingerprint"]:
        raise CourseError(
            f"{classroom.pin(order.topic)} is not what was released on {pin['released']}; restore it, or release "
            f"again: nlpcourse class release {classroom.root} {order.topic}"
        )
    if not order.unsafe:
        layers.require()
    if order.db_url is not None:
        write_atomically(classroom.database_file, database_url(order.db_url) + "\n", mode=0o600)
    config = load_config(classroom)
    config.Execute.unsafe_no_sandbox = order.unsafe
    directory = course_directory(config)
    ensure_assignment(directory, order.topic, pin["due"])
    return _Run(classroom, assignment, directory, pin["due"], latest_receipts(classroom))


def _last(run: _Run, student: str) -> Record | None:
    """The record of a submission, when it was made from the very bytes that lie there."""
    try:
        record = Record.from_json(run.classroom.record(student, run.topic).read_bytes())
        digest = hashlib.sha256(run.classroom.read_submission(student, run.topic)).hexdigest()
    except (OSError, CourseError):
        return None
    return record if record.hashes.submission == digest else None


def _holding(run: _Run, student: str, order: Order) -> Record | None:
    """The record of a submission when nothing that it depends on has changed."""
    record = _last(run, student)
    holds = (
        record is not None
        and record.hashes.fingerprint == run.assignment.fingerprint
        and not record.interrupted
        and (order.unsafe or bool(record.sandbox) or record.status == "failed")
        and run.classroom.graded(student, run.topic).is_file()
    )
    return record if holds else None


def _write(run: _Run, record: Record, notebook: bytes) -> None:
    """Put a result on the disk, the record last: a notebook without its record is graded again."""
    make_folder(run.classroom.record(record.student, run.topic).parent)
    write_atomically(run.classroom.graded(record.student, run.topic), notebook)
    write_atomically(run.classroom.record(record.student, run.topic), record.to_json())


def _strange(run: _Run, student: str, record: Record) -> str:
    """Why `record`, perhaps from another machine, cannot be that of the student's submission, or ""."""
    submission = run.classroom.read_submission(student, run.topic)
    wanted = {
        "student": (record.student, student),
        "topic": (record.assignment, run.topic),
        "submission": (record.hashes.submission, hashlib.sha256(submission).hexdigest()),
        "release": (record.hashes.fingerprint, run.assignment.fingerprint),
    }
    return next(
        (f"its record is of another {name} ({got})" for name, (got, right) in wanted.items() if got != right),
        "",
    )


def _given_up(run: _Run, student: str, died: Died) -> tuple[Record, bytes]:
    """The outcome of a submission that no worker survived."""
    submission = run.classroom.read_submission(student, run.topic)
    reason = f"the grader's own process ended twice at this notebook ({died.reason})"
    from autograder.grading.run import failed  # loads torch, which takes seconds; few classes need it

    graded = failed(submission, run.assignment, student=student, reason=reason)
    return graded.record, graded.notebook


def _confirmed(run: _Run, student: str, entries: Mapping[str, Entry]) -> dict[str, float | None]:
    """The scores by hand that were given to the very file that lies there: {grade id: automatic score beside it}."""
    record = _last(run, student)
    if record is None or not stands(run.classroom, record, entries):
        return {}
    cells = entries[student].cells.items()
    return {name: cell.auto for name, cell in cells if cell.manual is not None and not cell.review}


def _settle(
    run: _Run,
    gradebook: SharedGradebook,
    record: Record,
    entries: Mapping[str, Entry],
    outcome: Outcome,
    confirmed: Mapping[str, float | None] = MappingProxyType({}),
) -> None:
    """Let the lateness and nbgrader's gradebook follow `record`, and list it.

    Raises:
        CourseError: there is no room left on the disk.
    """
    classroom, student = run.classroom, record.student
    if record.late != run.late(student):
        record = replace(record, late=run.late(student))
        write_atomically(classroom.record(student, run.topic), record.to_json())
    outcome.records.append(record)
    if stands(classroom, record, entries):
        return
    receipt = run.receipts.get((student, run.topic))
    name_student(gradebook, student, receipt.name if receipt else student)
    complaint = autograde(gradebook, run.directory, run.topic, student, confirmed)
    if complaint and any(words in complaint for words in _FULL):
        raise CourseError(
            f"no room left on the disk of {classroom.root}, or of its gradebook; what was graded stays: make room and "
            "run the same command again"
        )
    if not stands(classroom, record, entries_in(gradebook, run.topic, student)):
        reason = complaint.splitlines()[-1] if complaint else "it holds other scores"
        outcome.problems.append(f"{student}: nbgrader's gradebook does not follow the record: {reason}")
