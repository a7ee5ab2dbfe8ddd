"""The table of grading times on the instructor's page."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from nlpcourse.errors import CourseError
from nlpcourse.site.grading_times import RECORD, GradingTimesDirective, read_record

FIGURES = {
    "students": 3,
    "seconds a submission": {"nbgrader": [6.0, 8.0, 7.0], "ours": [1.0, 0.5, 2.0]},
    "against nbgrader": {"nbgrader": 1.0, "ours": 7.0},
    "two workers against one": 1.904,
    "seconds of the parts": {"kernel": 0.25, "checks": 0.75},
}


def written(root: Path) -> str:
    made = GradingTimesDirective.__new__(GradingTimesDirective)
    env = SimpleNamespace(srcdir=root, note_dependency=lambda path: None)
    made.state = SimpleNamespace(document=SimpleNamespace(settings=SimpleNamespace(env=env)))
    return made.markdown()


def write(root: Path, figures: dict) -> Path:
    path = root / RECORD
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures), encoding="utf-8")
    return path


def test_the_middle_run_is_shown_and_the_parts_add_up(tmp_path: Path) -> None:
    write(tmp_path, FIGURES)
    text = written(tmp_path)
    assert "| nbgrader | 7.00 | 1.0 |\n| ours | 1.00 | 7.0 |" in text
    assert "A class of 3, graded whole by each in turn, 3 times; the middle one is shown." in text
    assert "Two workers are 1.90 times as fast as one." in text
    assert text.endswith("| kernel | 0.250 | 25% |\n| checks | 0.750 | 75% |")


def test_without_a_record_the_page_says_so(tmp_path: Path) -> None:
    assert written(tmp_path) == "*Not run: `bench/grading.py` has left no record yet.*"


@pytest.mark.parametrize(
    "change",
    [
        {"students": 0},
        {"against nbgrader": {"nbgrader": 1.0}},
        {"seconds a submission": {"nbgrader": [], "ours": [1.0]}},
        {"seconds of the parts": {}},
        {"two workers against one": None},
        {"seconds a submission": [1.0]},
    ],
)
def test_a_record_of_another_form_is_named(tmp_path: Path, change: dict) -> None:
    path = write(tmp_path, FIGURES | change)
    with pytest.raises(CourseError, match=r"grading\.json is no record of grading times"):
        read_record(path)
