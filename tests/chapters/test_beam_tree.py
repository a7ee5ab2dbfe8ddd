"""The figure of beam search: what it is made of, what it refuses, and how it answers in a browser."""

import json
import re
from typing import Any

import pytest

from nlpcourse.beam_tree import BeamTree, Candidate
from nlpcourse.site import build
from tests.chapters.conftest import make_book
from tests.in_browser import assert_fits_and_is_accessible, each_look, in_browser, look

GREEDY = [
    [Candidate(("a",), 0.6, True), Candidate(("b",), 0.4, False)],
    [Candidate(("a", "."), 0.3, True), Candidate(("a", "c"), 0.3, False)],
]
WIDE = [
    [Candidate(("a",), 0.6, True), Candidate(("b",), 0.4, True)],
    [Candidate(("a", "."), 0.3, False), Candidate(("a", "c"), 0.31, True), Candidate(("b", "."), 0.39, True)],
    [Candidate(("a", "c", "."), 0.31, True)],
]
SEARCHES = {1: GREEDY, 2: WIDE}
CELL = f"""```{{code-cell}} ipython3
from nlpcourse.beam_tree import BeamTree, Candidate

BeamTree({SEARCHES!r}, end=".")
```
"""


def test_the_figure_holds_the_search_it_was_given() -> None:
    shown = BeamTree(SEARCHES, end=".")._repr_html_()
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', shown)[1])
    assert data["end"] == "."
    assert data["searches"]["2"][1] == [
        [["a", "."], 0.3, False],
        [["a", "c"], 0.31, True],
        [["b", "."], 0.39, True],
    ]
    assert 'data-course-script="beam-tree.js"' in shown
    assert "<option>1</option><option>2</option>" in shown
    second_round = re.findall(r"<tr><td>2</td>.*?</tr>", shown)[2:]
    assert [re.findall(r'row">(.*?)</th><td>(.*?)</td><td>(.*?)</td>', row)[0] for row in second_round] == [
        ("b .", "0.390", "yes"),
        ("a c", "0.310", "yes"),
        ("a .", "0.300", "no"),
    ]


def test_tokens_cannot_write_html() -> None:
    token = "</script><b>"
    shown = BeamTree({1: [[Candidate((token,), 1.0, True)]]}, end=token)._repr_html_()
    assert token not in shown
    assert json.loads(re.search(r'<script type="application/json">(.*?)</script>', shown)[1])["end"] == token


