"""Looks for instructors' material in what is published: sources, notebooks, built pages, search indexes, wheels."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from nlpcourse.site.telling import SHORTEST, flattened

MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "autograder")
"""Words that only instructors' material has; the library's own source may speak of them."""

_UNREAD = {".png", ".woff", ".woff2", ".ttf", ".inv", ".mo", ".pyc", ".npz", ".map"}
"""Files without text, and the maps that the theme's scripts bring along. What else is no text is called a leak."""

_ARCHIVES = {".whl", ".zip"}

_SLOTS = np.uint64(2**20)
"""Of the table of hashes; with some thousands of needles one run of text in some hundreds is looked at closer."""


def leaks(folder: Path, needles: Mapping[str, str], files: Iterable[Path] | None = None) -> list[str]:
    """What a folder holds and must not, one sentence each; empty when all is well.

    Files are compared as plain text with markup, JSON escapes and white space taken out, so that a coloured
    or quoted copy of a line is found too; wheels and zip files are opened. `MARKERS` are looked for as well.

    Args:
        folder: a built site, a public tree, or a folder of wheels.
        needles: what `telling.secrets` says of the whole checkout; of a public one it is empty.
        files: those of the folder to look at, when not all.
    """
    starts: dict[str, list[str]] = {}
    for needle in needles:
        starts.setdefault(needle[:SHORTEST], []).append(needle)
    known = np.zeros(_SLOTS, dtype=bool)
    known[_hashes("".join(starts))[::SHORTEST] % _SLOTS] = True  # each start is one run long
    found = []
    for path in sorted(folder.rglob("*") if files is None else files):
        if not path.is_file() or "mathjax" in path.relative_to(folder).parts:
            continue
        for name, content in _texts(path, path.relative_to(folder).as_posix()):
            if content is None:
                found.append(f"{name} is no text, so nobody can see what it holds")
                continue
            text = flattened(content)
            if "<" in content and not name.endswith(".py"):
                text += flattened(re.sub(r"<[^>]*>", "", content))
            if not name.endswith(".py"):
                found += [f"{name} holds {marker!r}" for marker in MARKERS if flattened(marker) in text]
            found += [f"{name} holds {needles[needle]}" for needle in sorted(_held(text, starts, known))]
    return found


def _texts(path: Path, name: str) -> Iterator[tuple[str, str | None]]:
    """The name and text of a file, or of every file in an archive; None for what is no text."""
    if path.suffix in _ARCHIVES:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.namelist()):
                if Path(member).suffix not in _UNREAD and not member.endswith("/"):
                    yield f"{name}/{member}", _text(archive.read(member))
    elif path.suffix not in _UNREAD:
        yield name, _text(path.read_bytes())


def _text(content: bytes) -> str | None:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _held(text: str, starts: dict[str, list[str]], known: np.ndarray) -> set[str]:
    """The needles in a flat text: one pass over hashes of all its runs of `SHORTEST` characters.

    A pass for each needle would take minutes: a book has megabytes, and a course thousands of telling lines.

    Args:
        text: without white space.
        starts: the needles, by their first `SHORTEST` characters.
        known: (`_SLOTS`,) bool, True at the hashes of these starts.
    """
    found: set[str] = set()
    for place in np.flatnonzero(known[_hashes(text) % _SLOTS]).tolist():
        candidates = starts.get(text[place : place + SHORTEST], [])
        found |= {needle for needle in candidates if text.startswith(needle, place)}
    return found


def _hashes(text: str) -> np.ndarray:
    """(N - SHORTEST + 1,) uint64: a polynomial hash of each run of `SHORTEST` of N characters; () when N is less."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    windows = max(0, len(codes) - SHORTEST + 1)
    hashes = np.zeros(windows, dtype=np.uint64)
    for offset in range(SHORTEST):
        hashes = hashes * np.uint64(1_000_003) + codes[offset : offset + windows]  # wraps around, on purpose
    return hashes
