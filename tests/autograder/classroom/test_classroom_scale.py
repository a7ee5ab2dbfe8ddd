"""A small class under bench/scale.py: workers and coordinators killed at random, and the gradebook made again."""

import random
from pathlib import Path

import nbformat
import pytest
from nbformat.notebooknode import NotebookNode
from scale import Scale, killed, rebuilt
from tiny import HONEST, TOPIC, write_tiny

from autograder.classroom.init import init
from autograder.classroom.release import release

STUDENTS, KILLS = 12, 2


pytestmark = pytest.mark.slow


def answered(notebook: NotebookNode, student: int) -> str:
    """Every third has everything right; all differ."""
    for cell in notebook.cells:
        if student % 3 == 0 and cell.id in HONEST:
            cell.source = HONEST[cell.id]
    notebook.metadata["student"] = student
    return nbformat.writes(notebook)


def test_nothing_is_lost_or_graded_twice(tmp_path: Path) -> None:
    classroom = init(tmp_path / "class")
    release(classroom, TOPIC, root=write_tiny(tmp_path / "course"))
    for student in range(STUDENTS):
        path = classroom.submission(f"s{student:02d}", TOPIC)
        path.parent.mkdir(parents=True)
        path.write_text(answered(nbformat.read(classroom.release(TOPIC), as_version=4), student))
    scale = Scale(classroom, TOPIC, workers=2)
    counts = list(killed(scale, KILLS, random.Random(7)))
    assert counts[-1] == STUDENTS
    assert counts[0] < STUDENTS, "the first coordinator was killed at work"
    rebuilt(scale)
    full = sum(entry.cells["absolute-check"].auto == 3 for entry in scale.gradebook().values())
    assert full == STUDENTS / 3
