"""`nlpcourse site`: what is fine builds, what is not fails every time and leaves the old site in place."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nlpcourse.errors import CourseError
from nlpcourse.site import build
from nlpcourse.site.times import read_times

SmallBook = Callable[[str], Path]

FIGURE = """```{code-cell} ipython3
---
mystnb:
  image:
    alt: ALT
---
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
```
"""


def test_a_book_builds_beside_an_environment_and_runs_again_when_a_record_changes(
    small_book: SmallBook,
) -> None:
    book = small_book(
        "```{code-cell} ipython3\nfrom pathlib import Path\n"
        'print("seen", Path("../records/run.json").read_text())\n```\n\n'
        "```{code-cell} ipython3\n:tags: [remove-output]\n"
        "from rich.progress import track\nlist(track(range(3)))\n```\n"
    )
    broken = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    broken["cells"] = [
        {
            "cell_type": "code",
            "id": "a",
            "source": "1/0",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
        }
    ]
    for folder in (".venv/lib/templates", ".pytest_cache", "solutions"):
        (book / folder).mkdir(parents=True)
        (book / folder / "template.ipynb").write_text(json.dumps(broken), encoding="utf-8")
    (book / "records").mkdir()
    for value in ("first", "second"):
        (book / "records" / "run.json").write_text(value, encoding="utf-8")
        index = build(book)
        assert index == book / "_build" / "html" / "index.html"
        page = (index.parent / "chapters" / "index.html").read_text(encoding="utf-8")
        assert f"seen {value}" in page
        assert 'src="http' not in page, "a progress bar in a cell made the page load widgets from outside"
    assert not list(index.parent.rglob("*.ipynb")), "a notebook outside the book was published"
    assert not (index.parent / "_sources").exists()


def test_pages_run_before_the_build_and_what_did_not_change_is_not_made_again(
    small_book: SmallBook,
) -> None:
    text = "```{code-cell} ipython3\nprint(6 * 7)\n```\n"
    book = small_book(text)
    output = book / "_build"
    page = build(book).parent / "chapters" / "index.html"
    assert "Executed notebook" not in (output / "site.log").read_text(encoding="utf-8"), "Sphinx ran the page"
    first = read_times(output)
    assert first is not None
    assert [(each.page, each.cached) for each in first.pages] == [("chapters/index", False)]
    assert first.pages[0].seconds > 0 < first.sphinx

    page.write_text("untouched", encoding="utf-8")
    build(book)
    assert page.read_text(encoding="utf-8") == "untouched"
    again = read_times(output)
    assert again is not None
    assert (again.sphinx, again.pages[0].cached, again.pages[0].seconds) == (0, True, first.pages[0].seconds)

    small_book(f"More prose.\n\n{text}")
    build(book)
    assert "More prose." in page.read_text(encoding="utf-8")
    prose = read_times(output)
    assert prose is not None
    assert (prose.pages[0].cached, prose.sphinx > 0) == (True, True)


def test_a_failing_cell_fails_every_build_and_the_old_site_stays(small_book: SmallBook) -> None:
    book = small_book("```{code-cell} ipython3\nraise ValueError('the cell fell over')\n```\n")
    old = book / "_build" / "html"
    old.mkdir(parents=True)
    (old / "index.html").write_text("old", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(CourseError, match=r"did not build.*site\.log"):
            build(book)
        assert "the cell fell over" in (book / "_build" / "site.log").read_text(encoding="utf-8")
    assert (old / "index.html").read_text(encoding="utf-8") == "old"
    assert [path.name for path in (book / "_build").iterdir() if path.name.startswith(".site")] == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (FIGURE.replace("ALT", "a line"), "alternative text"),
        ("[to a page that is not there](nowhere.md)\n", "nowhere"),
        ("```{assignment} embeddings\n```\n", "there is no notebook"),
    ],
)
def test_what_a_reader_would_miss_fails_the_build(small_book: SmallBook, text: str, complaint: str) -> None:
    with pytest.raises(CourseError, match=complaint):
        build(small_book(text))


def test_a_line_of_a_solution_is_not_published(small_book: SmallBook) -> None:
    book = small_book("```python\ntotal = the_secret(center, context) / 2\n```\n")
    (book / "solutions" / "topic").mkdir(parents=True)
    (book / "solutions" / "topic" / "code.py").write_text(
        "### BEGIN SOLUTION\ntotal = the_secret(center, context) / 2\n### END SOLUTION\n",
        encoding="utf-8",
    )
    with pytest.raises(CourseError, match="the_secret"):
        build(book)
    assert not (book / "_build" / "html").exists()
