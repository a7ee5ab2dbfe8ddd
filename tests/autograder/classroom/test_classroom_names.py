"""Student ids and spreadsheet cells."""

import csv
import io
import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autograder.classroom.names import escape_cell, printable, student_id, unescape_cell
from autograder.classroom.received import csv_bytes

NAMES = st.text(min_size=1, max_size=60).filter(str.strip)
SAFE = set(string.ascii_lowercase + string.digits + ".-_")


@pytest.mark.parametrize("name", ["ada", "wei.chen", "s-01", "chenwei_12345"])
def test_a_plain_name_is_its_own_id(name: str) -> None:
    assert student_id(name) == name


@pytest.mark.parametrize(
    "name",
    ["..", "../../etc", "a/b", "Ada Lin", "=cmd|'/c calc'!A0", "con", "a\nb", "*", "x..y", "-rf", "a" * 200],
)
def test_any_other_name_becomes_a_safe_folder(name: str) -> None:
    made = student_id(name)
    assert made != name
    assert set(made) <= SAFE
    assert ".." not in made
    assert len(made) <= 64


def test_the_script_of_a_name_stays_readable() -> None:
    assert student_id("王小明").startswith("王小明-")


def test_a_name_that_looks_like_a_derived_id_is_not_its_owner() -> None:
    derived = student_id("Ada Lin")
    assert student_id(derived) != derived


def test_two_ways_to_write_the_same_letters_are_one_name() -> None:
    assert student_id("Zoe\u0308") == student_id("Zo\u00eb")


@given(NAMES, NAMES)
@example("Ada Lin", "ada lin")
@example("a b", "a-b")
def test_different_names_have_different_ids(first: str, second: str) -> None:
    import unicodedata

    same = unicodedata.normalize("NFC", first) == unicodedata.normalize("NFC", second)
    assert (student_id(first).lower() == student_id(second).lower()) == same


@given(NAMES)
def test_an_id_is_one_path_component(name: str) -> None:
    made = student_id(name)
    assert made not in (".", "..")
    assert not set(made) & set('/\\:*?"<>|\0\n[]')
    assert made == made.strip(". ")


def test_no_name_is_no_student() -> None:
    with pytest.raises(ValueError, match="without a name"):
        student_id("  ")


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "'=x"])
def test_a_formula_is_escaped(text: str) -> None:
    assert escape_cell(text) == "'" + text


@given(st.text())
def test_an_escaped_cell_comes_back(text: str) -> None:
    assert unescape_cell(escape_cell(text)) == text


def test_what_is_printed_is_one_harmless_line() -> None:
    assert printable("a\x1b[31mb\nc\u202ed") == "a?[31mb?c?d"
    assert len(printable("x" * 500)) == 80


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "＝1", "＋1", "－1", "＠a"])
def test_no_cell_is_read_as_a_formula(text: str) -> None:
    assert escape_cell(text) == f"'{text}"
    assert unescape_cell(escape_cell(text)) == text


def test_a_table_survives_any_line_end() -> None:
    data = csv_bytes(["a", "b"], [["one\r\ntwo\rthree\x00", 1.5]])
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig")))) == [
        ["a", "b"],
        ["one\ntwo\nthree?", "1.5"],
    ]


@pytest.mark.parametrize("text", ["a;=1+1", "a; \t+1", "NameError: x;@SUM(A1);-1", "a\t=1"])
def test_no_formula_stands_behind_another_separator(text: str) -> None:
    """A spreadsheet that expects `;` between cells splits there, whatever quotes stand around."""
    shown = csv_bytes(["a"], [[text]]).decode("utf-8-sig")
    assert not re.search(r"[;\t]\s*[=+\-@]", shown)
    (_, (cell,)) = csv.reader(io.StringIO(shown))
    assert csv_bytes(["a"], [[cell]]).decode("utf-8-sig") == shown, "written again it stays the same"
