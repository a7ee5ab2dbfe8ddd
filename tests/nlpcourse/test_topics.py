"""The registry of topics: what it says, and what it refuses."""

from pathlib import Path

import pytest

from nlpcourse.errors import CourseError
from nlpcourse.topics import Topic, read_topics, topic, topics

ORDER = ["text", "embeddings", "mlp", "cnn", "rnn", "attention", "bert", "bart", "t5", "decoders", "delta"]


def registry(tmp_path: Path, *rows: str) -> tuple[Topic, ...]:
    path = tmp_path / "topics.toml"
    common = 'title = "T"\nchinese = "题"\n'
    path.write_text("".join(f"[[topic]]\n{common}{row}\n" for row in rows), encoding="utf-8")
    return read_topics(path)


def test_the_eleven_topics_in_course_order() -> None:
    assert [each.name for each in topics()] == ORDER


def test_a_ready_topic_has_objectives_and_pages() -> None:
    for each in topics():
        if each.ready:
            assert each.objectives, each.name


def test_topic_by_name() -> None:
    assert topic("embeddings").title == "Meaning from company"


def test_a_misspelt_topic_names_the_nearest() -> None:
    with pytest.raises(CourseError, match="did you mean 'embeddings'"):
        topic("embedings")


def test_an_unknown_topic_lists_all() -> None:
    with pytest.raises(CourseError, match="topics are text, embeddings"):
        topic("zzz")


def test_objectives_become_objects(tmp_path: Path) -> None:
    (only,) = registry(
        tmp_path, 'name = "a"\nstate = "ready"\nneeds = []\nobjectives = [{ id = "a-1", text = "do it" }]'
    )
    assert (only.objectives[0].id, only.objectives[0].text, only.ready) == ("a-1", "do it", True)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (['name = "a"\nstate = "done"\nneeds = []'], "state is 'done', expected 'ready' or 'planned'"),
        (['name = "a"\nstate = "planned"\nneeds = []'] * 2, "topic a stands twice"),
        (['name = "a"\nstate = "planned"\nneeds = ["b-1"]'], "topic a needs b-1, which no earlier topic has"),
        (
            [
                f'name = "{name}"\nstate = "ready"\nneeds = []\nobjectives = [{{ id = "x-1", text = "t" }}]'
                for name in "ab"
            ],
            "objective x-1 stands twice",
        ),
    ],
)
def test_a_wrong_registry_is_refused(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        registry(tmp_path, *rows)
