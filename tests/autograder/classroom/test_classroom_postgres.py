"""The gradebook on a real PostgreSQL: the same scores as on SQLite, and an address that leads nowhere is told."""

import nbformat
import pytest
from servers import free_port, postgres, postgres_programs

from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom
from autograder.classroom.grade import Order, grade
from autograder.classroom.gradebook import database_url
from autograder.classroom.results import read_results
from autograder.classroom.standing import read_entries
from autograder.sandbox.layers import layers
from nlpcourse.errors import CourseError

TOPIC = "embeddings"


@pytest.fixture
def handed_in(released: Classroom) -> Classroom:
    content = nbformat.read(released.release(TOPIC), as_version=4)
    for student in ("ada", "bob"):
        path = released.submission(student, TOPIC)
        path.parent.mkdir(parents=True)
        for cell in content.cells:
            if cell.id == "sgns_loss" and student == "bob":
                cell.source = (
                    "def sgns_loss(center, context, negatives):\n    return -F.logsigmoid(center).mean()"
                )
        path.write_text(nbformat.writes(content), encoding="utf-8")
        released.timestamp(student, TOPIC).write_text("2026-02-28 10:00:00 UTC\n")
    return released


@pytest.mark.slow
@pytest.mark.xdist_group("postgres")
@pytest.mark.skipif(postgres_programs() is None, reason="PostgreSQL is not installed")
@pytest.mark.skipif(
    not any(layer.live and layer.covers == "network" for layer in layers()), reason="no sandbox here"
)
def test_scores_are_those_of_sqlite(handed_in: Classroom) -> None:
    def held() -> dict:
        entries = read_entries(course_directory(load_config(handed_in)), TOPIC)
        return {student: (entry.timestamp, entry.cells) for student, entry in entries.items()}

    first = grade(handed_in, Order(TOPIC))
    on_sqlite = held()
    with postgres() as url:
        second = grade(handed_in, Order(TOPIC, db_url=url))
        assert handed_in.database_file.read_text().startswith("postgresql+psycopg://")
        assert (second.graded, second.problems, second.records) == (0, [], first.records)
        assert held() == on_sqlite
        assert [each.score for each in read_results(handed_in)[0].submissions] == [0, 0]
        third = grade(handed_in, Order(TOPIC, force=True))
        assert (third.graded, third.problems, third.records) == (2, [], first.records)
        assert held() == on_sqlite
    with pytest.raises(CourseError, match=r"^the gradebook postgresql\+psycopg://course@127\.0\.0\.1"):
        grade(handed_in, Order(TOPIC))


def test_a_server_that_is_not_there(handed_in: Classroom) -> None:
    with pytest.raises(CourseError, match=r"course:\*\*\*@127\.0\.0\.1.* fails"):
        grade(handed_in, Order(TOPIC, db_url=f"postgresql://course:secret@127.0.0.1:{free_port()}/class"))


@pytest.mark.parametrize("url", ["gradebook.db", "mysterydb://x/y", ""])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(CourseError, match="--db is the address of a database"):
        database_url(url)
