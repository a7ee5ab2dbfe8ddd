"""An assignment with one answer in it: as source for a local process, as a notebook for the whole way."""

import nbformat

from autograder.assignment import Assignment
from autograder.grading.restore import blank, exercise_of, role_of


def setup(assignment: Assignment) -> str:
    """The code that every answer may rely on: the notebook's locked set-up cells."""
    return "\n".join(cell.source for cell in assignment.source.cells if role_of(cell) == "setup")


def reference_answers(assignment: Assignment) -> dict[str, str]:
    """The reference's text for each exercise, as it stands in the source notebook."""
    return {
        str(exercise_of(cell)): cell.source
        for cell in assignment.source.cells
        if role_of(cell) == "answer" and cell.cell_type == "code"
    }


def as_source(assignment: Assignment, exercise: str, answer: str) -> str:
    """`answer` after the set-up cells and the references of what the exercise needs."""
    references = reference_answers(assignment)
    needs = [each.id for each in assignment.exercises if each.id in assignment.exercise(exercise).needs]
    return "\n\n".join([setup(assignment), *(references[need] for need in needs), answer])


def as_submission(assignment: Assignment, exercise: str, answer: str | None) -> bytes:
    """The released notebook with `answer` in its cell, and references in those of what the exercise needs.

    Args:
        assignment: the assignment.
        exercise: the exercise that is answered; all that it does not need is left as handed out.
        answer: the text of the cell; None leaves it as handed out too.
    """
    references = reference_answers(assignment)
    texts = {need: references[need] for need in assignment.exercise(exercise).needs}
    if answer is not None:
        texts[exercise] = answer
    notebook = blank(assignment)
    for cell in notebook.cells:
        if role_of(cell) == "answer" and exercise_of(cell) in texts:
            cell.source = texts[str(exercise_of(cell))]
    return nbformat.writes(notebook).encode()
