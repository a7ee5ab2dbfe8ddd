"""Releasing a topic to a class: pin what it is graded with, and let nbgrader make the students' notebook."""

import hashlib
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat

from autograder.assignment import Assignment
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom, make_folder
from autograder.classroom.gradebook import generate_assignment
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from nlpcourse.topics import topic as registered

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "records", "checkpoints")


def parse_due(text: str) -> datetime:
    """A due date from ISO 8601, in UTC. Without an offset it is this machine's local time; a date alone ends at 23:59.

    Raises:
        CourseError: it is no such date.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CourseError(f"--due {text}: not an ISO date such as 2026-03-01T23:59+08:00") from error
    if len(text) <= len("2026-03-01"):
        moment = moment.replace(hour=23, minute=59)
    return moment.astimezone(UTC)


def release(classroom: Classroom, topic: str, *, root: Path, due: datetime | None = None) -> dict[str, Any]:
    """Pin a topic's solutions and checks under `pinned/<topic>` and generate `release/<topic>`.

    A class is graded with its pin; the course may change and the class does not. Released again, the former pin is
    kept as `pinned/<topic>.<n>`, and the due date stays unless another is given.

    Args:
        classroom: the class.
        topic: a topic of the course.
        root: the checkout that the topic is taken from.
        due: the due date.

    Returns:
        The pin: topic, version, fingerprint, due, released, points (automatic and by hand), and every file's SHA-256.

    Raises:
        CourseError: no such topic, no exercises for it, or nbgrader refuses; the former release stands.
    """
    registered(topic)
    staged = classroom.root / "pinned" / f".{topic}.new"
    _stage(root, topic, staged)
    try:
        assignment = Assignment.load(topic, staged)
        former = _former_pin(classroom, topic)
        pin: dict[str, Any] = {
            "topic": topic,
            "version": str(assignment.source.metadata["nlpcourse"]["version"]),
            "fingerprint": assignment.fingerprint,
            "due": due.isoformat() if due else former.get("due"),
            "released": datetime.now(UTC).replace(microsecond=0).isoformat(),
            "points": assignment.points,
            "by_hand": sum(question.points for question in assignment.questions),
            "files": _hashes(staged),
        }
        write_atomically(staged / "pin.json", json.dumps(pin, indent=1) + "\n")
        _generate(classroom, topic, nbformat.writes(assignment.source), pin["due"])
        _put_in_place(classroom, topic, staged)
    except OSError as error:
        raise CourseError(f"cannot pin {topic} in {classroom.root}: {error.strerror}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return pin


def _stage(root: Path, topic: str, staged: Path) -> None:
    """Copy what grading needs of the checkout at `root`: all of solutions, the topic's checks and their helpers."""
    checks = root / "autograder" / "checks"
    if not (checks / topic).is_dir() or not (root / "solutions" / topic / "exercise.md").is_file():
        raise CourseError(f"{topic} has no exercises in {root} yet; nothing was released")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        make_folder(staged / "autograder" / "checks")
        shutil.copytree(root / "solutions", staged / "solutions", ignore=_LEFT_OUT)
        shutil.copytree(checks / topic, staged / "autograder" / "checks" / topic, ignore=_LEFT_OUT)
        for module in checks.glob("*.py"):
            shutil.copy(module, staged / "autograder" / "checks")
    except (OSError, shutil.Error) as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise CourseError(f"cannot copy the checks of {topic} to {staged.parent}: {error}") from error


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def _former_pin(classroom: Classroom, topic: str) -> dict[str, Any]:
    return classroom.read_pin(topic) if (classroom.pin(topic) / "pin.json").is_file() else {}


def _generate(classroom: Classroom, topic: str, notebook: str, due: str | None) -> None:
    """Run nbgrader's generate_assignment on `notebook`; when it refuses, the former source stands again."""
    source = classroom.source(topic)
    standing = source.read_bytes() if source.is_file() else None
    make_folder(source.parent)
    write_atomically(source, notebook)
    try:
        generate_assignment(course_directory(load_config(classroom)), topic, due)
    except CourseError:
        if standing is None:
            source.unlink()
        else:
            write_atomically(source, standing)
            generate_assignment(course_directory(load_config(classroom)), topic, due)
        raise


def _put_in_place(classroom: Classroom, topic: str, staged: Path) -> None:
    pin = classroom.pin(topic)
    if pin.exists():
        number = 1
        while pin.with_name(f"{topic}.{number}").exists():
            number += 1
        pin.rename(pin.with_name(f"{topic}.{number}"))
    staged.rename(pin)
