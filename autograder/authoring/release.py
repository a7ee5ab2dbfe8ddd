"""Makes the released notebook with nbgrader's own converter, and refuses it when anything secret is in it."""

import io
import logging
import tempfile
from pathlib import Path
from typing import TextIO

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import SaveCells
from traitlets.config import Config

from autograder.assignment import Assignment
from nlpcourse.errors import CourseError

MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")

WHOLE_LINE, ANYWHERE = 12, 24
"""From how many characters on a solution line may not be a line of a cell, or stand in one at all."""


def released_notebook(assignment: Assignment) -> str:
    """The text of the notebook that students get; the same bytes on every run.

    Raises:
        CourseError: nbgrader refused the source, or a solution line, a rubric or a marker survived.
    """
    topic = assignment.topic
    with tempfile.TemporaryDirectory(prefix="nlpcourse-release-") as folder:
        source = Path(folder, "source", topic, f"{topic}.ipynb")
        source.parent.mkdir(parents=True)
        nbformat.write(assignment.source, source)
        config = Config()
        config.CourseDirectory.root = folder
        config.CourseDirectory.assignment_id = topic
        config.GenerateAssignment.no_database = True
        converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
        converter.preprocessors = [
            step for step in converter.preprocessors if step is not SaveCells
        ]  # no gradebook
        said = io.StringIO()
        converter.log = _logger(said)
        try:
            converter.start()
        except Exception as error:
            reason = (said.getvalue().strip() or str(error)).splitlines()[-1]
            raise CourseError(f"nbgrader cannot release {topic}: {reason}; mend the manuscript") from error
        notebook = nbformat.read(Path(folder, "release", topic, f"{topic}.ipynb"), as_version=4)
    refuse_leaks(notebook, assignment.secrets)
    return nbformat.writes(notebook, version=4) + "\n"


def refuse_leaks(notebook: NotebookNode, secrets: tuple[str, ...]) -> None:
    """Make sure that nothing of the solutions is in a released notebook.

    Raises:
        CourseError: naming the cell and the line.
    """
    for cell in notebook.cells:
        lines = {line.strip() for line in cell.source.splitlines()}
        joined = " ".join(cell.source.split())
        for marker in MARKERS:
            if marker in cell.source:
                raise CourseError(
                    f"cell {cell.id}: the marker {marker!r} survived the release; mend the reference"
                )
        for secret in secrets:
            bare = secret.partition("  #")[0].rstrip()
            if (len(bare) >= WHOLE_LINE and {secret, bare} & lines) or (
                len(bare) >= ANYWHERE and bare in joined
            ):
                raise CourseError(f"cell {cell.id} gives away a solution: {bare!r}; reword the cell")


def _logger(stream: TextIO) -> logging.Logger:
    """A logger that keeps what nbgrader says of errors in `stream`, and prints nothing."""
    logger = logging.Logger("nlpcourse.release", level=logging.ERROR)
    logger.addHandler(logging.StreamHandler(stream))
    return logger
