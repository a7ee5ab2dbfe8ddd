"""Class folders, one just far enough made to collect into and one real, and results to make pages from."""

import json
import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest

from autograder.assignment import Assignment
from autograder.classroom import grade as grade_module
from autograder.classroom.folder import CONFIG, Classroom
from autograder.classroom.init import init
from autograder.classroom.release import release
from autograder.classroom.results import Scored, Submission, TopicResults, Written
from autograder.grading.record import INSTRUCTOR_ONLY, CheckResult, ExerciseResult, Hashes, Manual, Record
from nlpcourse.paths import project_root

sys.path.insert(0, str(Path(__file__).parent))  # for `servers`, `pretended`
sys.path[1:1] = [
    str(Path(__file__).parents[1] / "grading"),
    str(project_root() / "bench"),
]  # for `tiny`, `scale`


if TYPE_CHECKING:
    from pretended import Worker

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'</style></title>"
DUE = "2026-03-01T12:00:00+00:00"


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """A class with one released topic and nothing else."""
    made = Classroom(tmp_path / "class")
    made.pin("embeddings").mkdir(parents=True)
    (made.pin("embeddings") / "pin.json").write_text(json.dumps({"topic": "embeddings", "due": DUE}))
    (made.root / CONFIG).write_text("c = get_config()\n")
    made.salt_file.write_text("00" * 32)
    return made


@pytest.fixture
def notebook() -> bytes:
    """A small notebook that says which topic it answers."""
    content = nbformat.v4.new_notebook(metadata={"nlpcourse": {"topic": "embeddings"}})
    content.cells.append(nbformat.v4.new_markdown_cell("an answer", id="a"))
    return nbformat.writes(content).encode()


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    made = init(tmp_path_factory.mktemp("released") / "class")
    release(made, "embeddings", root=project_root(), due=datetime.fromisoformat(DUE).astimezone(UTC))
    return made


@pytest.fixture
def released(released_once: Classroom, tmp_path: Path) -> Classroom:
    """A real class of its own for one test, `embeddings` released to it."""
    return Classroom(Path(shutil.copytree(released_once.root, tmp_path / "real", symlinks=True)))


@pytest.fixture
def evil() -> str:
    """A name that would be a program on a page that does not escape."""
    return EVIL


@pytest.fixture(scope="session")
def assignment() -> Assignment:
    return Assignment.load("embeddings")


@pytest.fixture
def submitted(released: Classroom) -> Classroom:
    """Three submissions: the notebook handed out, each a little different."""
    from pretended import STUDENTS, TOPIC

    content = nbformat.read(released.release(TOPIC), as_version=4)
    for student in STUDENTS:
        content.metadata["owner"] = student
        path = released.submission(student, TOPIC)
        path.parent.mkdir(parents=True)
        path.write_text(nbformat.writes(content), encoding="utf-8")
        released.timestamp(student, TOPIC).write_text("2026-02-28 10:00:00 UTC\n")
    return released


@pytest.fixture
def worker(submitted: Classroom, assignment: Assignment, monkeypatch: pytest.MonkeyPatch) -> "Worker":
    """In place of the worker processes."""
    from pretended import Worker

    made = Worker(submitted, assignment)
    monkeypatch.setattr(grade_module, "work", made)
    monkeypatch.setattr(grade_module.layers, "require", lambda: None)
    return made


def exercise_result(assignment: Assignment, name: str, passed: int, **changes) -> ExerciseResult:
    """The first `passed` checks passed, the next failed, the rest were not tried."""
    checks = []
    for position, check in enumerate(assignment.checks[name]):
        status = "passed" if position < passed else "failed" if position == passed else "not tried"
        checks.append(
            CheckResult(
                check.id,
                status,
                check.points,
                check.points if status == "passed" else 0,
                check.hint if status == "failed" else "",
                check.requires,
            )
        )
    score = sum(check.earned for check in checks)
    result = ExerciseResult(name, "ok", "", score, sum(check.points for check in checks), tuple(checks))
    return replace(result, **changes)


def submission(assignment: Assignment, student: str, name: str, passed: int, **changes) -> Submission:
    results = tuple(
        exercise_result(assignment, each.id, passed, further=each.further) for each in assignment.exercises
    )
    if "error" in changes:
        results = (replace(results[0], error=changes.pop("error")), *results[1:])
    core = [each for each in results if not assignment.exercise(each.id).further]
    flags, status = changes.pop("flags", ()), changes.pop("status", "graded")
    record = Record(
        student=student,
        assignment="embeddings",
        status=status,
        reason="the file is not a notebook" if status == "failed" else "",
        score=sum(each.score for each in core),
        max=sum(each.max for each in core),
        late=changes.pop("late", False),
        flags=flags,
        manual=Manual(None, 3),
        exercises=results,
        hashes=Hashes("a", "b", "c"),
        sandbox=("all",),
    )
    known = {each.id: each for each in assignment.exercises}
    made = Submission(
        student=student,
        name=name,
        lms=changes.pop("lms", ""),
        received=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
        record=record,
        exercises=tuple(
            Scored(each, known[each.id].number, known[each.id].title, float(each.score), "")
            for each in results
        ),
        written=(Written("two-tables", 6, "Why two tables?", True, None, 3, ""),),
    )
    return replace(made, **changes)


@pytest.fixture
def results(assignment: Assignment, evil: str) -> TopicResults:
    works = (
        submission(assignment, "ada", "Ada Lin", 99, lms="11"),
        submission(
            assignment, "wei", "王小明", 3, lms="12", late=True,
            written=(Written("two-tables", 6, "Why two tables?", True, 2.5, 3, f"good {evil}"),),
        ),
        submission(assignment, "evil", evil, 1, flags=(evil, f"{INSTRUCTOR_ONLY}a check"), error=evil),
        submission(assignment, "formula", "=HYPERLINK(1)", 0, lms="13"),
        submission(assignment, "broken", "Broken", 0, status="failed"),
        Submission("new", "New", "", None, None),
    )  # fmt: skip
    return TopicResults(
        "embeddings", "Word vectors", "0.1.0", datetime(2026, 3, 1, tzinfo=UTC), assignment, works
    )
