"""nbgrader's gradebook and converters, run in this process with the class's configuration."""

import contextlib
import logging
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from nbgrader.api import Gradebook, MissingEntry, Student
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import BaseConverter
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning, SQLAlchemyError

from nlpcourse.errors import CourseError

Kind = TypeVar("Kind", bound=Gradebook)

_NO_TAGS = str.maketrans("<>", "‹›")


def database_url(url: str) -> str:
    """A database address as SQLAlchemy wants it, PostgreSQL's with the driver that is installed.

    Raises:
        CourseError: it is none.
    """
    from sqlalchemy.engine import make_url

    try:
        found = make_url(url)
        if found.drivername in ("postgres", "postgresql"):
            found = found.set(drivername="postgresql+psycopg")
        found.get_dialect()
    except (SQLAlchemyError, ImportError) as error:
        raise CourseError(
            "--db is the address of a database, such as postgresql://user:password@host/name or "
            f"sqlite:////absolute/path.db: {error}"
        ) from error
    return found.render_as_string(hide_password=False)


def open_gradebook(directory: CourseDirectory) -> contextlib.AbstractContextManager[Gradebook]:
    """The class's gradebook, made when it is not there; closed at the end.

    Raises:
        CourseError: the database cannot be opened or written, now or while it is used.
    """
    return opened(directory, Gradebook)


@contextlib.contextmanager
def opened(directory: CourseDirectory, kind: type[Kind]) -> Iterator[Kind]:
    """`open_gradebook` for a kind of gradebook of one's own."""
    _let_nbgrader_find_alembic()
    try:
        with kind(directory.db_url, directory.course_id) as gradebook:
            yield gradebook
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise CourseError(f"the gradebook {_shown(directory.db_url)} fails: {reason}") from error


def _let_nbgrader_find_alembic() -> None:
    """nbgrader starts `alembic` by name to make a database; it lies beside this interpreter."""
    if shutil.which("alembic") is None:
        beside = str(Path(sys.executable).parent)
        os.environ["PATH"] = os.pathsep.join([beside, os.environ.get("PATH", os.defpath)])


def _shown(url: str) -> str:
    """A database address without its password."""
    from sqlalchemy.engine import make_url

    try:
        return make_url(url).render_as_string(hide_password=True)
    except SQLAlchemyError:
        return "(its address is not a database URL)"


def run_converter(converter: BaseConverter) -> str | None:
    """Run one of nbgrader's converters quietly.

    Returns:
        What it complained about when it failed, else None.
    """
    lines: list[str] = []
    converter.log = log = logging.Logger("nbgrader", logging.WARNING)
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    log.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SAWarning)  # nbgrader's own sessions, on SQLAlchemy 2
            converter.start()
    except SystemExit as stop:
        lines.append(f"nbgrader stopped ({stop.code})")
    except Exception as error:  # noqa: BLE001 - nbgrader raises its own, database errors, and whatever a preprocessor raises
        lines.append(f"{type(error).__name__}: {error}")
    else:
        return None
    return "\n".join(lines)


def generate_assignment(directory: CourseDirectory, topic: str, due: str | None) -> None:
    """Let nbgrader make `release/<topic>` from `source/<topic>`, and tell the gradebook about cells and due date.

    Raises:
        CourseError: nbgrader refuses, most often because cells were added or removed after submissions came in.
    """
    directory.assignment_id = topic
    converter = GenerateAssignment(coursedir=directory, config=directory.config)
    converter.force = True
    if complaint := run_converter(converter):
        last = complaint.splitlines()[-1]
        if "Cannot add or remove cells" in complaint:
            last = (
                "graded cells were added or removed, and submissions stand in the gradebook; "
                "make a new class for the new version"
            )
        raise CourseError(f"nbgrader cannot release {topic}: {last}")
    with open_gradebook(directory) as gradebook:
        moment = datetime.fromisoformat(due).astimezone(UTC).replace(tzinfo=None) if due else None
        gradebook.update_or_create_assignment(topic, duedate=moment)


def ensure_assignment(directory: CourseDirectory, topic: str, due: str | None) -> None:
    """Make a gradebook that does not know `topic` (a new database, a deleted file) know it."""
    with open_gradebook(directory) as gradebook:
        try:
            gradebook.find_notebook(topic, topic)
        except MissingEntry:
            known = False
        else:
            known = True
    if not known:
        generate_assignment(directory, topic, due)


def name_student(gradebook: Gradebook, student: str, name: str) -> None:
    """Let the formgrader show a student's name beside the id; a name that somebody gave there stays.

    The formgrader writes names into its pages as they are, and a column of a database has a length.
    """
    try:
        gradebook.find_student(student)
    except MissingEntry:
        shown = name.translate(_NO_TAGS)[: Student.last_name.type.length]
        gradebook.add_student(student, last_name=shown, first_name=student)
