"""The small parts behind the book: execution key, released notebooks' metadata, launch links."""

import json
from pathlib import Path

import pytest

from nlpcourse import settings
from nlpcourse.errors import CourseError
from nlpcourse.exercises import ranges, read_assignment
from nlpcourse.site.cache import execution_key
from nlpcourse.site.launch import colab_address

ROW = {
    "id": "f",
    "number": 1,
    "title": "F",
    "points": 3,
    "difficulty": 1,
    "minutes": 20,
    "objectives": ["emb-1"],
    "further": False,
}


def write_notebook(path: Path, **described: object) -> Path:
    facts = {"topic": "embeddings", "version": "1", "exercises": [ROW], "questions": [], **described}
    path.write_text(json.dumps({"cells": [], "metadata": {"nlpcourse": facts}}), encoding="utf-8")
    return path


def test_further_exercises_stand_outside_the_total(tmp_path: Path) -> None:
    further = ROW | {"id": "g", "number": 2, "points": 100, "minutes": 999, "further": True}
    released = read_assignment(write_notebook(tmp_path / "n.ipynb", exercises=[ROW, further]))
    assert (released.points, released.minutes) == (3, 20)
    assert [exercise.id for exercise in released.exercises] == ["f", "g"]
    assert released.total == "3 points"


def test_the_total_names_its_parts(tmp_path: Path) -> None:
    question = {"id": "why", "number": 6, "title": "Why?", "points": 4}
    released = read_assignment(write_notebook(tmp_path / "n.ipynb", questions=[question]))
    assert released.total == "7 points (3 automatic + 4 for question 6)"


def test_ranges_name_every_number_once() -> None:
    assert ranges([]) == ""
    assert ranges([2, 4, 5, 8, 9, 10, 12]) == "2, 4, 5, 8–10, 12"


@pytest.mark.parametrize(
    "content", ["not json", "[]", '{"metadata": {}}', '{"metadata": {"nlpcourse": {"topic": "x"}}}']
)
def test_a_notebook_that_is_not_ours_gives_one_clear_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "n.ipynb"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CourseError, match=r"n\.ipynb.*nlpcourse exercises") as caught:
        read_assignment(path)
    assert "\n" not in str(caught.value)


def test_a_missing_notebook_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match=r"there is no notebook .* nlpcourse exercises"):
        read_assignment(tmp_path / "n.ipynb")


def test_launch_links_point_at_the_released_notebook_at_the_tag() -> None:
    link = colab_address("embeddings")
    assert link.startswith("https://colab.research.google.com/github/")
    assert link.endswith(f"/blob/{settings.TAG}/exercises/embeddings/embeddings.ipynb")


def test_the_execution_key_follows_records_and_pins_and_nothing_else(tmp_path: Path) -> None:
    key = execution_key(tmp_path)
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "page.md").write_text("text", encoding="utf-8")
    assert execution_key(tmp_path) == key
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n", encoding="utf-8")
    with_pins = execution_key(tmp_path)
    (tmp_path / "records" / "runs").mkdir(parents=True)
    (tmp_path / "records" / "runs" / "a.json").write_text("{}", encoding="utf-8")
    with_record = execution_key(tmp_path)
    (tmp_path / "records" / "runs" / "a.json").rename(tmp_path / "records" / "runs" / "b.json")
    last = execution_key(tmp_path)
    assert len({key, with_pins, with_record, last}) == 4
    (tmp_path / "records" / "variants").mkdir()
    (tmp_path / "records" / "variants" / "a.json").write_text("{}", encoding="utf-8")
    assert execution_key(tmp_path) == last
