"""Reading what a learning platform hands out, a zip file or a folder, without believing a word of it."""

import contextlib
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from nlpcourse.errors import CourseError

#: Bytes of one file, and of all files together, that are unpacked at most.
FILE_BYTES = 256 * 2**20
TOTAL_BYTES = 8 * 2**30
ENTRIES = 100_000

_CLUTTER = ("__MACOSX", ".ipynb_checkpoints", "__pycache__")


class Refused(Exception):
    """This one file is not taken; the message is the reason."""


@dataclass(frozen=True)
class Entry:
    """A regular file of an archive, its path checked to stay inside."""

    path: PurePosixPath
    read: Callable[[], bytes]
    """Its bytes. Raises `Refused` when it is too large or damaged."""


@dataclass
class Archive:
    entries: list[Entry] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of what is not taken."""


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """The files of a zip file or folder.

    Raises:
        CourseError: there is no such thing, or it is neither.
    """
    if path.is_dir():
        yield _folder(path)
        return
    if not path.is_file():
        raise CourseError(f"there is no archive {path}; give a zip file or a folder")
    try:
        with zipfile.ZipFile(path) as opened:
            yield _zip(opened)
    except (zipfile.BadZipFile, OSError) as error:
        raise CourseError(f"{path} is no zip file that can be read ({error}); download it again") from error


def _safe_path(text: str) -> PurePosixPath | None:
    """`text` as a relative path, or None for clutter.

    Raises:
        Refused: it leads outside, or could on some system.
    """
    if text.startswith(("/", "\\")) or text[1:2] == ":":
        raise Refused("absolute path")
    if "\\" in text or "\0" in text:
        raise Refused("backslash or NUL in the path")
    path = PurePosixPath(text)
    if ".." in path.parts:
        raise Refused("`..` in the path")
    if any(part in _CLUTTER for part in path.parts) or path.name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        return None
    return path


def _kind(mode: int) -> str | None:
    """What is refused about a file of this mode, or None for a regular file."""
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISLNK(mode):
        return "symbolic link"
    return "FIFO" if stat.S_ISFIFO(mode) else "not a regular file"


def _zip(opened: zipfile.ZipFile) -> Archive:
    archive = Archive()
    infos = opened.infolist()
    if len(infos) > ENTRIES:
        raise CourseError(f"{opened.filename} has {len(infos)} entries, at most {ENTRIES} are read")
    total = 0
    for info in infos:
        if info.is_dir():
            continue
        try:
            path = _safe_path(_zip_name(info))
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) and (kind := _kind(mode)):
                raise Refused(kind)
            if info.flag_bits & 0x1:
                raise Refused("encrypted")
            if info.file_size > FILE_BYTES:
                raise Refused(
                    f"unpacks to {info.file_size / 2**20:.0f} MiB, at most {FILE_BYTES // 2**20} are taken"
                )
            if total + info.file_size > TOTAL_BYTES:
                raise Refused(f"the archive unpacks to more than {TOTAL_BYTES // 2**30} GiB")
        except Refused as refusal:
            archive.refused.append((info.filename, str(refusal)))
            continue
        total += info.file_size
        if path is not None:
            archive.entries.append(Entry(path, lambda info=info: _read_zip(opened, info)))  # type: ignore[misc]
    return archive


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The entry's name; one that is UTF-8 without saying so is read as UTF-8."""
    if info.flag_bits & 0x800:
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.orig_filename


def _read_zip(opened: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        with opened.open(info) as file:
            data = file.read(FILE_BYTES + 1)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError) as error:
        raise Refused(f"damaged ({error})") from error
    except Exception as error:  # zlib, lzma and bz2 have error classes of their own
        raise Refused(f"damaged ({type(error).__name__})") from error
    if len(data) > FILE_BYTES:
        raise Refused("unpacks to more than it says")
    return data


def _folder(root: Path) -> Archive:
    archive = Archive()
    total = 0
    for folder, folders, files in os.walk(root, followlinks=False):
        folders.sort()
        for name in sorted([*files, *(each for each in folders if Path(folder, each).is_symlink())]):
            place = Path(folder, name)
            relative = place.relative_to(root).as_posix()
            try:
                path = _safe_path(relative)
                status = place.lstat()
                if kind := _kind(status.st_mode):
                    raise Refused(kind)
                if status.st_nlink > 1:
                    raise Refused("hard link to another file")
                if status.st_size > FILE_BYTES:
                    raise Refused(
                        f"has {status.st_size / 2**20:.0f} MiB, at most {FILE_BYTES // 2**20} are taken"
                    )
                total += status.st_size
                if total > TOTAL_BYTES:
                    raise Refused(f"the folder holds more than {TOTAL_BYTES // 2**30} GiB")
            except Refused as refusal:
                archive.refused.append((relative, str(refusal)))
                continue
            except OSError as error:
                archive.refused.append((relative, str(error.strerror)))
                continue
            if path is not None:
                archive.entries.append(Entry(path, lambda place=place: _read_file(place)))  # type: ignore[misc]
    return archive


def _read_file(place: Path) -> bytes:
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        with os.fdopen(os.open(place, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Refused("not a regular file")
            data = file.read(FILE_BYTES + 1)
    except OSError as error:
        raise Refused(str(error.strerror)) from error
    if len(data) > FILE_BYTES:
        raise Refused("grew while it was read")
    return data
