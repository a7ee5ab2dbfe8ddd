"""Pages run side by side, each failure is named, and what an interrupted cache lost is made again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from jupyter_cache import get_cache

from nlpcourse.errors import CourseError
from nlpcourse.site.execute import execute_pages
from nlpcourse.site.times import PageRun
from tests.chapters.conftest import NOTEBOOK_HEAD

WAIT_FOR_THE_OTHER = """
import time
from pathlib import Path

Path("{me}").touch()
deadline = time.monotonic() + 120
while not Path("{other}").exists():
    assert time.monotonic() < deadline, "the other page did not run at the same time"
    time.sleep(0.05)
"""


def run(book: Path, *pages: str, processes: int = 2) -> list[PageRun]:
    """Execute pages whose cells are given, in a book of their own."""
    contents = "format: jb-book\nroot: chapters/page0\nchapters:\n"
    for number, cell in enumerate(pages):
        contents += f"  - file: chapters/page{number}\n" if number else ""
        text = f"{NOTEBOOK_HEAD}# A page\n\n```{{code-cell}} ipython3\n{cell}\n```\n"
        (book / "chapters" / f"page{number}.md").write_text(text, encoding="utf-8")
    (book / "_toc.yml").write_text(contents, encoding="utf-8")
    with (book / "log").open("w", buffering=1, encoding="utf-8") as log:
        return execute_pages(
            book, book / "cache", log, processes=processes, seconds_before={}, tell=lambda *_: None
        )


def test_pages_run_at_the_same_time(small_book: Callable[[str], Path]) -> None:
    cells = [WAIT_FOR_THE_OTHER.format(me=me, other=other) for me, other in (("a", "b"), ("b", "a"))]
    runs = run(small_book(""), *cells)
    assert [(each.page, each.cached) for each in runs] == [
        ("chapters/page0", False),
        ("chapters/page1", False),
    ]


def test_every_failure_is_in_the_log_and_the_other_pages_are_kept(small_book: Callable[[str], Path]) -> None:
    book = small_book("")
    with pytest.raises(CourseError, match=r"chapters/page[02]: .*(ValueError|KeyError).*and 1 more"):
        run(book, "raise ValueError('one')", "print('fine')", "raise KeyError('two')")
    log = (book / "log").read_text(encoding="utf-8")
    assert "ValueError: one" in log
    assert "KeyError: 'two'" in log
    runs = run(book, "1", "print('fine')", "2")
    assert [each.cached for each in runs] == [False, True, False]


def test_a_line_that_comes_in_pieces_is_one_line(small_book: Callable[[str], Path]) -> None:
    book = small_book("")
    run(
        book,
        "import time\nprint('first', end=' ', flush=True)\ntime.sleep(0.5)\nprint('half')\nprint('whole')",
    )
    (record,) = (cache := get_cache(str(book / "cache"))).list_cache_records()
    outputs = [
        output for cell in cache.get_cache_bundle(record.pk).nb.cells for output in cell.get("outputs", [])
    ]
    assert [output["text"] for output in outputs] == ["first half\nwhole\n"]


def test_a_page_whose_outputs_were_lost_runs_again(small_book: Callable[[str], Path]) -> None:
    book = small_book("")
    assert [each.cached for each in run(book, "print('kept')")] == [False]
    assert [each.cached for each in run(book, "print('kept')")] == [True]
    shutil.rmtree(book / "cache" / "executed")
    assert [each.cached for each in run(book, "print('kept')")] == [False]
    assert [each.cached for each in run(book, "print('kept')")] == [True]


def test_a_page_that_is_not_there_is_named(small_book: Callable[[str], Path]) -> None:
    book = small_book("")
    (book / "chapters" / "index.md").unlink()
    with (
        (book / "log").open("w") as log,
        pytest.raises(CourseError, match=r"chapters/index.*write it or drop it"),
    ):
        execute_pages(book, book / "cache", log, processes=1, seconds_before={}, tell=lambda *_: None)
