"""The figure of hidden words: what it is made of, what it refuses, and how it answers in a browser."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from nlpcourse.site import build
from nlpcourse.site.masked_words import figure, read_guesses
from tests.chapters.conftest import make_book
from tests.in_browser import assert_fits_and_is_accessible, each_look, in_browser, look

COMMITTED = project_root(Path(__file__).parent) / "records" / "bert" / "masked-words.json"


def text(*words: str, last: float = 0.6) -> dict[str, Any]:
    """Guesses of two layers: at each word first the first word of all, in the end the word itself."""
    other = "<b>"
    return {
        "tokens": list(words),
        "guesses": [
            [[[words[0], 0.5], [other, 0.25]], [[other, 0.3], [word, 0.2]], [[word, last], [other, 0.004]]]
            for word in words
        ],
        "truth": [[0.5 if word == words[0] else 0.0, 0.2, last] for word in words],
    }


LONG = [
    "the",
    "number",
    "of",
    "bytes",
    "written",
    "to",
    "the",
    "output",
    "file",
    "or",
    "the",
    "error",
    "stream",
]
RECORD = {
    "run": "by-hand-0",
    "texts": [text("a", "list"), text(*LONG), text("the", "file", "exists", last=0.75)],
}


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    def save(**changes: Any) -> Path:
        content = {key: value for key, value in {**RECORD, **changes}.items() if value is not None}
        path = tmp_path / "masked-words.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return save


def test_the_figure_holds_the_guesses_and_a_table_of_the_first(saved: Callable[..., Path]) -> None:
    shown = figure(read_guesses(saved()))
    assert json.loads(re.search(r"<script [^>]*>(.*?)</script>", shown)[1]) == RECORD["texts"]
    row = '<td>3</td><th scope="row">exists</th><td>the 0.50</td><td>&lt;b&gt; 0.30</td><td>exists 0.75</td>'
    assert row in shown
    assert shown.count('<th scope="row">') == 5 + len(LONG)
    assert shown.count("</script>") == 1
    assert "<b>" not in shown
    assert "after each of 2 layers" in shown
    assert re.findall(r'data-course-script="(.*?)"', shown) == ["masked-words.js"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"texts": None}, "holds no guesses"),
        ({"run": None}, "holds no guesses"),
        ({"texts": [{"tokens": ["a"]}]}, "holds no guesses"),
        ({"texts": []}, "do not fit"),
        ({"texts": [{**text("a", "list"), "tokens": ["a"]}]}, "do not fit"),
        ({"texts": [{**text("a"), "truth": [[0.1, 0.2]]}]}, "do not fit"),
        ({"texts": [text("a", last=1.5)]}, "do not fit"),
    ],
)
def test_a_record_that_holds_no_guesses_is_refused(
    saved: Callable[..., Path], changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(CourseError, match=message):
        read_guesses(saved(**changes))


def test_the_committed_guesses_are_of_whole_words_and_small() -> None:
    found = read_guesses(COMMITTED)
    assert COMMITTED.stat().st_size <= 100_000
    assert (COMMITTED.parent / f"{found['run']}.json").is_file(), "the run has its record"
    assert 8 <= len(found["texts"]) <= 12
    for each in found["texts"]:
        assert not [token for token in each["tokens"] if token.startswith(("##", "[UNK]"))]
        for layers in each["guesses"]:
            assert all(len(layer) == 5 for layer in layers)


@pytest.fixture(scope="module")
def masked_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    cells = "```{masked-words} attention\n```\n\n```{masked-words} embeddings\n```\n"
    book = make_book(tmp_path_factory.mktemp("masked") / "book", cells)
    path = book / "records" / "attention" / "masked-words.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(RECORD), encoding="utf-8")
    return (build(book).parent / "chapters" / "index.html").as_uri()


def test_guesses_that_were_not_made_say_so(masked_page: str) -> None:
    shown = Path(masked_page.removeprefix("file://")).read_text(encoding="utf-8")
    assert "Not run: there is no records/embeddings/masked-words.json" in shown


class TestInABrowser:
    pytestmark = in_browser

    def test_keys_choose_the_word_that_is_hidden(self, page: Any, masked_page: str) -> None:
        page.goto(masked_page)
        said, cells = page.locator(".course-masked-said"), page.locator(".course-masked-scroll td")
        assert 'Hidden: "list"' in said.inner_text()  # the layers do nothing for the other one
        page.locator(".course-masked select").select_option("2")
        page.locator(".course-masked input:checked").focus()
        assert 'Hidden: "file"' in said.inner_text()
        page.keyboard.press("ArrowRight")
        assert 'Hidden: "exists"' in said.inner_text()
        assert (
            "after layers 0 to 2: 0 %, 20 %, 75 %. Layer 2 is the first whose first guess is right"
            in said.inner_text()
        )
        shown = [each.split() for each in cells.all_inner_texts() if each]
        assert shown[:3] == [["the", "50", "%"], ["<b>", "30", "%"], ["exists", "✓", "75", "%"]]
        assert shown[-1] == ["<b>", "<", "1", "%"]

    def test_bars_are_as_long_as_the_probabilities(self, page: Any, masked_page: str) -> None:
        page.goto(masked_page)
        found = page.locator(".course-masked-bar").evaluate_all(
            "all => all.map(bar => bar.getBoundingClientRect().width / bar.parentElement.clientWidth)"
        )
        # Inside of the cell's padding; a share of 0.6 is twice as long as one of 0.3
        assert found[2] / found[1] == pytest.approx(2, abs=0.05)

    def test_the_table_is_there_without_scripts(self, browser: Any, masked_page: str) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(masked_page)
        assert page.locator(".course-masked noscript p").is_visible()
        assert not page.locator(".course-masked select").is_visible()
        page.locator(".course-masked summary").click()
        rows = page.locator(".course-masked tbody tr").all_inner_texts()
        assert rows[-1].split("\t") == ["3", "exists", "the 0.50", "<b> 0.30", "exists 0.75"]
        context.close()

    @each_look
    def test_the_guesses_fit_and_are_accessible(
        self, browser: Any, masked_page: str, width: int, scheme: str
    ) -> None:
        page = look(browser, masked_page, width, scheme)
        page.locator(".course-masked select").select_option("1")
        assert page.locator(".course-masked select").evaluate(
            "each => each.getBoundingClientRect().right <= innerWidth"
        )
        page.locator(".course-masked summary").click()
        assert_fits_and_is_accessible(page)
        page.context.close()
