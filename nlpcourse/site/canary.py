"""Looks for instructors' material in what is published: sources, notebooks, built pages, search indexes, wheels."""

import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from nlpcourse.site.telling import SHORTEST, flattened, secrets

MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "autograder")
"""Words that only instructors' material has; the library's own source may speak of them."""

_UNREAD = {".png", ".woff", ".woff2", ".ttf", ".inv", ".mo", ".pyc", ".npz", ".map"}
"""Files without text, and the maps that the theme's scripts bring along. What else is no text is called a leak."""

_ARCHIVES = {".whl", ".zip"}


def leaks(folder: Path, root: Path, files: Iterable[Path] | None = None) -> list[str]:
    """What a folder holds and must not, one sentence each; empty when all is well.

    Files are compared as plain text with markup, JSON escapes and white space taken out, so that a coloured
    or quoted copy of a line is found too; wheels and zip files are opened. `telling.py` says what is looked for.

    Args:
        folder: a built site, a public tree, or a folder of wheels.
        root: the whole checkout, which knows the solutions. In a public one only the markers are looked for.
        files: those of the folder to look at, when not all.
    """
    needles = secrets(root)
    starts: dict[str, list[str]] = {}
    for needle in needles:
        starts.setdefault(needle[:SHORTEST], []).append(needle)
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
            found += [f"{name} holds {needles[needle]}" for needle in sorted(_held(text, starts))]
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


def _held(text: str, starts: dict[str, list[str]]) -> set[str]:
    """The needles in a flat text: one pass over hashes of all its runs of `SHORTEST` characters.

    A pass for each needle would take minutes: a book has megabytes, and a course thousands of telling lines.
    """
    known = _hashes("".join(starts))[::SHORTEST]  # each start is one run long
    found: set[str] = set()
    for place in np.flatnonzero(np.isin(_hashes(text), known)).tolist():
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
