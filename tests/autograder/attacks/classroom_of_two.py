"""An attacker and an honest classmate, graded one after the other by the same grader."""

import json

import nbformat
from attack import FULL, QUICK, Attack, answered
from nbformat.notebooknode import NotebookNode
from tiny_course import Course, scores

from autograder.grading.restore import blank
from autograder.grading.run import Graded, grade_notebook

TOGETHER = 4


class Classmates:
    """Grades for both; the classmate's record must never change by a byte."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.honest = nbformat.writes(answered(blank(course.assignment))).encode()
        self.expected: str | None = None
        self.unseen = 0
        """Attacks since the classmate was last looked at."""

    def grade(self, content: bytes, attack: Attack | None = None, student: str = "classmate") -> Graded:
        """Grade bytes through the real path."""
        limits = attack.limits if attack else QUICK
        salt = b"0123456789abcdef"
        return grade_notebook(
            content, self.course.assignment, self.course.session, student=student, salt=salt, limits=limits
        )

    def attack(self, attack: Attack) -> Graded:
        """The attacker's outcome; right after it the classmate's is looked at.

        After attacks that touch nothing but the answer it is looked at for several together: harm would last.
        """
        graded = self.grade(attack.submission(blank(self.course.assignment)), attack, "attacker")
        self.unseen += 1
        if attack.outcome != "N" or self.unseen == TOGETHER:
            self.check_honest()
        return graded

    def check_honest(self) -> None:
        """The classmate has full marks, as ever."""
        self.unseen = 0
        graded = self.grade(self.honest)
        assert scores(graded) == FULL
        self.expected = self.expected or graded.record.to_json()
        assert graded.record.to_json() == self.expected


def printed(graded: Graded) -> str:
    """All text below the cells that are not graded."""
    notebook: NotebookNode = nbformat.reads(graded.notebook.decode(), as_version=4)
    outputs = [
        output
        for cell in notebook.cells
        if cell.cell_type == "code" and not cell.metadata.get("nbgrader", {}).get("grade")
        for output in cell.outputs
    ]
    return "".join(
        output.text if output.output_type == "stream" else "\n".join(output.get("traceback", []))
        for output in outputs
    )


def shown_live(graded: Graded) -> str:
    """What a browser would render of the graded notebook: markdown and outputs, not the text of code."""
    notebook: NotebookNode = nbformat.reads(graded.notebook.decode(), as_version=4)
    return "\n".join(
        json.dumps(cell.outputs) if cell.cell_type == "code" else cell.source for cell in notebook.cells
    )
