"""Where everything of a class lies, and the lock that keeps two commands from changing it at once."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from nlpcourse.errors import CourseError

CONFIG = "nbgrader_config.py"


@dataclass(frozen=True)
class Classroom:
    """Paths of a class folder. The names of nbgrader's own steps are nbgrader's."""

    root: Path

    @property
    def config(self) -> Path:
        return self.root / CONFIG

    @property
    def salt_file(self) -> Path:
        return self.root / "salt"

    @property
    def database_file(self) -> Path:
        """Holds the gradebook's URL when it is not the `gradebook.db` of the folder."""
        return self.root / "database"

    @property
    def received_file(self) -> Path:
        return self.root / "received.csv"

    def pin(self, topic: str) -> Path:
        return self.root / "pinned" / topic

    def source(self, topic: str) -> Path:
        return self.root / "source" / topic / f"{topic}.ipynb"

    def release(self, topic: str) -> Path:
        return self.root / "release" / topic / f"{topic}.ipynb"

    def submission(self, student: str, topic: str) -> Path:
        return self.root / "submitted" / student / topic / f"{topic}.ipynb"

    def read_submission(self, student: str, topic: str) -> bytes:
        """The bytes that a student handed in; none of what is no file at its own place, such as a link or a pipe.

        Raises:
            OSError: there is no such file, or it cannot be read.
        """
        path = self.submission(student, topic)
        place = (self.root / "submitted").resolve() / path.relative_to(self.root / "submitted")
        if path.exists() and not (path.is_file() and path.resolve() == place):
            return b""
        return path.read_bytes()

    def timestamp(self, student: str, topic: str) -> Path:
        return self.submission(student, topic).with_name("timestamp.txt")

    def history(self, student: str, topic: str) -> Path:
        """Earlier submissions that a later one replaced; outside of what nbgrader reads."""
        return self.root / "history" / student / topic

    def record(self, student: str, topic: str) -> Path:
        return self.root / "results" / topic / f"{student}.json"

    def graded(self, student: str, topic: str) -> Path:
        return self.root / "results" / topic / f"{student}.ipynb"

    def autograded(self, student: str, topic: str) -> Path:
        return self.root / "autograded" / student / topic / f"{topic}.ipynb"

    def feedback(self, student: str, topic: str) -> Path:
        return self.root / "feedback" / student / f"{topic}.html"

    def salt(self) -> bytes:
        """The secret that makes this class's seeds unlike any other's.

        Raises:
            CourseError: it is missing; with another one no score could be reproduced.
        """
        try:
            return bytes.fromhex(self.salt_file.read_text(encoding="ascii").strip())
        except (OSError, ValueError) as error:
            raise CourseError(
                f"{self.salt_file} cannot be read ({error}); put back the class's own, scores depend on it"
            ) from error

    def topics(self) -> list[str]:
        """The topics released to this class."""
        return sorted(
            path.parent.name for path in self.root.glob("pinned/*/pin.json") if "." not in path.parent.name
        )

    def read_pin(self, topic: str) -> dict[str, Any]:
        """What `class release` wrote down about a topic.

        Raises:
            CourseError: the topic is not released to this class.
        """
        try:
            pin: dict[str, Any] = json.loads((self.pin(topic) / "pin.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            known = ", ".join(self.topics()) or "nothing yet"
            raise CourseError(
                f"{topic} is not released to {self.root} (released: {known}); "
                f"run `nlpcourse class release {self.root} {topic}`"
            ) from error
        return pin

    def students(self, topic: str) -> list[str]:
        """The ids of the students with a submission for `topic`, sorted."""
        return sorted(
            path.parent.parent.name for path in self.root.glob(f"submitted/*/{topic}/{topic}.ipynb")
        )


@contextlib.contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Hold `folder` for one command that changes it; the lock goes with the process.

    Raises:
        CourseError: another command holds it, or the folder cannot be written.
    """
    held = FileLock(folder / ".lock", timeout=0)
    try:
        held.acquire()
    except Timeout:
        raise CourseError(f"another command is at work in {folder}; wait until it is done") from None
    except OSError as error:
        raise CourseError(f"{folder} cannot be written ({error.strerror}); make it writable") from error
    try:
        yield
    finally:
        held.release()


def open_class(folder: Path) -> Classroom:
    """The class in `folder`.

    Raises:
        CourseError: the folder does not exist or holds no class.
    """
    classroom = Classroom(folder.expanduser().resolve())
    if not classroom.root.is_dir():
        raise CourseError(f"there is no folder {folder}; make a class with `nlpcourse class init {folder}`")
    if not (classroom.config.is_file() and classroom.salt_file.is_file()):
        raise CourseError(
            f"{folder} is not a class folder ({CONFIG} or salt is missing); "
            f"make one with `nlpcourse class init {folder}`"
        )
    return classroom


def make_folder(path: Path) -> Path:
    """`path`, made with its parents.

    Raises:
        CourseError: it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CourseError(f"cannot make the folder {path}: {error.strerror}") from error
    return path
