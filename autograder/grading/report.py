"""What a student reads below a graded cell, and the one number that nbgrader reads there."""

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output

from autograder.authoring.formulas import plain
from autograder.authoring.model import Exercise
from autograder.grading.record import CheckResult, ExerciseResult


def report(result: ExerciseResult, exercise: Exercise) -> str:
    """The outcome of one exercise in plain text: points, the student's own error, what held, one hint.

    An exercise that was not begun is one line, and one whose checks were not tried does not list them.

    Args:
        result: the outcome.
        exercise: what it is the outcome of.
    """
    outside = " (outside the total)" if result.further else ""
    head = f"{exercise.number}. {result.id}: {result.score} of {_points(result.max)}{outside}"
    if not result.begun:
        return f"{head}; {result.reason}\n"
    lines = [head]
    if result.reason:
        lines += ["", _sentence(result.reason)]
    if result.error:
        lines += ["", f"Your code stopped with {result.error}"]
    if result.tried:
        lines += ["", *map(_check_line, result.checks)]
    sentences = {each.id: plain(each.text) for each in exercise.requirements}
    for check in (each for each in result.checks if each.hint):
        asked = [f"What must hold: {each} {sentences[each]}" for each in check.requires if each in sentences]
        lines += ["", *asked, f"Hint: {plain(check.hint)}"]
    if result.visible:
        lines += ["", f"The tests in the notebook: {result.visible}"]
    return "\n".join(lines) + "\n"


def outputs(result: ExerciseResult, exercise: Exercise) -> list[NotebookNode]:
    """Outputs of the graded cell: the report to read, then the score as nbgrader's partial credit."""
    return [
        new_output("display_data", data={"text/plain": report(result, exercise)}, metadata={}),
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
