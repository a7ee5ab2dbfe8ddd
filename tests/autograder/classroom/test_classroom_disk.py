"""A disk that is really full, met at every step of grading: one line, nothing half written, and then it goes on."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pretended import STUDENTS, TOPIC, Worker, gradebook_scores, record_scores, run

from autograder.classroom.folder import Classroom
from autograder.grading.record import Record
from nlpcourse.errors import CourseError

DISK = 32 * 2**20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of `DISK` bytes."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small file system here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("pages", [0, 3, 20, 60, 90, 150])
def test_a_full_disk_is_one_line_and_then_it_goes_on(
    submitted: Classroom, worker: Worker, disk: Path, pages: int
) -> None:
    """With room for so many pages of 4 KiB: for nothing, a part of a notebook, of the gradebook, for one, for two."""
    made = Classroom(Path(shutil.copytree(submitted.root, disk / "class")))
    worker.classroom = made
    room = shutil.disk_usage(disk).free - pages * 4096
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room)
    with pytest.raises(CourseError) as full:
        run(made)
    assert "\n" not in str(full.value)
    assert any(
        words in str(full.value) for words in ("No space left", "no room left", "disk is full", "database")
    )
    for path in made.root.glob(f"results/{TOPIC}/*.json"):
        Record.from_json(path.read_bytes())
        json.loads(path.with_suffix(".ipynb").read_bytes())
    assert not list(made.root.rglob("*.tmp"))
    assert len(list(made.root.glob(f"results/{TOPIC}/*.json"))) < len(STUDENTS)
    ballast.unlink()
    outcome = run(made)
    assert outcome.problems == []
    assert len(worker.graded) <= len(STUDENTS) + 1, "at most the one in hand was graded again"
    assert gradebook_scores(made) == record_scores(made)
