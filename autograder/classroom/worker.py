"""What a grading worker does: the pinned checks and solutions, one submission after another."""

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path

from autograder.classroom.folder import Classroom
from autograder.grading.record import Record


def make(root: str, topic: str, unsafe: bool) -> Callable[[str], tuple[Record, bytes]]:
    """Get ready to grade `topic` of the class in `root`.

    Returns:
        A function from a student's id to the record and the graded notebook's bytes.

    Raises:
        CourseError: the salt or the pin does not hold what it should.
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
    """Let `solutions` and `autograder.checks` be the pinned ones in this process from now on.

    What was imported of another version, and the grader's modules that hold it, is forgotten and imported afresh.
    """
    import autograder

    for name in list(sys.modules):
        if re.match(r"(solutions|autograder\.(checks|grading))(\.|$)", name):
            del sys.modules[name]
    for path, folder in ((sys.path, pin), (autograder.__path__, pin / "autograder")):
        path[:] = [str(folder), *(each for each in path if "pinned" not in Path(each).parts)]
    importlib.invalidate_caches()
