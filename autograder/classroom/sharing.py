"""One open gradebook for a whole grading run, and one transaction for each submission in it.

nbgrader opens the database twelve times for a submission and commits after every cell: some forty waits for the disk,
and a kill between two of them leaves half of the scores. Here its steps share one session. Their commits wait until
the submission is through, so it reaches the gradebook whole or not at all.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nbgrader.api import BaseCell, Gradebook, SourceCell
from nbgrader.converters import Autograde
from nbgrader.converters import autograde as autograding
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import latesubmissions, overwritecells, overwritekernelspec, saveautogrades
from sqlalchemy import create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from autograder.classroom.gradebook import opened, run_converter

#: nbgrader's modules that open the gradebook while it autogrades.
_OPENERS = (autograding, overwritekernelspec, overwritecells, saveautogrades, latesubmissions)


class _Waiting(Session):
    """A session whose commits wait for `settle`."""

    def commit(self) -> None:
        """As far as this session sees, a commit: what the database computes, such as a sum, is read again."""
        self.flush()
        self.expire_all()

    def settle(self) -> None:
        super().commit()


class SharedGradebook(Gradebook):
    """A gradebook that stays open when nbgrader's steps close it."""

    def __init__(self, db_url: str, course_id: str) -> None:
        super().__init__(db_url, course_id)
        self.end()
        self.engine = create_engine(db_url, pool_pre_ping=True)  # a run may last longer than a connection
        self.db = scoped_session(sessionmaker(class_=_Waiting, autoflush=True, bind=self.engine))
        self._found: dict[tuple[str, ...], Any] = {}

    def close(self) -> None:
        """Nothing: see `end`."""

    def find_source_cell(self, name: str, notebook: str, assignment: str) -> SourceCell:
        """A cell as it was released: the same for every student, so asked for once."""
        return self._once("source", super().find_source_cell, name, notebook, assignment)

    def find_graded_cell(self, name: str, notebook: str, assignment: str) -> BaseCell:
        """A graded cell as it was released."""
        return self._once("graded", super().find_graded_cell, name, notebook, assignment)

    def _once(self, kind: str, find: Callable[..., Any], *names: str) -> Any:
        if (kind, *names) not in self._found:
            cell = find(*names)
            self.db.expunge(cell)
            self._found[kind, *names] = cell
        return self._found[kind, *names]

    def settle(self) -> None:
        """Make what was written since the last time permanent."""
        self.db().settle()

    def forget(self) -> None:
        """Undo what was written since the last time."""
        self.db.rollback()

    def end(self) -> None:
        """Close it."""
        super().close()


@contextlib.contextmanager
def share_gradebook(directory: CourseDirectory) -> Iterator[SharedGradebook]:
    """The class's gradebook, open until the end.

    Raises:
        CourseError: the database cannot be opened or written, now or while it is used.
    """
    with opened(directory, SharedGradebook) as gradebook:
        try:
            yield gradebook
        finally:
            gradebook.end()


def autograde(
    gradebook: SharedGradebook,
    directory: CourseDirectory,
    topic: str,
    student: str,
    confirmed: Mapping[str, float | None],
) -> str | None:
    """Run nbgrader's own autograde for one student: sanitise, `Execute`, save the scores, write `autograded/`.

    What fails with the shared session is tried once more as nbgrader does it alone: with sessions of its own, in case
    the connection was lost or a step that a class added opens the database itself.

    Args:
        confirmed: {grade id: automatic score beside it} of the scores by hand that were given to this very file.
            nbgrader wants every score by hand looked at again; these need not be, unless the automatic one is another.

    Returns:
        What nbgrader complained about when it failed, else None.
    """
    with _lent(gradebook, directory):
        complaint = _autograde(directory, topic, student)
    try:
        if complaint is None:
            for cell, auto in confirmed.items():
                grade = gradebook.find_grade(cell, topic, topic, student)
                grade.needs_manual_grade &= grade.auto_score != auto
            gradebook.settle()
            return None
    except SQLAlchemyError as error:
        complaint = str(error)
    gradebook.forget()
    return _autograde(directory, topic, student)


def _autograde(directory: CourseDirectory, topic: str, student: str) -> str | None:
    directory.assignment_id, directory.student_id = topic, student
    converter = Autograde(coursedir=directory, config=directory.config)
    converter.force = True
    former = os.environ.get("NBGRADER_EXECUTION")
    try:
        return run_converter(converter)
    finally:
        directory.student_id = "*"
        if former is None:
            os.environ.pop("NBGRADER_EXECUTION", None)


@contextlib.contextmanager
def _lent(gradebook: SharedGradebook, directory: CourseDirectory) -> Iterator[None]:
    """Meanwhile nbgrader's steps get `gradebook` when they open the class's."""

    def lend(db_url: str, *arguments: Any, **named: Any) -> Gradebook:
        return gradebook if db_url == directory.db_url else Gradebook(db_url, *arguments, **named)

    for module in _OPENERS:
        module.Gradebook = lend
    try:
        yield
    finally:
        for module in _OPENERS:
            module.Gradebook = Gradebook
