"""The small assignments, loaded once."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tiny import ROW, TOPIC, write_row, write_tiny
from tiny_course import Course

from autograder.assignment import Assignment
from autograder.grading.session import CheckSession


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = write_tiny(tmp_path_factory.mktemp("tiny"))
    return Course(Assignment.load(TOPIC, root), CheckSession(root / "autograder" / "checks" / TOPIC))


@pytest.fixture(scope="session")
def row(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = write_row(tmp_path_factory.mktemp("row"))
    return Course(Assignment.load(ROW, root), CheckSession(root / "autograder" / "checks" / ROW))
