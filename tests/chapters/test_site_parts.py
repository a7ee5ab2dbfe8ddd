"""The small parts behind the book: execution key, canary, released notebooks' metadata, launch links."""

import json
from pathlib import Path

import pytest

from nlpcourse import settings
from nlpcourse.errors import CourseError
from nlpcourse.exercises import read_assignment
from nlpcourse.site.cache import execution_key
from nlpcourse.site.canary import leaks
from nlpcourse.site.launch import colab_address

ROW = {
    "id": "f",
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
    further = ROW | {"id": "g", "points": 100, "minutes": 999, "further": True}
    released = read_assignment(write_notebook(tmp_path / "n.ipynb", exercises=[ROW, further]))
    assert (released.points, released.minutes) == (3, 20)
    assert [exercise.id for exercise in released.exercises] == ["f", "g"]


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
    assert len({key, with_pins, with_record, execution_key(tmp_path)}) == 4


@pytest.mark.parametrize(
    "shown",
    [
        "loss = softmax(query @ keys) &lt; limit",
        '<span class="n">loss</span> <span class="o">=</span> softmax(query <b>@</b> keys) &lt; limit',
        '{"source": "x = 1\\nloss = softmax(query @ keys) < limit\\n"}',
    ],
)
def test_the_canary_sees_through_markup_and_quoting(tmp_path: Path, shown: str) -> None:
    (tmp_path / "solutions").mkdir()
    source = "### BEGIN SOLUTION\nloss = softmax(query @ keys) < limit\nreturn x\n### END SOLUTION\n"
    (tmp_path / "solutions" / "a.py").write_text(source, encoding="utf-8")
    site = tmp_path / "site"
    site.mkdir()
    (site / "page.html").write_text("<p>return x</p>", encoding="utf-8")
    assert leaks(site, tmp_path) == []
    (site / "page.html").write_text(shown, encoding="utf-8")
    assert leaks(site, tmp_path) == ["page.html holds 'loss = softmax(query @ keys) < limit'"]


def test_the_canary_knows_the_markers(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text('"### BEGIN SOLUTION"', encoding="utf-8")
    assert len(leaks(tmp_path, tmp_path)) == 1
