"""Making a class folder."""

import secrets
import shutil
from pathlib import Path

from autograder.classroom.config import TEXT, course_directory, load_config
from autograder.classroom.folder import Classroom, make_folder
from autograder.classroom.gradebook import open_gradebook
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically


def init(folder: Path) -> Classroom:
    """Make a class in `folder`: nbgrader's configuration, a gradebook, a secret salt (readable by its owner only).

    Raises:
        CourseError: the folder holds something already (nothing is changed), or cannot be written.
    """
    classroom = Classroom(folder.expanduser().resolve())
    if classroom.root.exists() and not classroom.root.is_dir():
        raise CourseError(f"{folder} is a file; name a folder for the class")
    if classroom.salt_file.exists() or classroom.config.exists():
        raise CourseError(f"{folder} is a class already; nothing was changed")
    if classroom.root.exists() and any(classroom.root.iterdir()):
        raise CourseError(
            f"{folder} is not empty; name a new or empty folder for the class; nothing was changed"
        )
    make_folder(classroom.root.parent)
    staged = Classroom(classroom.root.with_name(f".{classroom.root.name}.new"))
    shutil.rmtree(staged.root, ignore_errors=True)
    try:
        _fill(staged)
        if classroom.root.exists():
            classroom.root.rmdir()
        staged.root.rename(classroom.root)
    except OSError as error:
        raise CourseError(f"cannot make a class in {folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(staged.root, ignore_errors=True)
    return classroom


def _fill(classroom: Classroom) -> None:
    """Everything a new class holds; nobody but its owner may look inside."""
    for name in ("source", "release", "pinned", "submitted", "results"):
        make_folder(classroom.root / name)
    classroom.root.chmod(0o700)
    write_atomically(classroom.config, TEXT)
    write_atomically(classroom.salt_file, secrets.token_hex(32) + "\n", mode=0o600)
    with open_gradebook(course_directory(load_config(classroom))):
        pass
