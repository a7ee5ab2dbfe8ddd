"""The interactive parts in a real browser, by keyboard, from files: progress, launch links, the map, paper."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from nlpcourse.site import build
from nlpcourse.topics import topics
from tests.chapters.conftest import make_book
from tests.in_browser import assert_fits_and_is_accessible, each_look, in_browser, look

TOPIC, FRONT, EXERCISES = "chapters/embeddings/index", "chapters/index", "chapters/embeddings/exercises"

pytestmark = in_browser


def address(html: Path, name: str) -> str:
    return (html / f"{name}.html").as_uri()


def tick(page: Any, html: Path, *ids: str) -> None:
    page.goto(address(html, TOPIC))
    for objective in ids:
        page.locator(f"#{objective} input").press("Space")


def test_ticks_stay_and_the_front_page_adds_them_up(page: Any, html: Path) -> None:
    tick(page, html, "emb-1", "emb-3")
    page.reload()
    ticked = page.locator(".course-tick input").evaluate_all("boxes => boxes.map(box => box.checked)")
    assert ticked[:4] == [True, False, True, False]
    assert len(ticked) == 9
    page.locator("#emb-3").get_by_text("compute the gradient").click()
    page.goto(address(html, FRONT))
    assert "1 of 9 objectives" in page.locator(".course-progress-bars").inner_text()
    bars = page.locator(".course-progress progress").evaluate_all(
        "bars => bars.map(bar => [bar.value, bar.max])"
    )
    ready = [each for each in topics() if each.ready]
    assert bars == [[1 if each.name == "embeddings" else 0, len(each.objectives)] for each in ready]


def test_progress_goes_to_a_file_and_comes_back(page: Any, html: Path, tmp_path: Path) -> None:
    tick(page, html, "emb-2", "emb-5")
    page.goto(address(html, FRONT))
    with page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").press("Enter")
    saved = tmp_path / "progress.json"
    download.value.save_as(saved)
    assert json.loads(saved.read_text(encoding="utf-8"))["done"] == ["emb-2", "emb-5"]
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Clear").press("Enter")
    bars, said = page.locator(".course-progress-bars"), page.locator(".course-progress-said")
    assert "0 of 9" in bars.inner_text()
    other = tmp_path / "other.json"
    other.write_text('{"done": "everything"}', encoding="utf-8")
    for path, says, counted in (
        (other, "no progress of this course", "0 of 9"),
        (saved, "Loaded 2", "2 of 9"),
    ):
        page.locator(".course-progress input[type=file]").set_input_files(path)
        said.get_by_text(says).wait_for()
        assert counted in bars.inner_text()


def test_without_scripts_everything_is_still_readable(browser: Any, html: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address(html, TOPIC))
    assert page.locator("#emb-1").is_visible()
    assert page.locator(".course-ticks noscript p").is_visible()
    page.goto(address(html, EXERCISES))
    assert page.locator(".course-hub + noscript p").is_visible()
    assert not page.locator(".course-hub").is_visible()
    context.close()


@pytest.mark.parametrize(
    "given", ["https://hub.example.org", "https://hub.example.org/", "https://hub.example.org/hub/home"]
)
def test_a_hub_address_becomes_a_link(page: Any, html: Path, given: str) -> None:
    page.goto(address(html, EXERCISES))
    page.locator(".course-hub input").fill(given)
    page.locator(".course-hub input").press("Enter")
    link = page.locator(".course-hub-said a")
    assert link.get_attribute("href").startswith(
        "https://hub.example.org/hub/user-redirect/git-pull?repo=https%3A"
    )
    page.reload()
    assert page.locator(".course-hub input").input_value() == "https://hub.example.org"


def test_a_hub_address_that_is_a_script_is_refused(page: Any, html: Path) -> None:
    page.goto(address(html, EXERCISES))
    page.locator(".course-hub input").fill("javascript:alert(1)")
    page.locator(".course-hub input").press("Enter")
    assert page.locator(".course-hub-said a").count() == 0
    assert "begins with https" in page.locator(".course-hub-said").inner_text()


@pytest.mark.parametrize("name", [FRONT, EXERCISES, "chapters/embeddings/skip-gram"])
def test_paper_is_light_and_whole(browser: Any, html: Path, name: str) -> None:
    context = browser.new_context(viewport={"width": 700, "height": 900}, color_scheme="dark")
    page = context.new_page()
    page.goto(address(html, name))
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    page.emulate_media(media="print")
    style = page.evaluate(
        "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.body))"
    )
    assert style == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    for gone in (".bd-sidebar-primary", ".bd-header-article", ".copybtn", ".prev-next-footer", ".course-hub"):
        shown = page.locator(gone).evaluate_all("all => all.filter(each => each.checkVisibility()).length")
        assert shown == 0, gone
    titles = page.locator("h1").evaluate_all("all => all.filter(each => each.checkVisibility()).length")
    assert titles == 1, "the theme's own title for paper stands beside the page's"
    cut = page.locator(".bd-article pre, .bd-article img, .bd-article svg, .bd-article table").evaluate_all(
        "all => all.filter(each => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth)"
        ".map(each => each.outerHTML.slice(0, 120))"
    )
    assert cut == []
    if name == EXERCISES:
        link = page.locator(".bd-article a[href*='colab']")
        assert "(https://colab" in link.evaluate("link => getComputedStyle(link, '::after').content")
    context.close()


WORDS = {
    "list": (-0.9, 0.9, ["tuple", "elsewhere"]),
    "tuple": (0.9, 0.9, ["list", "tensor"]),
    "tensor": (0.9, -0.9, ["list", "tuple"]),
    "dict": (-0.9, -0.9, ["elsewhere", "nowhere"]),
}


@pytest.fixture(scope="module")
def map_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    book = make_book(tmp_path_factory.mktemp("map") / "book", "```{vector-map} embeddings\n```\n")
    record = book / "records" / "embeddings" / "map.json"
    record.parent.mkdir(parents=True)
    words = [
        {"word": word, "count": 5, "x": x, "y": y, "near": [[other, 0.5] for other in near]}
        for word, (x, y, near) in WORDS.items()
    ]
    record.write_text(
        json.dumps({"choice": "all of them", "method": "by hand", "words": words}), encoding="utf-8"
    )
    return (build(book).parent / "chapters" / "index.html").as_uri()


def chosen(page: Any) -> str:
    (word,) = page.locator(".course-map [role=option][tabindex='0']").evaluate_all(
        "all => all.map(each => each.getAttribute('aria-label'))"
    )
    assert page.locator("[aria-selected=true]").get_attribute("aria-label") == word
    return word


def test_the_map_begins_with_the_word_of_the_longest_lines(page: Any, map_page: str) -> None:
    page.goto(map_page)
    reach = {
        word: sum(math.dist(WORDS[other][:2], (x, y)) for other in near if other in WORDS)
        for word, (x, y, near) in WORDS.items()
    }
    assert chosen(page) == max(reach, key=reach.get) == "tensor"


def test_the_map_answers_to_arrow_keys(page: Any, map_page: str) -> None:
    page.goto(map_page)
    page.locator(".course-map input").press("Tab")
    way = [("ArrowUp", "tuple"), ("ArrowUp", "tuple"), ("ArrowLeft", "list"), ("ArrowDown", "dict")]
    for key, word in [*way, ("ArrowRight", "tensor"), ("Home", "list"), ("End", "dict")]:
        page.keyboard.press(key)
        assert chosen(page) == word
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == word


def test_the_map_shows_neighbours_to_search_and_pointer(page: Any, map_page: str) -> None:
    page.goto(map_page)
    said = page.locator(".course-map-said")
    page.locator(".course-map input").fill("LIS")
    assert chosen(page) == "list"
    assert (
        said.inner_text() == "list (5 times) is nearest to: tuple 0.50, elsewhere* 0.50 (* not on the map)."
    )
    assert page.locator(".course-map line").count() == 1
    page.locator(".course-map input").fill("zebra")
    assert "No word on the map" in said.inner_text()
    page.locator("[aria-label=tuple] circle").hover()
    assert chosen(page) == "tuple"
    assert page.locator(".course-map line").count() == 2
    assert page.locator(".course-map-near circle").count() == 2


def test_the_table_of_the_map_is_there_without_scripts(browser: Any, map_page: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(map_page)
    assert page.locator(".course-map noscript p").is_visible()
    assert not page.locator(".course-map svg").is_visible()
    page.locator(".course-map summary").click()
    assert page.locator(".course-map tbody tr").all_inner_texts()[0].split("\t") == [
        "list",
        "5",
        "tuple 0.50, elsewhere 0.50",
    ]
    context.close()


@each_look
def test_the_map_fits_and_is_accessible(browser: Any, map_page: str, width: int, scheme: str) -> None:
    page = look(browser, map_page, width, scheme)
    page.locator(".course-map summary").click()
    assert_fits_and_is_accessible(page)
    page.context.close()
