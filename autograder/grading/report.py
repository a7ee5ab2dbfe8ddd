"""What a student reads below a graded cell, and the one number that nbgrader reads there."""

from collections.abc import Mapping

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output

from autograder.grading.record import CheckResult, ExerciseResult


def report(result: ExerciseResult, sentences: Mapping[str, str]) -> str:
    """The outcome of one exercise in plain text: points, the student's own error, what held, one hint.

    Args:
        result: the outcome.
        sentences: what must hold, by the id of the requirement.
    """
    outside = " (outside the total)" if result.further else ""
    lines = [f"{result.id}: {result.score} of {_points(result.max)}{outside}"]
    if result.reason:
        lines += ["", _sentence(result.reason)]
    if result.error:
        lines += ["", f"Your code stopped with {result.error}"]
    if result.checks:
        lines += ["", *map(_check_line, result.checks)]
    for check in (each for each in result.checks if each.hint):
        asked = [f"What must hold: {each} {sentences[each]}" for each in check.requires if each in sentences]
        lines += ["", *asked, f"Hint: {' '.join(check.hint.split())}"]
    if result.visible:
        lines += ["", f"The tests in the notebook: {result.visible}"]
    return "\n".join(lines) + "\n"


def outputs(result: ExerciseResult, sentences: Mapping[str, str]) -> list[NotebookNode]:
    """Outputs of the graded cell: the report to read, then the score as nbgrader's partial credit."""
    return [
        new_output("display_data", data={"text/plain": report(result, sentences)}, metadata={}),
        new_output("execute_result", data={"text/plain": str(result.score)}, metadata={}, execution_count=1),
    ]


def _check_line(check: CheckResult) -> str:
    """Status, points, what was looked at, and the numbered sentences of the exercise that ask for it."""
    name = check.id.removeprefix("test_").replace("_", " ")
    points = f"{check.earned}/{check.points}" if check.points else "  -"
    return f"  {check.status:9}  {points}  {name} ({', '.join(check.requires)})"


def _points(number: int) -> str:
    return "1 point" if number == 1 else f"{number} points"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ")")) else ".")
