"""Collecting what learning platforms hand out, and what hostile students put into it."""

import json
import os
import stat
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder.classroom import archives
from autograder.classroom.collect import collect
from autograder.classroom.folder import Classroom
from autograder.classroom.names import student_id
from autograder.classroom.received import latest_receipts, read_receipts
from nlpcourse.errors import CourseError

BEFORE = datetime(2026, 2, 28, 8, 0, tzinfo=UTC)
AFTER = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def pack(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def reasons(found) -> dict[str, str]:
    return dict(found.refused)


def test_a_canvas_download(classroom: Classroom, notebook: bytes, tmp_path: Path) -> None:
    zipped = pack(
        tmp_path / "submissions.zip",
        {
            "linada_101_900_embeddings.ipynb": notebook,
            "王小明_LATE_102_901_embeddings-2.ipynb": notebook + b" ",
        },
    )
    found = collect(classroom, zipped, now=AFTER)
    assert not found.refused
    ada, xiaoming = found.taken if found.taken[0].lms == "101" else found.taken[::-1]
    assert (ada.student, ada.name, ada.late, ada.lms, ada.attempt) == (
        "linada_101",
        "linada",
        "",
        "101",
        "900",
    )
    assert xiaoming.name == "王小明"
    assert xiaoming.late == "yes"
    assert ada.received == "2026-03-01T12:00:00+00:00", "Canvas knows that it came in time"
    assert xiaoming.received == "2026-03-02T08:00:00+00:00"
    assert classroom.submission("linada_101", "embeddings").read_bytes() == notebook
    assert classroom.timestamp("linada_101", "embeddings").read_text() == "2026-03-01 12:00:00 UTC\n"
    assert latest_receipts(classroom)[xiaoming.student, "embeddings"] == xiaoming


def test_a_students_file_name_cannot_take_another_students_place(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    zipped = pack(tmp_path / "x.zip", {"eve_666_9_linada_101_900_embeddings.ipynb": notebook})
    found = collect(classroom, zipped, now=BEFORE)
    assert [receipt.student for receipt in found.taken] == ["eve_666"]


def test_a_late_notebook_among_those_of_another_topic_is_late(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    """The platform says "on time" of the topic that it asked for, not of one that a notebook names."""
    classroom.pin("mlp").mkdir()
    (classroom.pin("mlp") / "pin.json").write_text(json.dumps({"topic": "mlp", "due": AFTER.isoformat()}))
    of_mlp = notebook.replace(b'"embeddings"', b'"mlp"')
    files = {"ada_1_7_mlp.ipynb": of_mlp, "bob_2_8_mlp.ipynb": of_mlp, "eve_3_9_mlp.ipynb": notebook}
    later = datetime(2026, 3, 9, tzinfo=UTC)
    found = collect(classroom, pack(tmp_path / "of_mlp.zip", files), now=later)
    times = {receipt.student: (receipt.topic, receipt.time) for receipt in found.taken}
    assert times == {"ada_1": ("mlp", AFTER), "bob_2": ("mlp", AFTER), "eve_3": ("embeddings", later)}


def test_a_moodle_download(classroom: Classroom, notebook: bytes, tmp_path: Path) -> None:
    zipped = pack(
        tmp_path / "x.zip",
        {
            "Ada Lin_31_assignsubmission_file_/embeddings.ipynb": notebook,
            "Wei Chen_32_assignsubmission_file_/work (1).ipynb": notebook + b" ",
            "Wei Chen_33_assignsubmission_file_/embeddings.ipynb": notebook + b"\n",
        },
    )
    found = collect(classroom, zipped, now=AFTER)
    assert not found.refused
    assert sorted((receipt.name, receipt.lms) for receipt in found.taken) == [
        ("Ada Lin", "31"),
        ("Wei Chen", "32"),
        ("Wei Chen", "33"),
    ]
    assert len({receipt.student for receipt in found.taken}) == 3
    assert found.taken[0].received == "2026-03-02T08:00:00+00:00", (
        "Moodle marks nothing: the collector's time"
    )


def test_two_of_one_name_in_two_moodle_downloads(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    """The first download has one of them, so only the number can tell that the second is another person."""
    first = pack(tmp_path / "1.zip", {"Wei Chen_32_assignsubmission_file_/embeddings.ipynb": notebook})
    second = pack(
        tmp_path / "2.zip", {"Wei Chen_33_assignsubmission_file_/embeddings.ipynb": notebook + b"\n"}
    )
    collect(classroom, first, now=AFTER)
    collect(classroom, second, now=AFTER)
    assert len(classroom.students("embeddings")) == 2
    assert {receipt.lms for receipt in latest_receipts(classroom).values()} == {"32", "33"}


def test_control_characters_in_a_name_do_not_break_the_table(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    zipped = pack(tmp_path / "x.zip", {"a\rb\x85\u2028\x1bc_101_900_embed\rdings.ipynb": notebook})
    (receipt,) = collect(classroom, zipped, now=AFTER).taken
    assert read_receipts(classroom) == [receipt]
    assert (receipt.name, receipt.file) == ("a?b???c", "a?b???c_101_900_embed?dings.ipynb")


@pytest.mark.parametrize("packed", [True, False])
def test_plain_folders(classroom: Classroom, notebook: bytes, tmp_path: Path, packed: bool) -> None:
    files = {"ada/embeddings.ipynb": notebook, "=HYPERLINK(1)/embeddings/embeddings.ipynb": notebook + b" "}
    folder = tmp_path / "plain"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(data)
    archive = pack(tmp_path / "x.zip", files) if packed else folder
    found = collect(classroom, archive, now=BEFORE)
    assert {receipt.name for receipt in found.taken} == {"ada", "=HYPERLINK(1)"}
    assert not found.refused
    text = classroom.received_file.read_text(encoding="utf-8-sig")
    assert "'=HYPERLINK(1)" in text
    assert ",=HYPERLINK" not in text
    assert {receipt.name for receipt in read_receipts(classroom)} == {"ada", "=HYPERLINK(1)"}


def test_the_latest_attempt_counts_and_the_former_is_kept(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    first, second = notebook, notebook + b" "
    collect(classroom, pack(tmp_path / "1.zip", {"ada_1_10_embeddings.ipynb": first}), now=BEFORE)
    collect(classroom, pack(tmp_path / "2.zip", {"ada_1_20_embeddings-1.ipynb": second}), now=BEFORE)
    stale = collect(classroom, pack(tmp_path / "3.zip", {"ada_1_10_embeddings.ipynb": first}), now=AFTER)
    assert classroom.submission("ada_1", "embeddings").read_bytes() == second
    kept = [path.read_bytes() for path in classroom.history("ada_1", "embeddings").iterdir()]
    assert kept == [first]
    assert "earlier attempt" in stale.refused[0][1]
    assert [receipt.attempt for receipt in read_receipts(classroom)] == ["10", "20"]


def test_of_two_attempts_in_one_archive_the_later_counts(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    zipped = pack(
        tmp_path / "x.zip",
        {"ada_1_100_embeddings.ipynb": notebook + b" ", "ada_1_99_embeddings.ipynb": notebook},
    )
    found = collect(classroom, zipped, now=BEFORE)
    assert [receipt.attempt for receipt in found.taken] == ["100"]
    assert list(reasons(found)) == ["ada_1_99_embeddings.ipynb"]


def test_the_same_archive_again_changes_nothing(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    zipped = pack(tmp_path / "x.zip", {"ada/embeddings.ipynb": notebook})
    collect(classroom, zipped, now=BEFORE)
    before = classroom.received_file.read_bytes()
    again = collect(classroom, zipped, now=AFTER)
    assert (again.taken, again.unchanged) == ([], 1)
    assert classroom.received_file.read_bytes() == before


def test_a_kill_between_notebook_and_receipt_is_mended(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    zipped = pack(tmp_path / "x.zip", {"ada/embeddings.ipynb": notebook})
    collect(classroom, zipped, now=BEFORE)
    classroom.received_file.unlink()
    assert len(collect(classroom, zipped, now=BEFORE).taken) == 1
    assert ("ada", "embeddings") in latest_receipts(classroom)


def test_a_zip_file_full_of_traps(classroom: Classroom, notebook: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ada/embeddings.ipynb", notebook)
        archive.writestr("../../../evil/embeddings.ipynb", notebook)
        archive.writestr("/etc/embeddings.ipynb", notebook)
        archive.writestr("C:/x/embeddings.ipynb", notebook)
        archive.writestr("bob\\embeddings.ipynb", notebook)
        archive.writestr("bob/notes.txt", b"no notebook")
        archive.writestr("__MACOSX/ada/._embeddings.ipynb", b"clutter")
        for name, kind in (("link", stat.S_IFLNK), ("pipe", stat.S_IFIFO)):
            info = zipfile.ZipInfo(f"{name}/embeddings.ipynb")
            info.external_attr = (kind | 0o777) << 16
            archive.writestr(info, "/etc/passwd")
    found = collect(classroom, path, now=BEFORE)
    assert [receipt.student for receipt in found.taken] == ["ada"]
    assert reasons(found) == {
        "../../../evil/embeddings.ipynb": "`..` in the path",
        "/etc/embeddings.ipynb": "absolute path",
        "C:/x/embeddings.ipynb": "absolute path",
        "bob\\embeddings.ipynb": "backslash or NUL in the path",
        "bob/notes.txt": "not a notebook",
        "link/embeddings.ipynb": "symbolic link",
        "pipe/embeddings.ipynb": "FIFO",
    }
    assert not (tmp_path / "evil").exists()


def test_a_zip_bomb_is_not_unpacked(
    classroom: Classroom, notebook: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "FILE_BYTES", 2**20)
    zipped = pack(
        tmp_path / "x.zip", {"eve/embeddings.ipynb": b"0" * 2**21, "ada/embeddings.ipynb": notebook}
    )
    found = collect(classroom, zipped, now=BEFORE)
    assert [receipt.student for receipt in found.taken] == ["ada"]
    assert "unpacks to 2 MiB" in reasons(found)["eve/embeddings.ipynb"]


def test_an_entry_that_lies_about_its_size_is_refused(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    zipped = pack(
        tmp_path / "x.zip", {"eve/embeddings.ipynb": b"0" * 2**21, "ada/embeddings.ipynb": notebook}
    )
    data = bytearray(zipped.read_bytes())
    real = (2**21).to_bytes(4, "little")
    place = data.rindex(real)  # the central directory's, which is the one that is believed
    data[place : place + 4] = (10).to_bytes(4, "little")
    zipped.write_bytes(data)
    found = collect(classroom, zipped, now=BEFORE)
    assert [receipt.student for receipt in found.taken] == ["ada"]
    assert "damaged" in reasons(found)["eve/embeddings.ipynb"]


def test_a_folder_full_of_traps(classroom: Classroom, notebook: bytes, tmp_path: Path) -> None:
    secret = tmp_path / "secret.ipynb"
    secret.write_bytes(notebook)
    folder = tmp_path / "plain"
    for name in ("ada", "eve", "mal", "fay"):
        (folder / name).mkdir(parents=True)
    (folder / "ada" / "embeddings.ipynb").write_bytes(notebook + b" ")
    (folder / "eve" / "embeddings.ipynb").symlink_to(secret)
    (folder / "mal" / "embeddings.ipynb").hardlink_to(secret)
    os.mkfifo(folder / "fay" / "embeddings.ipynb")
    (folder / "zoe").symlink_to(tmp_path)
    found = collect(classroom, folder, now=BEFORE)
    assert [receipt.student for receipt in found.taken] == ["ada"]
    assert reasons(found) == {
        "eve/embeddings.ipynb": "symbolic link",
        "fay/embeddings.ipynb": "FIFO",
        "mal/embeddings.ipynb": "hard link to another file",
        "zoe": "symbolic link",
    }


def test_a_broken_notebook_is_taken_for_the_grader_to_judge(classroom: Classroom, tmp_path: Path) -> None:
    found = collect(classroom, pack(tmp_path / "x.zip", {"ada/embeddings.ipynb": b"{"}), now=BEFORE)
    assert len(found.taken) == 1


def test_which_topic(classroom: Classroom, notebook: bytes, tmp_path: Path) -> None:
    (classroom.root / "pinned" / "rnn").mkdir()
    (classroom.root / "pinned" / "rnn" / "pin.json").write_text(json.dumps({"due": None}))
    zipped = pack(
        tmp_path / "x.zip",
        {"ada/my homework.ipynb": notebook, "bob/rnn (2).ipynb": b"{}", "eve/rnnnn.ipynb": b"{}"},
    )
    found = collect(classroom, zipped, now=BEFORE)
    assert {(receipt.student, receipt.topic) for receipt in found.taken} == {
        ("ada", "embeddings"),
        ("bob", "rnn"),
    }
    assert "which topic" in reasons(found)["eve/rnnnn.ipynb"]
    forced = collect(classroom, zipped, topic="rnn", now=BEFORE)
    assert {receipt.topic for receipt in forced.taken} == {"rnn"}


def test_bad_archives_are_one_clear_line(classroom: Classroom, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="no archive"):
        collect(classroom, tmp_path / "none.zip")
    (tmp_path / "no.zip").write_bytes(b"not a zip")
    with pytest.raises(CourseError, match="no zip file"):
        collect(classroom, tmp_path / "no.zip")


def test_names_of_a_zip_file_that_does_not_say_utf8(
    classroom: Classroom, notebook: bytes, tmp_path: Path
) -> None:
    path = pack(tmp_path / "x.zip", {"王小明/embeddings.ipynb": notebook})
    data = path.read_bytes()
    flagged = b"\x00\x08"  # bit 11, little-endian: the name is UTF-8
    for head, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(head) + offset
        assert data[place : place + 2] == flagged
        data = data[:place] + b"\0\0" + data[place + 2 :]
    path.write_bytes(data)
    assert collect(classroom, path, now=BEFORE).taken[0].student == student_id("王小明")
