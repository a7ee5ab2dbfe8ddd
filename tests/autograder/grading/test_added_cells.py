"""The cells that a student added have a share of the time: they cannot take that of the exercises."""

import pytest
from nbformat.v4 import new_code_cell
from tiny_course import Course, by_id, scores

from autograder.grading import added
from autograder.grading.added import AddedCells
from autograder.sandbox.limits import Limits

LIMITS = Limits(cpu_seconds_cell=3, cpu_seconds_notebook=12, wall_factor=100)
SLOW = "import time\nuntil = time.process_time() + 2.7\nwhile time.process_time() < until: pass"


def test_slow_experiments_cost_no_points(tiny: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five experiments take more than the notebook's time; a helper among them is there for who needs it."""
    monkeypatch.setattr(added, "BRIEF_SECONDS", 1)
    notebook = tiny.notebook(total="def total(values):\n    return sum(map(size, values))")
    helper = new_code_cell("def size(x):\n    return abs(x)")
    notebook.cells[3:3] = [
        *(new_code_cell(SLOW) for _ in range(3)),
        helper,
        *(new_code_cell(SLOW) for _ in "45"),
    ]
    graded = tiny.grade(notebook, limits=LIMITS)
    assert scores(graded) == {"absolute": 3, "total": 4, "largest": 2}
    assert {exercise.status for exercise in graded.record.exercises} == {"ok"}
    said = [flag for flag in graded.record.flags if "had used their 6 s of CPU time" in flag]
    assert said and all(flag.startswith("the cell added-") for flag in said)
    assert by_id(graded)["total"].visible == "passed"


def test_the_share_is_half_and_each_cell_has_its_limit() -> None:
    cells = AddedCells(Limits(cpu_seconds_cell=30, cpu_seconds_notebook=100))
    assert cells.seconds("a") == 30
    cells.took("a", 30.5)
    assert cells.seconds("b") == 19, "what is left of the share"
    cells.took("b", 19.2)
    assert cells.seconds("c") == added.BRIEF_SECONDS, "not known yet: perhaps a helper"
    cells.took("c", 0.1)
    assert [cells.seconds(cell) for cell in "abc"] == [0, 0, added.BRIEF_SECONDS]
