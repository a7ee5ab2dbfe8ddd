"""The table of grading times on the instructor's page."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from nlpcourse.errors import CourseError
from nlpcourse.site.grading_times import (
    RECORD,
    SCALE,
    GradingTimesDirective,
    of_a_large_class,
    read_record,
)

FIGURES = {
    "students": 3,
    "seconds a submission": {"nbgrader": [6.0, 8.0, 7.0], "ours": [1.0, 0.5, 2.0]},
    "against nbgrader": {"nbgrader": 1.0, "ours": 7.0},
    "two workers against one": 1.904,
    "seconds of the parts": {"kernel": 0.25, "checks": 0.75},
}
LARGE = {
    "students": 2000,
    "workers": 3,
    "submissions a minute": 71.6,
    "largest memory, GiB": 1.234,
    "records after each kill": [10, 700, 2000],
    "gradebook made again, s": 4.4,
}


def written(root: Path) -> str:
    made = GradingTimesDirective.__new__(GradingTimesDirective)
    env = SimpleNamespace(srcdir=root, note_dependency=lambda path: None)
    made.state = SimpleNamespace(document=SimpleNamespace(settings=SimpleNamespace(env=env)))
    return made.markdown()


def write(root: Path, figures: dict, name: str = RECORD) -> Path:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(figures), encoding="utf-8")
    return path


def test_the_middle_run_is_shown_and_the_parts_add_up(tmp_path: Path) -> None:
    write(tmp_path, FIGURES)
    text = written(tmp_path)
    assert "| nbgrader | 7.00 | 1.0 |\n| ours | 1.00 | 7.0 |" in text
    assert "A class of 3, graded whole by each in turn, 3 times; the middle one is shown." in text
    assert "Two workers are 1.90 times as fast as one." in text
    assert "| kernel | 0.250 | 25% |\n| checks | 0.750 | 75% |\n\n*Not run: `bench/scale.py`.*" in text


def test_a_large_class_is_told_in_sentences(tmp_path: Path) -> None:
    write(tmp_path, FIGURES)
    write(tmp_path, LARGE, SCALE)
    text = written(tmp_path)
    assert "A class of 2,000, with 3 workers: 72 submissions a minute, and at most 1.2 GiB" in text
    assert "Then the same class once more: 2 times," in text
    assert "made again from the records in 4 s" in text


def test_a_record_of_a_large_class_without_a_figure_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, {name: value for name, value in LARGE.items() if name != "workers"}, SCALE)
    with pytest.raises(CourseError, match=r"scale\.json is no record of a large class"):
        of_a_large_class(path)


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
