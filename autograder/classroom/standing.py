"""What the gradebook holds for a topic, read at once, and whether it says what the records say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import parse_utc

from autograder.classroom.folder import Classroom
from autograder.classroom.gradebook import open_gradebook
from autograder.grading.record import Record


@dataclass(frozen=True)
class Cell:
    """The gradebook's entry for one graded cell of one student."""

    auto: float | None
    manual: float | None
    score: float
    """What counts: the manual score if there is one, else the automatic, plus extra credit."""
    comment: str = ""
    """What a person wrote."""
    review: bool = False
    """Whether a person is to look at it: at what has no score yet, or has one that was given to an earlier file."""


@dataclass
class Entry:
    """The gradebook's entry for one submission."""

    timestamp: datetime | None
    """UTC, without a zone, as nbgrader keeps it."""
    penalty: float = 0.0
    """Taken off by the class's late policy."""
    cells: dict[str, Cell] = field(default_factory=dict)
    """By grade id."""


def read_entries(directory: CourseDirectory, topic: str) -> dict[str, Entry]:
    """The gradebook's entries for `topic`, by student id.

    Raises:
        CourseError: the gradebook cannot be read.
    """
    with open_gradebook(directory) as gradebook:
        return entries_in(gradebook, topic)


def entries_in(gradebook: Gradebook, topic: str, student: str | None = None) -> dict[str, Entry]:
    """The entries of an open gradebook for `topic`, by student id: of one student or of all."""
    entries = {
        owner: Entry(timestamp, penalty or 0.0)
        for owner, timestamp, penalty in _rows(
            gradebook,
            topic,
            student,
            SubmittedAssignment.student_id,
            SubmittedAssignment.timestamp,
            SubmittedNotebook.late_submission_penalty,
        )
    }
    comments = {
        (owner, cell): text
        for owner, cell, text in _cells(gradebook, topic, student, Comment, Comment.manual_comment)
        if text
    }
    columns = (Grade.auto_score, Grade.manual_score, Grade.score, Grade.needs_manual_grade)
    for owner, cell, auto, manual, score, review in _cells(gradebook, topic, student, Grade, *columns):
        entries[owner].cells[cell] = Cell(auto, manual, score, comments.get((owner, cell), ""), bool(review))
    return entries


def _rows(gradebook: Gradebook, topic: str, student: str | None, *columns: Any) -> Any:
    rows = (
        gradebook.db.query(*columns)
        .select_from(SubmittedNotebook)
        .join(SubmittedAssignment, SubmittedNotebook.assignment_id == SubmittedAssignment.id)
        .join(Assignment, SubmittedAssignment.assignment_id == Assignment.id)
        .filter(Assignment.name == topic)
    )
    return rows if student is None else rows.filter(SubmittedAssignment.student_id == student)


def _cells(gradebook: Gradebook, topic: str, student: str | None, table: Any, *columns: Any) -> Any:
    return (
        _rows(gradebook, topic, student, SubmittedAssignment.student_id, BaseCell.name, *columns)
        .join(table, table.notebook_id == SubmittedNotebook.id)
        .join(BaseCell, table.cell_id == BaseCell.id)
    )


def stands(classroom: Classroom, record: Record, entries: Mapping[str, Entry]) -> bool:
    """Whether nbgrader has all of `record`: the scores, the time, and the graded notebook under `autograded/`."""
    entry = entries.get(record.student)
    if entry is None:
        return False
    scores = {name: cell.auto for name, cell in entry.cells.items()}
    if any(scores.get(f"{exercise.id}-check") != exercise.score for exercise in record.exercises):
        return False
    stamp = classroom.timestamp(record.student, record.assignment)
    if stamp.is_file() and parse_utc(stamp.read_text(encoding="utf-8").strip()) != entry.timestamp:
        return False
    return _reports(classroom.autograded(record.student, record.assignment)) == _reports(
        classroom.graded(record.student, record.assignment)
    )


def _reports(path: Path) -> list[Any] | None:
    """The outputs of the graded code cells of a notebook; None when it cannot be read.

    Read as it lies there: both notebooks were validated when they were written.
    """
    try:
        cells = json.loads(path.read_bytes())["cells"]
        return [
            [{**output, "metadata": {}, "execution_count": None} for output in cell["outputs"]]
            for cell in cells
            if cell["cell_type"] == "code" and cell["metadata"].get("nbgrader", {}).get("grade")
        ]
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
