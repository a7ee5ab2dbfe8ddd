"""What a student reads below a graded cell, and the one number that nbgrader reads there."""

from collections.abc import Mapping

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output

from autograder.grading.record import CheckResult, ExerciseResult

_MARKS = {"passed": "passed   ", "failed": "failed   ", "not tried": "not tried"}


def report(result: ExerciseResult, requirements: Mapping[str, str]) -> str:
    """The outcome of one exercise in plain text: points, what held, one hint, the student's own error.

    Args:
        result: the outcome.
        requirements: text of each numbered sentence of the exercise, by id.
    """
    outside = " (outside the total)" if result.further else ""
    lines = [f"{result.id}: {result.score} of {_points(result.max)}{outside}"]
    if result.reason:
        lines += ["", _sentence(result.reason)]
    if result.checks:
        lines.append("")
        lines += [_check_line(check, requirements) for check in result.checks]
    lines += [f"\nHint: {' '.join(check.hint.split())}" for check in result.checks if check.hint]
    if result.error:
        lines += ["", f"Your code stopped with {result.error}"]
    if result.visible:
        lines += ["", f"The tests in the notebook: {result.visible}"]
    return "\n".join(lines) + "\n"


def outputs(result: ExerciseResult, requirements: Mapping[str, str]) -> list[NotebookNode]:
    """Outputs of the graded cell: the report to read, then the score as nbgrader's partial credit."""
    return [
        new_output("display_data", data={"text/plain": report(result, requirements)}, metadata={}),
        new_output("execute_result", data={"text/plain": str(result.score)}, metadata={}, execution_count=1),
    ]


def _check_line(check: CheckResult, requirements: Mapping[str, str]) -> str:
    name = check.id.removeprefix("test_").replace("_", " ")
    sentences = ", ".join(f"{each} {_short(requirements.get(each, ''))}".strip() for each in check.requires)
    return f"  {_MARKS[check.status]}  {check.earned}/{check.points}  {name}" + (f"  [{sentences}]" if sentences else "")


def _short(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1].rsplit(" ", 1)[0] + " …"


def _points(number: int) -> str:
    return "1 point" if number == 1 else f"{number} points"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ")")) else ".")
