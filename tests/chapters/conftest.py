"""The built book, made once and shared by all workers, and a small book to break."""

import fcntl
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page in a fresh browser profile; an error of a script fails the test."""
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    faults: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    context.close()
    assert faults == []


def make_book(book: Path, text: str) -> Path:
    """Make a checkout with one page in the folder `book`, set up as the real one is."""
    (book / "chapters").mkdir(parents=True, exist_ok=True)
    for name in ("_config.yml", "references.bib"):
        shutil.copy(ROOT / name, book / name)
    (book / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n", encoding="utf-8")
    page = f"# A small book\n\n{text}"
    if "{code-cell}" in text:
        page = NOTEBOOK_HEAD + page
    (book / "chapters" / "index.md").write_text(page, encoding="utf-8")
    return book


@pytest.fixture
def small_book(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a checkout with one page; `small_book(text)` returns its root."""
    return lambda text: make_book(tmp_path / "small", text)