@pytest.mark.parametrize(
    ("searches", "message"),
    [
        ({}, r"sizes \[\], expected at least one round"),
        ({1: []}, "expected at least one round"),
        ({1: WIDE}, "size 1, round 1: 2 are kept, expected 1 to 1"),
        ({2: [[Candidate(("a",), 0.6, False)]]}, "round 1: 0 are kept"),
        ({1: [GREEDY[0], [Candidate(("b", "."), 0.4, True)]]}, "round 2: 'b .' continues nothing"),
        ({1: [*GREEDY, [Candidate(("a", ".", "c"), 0.1, True)]]}, "round 3: 'a . c' continues nothing"),
        ({1: [[Candidate(("a", "b"), 0.6, True)]]}, "round 1: 'a b' continues nothing"),
    ],
)
def test_what_is_no_search_is_refused(searches: dict[int, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BeamTree(searches, end=".")


@pytest.fixture(scope="module")
def beam_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    book = make_book(tmp_path_factory.mktemp("beam") / "book", CELL)
    return (build(book).parent / "chapters" / "index.html").as_uri()


def nodes(page: Any, kind: str) -> list[str]:
    return page.locator(f".course-beam-drawing .course-beam-{kind} text").all_text_contents()


class TestInABrowser:
    pytestmark = in_browser

    def test_each_step_grows_the_tree_and_then_cuts_it(self, page: Any, beam_page: str) -> None:
        page.goto(beam_page)
        said, step = page.locator(".course-beam-said"), page.get_by_role("button", name="Step")
        assert said.inner_text() == "Nothing is written yet. Beam size 1."
        assert page.locator(".course-beam-drawing g").count() == 0
        step.press("Enter")
        assert nodes(page, "open") == ["a .600", "b .400"]
        assert "which gives 2 candidates" in said.inner_text()
        step.press("Enter")
        assert (nodes(page, "kept"), nodes(page, "dropped")) == (["a .600"], ["b .400"])
        assert said.inner_text() == 'Round 1: kept "a" 0.600; dropped 1.'
        step.press("Enter")
        assert nodes(page, "open") == [". .300", "c .300"]
        step.press("Enter")
        assert nodes(page, "best") == [". .300"]
        assert said.inner_text().endswith('The search ends. The best finished sequence is "a ." 0.300.')
        assert step.is_disabled()
        assert page.evaluate("document.activeElement.name") == "back"

    def test_another_beam_size_starts_anew_and_finds_another_sequence(
        self, page: Any, beam_page: str
    ) -> None:
        page.goto(beam_page)
        step = page.get_by_role("button", name="Step")
        step.click()
        page.locator(".course-beam select").select_option("2")
        assert page.locator(".course-beam-said").inner_text() == "Nothing is written yet. Beam size 2."
        for _ in range(6):
            step.click()
        assert nodes(page, "best") == [". .390"]  # finished a round before the end
        assert nodes(page, "kept") == ["a .600", "b .400", "c .310", ". .310"]
        assert nodes(page, "dropped") == [". .300"]
        page.get_by_role("button", name="Start again").click()
        assert page.locator(".course-beam-drawing g").count() == 0

    def test_arrow_keys_go_forward_and_back(self, page: Any, beam_page: str) -> None:
        page.goto(beam_page)
        page.locator(".course-beam-scroll").focus()
        for key, drawn in [
            ("ArrowRight", 2),
            ("ArrowRight", 2),
            ("ArrowRight", 4),
            ("ArrowLeft", 2),
            ("ArrowLeft", 2),
        ]:
            page.keyboard.press(key)
            assert page.locator(".course-beam-drawing g").count() == drawn
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        assert page.locator(".course-beam-drawing g").count() == 0
        assert page.get_by_role("button", name="Back").is_disabled()

    def test_no_two_nodes_of_a_round_lie_on_each_other(self, page: Any, beam_page: str) -> None:
        page.goto(beam_page)
        page.locator(".course-beam select").select_option("2")
        for _ in range(6):
            page.get_by_role("button", name="Step").click()
        boxes = page.locator(".course-beam-drawing text").evaluate_all(
            "all => all.map(each => each.getBoundingClientRect()).map(b => [b.left, b.top, b.right, b.bottom])"
        )
        for i, one in enumerate(boxes):
            for other in boxes[:i]:
                apart = (
                    one[2] <= other[0]
                    or other[2] <= one[0]
                    or one[3] <= other[1] + 4
                    or other[3] <= one[1] + 4
                )
                assert apart, (one, other)

    def test_the_tables_are_there_without_scripts(self, browser: Any, beam_page: str) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(beam_page)
        assert page.locator(".course-beam noscript p").is_visible()
        assert not page.locator(".course-beam svg").is_visible()
        page.locator(".course-beam summary").click()
        rows = page.locator(".course-beam table").first.locator("tbody tr").all_inner_texts()
        assert rows[0].split("\t") == ["1", "a", "0.600", "yes"]
        context.close()

    @each_look
    def test_the_tree_fits_and_is_accessible(
        self, browser: Any, beam_page: str, width: int, scheme: str
    ) -> None:
        page = look(browser, beam_page, width, scheme)
        page.locator(".course-beam select").select_option("2")
        for _ in range(6):
            page.get_by_role("button", name="Step").click()
        page.locator(".course-beam summary").click()
        assert_fits_and_is_accessible(page)
        page.context.close()
