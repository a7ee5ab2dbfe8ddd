"""Atomic writes: the old file or the new one, never a part, whatever goes wrong."""

import errno
import os
import tempfile
from pathlib import Path

import pytest

from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically


def test_writes_text_and_bytes(tmp_path: Path) -> None:
    write_atomically(tmp_path / "text", "词\n")
    write_atomically(tmp_path / "bytes", b"\x00\xff")
    assert (tmp_path / "text").read_bytes() == "词\n".encode()
    assert (tmp_path / "bytes").read_bytes() == b"\x00\xff"


def test_replaces_what_stood_there_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_mode_is_set(tmp_path: Path) -> None:
    write_atomically(tmp_path / "secret", "s", mode=0o600)
    write_atomically(tmp_path / "public", "p")
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o644


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CourseError, match=r"cannot write .*file: No space left on device"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_kill_before_the_last_step_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def killed(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"


def test_a_read_only_folder_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(**_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(tempfile, "mkstemp", read_only)  # permissions do not stop root
    with pytest.raises(CourseError, match="Read-only file system; nothing was changed there"):
        write_atomically(tmp_path / "file", "new")


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="No such file or directory"):
        write_atomically(tmp_path / "absent" / "file", "new")
