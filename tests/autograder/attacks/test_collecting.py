"""Attacks on what takes submissions in: times, names and places that the student writes (rows 35 to 37)."""

import json
import os
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest

from autograder.classroom.collect import collect
from autograder.classroom.folder import CONFIG, Classroom
from autograder.classroom.received import latest_receipts

NOW = datetime(2026, 3, 9, tzinfo=UTC)
DUE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """A class with one released topic and nothing else."""
    made = Classroom(tmp_path / "class")
    made.pin("mlp").mkdir(parents=True)
    (made.pin("mlp") / "pin.json").write_text(json.dumps({"topic": "mlp", "due": DUE.isoformat()}))
    (made.root / CONFIG).write_text("c = get_config()\n")
    return made


@pytest.fixture
def notebook() -> bytes:
    content = nbformat.v4.new_notebook(metadata={"nlpcourse": {"topic": "mlp"}})
    content.metadata["timestamp"] = content.metadata["received"] = DUE.isoformat()
    return nbformat.writes(content).encode()


def time_of(classroom: Classroom, student: str) -> datetime:
    return latest_receipts(classroom)[student, "mlp"].time


@pytest.mark.parametrize("moment", [datetime(1999, 1, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)])
def test_a_time_that_the_student_writes_is_not_read(
    classroom: Classroom, notebook: bytes, tmp_path: Path, moment: datetime
) -> None:
    """In the metadata, in nbgrader's own timestamp file, in the file's times and in the zip entry's."""
    folder = tmp_path / "handed in" / "eve"
    folder.mkdir(parents=True)
    for name, content in (("mlp.ipynb", notebook), ("timestamp.txt", moment.isoformat().encode())):
        (folder / name).write_bytes(content)
        os.utime(folder / name, (moment.timestamp(), moment.timestamp()))
    collect(classroom, folder.parent, now=NOW)
    assert time_of(classroom, "eve") == NOW
    assert classroom.timestamp("eve", "mlp").read_text() == "2026-03-09 00:00:00 UTC\n"

    zipped = tmp_path / "x.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        for name in ("bob/mlp.ipynb", "bob/timestamp.txt"):
            entry = zipfile.ZipInfo(name, (max(moment.year, 1980), 1, 1, 0, 0, 0))
            archive.writestr(entry, notebook)
    collect(classroom, zipped, now=NOW)
    assert time_of(classroom, "bob") == NOW


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "=HYPERLINK(1)",
        "a" * 200,
        "COM1",
        "ада лав",
        "con.ipynb",
        "\u202eevil",
        "ADA",
        "ada ",
        "ａda",
    ],
)
def test_no_name_reaches_another_students_place(
    classroom: Classroom, notebook: bytes, tmp_path: Path, name: str
) -> None:
    """A name that looks like a classmate's, or like something else, has a folder of its own."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("ada/mlp.ipynb", notebook)
        archive.writestr(f"{name}/mlp.ipynb", notebook + b" ")
    found = collect(classroom, tmp_path / "x.zip", now=NOW)
    assert len({receipt.student.casefold() for receipt in found.taken}) == 2
    assert classroom.submission("ada", "mlp").read_bytes() == notebook
    inside = classroom.root / "submitted"
    for receipt in found.taken:
        assert classroom.submission(receipt.student, "mlp").resolve().is_relative_to(inside.resolve())


def test_a_later_file_of_the_same_person_is_the_one_that_counts(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    """One person cannot have two submissions graded and the better one kept."""
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for number in range(5):
            archive.writestr(f"eve_7_{number + 1}_mlp-{9 - number}.ipynb", notebook + b" " * number)
    found = collect(classroom, tmp_path / "x.zip", now=NOW)
    assert len(found.taken) == 1 and len(found.refused) == 4
    assert classroom.students("mlp") == ["eve_7"]
    assert classroom.submission("eve_7", "mlp").read_bytes() == notebook + b" " * 4
