"""Grades one submission: a pure function from its bytes to its record and its graded notebook."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.assignment import Assignment
from autograder.grading.kernels import Grading
from autograder.grading.record import ExerciseResult, Hashes, Manual, Record
from autograder.grading.report import outputs
from autograder.grading.restore import Unreadable, blank, exercise_of, restore, role_of, unanswered
from autograder.grading.results import check_results, exercise_result
from autograder.grading.seeds import digest, seed_maker
from autograder.grading.session import CheckSession
from autograder.sandbox.layers import layers
from autograder.sandbox.limits import Limits
from autograder.sandbox.placement import one_cpu


@dataclass(frozen=True)
class Graded:
    """What grading gives: the record, and the notebook with reports, as it goes to `autograded/`."""

    record: Record
    notebook: bytes


def grade_notebook(
    submission: bytes,
    assignment: Assignment,
    session: CheckSession,
    *,
    student: str,
    salt: bytes,
    limits: Limits | None = None,
    unsafe: bool = False,
) -> Graded:
    """Grade one submission. The result depends on the arguments and on nothing else.

    Args:
        submission: the bytes handed in.
        assignment: what they are an answer to.
        session: the checks of that assignment.
        student: id of the student.
        salt: the class's secret, see `seeds`.
        limits: of the kernels; the defaults when None.
        unsafe: run without a sandbox. For one's own notebooks only; the record says so.

    Raises:
        CourseError: the grader cannot do its work (no sandbox here, say). A student's fault is never an exception.
    """
    limits = limits or Limits()
    try:
        restored = restore(submission, assignment)
    except Unreadable as problem:
        return failed(submission, assignment, student=student, reason=str(problem), limits=limits)
    seed_of = seed_maker(salt, assignment.topic, student, digest(submission))
    names = [f"{name}/{check.id}" for name, checks in assignment.checks.items() for check in checks]
    seeds = {name: seed_of(name) for name in names}
    with one_cpu():
        grading = Grading(restored.notebook, assignment, session, seeds, limits, unsafe)
        asyncio.run(grading.run())
    results = [grading.results[exercise.id] for exercise in assignment.exercises]
    record = _record(submission, assignment, results, student=student, limits=limits)
    record = replace(
        record,
        flags=(*restored.flags, *grading.flags, *(["graded without a sandbox"] if unsafe else [])),
        seeds=seeds,
        unanswered=unanswered(restored.notebook, assignment),
        sandbox=() if unsafe else tuple(layer.name for layer in layers() if layer.live),
    )
    return Graded(record, _written(restored.notebook, assignment, results))


def failed(
    submission: bytes, assignment: Assignment, *, student: str, reason: str, limits: Limits | None = None
) -> Graded:
    """The outcome of a submission that cannot be graded at all: no points, and why in one sentence.

    The notebook is the one that was handed out, with the reason in its graded cells.
    """
    results = [
        exercise_result(each, check_results(assignment.checks[each.id], []), status="missing", reason=reason)
        for each in assignment.exercises
    ]
    record = _record(submission, assignment, results, student=student, limits=limits or Limits())
    record = replace(record, status="failed", reason=reason)
    return Graded(record, _written(blank(assignment), assignment, results))


def _record(
    submission: bytes,
    assignment: Assignment,
    results: Sequence[ExerciseResult],
    *,
    student: str,
    limits: Limits,
) -> Record:
    core = [result for result in results if not result.further]
    return Record(
        student=student,
        assignment=assignment.topic,
        status="graded",
        reason="",
        score=sum(result.score for result in core),
        max=sum(result.max for result in core),
        late=False,
        flags=(),
        manual=Manual(None, sum(question.points for question in assignment.questions)),
        exercises=tuple(results),
        hashes=Hashes(digest(submission), assignment.fingerprint, version("nlpcourse")),
        limits=asdict(limits),
    )


def _written(notebook: NotebookNode, assignment: Assignment, results: Sequence[ExerciseResult]) -> bytes:
    """The notebook's bytes, with the report and the score as the only outputs of the graded cells."""
    by_id = {result.id: result for result in results}
    for cell in notebook.cells:
        if role_of(cell) == "check":
            exercise = assignment.exercise(str(exercise_of(cell)))
            cell.outputs = outputs(by_id[exercise.id], exercise)
    return nbformat.writes(notebook).encode()
