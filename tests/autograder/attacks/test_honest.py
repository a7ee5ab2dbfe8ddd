"""What must not be punished gets every point, through the real path."""

import nbformat
import pytest
from attack import FULL
from classroom_of_two import Classmates
from honest import HONEST_NOTEBOOKS, Make
from tiny_course import scores

from autograder.grading.restore import blank


@pytest.mark.parametrize("make", HONEST_NOTEBOOKS.values(), ids=HONEST_NOTEBOOKS)
def test_honest_work_gets_full_marks(classmates: Classmates, make: Make) -> None:
    graded = classmates.grade(make(blank(classmates.course.assignment)))
    assert scores(graded) == FULL, graded.record
    assert {exercise.status for exercise in graded.record.exercises} == {"ok"}
    assert graded.record.status == "graded"
    nbformat.validate(nbformat.reads(graded.notebook.decode(), as_version=4))
