"""A class gets the same records and the same gradebook wherever, however and beside whatever it is graded."""

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from everywhere import busy, make_cold
from servers import dask_cluster, postgres, postgres_programs

from autograder.classroom import grade as grade_module
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom
from autograder.classroom.grade import Order, grade
from autograder.classroom.sample import TOPIC, fill, samples
from autograder.classroom.standing import read_entries
from autograder.sandbox.layers import layers
from nlpcourse.paths import project_root

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("everywhere"),
    pytest.mark.skipif(
        not any(layer.live and layer.covers == "network" for layer in layers()), reason="no sandbox here"
    ),
]
STUDENTS = ("王小明", "patelravi", "mallorymax")
"""Two mistakes, a crash, tampered with."""


@dataclass(frozen=True)
class Graded:
    """What a class holds after grading."""

    records: dict[str, bytes]
    gradebook: dict[str, Any]


def result(classroom: Classroom, order: Order) -> Graded:
    outcome = grade(classroom, order)
    assert (outcome.problems, outcome.graded) == ([], len(STUDENTS) + 1)
    entries = read_entries(course_directory(load_config(classroom)), TOPIC)
    return Graded(
        {
            path.stem: path.read_bytes()
            for path in sorted((classroom.root / "results" / TOPIC).glob("*.json"))
        },
        {student: (entry.timestamp, entry.cells) for student, entry in sorted(entries.items())},
    )


@pytest.fixture(scope="module")
def handed_in(released_once: Classroom, tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    """Three of the sample's submissions, and a file that is no notebook."""
    root = tmp_path_factory.mktemp("everywhere") / "class"
    made = Classroom(Path(shutil.copytree(released_once.root, root, symlinks=True)))
    blank = nbformat.read(made.release(TOPIC), as_version=4)
    chosen = {each.name: nbformat.writes(fill(blank, each)) for each in samples(project_root())}
    for number, text in enumerate([*(chosen[name] for name in STUDENTS), "no notebook"]):
        path = made.submission(f"student{number}", TOPIC)
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        made.timestamp(f"student{number}", TOPIC).write_text("2026-02-28 10:00:00 UTC\n")
    return made


@pytest.fixture
def twin(handed_in: Classroom, tmp_path: Path) -> Classroom:
    """The class again, nothing of it graded."""
    return Classroom(Path(shutil.copytree(handed_in.root, tmp_path / "twin", symlinks=True)))


@pytest.fixture(scope="module")
def expected(handed_in: Classroom, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """One worker, SQLite, warm kernels."""
    root = tmp_path_factory.mktemp("expected") / "class"
    return result(Classroom(Path(shutil.copytree(handed_in.root, root, symlinks=True))), Order(TOPIC))


def dask() -> Iterator[Order]:
    with dask_cluster(2) as (address, _):
        yield Order(TOPIC, dask=address)


def two_workers_on_postgres_on_a_busy_machine() -> Iterator[Order]:
    if postgres_programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres() as url, busy():
        yield Order(TOPIC, workers=2, db_url=url)


def cold_kernels() -> Iterator[Order]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade_module, "make", make_cold)
        yield Order(TOPIC)


@pytest.mark.parametrize("way", [dask, two_workers_on_postgres_on_a_busy_machine, cold_kernels])
def test_every_way_gives_the_same(way, twin: Classroom, expected: Graded) -> None:
    scores = {
        student: sum(cell.auto or 0 for cell in cells.values())
        for student, (_, cells) in expected.gradebook.items()
    }
    assert len(set(scores.values())) >= 3, f"the submissions are too much alike: {scores}"
    with contextlib.contextmanager(way)() as order:
        graded = result(twin, order)
    assert graded.records == expected.records
    assert graded.gradebook == expected.gradebook
