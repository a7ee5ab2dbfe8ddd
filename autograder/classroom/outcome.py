"""The JSON that `nlpcourse grade --json` writes: its keys are a contract."""

from typing import Any

from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom
from autograder.classroom.grade import Outcome
from autograder.classroom.standing import Entry, read_entries
from autograder.grading.record import Record


def as_contract(classroom: Classroom, outcome: Outcome) -> dict[str, Any]:
    """One topic's outcomes; `score` and `max` of a submission are the automatic points."""
    entries = read_entries(course_directory(load_config(classroom)), outcome.topic)
    return {
        "assignment": outcome.topic,
        "version": outcome.version,
        "submissions": [_submission(record, entries.get(record.student)) for record in outcome.records],
    }


def _submission(record: Record, entry: Entry | None) -> dict[str, Any]:
    return {
        "student": record.student,
        "status": record.status,
        "reason": record.reason,
        "score": record.score,
        "max": record.max,
        "late": record.late,
        "flags": list(record.flags),
        "manual": {"score": _manual(record, entry), "max": record.manual.max},
        "exercises": [
            {
                "id": exercise.id,
                "status": exercise.status,
                "reason": exercise.reason,
                "score": exercise.score,
                "max": exercise.max,
                "checks": [
                    {"id": check.id, "status": check.status, "points": check.points, "hint": check.hint}
                    for check in exercise.checks
                ],
            }
            for exercise in record.exercises
        ],
    }


def _manual(record: Record, entry: Entry | None) -> float | None:
    """The points given by hand, or None while a question waits for them."""
    if entry is None:
        return None
    automatic = {f"{exercise.id}-check" for exercise in record.exercises}
    cells = [cell for name, cell in entry.cells.items() if name not in automatic]
    if any(cell.manual is None and cell.auto is None for cell in cells):
        return None
    return sum(cell.score for cell in cells)
