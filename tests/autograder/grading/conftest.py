"""The tiny assignment, loaded once, and short ways to hand it in and to grade it."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode

sys.path.insert(0, str(Path(__file__).parent))

from tiny import HONEST, TOPIC, write_tiny

from autograder.assignment import Assignment
from autograder.grading.record import ExerciseResult
from autograder.grading.restore import blank
from autograder.grading.run import Graded, grade_notebook
from autograder.grading.session import CheckSession
from autograder.sandbox.limits import Limits

QUICK = Limits(cpu_seconds_cell=3, cpu_seconds_notebook=60)


@dataclass(frozen=True)
class Tiny:
    """The assignment with its checks."""

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


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    root = write_tiny(tmp_path_factory.mktemp("tiny"))
    return Tiny(Assignment.load(TOPIC, root), CheckSession(root / "autograder" / "checks" / TOPIC))


@pytest.fixture(scope="session")
def by_id() -> Callable[[Graded], dict[str, ExerciseResult]]:
    return lambda graded: {exercise.id: exercise for exercise in graded.record.exercises}
