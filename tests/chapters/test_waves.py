"""The figure of position vectors: what it is made of, what it refuses, and how it answers in a browser."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest

from nlpcourse.site import build
from nlpcourse.waves import PositionWaves
from tests.chapters.conftest import make_book
from tests.in_browser import assert_fits_and_is_accessible, each_look, in_browser, look

LENGTH = 20
CELL = f"""```{{code-cell}} ipython3
import numpy as np
from nlpcourse.waves import PositionWaves

t = np.arange({LENGTH})[:, None]
two = np.concatenate([np.sin(t), np.cos(t)], axis=1)
four = np.concatenate([two, np.sin(t / 10), np.cos(t / 10)], axis=1)
PositionWaves({{2: two, 4: four}}, shown=4)
```
"""


def waves(length: int, *speeds: float) -> np.ndarray:
    angles = np.outer(np.arange(length), speeds)  # (T, D / 2)
    return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(length, -1)


def test_the_figure_holds_the_numbers_it_was_given() -> None:
    given = {2: waves(8, 1.0), 4: waves(8, 1.0, 0.1)}
    shown = PositionWaves(given, shown=4)._repr_html_()
    data = json.loads(re.search(r'<script type="application/json">(.*?)</script>', shown)[1])
    assert list(data) == ["2", "4"]
    for width, vectors in given.items():
        assert np.allclose(data[str(width)], vectors, atol=1e-4)
    assert 'data-course-script="position-waves.js"' in shown
    assert "<option selected>4</option>" in shown
    assert (
        f'<th scope="row">3</th><td>{math.cos(3):.2f}</td>' in shown
    )  # cosines at distance 3, width 2 first
    assert f'<th scope="row">7</th><td>{math.sin(7):.2f}</td><td>{math.cos(7):.2f}</td>' in shown


def test_the_figure_of_the_lesson_is_small() -> None:
    given = {width: waves(64, *np.logspace(0, -4, width // 2)) for width in (4, 8, 16, 32)}
    assert len(PositionWaves(given, shown=8)._repr_html_()) < 100_000


@pytest.mark.parametrize(
    ("given", "shown", "message"),
    [
        ({4: waves(8, 1.0, 0.1)}, 2, r"shown is 2, expected one of the widths \[4\]"),
        ({2: waves(8, 1.0, 0.1)}, 2, r"width 2 have shape \(8, 4\), expected \(8, 2\)"),
        ({2: waves(8, 1.0), 4: waves(6, 1.0, 0.1)}, 2, r"width 4 have shape \(6, 4\), expected \(8, 4\)"),
        ({3: waves(8, 1.0, 0.1)[:, :3]}, 3, "both numbers even"),
        ({2: waves(7, 1.0)}, 2, "both numbers even"),
        ({2: 2 * waves(8, 1.0)}, 2, "outside -1 to 1"),
        ({2: np.full((8, 2), math.nan)}, 2, "outside -1 to 1"),
    ],
)
def test_vectors_that_cannot_be_drawn_are_refused(given: dict[int, Any], shown: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PositionWaves(given, shown=shown)


@pytest.fixture(scope="module")
def waves_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return (
        build(make_book(tmp_path_factory.mktemp("waves") / "book", CELL)).parent / "chapters" / "index.html"
    ).as_uri()


class TestInABrowser:
    pytestmark = in_browser

    def test_keys_choose_positions_and_the_cosine_follows(self, page: Any, waves_page: str) -> None:
        page.goto(waves_page)
        said = page.locator(".course-waves-said")
        first = distance = LENGTH // 8
        for key, move in [("", (0, 0)), ("ArrowRight", (1, 0)), ("Tab", (0, 0)), ("ArrowLeft", (0, -1))]:
            if key:
                page.keyboard.press(key)
            else:
                page.locator(".course-waves [name=position]").focus()
            first, distance = first + move[0], distance + move[1]
            cosine = (math.cos(distance) + math.cos(distance / 10)) / 2
            assert said.inner_text() == (
                f"Positions {first} and {first + distance}, distance {distance}, width 4: "
                f"the cosine of their vectors is {cosine:.2f}."
            )
        assert (first, distance) == (LENGTH // 8 + 1, LENGTH // 8 - 1)

    def test_the_width_sets_the_waves(self, page: Any, waves_page: str) -> None:
        page.goto(waves_page)
        paths = page.locator(".course-waves path")
        assert paths.count() == 5  # four entries and the cosine
        page.locator(".course-waves select").select_option("2")
        assert paths.count() == 3
        said = page.locator(".course-waves-said").inner_text()
        assert f"width 2: the cosine of their vectors is {math.cos(LENGTH // 8):.2f}." in said

    def test_dots_stand_on_the_curve(self, page: Any, waves_page: str) -> None:
        page.goto(waves_page)
        page.locator(".course-waves [name=distance]").fill("0")
        lines = page.locator(".course-waves line.course-waves-first, .course-waves line.course-waves-second")
        places = lines.evaluate_all("all => all.map(each => each.getAttribute('x1'))")
        assert len(places) == 2
        assert len(set(places)) == 1
        assert "is 1.00." in page.locator(".course-waves-said").inner_text()

    def test_the_tables_are_there_without_scripts(self, browser: Any, waves_page: str) -> None:
        context = browser.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(waves_page)
        assert page.locator(".course-waves noscript p").is_visible()
        assert not page.locator(".course-waves svg").is_visible()
        page.locator(".course-waves summary").click()
        rows = page.locator(".course-waves table").first.locator("tbody tr").all_inner_texts()
        assert [float(each) for each in rows[2].split("\t")] == [
            2,
            round(math.cos(2), 2),
            round((math.cos(2) + math.cos(0.2)) / 2, 2),
        ]
        context.close()

    @each_look
    def test_the_waves_fit_and_are_accessible(
        self, browser: Any, waves_page: str, width: int, scheme: str
    ) -> None:
        page = look(browser, waves_page, width, scheme)
        page.locator(".course-waves summary").click()
        assert_fits_and_is_accessible(page)
        page.context.close()
