"""Making a class folder."""

import os
import secrets
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
    make_folder(classroom.root)
    if any(classroom.root.iterdir()):
        raise CourseError(f"{folder} is not empty; name a new or empty folder for the class; nothing was changed")
    for name in ("source", "release", "pinned", "submitted", "results"):
        make_folder(classroom.root / name)
    write_atomically(classroom.config, TEXT)
    if os.name == "posix":
        classroom.root.chmod(0o700)
    with open_gradebook(course_directory(load_config(classroom))):
        pass
    write_atomically(classroom.salt_file, secrets.token_hex(32) + "\n", mode=0o600)
    return classroom
