"""grades.csv, and the tables that Canvas and Moodle import."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from autograder.classroom.folder import Classroom
from autograder.classroom.received import csv_bytes, utc
from autograder.classroom.results import Submission, TopicResults
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically

Platform = Literal["canvas", "moodle"]


def number(value: float) -> int | float:
    """Whole points without a decimal point."""
    return int(value) if value == int(value) else round(value, 4)


def write_grades(classroom: Classroom, results: Sequence[TopicResults]) -> Path:
    """Write grades.csv: a row for every submission and every exercise and question in it.

    Returns:
        Its path.
    """
    head = [
        "student",
        "name",
        "topic",
        "received",
        "late",
        "status",
        "number",
        "part",
        "kind",
        "score",
        "max",
        "reason",
    ]
    rows: list[list[object]] = []
    for result in results:
        for work in result.submissions:
            status = work.record.status if work.record else "not graded"
            late = "yes" if work.late else "no"
            start = [
                work.student,
                work.name,
                result.topic,
                utc(work.received) if work.received else "",
                late,
                status,
            ]
            for each in work.exercises:
                kind = "further" if each.result.further else "automatic"
                reason = each.result.reason
                rows.append(
                    [*start, each.number, each.result.id, kind, number(each.score), each.result.max, reason]
                )
            for question in work.written:
                score = "" if question.score is None else number(question.score)
                said = question.comment or ("" if question.answered else "not answered")
                rows.append(
                    [*start, question.number, question.id, "by hand", score, number(question.max), said]
                )
            reason = work.record.reason if work.record else ""
            total = number(work.score) if work.record else ""
            rows.append([*start, "", "total", "total", total, result.maximum, reason])
    path = classroom.root / "grades.csv"
    write_atomically(path, csv_bytes(head, rows))
    return path


def write_platform(classroom: Classroom, results: Sequence[TopicResults], platform: Platform) -> list[Path]:
    """Write what a learning platform imports: one table for Canvas, one for each topic for Moodle.

    Raises:
        CourseError: no submission came from that platform, so nobody's number there is known.
    """
    known = {work.lms for result in results for work in result.submissions if work.lms}
    if not known:
        raise CourseError(
            f"no submission in {classroom.root} has a {platform} number; collect from {platform}'s own zip file"
        )
    return [_canvas(classroom, results)] if platform == "canvas" else _moodle(classroom, results)


def _canvas(classroom: Classroom, results: Sequence[TopicResults]) -> Path:
    names: dict[str, str] = {}
    scores: dict[tuple[str, str], float] = {}
    for result in results:
        for work in result.submissions:
            if work.lms and work.record:
                names[work.lms] = work.name
                scores[work.lms, result.topic] = work.score
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *(result.title for result in results)]
    points: list[object] = [
        "Points Possible",
        "",
        "",
        "",
        "",
        *(result.maximum for result in results),
    ]
    rows = [
        [names[lms], lms, "", "", "", *(_shown(scores.get((lms, result.topic))) for result in results)]
        for lms in sorted(names, key=lambda lms: (names[lms], lms))
    ]
    path = classroom.root / "grades-canvas.csv"
    write_atomically(path, csv_bytes(head, [points, *rows]))
    return path


def _moodle(classroom: Classroom, results: Sequence[TopicResults]) -> list[Path]:
    paths = []
    for result in results:
        rows = [
            [
                f"Participant {work.lms}",
                work.name,
                _shown(work.score),
                result.maximum,
                _feedback(work),
            ]
            for work in result.submissions
            if work.lms and work.record
        ]
        paths.append(classroom.root / f"grades-moodle-{result.topic}.csv")
        head = ["Identifier", "Full name", "Grade", "Maximum grade", "Feedback comments"]
        write_atomically(paths[-1], csv_bytes(head, rows))
    return paths


def _shown(score: float | None) -> object:
    return "" if score is None else number(score)


def _feedback(work: Submission) -> str:
    return "; ".join(
        f"{each.number}. {each.title}: {number(each.score)}/{each.result.max}"
        + (" (outside the total)" if each.result.further else "")
        for each in work.exercises
    )
