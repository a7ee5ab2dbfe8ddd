"""The small assignment and the honest classmate, shared by all attacks."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "grading"))
sys.path.insert(0, str(Path(__file__).parent))

from classroom_of_two import Classmates
from tiny import TOPIC, write_tiny
from tiny_course import Course

from autograder.assignment import Assignment
from autograder.grading.session import CheckSession
from autograder.sandbox.layers import layers


@pytest.fixture(scope="session", autouse=True)
def sandbox() -> None:
    """Skips, with the reason, where there is no sandbox: attacks run nowhere else."""
    missing = [each for each in layers() if not each.live and not each.optional]
    if missing:
        pytest.skip("; ".join(f"{each.name}: {each.detail}" for each in missing))


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Course:
    root = write_tiny(tmp_path_factory.mktemp("tiny"))
    return Course(Assignment.load(TOPIC, root), CheckSession(root / "autograder" / "checks" / TOPIC))


@pytest.fixture(scope="session")
def classmates(tiny: Course) -> Classmates:
    made = Classmates(tiny)
    made.check_honest()
    return made
