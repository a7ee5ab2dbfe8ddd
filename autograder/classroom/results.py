"""A class's results as its pages and tables show them: records, the gradebook's manual scores, receipts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from autograder.assignment import Assignment
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom
from autograder.classroom.received import Receipt, latest_receipts
from autograder.classroom.standing import Entry, read_entries
from autograder.grading.record import ExerciseResult, Record
from autograder.grading.seeds import digest
from nlpcourse.errors import CourseError


@dataclass(frozen=True)
class Written:
    """A question graded by hand."""

    id: str
    number: int
    title: str
    answered: bool
    """False when the cell is as it was handed out, or empty."""
    score: float | None
    """None until somebody has graded it."""
    max: float
    comment: str
    review: bool = False
    """Whether the score was given to an earlier file, so that somebody has to look at it again."""


@dataclass(frozen=True)
class Scored:
    """An exercise as it counts."""

    result: ExerciseResult
    number: int
    title: str
    score: float
    """The automatic score, or the one that a person put in its place."""
    comment: str
    review: bool = False
    """Whether the score was given by hand, to an earlier file or beside another automatic score."""

    @property
    def begun(self) -> bool:
        """Whether there is something to read: the student's work, or a person's."""
        return self.result.begun or bool(self.score or self.comment)

    @property
    def changed_by_hand(self) -> bool:
        return self.score != self.result.score


@dataclass(frozen=True)
class Submission:
    """One student's work on one topic."""

    student: str
    name: str
    lms: str
    received: datetime | None
    record: Record | None
    """None when it is not graded yet."""
    exercises: tuple[Scored, ...] = ()
    written: tuple[Written, ...] = ()
    penalty: float = 0.0

    @property
    def late(self) -> bool:
        return self.record is not None and self.record.late

    @property
    def failed(self) -> bool:
        return self.record is not None and self.record.status == "failed"

    @property
    def pending(self) -> bool:
        """Whether something waits for a person: for a score, or to be read again."""
        unread = any((each.score is None or each.review) and each.answered for each in self.written)
        return unread or any(each.review for each in self.exercises)

    @property
    def score(self) -> float:
        """Everything that counts so far, the late penalty taken off."""
        automatic = sum(each.score for each in self.exercises if not each.result.further)
        return max(0.0, automatic + sum(each.score or 0.0 for each in self.written) - self.penalty)


@dataclass(frozen=True)
class TopicResults:
    """All of a class for one topic."""

    topic: str
    title: str
    version: str
    due: datetime | None
    assignment: Assignment
    submissions: tuple[Submission, ...]

    @property
    def maximum(self) -> int:
        return self.assignment.maximum


def read_results(classroom: Classroom) -> list[TopicResults]:
    """The results of every released topic.

    Raises:
        CourseError: nothing is released, or the gradebook or a pin cannot be read.
    """
    topics = classroom.topics()
    if not topics:
        raise CourseError(
            f"nothing is released to {classroom.root}; run `nlpcourse class release {classroom.root} TOPIC`"
        )
    directory = course_directory(load_config(classroom))
    receipts = latest_receipts(classroom)
    found = []
    for topic in topics:
        pin = classroom.read_pin(topic)
        assignment = Assignment.load(topic, classroom.pin(topic))
        entries = read_entries(directory, topic)
        found.append(
            TopicResults(
                topic=topic,
                title=str(assignment.source.metadata["nlpcourse"]["title"]),
                version=str(pin["version"]),
                due=datetime.fromisoformat(pin["due"]) if pin["due"] else None,
                assignment=assignment,
                submissions=tuple(
                    _submission(classroom, assignment, student, entries.get(student), receipts)
                    for student in classroom.students(topic)
                ),
            )
        )
    return found


def _submission(
    classroom: Classroom,
    assignment: Assignment,
    student: str,
    entry: Entry | None,
    receipts: Mapping[tuple[str, str], Receipt],
) -> Submission:
    receipt = receipts.get((student, assignment.topic))
    record = _record(classroom, student, assignment.topic)
    cells = entry.cells if entry else {}
    known = {exercise.id: exercise for exercise in assignment.exercises}
    exercises = []
    for result in record.exercises if record else ():
        if result.id not in known:
            continue
        cell = cells.get(f"{result.id}-check")
        counts = cell.score if cell and cell.manual is not None else float(result.score)
        of = known[result.id]
        comment, review = (cell.comment, cell.review) if cell else ("", False)
        exercises.append(Scored(result, of.number, of.title, counts, comment, review))
    return Submission(
        student=student,
        name=receipt.name if receipt else student,
        lms=receipt.lms if receipt else "",
        received=receipt.time if receipt else None,
        record=record,
        exercises=tuple(exercises),
        written=tuple(_written(assignment, entry, record)) if record else (),
        penalty=entry.penalty if entry else 0.0,
    )


def _record(classroom: Classroom, student: str, topic: str) -> Record | None:
    """The record of what lies there now; None when that is not graded yet, whatever was graded before."""
    path = classroom.record(student, topic)
    record = Record.from_json(path.read_bytes()) if path.is_file() else None
    submitted = digest(classroom.read_submission(student, topic))
    return record if record is not None and record.hashes.submission == submitted else None


def _written(assignment: Assignment, entry: Entry | None, record: Record) -> list[Written]:
    found = []
    for question in assignment.questions:
        cell = entry.cells.get(question.id) if entry else None
        graded = cell is not None and (cell.manual is not None or cell.auto is not None)
        score = cell.score if cell is not None and graded else None
        found.append(
            Written(
                question.id,
                question.number,
                question.title,
                question.id not in record.unanswered,
                score,
                question.points,
                cell.comment if cell else "",
                graded and cell is not None and cell.review,
            )
        )
    return found
