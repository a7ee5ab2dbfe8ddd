"""Puts a finished public tree in its place: what was published before is replaced, everything else stays."""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically

MARKER = ".nlpcourse-public"
"""Lists the files that were published; it makes a folder one that may be published to again."""

_HEAD = "# Written by `nlpcourse publish`, which replaces the files named here. Do not edit them.\n"
_KEPT = {".git", ".venv"}
"""Folders of the person who publishes: they stay, and nobody looks into them."""


def marker(names: set[str]) -> str:
    """The text of the marker of a tree with these files."""
    return _HEAD + "".join(f"{name}\n" for name in sorted(names))


def adopted(target: Path) -> set[str]:
    """The files that an earlier `publish` wrote to `target`; empty for a folder that is new or empty.

    Raises:
        CourseError: the folder holds something else, or its marker names files outside it.
    """
    if target.is_file():
        raise CourseError(f"{target} is a file; give a folder")
    if not target.is_dir() or {path.name for path in target.iterdir()} <= _KEPT:
        return set()
    if not (target / MARKER).is_file():
        raise CourseError(
            f"{target} is not empty and has no {MARKER}, so it was not published to; give an empty folder"
        )
    lines = (target / MARKER).read_text(encoding="utf-8").splitlines()
    names = {line for line in lines if line and not line.startswith("#")}
    for name in sorted(names):
        outside = PurePosixPath(name).is_absolute() or not (target / name).parent.resolve().is_relative_to(
            target
        )
        if outside or _KEPT & set(PurePosixPath(name).parts):
            raise CourseError(f"{target / MARKER} names {name}, which is not published; give an empty folder")
    return names


def strangers(target: Path, before: set[str]) -> Iterator[Path]:
    """The files in `target` that no `publish` wrote, in order."""
    for path in sorted(target.rglob("*")):
        name = path.relative_to(target)
        if not _KEPT & set(name.parts) and name.as_posix() not in before | {MARKER} and path.is_file():
            yield path


def place(staged: Path, target: Path, before: set[str]) -> None:
    """Move the files of `staged` into `target` and delete those of `before` that are no longer published.

    When it is stopped half-way, the marker names old and new files, so running it again ends the work.
    """
    if not target.exists():
        staged.replace(target)
        return
    now = {path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()} - {MARKER}
    write_atomically(target / MARKER, marker(before | now))
    for name in sorted(before - now):
        (target / name).unlink(missing_ok=True)
        _prune((target / name).parent, target)
    for name in sorted(now):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (staged / name).replace(target / name)
    (staged / MARKER).replace(target / MARKER)


def _prune(folder: Path, target: Path) -> None:
    """Delete folders that became empty, up to `target`."""
    while folder != target and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
