"""The built book, made once and shared by all workers, and a small book to break."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nlpcourse.paths import project_root
from nlpcourse.site import build

ROOT = project_root(Path(__file__).parent)

NOTEBOOK_HEAD = """---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  name: python3
  display_name: Python 3
---

"""


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the whole book's pages, built once in a session, however many workers it has."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base
    output = shared / "book"
    with (shared / "book.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (output / "html" / "index.html").is_file():
            build(ROOT, output=output)
    return output / "html"


@pytest.fixture
def small_book(tmp_path: Path) -> Callable[..., Path]:
    """Makes a checkout with one page, set up as the real one is; `small_book(text)` returns its root."""

    def make(text: str) -> Path:
        book = tmp_path / "small"
        (book / "chapters").mkdir(parents=True, exist_ok=True)
        for name in ("_config.yml", "references.bib"):
            shutil.copy(ROOT / name, book / name)
        (book / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n", encoding="utf-8")
        page = f"# A small book\n\n{text}"
        if "{code-cell}" in text:
            page = NOTEBOOK_HEAD + page
        (book / "chapters" / "index.md").write_text(page, encoding="utf-8")
        return book

    return make
