"""The tables of attacks and of honest notebooks on the instructor's page."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from nlpcourse.site.attack_table import (
    RECORD,
    WORST_FIRST,
    AttacksDirective,
    HonestDirective,
    read_record,
    worst,
)


def form(row: int, name: str, one: str, other: str) -> dict:
    return {"row": row, "title": f"row {row}", "name": name, "outcomes": {"one": one, "other": other}}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    content = {
        "graders": {"one": "1.0", "other": "2"},
        "forms": [
            form(7, "a", "full marks gained", "blocked"),
            form(7, "b", "blocked", "blocked"),
            form(3, "c", "not run", "blocked"),
            form(0, "noise", "lost 3 of 9", "full marks"),
            form(0, "quiet", "full marks", "full marks"),
        ],
    }
    path = tmp_path / RECORD
    path.parent.mkdir()
    path.write_text(json.dumps(content))
    return path


def written(directive: type, root: Path) -> str:
    made = directive.__new__(directive)
    made.state = SimpleNamespace(
        document=SimpleNamespace(
            settings=SimpleNamespace(env=SimpleNamespace(srcdir=root, note_dependency=lambda path: None))
        )
    )
    return made.markdown()


def test_every_row_has_the_worst_of_its_forms(record: Path) -> None:
    assert written(AttacksDirective, record.parents[1]).splitlines() == [
        "| What is tried | one 1.0 | other 2 |",
        "|---|---|---|",
        "| row 3 | not run | blocked |",
        "| row 7 | full marks gained (1 of 2) | blocked |",
    ]


def test_only_honest_notebooks_that_lose_are_named(record: Path) -> None:
    assert written(HonestDirective, record.parents[1]).splitlines()[2:] == [
        "| noise | lost 3 of 9 | full marks |",
        "",
        "The other 1 of 2 got full marks wherever they were tried.",
    ]


def test_the_worst_comes_first() -> None:
    assert (
        worst(["blocked", "classmate harmed", "batch aborted", "batch aborted"]) == "batch aborted (2 of 4)"
    )
    assert worst(["blocked", "not run"]) == "blocked"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"graders": {"one": "1"}, "forms": [{"outcomes": {}}]}']
)
def test_another_file_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(CourseError, match=r"run bench/attacks\.py again"):
        read_record(tmp_path / "x.json")


def test_the_record_holds_what_the_page_says() -> None:
    """This course's grader blocks every form, and every honest notebook gets full marks there."""
    record = read_record(project_root() / RECORD)
    for each in record["forms"]:
        outcome = each["outcomes"]["this course"]
        assert outcome == ("blocked" if each["row"] else "full marks"), each["name"]
        assert each["row"] == 0 or set(each["outcomes"].values()) <= {*WORST_FIRST, "not run"}
