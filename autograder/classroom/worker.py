"""What a grading worker does: the pinned checks and solutions, one submission after another."""

import importlib
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from autograder.classroom.folder import Classroom
from autograder.classroom.workers import Pool
from autograder.grading.record import Record
from autograder.sandbox import warm
from autograder.sandbox.limits import Limits

#: Wall time of a worker at one submission: twice what the submission's kernels have, for the checks run beside them.
TASK_SECONDS = 2 * Limits().cpu_seconds_notebook * Limits().wall_factor


def begin(
    classroom: Classroom, topic: str, students: Sequence[str], *, workers: int, force: bool, unsafe: bool
) -> Pool[str]:
    """Workers that get ready from now on, because they import for seconds, as the coordinator does.

    No more begin than there are submissions without a record, or submissions at all with `force`.

    Args:
        students: ids; none means all with a submission.
    """
    chosen = students or classroom.students(topic)
    waiting = [student for student in chosen if force or not classroom.record(student, topic).is_file()]
    return Pool(
        workers=workers,
        make=make,
        arguments=(str(classroom.root), topic, unsafe),
        seconds=TASK_SECONDS,
        begun=len(waiting),
    )


def make(root: str, topic: str, unsafe: bool) -> Callable[[str], tuple[Record, bytes]]:
    """Get ready to grade `topic` of the class in `root`.

    Returns:
        A function from a student's id to the record and the graded notebook's bytes.

    Raises:
        CourseError: the salt or the pin does not hold what it should.
    """
    classroom = Classroom(Path(root))
    grade_bytes = grader(str(classroom.pin(topic)), topic, classroom.salt(), unsafe)

    def grade(student: str) -> tuple[Record, bytes]:
        return grade_bytes((student, classroom.read_submission(student, topic)))

    return grade


def grader(
    pin: str, topic: str, salt: bytes, unsafe: bool
) -> Callable[[tuple[str, bytes]], tuple[Record, bytes]]:
    """Get ready to grade `topic` as it is pinned in a folder.

    Returns:
        A function from (student's id, the bytes handed in) to the record and the graded notebook's bytes.

    Raises:
        CourseError: the pin does not hold what it should.
    """
    point_packages(Path(pin))
    if not unsafe:
        warm.prepare()  # it imports for seconds, as this process is about to
    import torch

    from autograder.assignment import Assignment
    from autograder.grading.run import grade_notebook
    from autograder.grading.session import CheckSession

    torch.set_num_threads(1)
    assignment = Assignment.load(topic, Path(pin))
    session = CheckSession(Path(pin) / "autograder" / "checks" / topic)

    def grade(task: tuple[str, bytes]) -> tuple[Record, bytes]:
        student, submission = task
        graded = grade_notebook(submission, assignment, session, student=student, salt=salt, unsafe=unsafe)
        return graded.record, graded.notebook

    return grade


def point_packages(pin: Path) -> None:
    """Let `solutions` and `autograder.checks` be the pinned ones in this process from now on.

    What was imported of another version or for another grader, and the grader's modules that hold it, is forgotten and
    imported afresh.
    """
    import autograder

    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if re.match(r"(solutions|autograder\.(checks|grading))(\.|$)", name) or file.startswith(
            f"{pin}{os.sep}"
        ):
            del sys.modules[name]
    for path, folder in ((sys.path, pin), (autograder.__path__, pin / "autograder")):
        path[:] = [str(folder), *(each for each in path if "pinned" not in Path(each).parts)]
    importlib.invalidate_caches()
