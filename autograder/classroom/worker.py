"""What a grading worker does: the pinned checks and solutions, one submission after another."""

import sys
from collections.abc import Callable
from pathlib import Path

from autograder.classroom.folder import Classroom
from autograder.grading.record import Record
from nlpcourse.errors import CourseError


def make(root: str, topic: str, unsafe: bool) -> Callable[[str], tuple[Record, bytes]]:
    """Get ready to grade `topic` of the class in `root`.

    Returns:
        A function from a student's id to the record and the graded notebook's bytes.

    Raises:
        CourseError: the pin does not hold what it should.
    """
    classroom = Classroom(Path(root))
    pin = classroom.pin(topic)
    point_packages(pin)
    import torch

    from autograder.assignment import Assignment
    from autograder.grading.run import grade_notebook
    from autograder.grading.session import CheckSession

    torch.set_num_threads(1)
    assignment = Assignment.load(topic, pin)
    session = CheckSession(pin / "autograder" / "checks" / topic)
    salt = classroom.salt()

    def grade(student: str) -> tuple[Record, bytes]:
        submission = classroom.submission(student, topic).read_bytes()
        graded = grade_notebook(submission, assignment, session, student=student, salt=salt, unsafe=unsafe)
        return graded.record, graded.notebook

    return grade


def point_packages(pin: Path) -> None:
    """Let `solutions` and `autograder.checks` be the pinned ones in this process.

    Raises:
        CourseError: another version is imported already; a process serves one pin.
    """
    import autograder

    for name, folder in (("solutions", pin / "solutions"), ("autograder.checks", pin / "autograder" / "checks")):
        module = sys.modules.get(name)
        if module is not None and folder not in map(Path, module.__path__):
            raise CourseError(f"{name} is imported from {module.__path__[0]}, expected {folder}; use a fresh process")
    sys.path.insert(0, str(pin))
    autograder.__path__.insert(0, str(pin / "autograder"))
