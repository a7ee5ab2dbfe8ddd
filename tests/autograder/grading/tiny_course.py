"""Short ways to hand in an answer to one of the small assignments, to grade it, and to read the outcome."""

from dataclasses import dataclass

import nbformat
from nbformat.notebooknode import NotebookNode
from nbgrader.utils import determine_grade
from tiny import HONEST

from autograder.assignment import Assignment
from autograder.grading.record import ExerciseResult, Record
from autograder.grading.restore import blank
from autograder.grading.run import Graded, grade_notebook
from autograder.grading.session import CheckSession
from autograder.sandbox.limits import Limits

#: A busy machine must not turn a loop into an interruption, so the wall clock is generous.
QUICK = Limits(cpu_seconds_cell=2, cpu_seconds_notebook=100, wall_factor=50)


@dataclass(frozen=True)
class Course:
    """An assignment with its checks."""

    assignment: Assignment
    session: CheckSession

    def notebook(self, **answers: str) -> NotebookNode:
        """A submission: the honest answers, with those given in their place."""
        notebook = blank(self.assignment)
        texts = {**HONEST, **answers}
        for cell in notebook.cells:
            if cell.id in texts:
                cell.source = texts[cell.id]
        return notebook

    def grade(self, notebook: NotebookNode | bytes, **options: object) -> Graded:
        """Grade it in the sandbox, with short limits."""
        content = notebook if isinstance(notebook, bytes) else nbformat.writes(notebook).encode()
        settings = {"student": "ada", "salt": b"0123456789abcdef", "limits": QUICK, **options}
        return grade_notebook(content, self.assignment, self.session, **settings)  # type: ignore[arg-type]


def scores(graded: Graded) -> dict[str, int]:
    """The score of each exercise; nbgrader must read the very same ones from the graded notebook."""
    notebook = nbformat.reads(graded.notebook.decode(), as_version=4)
    nbformat.validate(notebook)
    found = {exercise.id: exercise.score for exercise in graded.record.exercises}
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade"):
            assert determine_grade(cell) == (
                found[cell.metadata.nlpcourse.exercise],
                cell.metadata.nbgrader.points,
            )
    assert Record.from_json(graded.record.to_json()) == graded.record
    return found


def by_id(graded: Graded) -> dict[str, ExerciseResult]:
    return {exercise.id: exercise for exercise in graded.record.exercises}


def report(graded: Graded, exercise: str) -> str:
    """The text below the graded cell of an exercise; nothing else is there but the score."""
    notebook = nbformat.reads(graded.notebook.decode(), as_version=4)
    cell = next(cell for cell in notebook.cells if cell.id == f"{exercise}-check")
    assert [output.output_type for output in cell.outputs] == ["display_data", "execute_result"]
    assert cell.outputs[0].data.keys() == {"text/plain"}
    return cell.outputs[0].data["text/plain"]
