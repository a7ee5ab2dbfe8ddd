"""What the page's interactive parts are made of: the picture, the links, the map; and what each refuses."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from nlpcourse import settings
from nlpcourse.errors import CourseError
from nlpcourse.site import build
from nlpcourse.site.accessibility import mark_chinese
from nlpcourse.site.launch import hub_path
from nlpcourse.site.path_map import dependencies, draw
from nlpcourse.site.vector_map import figure, read_map
from nlpcourse.topics import Objective, Topic

WORD = {"word": "list", "count": 9, "x": 0.5, "y": -1, "near": [["tuple", 0.8], ["a<b", -0.1]]}


def a_topic(name: str, *needs: str, ready: bool = True) -> Topic:
    objectives = (Objective(f"{name}-1", "do"), Objective(f"{name}-2", "see"))
    return Topic(name, name.title(), "题", "ready" if ready else "planned", needs, objectives)


def test_an_arc_stands_for_each_pair_of_topics_once() -> None:
    path = [a_topic("a"), a_topic("b", "a-1", "a-2"), a_topic("c", "b-1", "a-2", ready=False)]
    assert dependencies(path) == [("a", "b"), ("b", "c"), ("a", "c")]
    picture = draw(path, lambda each: f"{each.name}.html")
    assert picture.count('class="course-path-arc"') == 3
    assert 'href="a.html"' in picture
    assert 'href="b.html"' in picture
    assert "c.html" not in picture
    assert picture.count("planned</text>") == 1


def test_chinese_in_a_drawing_or_in_data_gets_no_html() -> None:
    body = '<p>词</p><svg><tspan lang="zh-Hans">词</tspan></svg><script>"词"</script><p>词</p>'
    marked = mark_chinese(body)
    assert marked.count("<span") == 2
    assert '<svg><tspan lang="zh-Hans">词</tspan></svg><script>"词"</script>' in marked


def test_the_hub_link_copies_the_course_and_opens_the_notebook() -> None:
    link = urlsplit(f"https://hub.example.org{hub_path('embeddings')}")
    assert link.path == "/hub/user-redirect/git-pull"
    asked = parse_qs(link.query)
    assert asked["repo"] == [settings.REPOSITORY]
    folder = settings.REPOSITORY.rsplit("/", 1)[1]
    assert asked["urlpath"] == [f"lab/tree/{folder}/exercises/embeddings/embeddings.ipynb"]


def test_the_table_of_the_map_holds_what_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    path.write_text(json.dumps({"choice": "all", "method": "by <hand>", "words": [WORD]}), encoding="utf-8")
    shown = figure(read_map(path))
    assert '<tr data-x="0.5" data-y="-1"><th scope="row">list</th><td>9</td>' in shown
    assert "<td>tuple 0.80, a&lt;b -0.10</td>" in shown
    assert "by &lt;hand&gt;" in shown


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("no json", "is no map of words"),
        ("[]", "is no map of words"),
        ('{"choice": "all", "method": "m", "words": []}', "has no words"),
        (json.dumps({"method": "m", "words": [WORD]}), "does not say which"),
        (json.dumps({"words": [{**WORD, "x": 1.5}]}), "'list' is out of range"),
        (json.dumps({"words": [{**WORD, "near": []}]}), "'list' is out of range"),
        (json.dumps({"words": [{**WORD, "near": [["tuple", 2]]}]}), "'list' is out of range"),
    ],
)
def test_a_record_that_is_no_map_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "map.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CourseError, match=message):
        read_map(path)


def test_a_map_that_was_not_made_says_so_on_the_page(small_book: Callable[[str], Path]) -> None:
    page = build(small_book("```{vector-map} embeddings\n```\n")).parent / "chapters" / "index.html"
    text = page.read_text(encoding="utf-8")
    assert "Not run: there is no records/embeddings/map.json" in text
    assert "vector-map.js" not in text
