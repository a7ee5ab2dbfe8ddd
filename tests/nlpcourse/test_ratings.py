"""SimLex-999 and WordSim-353 in the form in which they are published."""

from pathlib import Path

import pytest

from nlpcourse.data import ratings
from nlpcourse.errors import CourseError

SIMLEX = (
    "word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\tconcQ\tAssoc(USF)\tSimAssoc333\tSD(SimLex)\n"
    "old\tnew\tA\t1.58\t2.72\t2.81\t2\t7.25\t1\t0.41\n"
    "quick\trapid\tA\t9.7\t3.1\t2.9\t2\t0.5\t0\t0.3\n"
)
WORDSIM = "Word 1,Word 2,Human (mean)\r\ntable,chair,6.1\r\nJerusalem,Israel,8.46\r\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "simlex999").mkdir()
    (tmp_path / "simlex999" / "SimLex-999.txt").write_text(SIMLEX)
    (tmp_path / "wordsim353").mkdir()
    (tmp_path / "wordsim353" / "combined.csv").write_text(WORDSIM, newline="")
    monkeypatch.setenv("NLPCOURSE_DATA", str(tmp_path))
    return tmp_path


def test_the_sets_that_are_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ratings.here() == {"simlex999": ratings.simlex999(), "wordsim353": ratings.wordsim353()}
    (folder / "simlex999" / "SimLex-999.txt").unlink()
    assert ratings.here() == {"wordsim353": ratings.wordsim353()}
    (folder / "wordsim353" / "combined.csv").write_text("no ratings")
    with pytest.raises(CourseError, match="expected the columns"):
        ratings.here()
    monkeypatch.delenv("NLPCOURSE_DATA")
    assert ratings.here() == {}


def test_simlex(folder: Path) -> None:
    assert ratings.simlex999() == [("old", "new", 1.58), ("quick", "rapid", 9.7)]


def test_wordsim_in_lower_case(folder: Path) -> None:
    assert ratings.wordsim353() == [("table", "chair", 6.1), ("jerusalem", "israel", 8.46)]


def test_without_the_variable_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NLPCOURSE_DATA", raising=False)
    with pytest.raises(
        CourseError, match=r"set NLPCOURSE_DATA to the folder that has simlex999/SimLex-999\.txt"
    ):
        ratings.simlex999()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c\n1,2,3\n", "line 1: expected the columns Word 1, Word 2, Human"),
        ("", "line 1: expected the columns"),
        ("Word 1,Word 2,Human (mean)\na,b\n", "line 2: expected two words and a rating"),
        ("Word 1,Word 2,Human (mean)\na,b,much\n", "line 2: expected two words and a rating"),
    ],
)
def test_another_form_is_named_with_its_line(folder: Path, content: str, message: str) -> None:
    (folder / "wordsim353" / "combined.csv").write_text(content)
    with pytest.raises(CourseError, match=message):
        ratings.wordsim353()


def test_an_absent_file_is_named(folder: Path) -> None:
    (folder / "wordsim353" / "combined.csv").unlink()
    with pytest.raises(CourseError, match=r"put combined\.csv there as it is published"):
        ratings.wordsim353()
