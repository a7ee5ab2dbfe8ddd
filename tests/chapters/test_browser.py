"""The built book in a real browser with the network closed: every page light, dark, and on a narrow screen."""

import functools
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.in_browser import assert_each_look, in_browser

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).parents[2]
PAGES = [*re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8")), "search"]
LESSON = "chapters/embeddings/skip-gram"

pytestmark = in_browser


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(html: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(html))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


class Visit:
    """An open page and everything that went wrong on it so far."""

    def __init__(self, browser: "sync_api.Browser", address: str, *, width: int, scheme: str) -> None:
        self.address = address
        self.faults: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page.on("pageerror", lambda error: self.faults.append(f"page error: {error}"))
        self.page.on("response", self._note)
        self.page.route("**/*", self._guard)

    def _note(self, response: "sync_api.Response") -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status}: {response.url}")

    def _guard(self, route: "sync_api.Route") -> None:
        if route.request.url.startswith((self.address, "data:", "blob:")):
            route.continue_()
        else:
            self.faults.append(f"asked outside: {route.request.url}")
            route.abort()

    def open(self, name: str, query: str = "") -> "sync_api.Page":
        self.page.goto(f"{self.address}/{name}.html{query}", wait_until="networkidle")
        return self.page


@pytest.fixture
def visit(browser: "sync_api.Browser", address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    options = {"width": 1280, "scheme": "light", **getattr(request, "param", {})}
    made = Visit(browser, address, **options)
    yield made
    made.page.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_fits_and_is_accessible(visit: Visit, name: str) -> None:
    page = visit.open(name)
    assert visit.faults == []  # before axe, which looks for style sheets where there are none
    assert_each_look(page)


def test_formulas_are_drawn(visit: Visit) -> None:
    page = visit.open(LESSON)
    page.wait_for_selector("mjx-container")
    drawn, written = page.evaluate(
        "[document.querySelectorAll('.math mjx-container').length, document.querySelectorAll('.math').length]"
    )
    assert drawn == written > 20
    assert page.locator("mjx-merror").count() == 0
    assert page.locator("div.math mjx-container").first.bounding_box()["height"] > 20
    assert visit.faults == []


@pytest.mark.parametrize("query", ["distributional+hypothesis", "pair_loss", "logaddexp"])
def test_search_finds_prose_and_code(visit: Visit, query: str) -> None:
    page = visit.open("search", f"?q={query}")
    page.wait_for_selector("#search-results ul.search li a")
    found = page.locator("#search-results ul.search li a").evaluate_all(
        "links => links.map(link => link.href)"
    )
    assert any("skip-gram.html" in link for link in found), found
    assert visit.faults == []


@pytest.mark.parametrize("visit", [{}, {"width": 390}], indirect=True, ids=["wide", "narrow"])
def test_there_is_one_search_box(visit: Visit) -> None:
    page = visit.open(LESSON)
    shown = page.locator(".search-button, .search-button-field, input[type=search]").evaluate_all(
        "boxes => boxes.filter(box => box.checkVisibility()).length"
    )
    assert shown == 1


def test_a_question_answers_by_keyboard(visit: Visit) -> None:
    page = visit.open(LESSON)
    assert page.locator(".course-right").count() == page.locator(".course-question").count() >= 2
    option = page.locator(".course-question details", has=page.locator(".course-right")).first
    explanation = option.locator(".course-right")
    assert not explanation.is_visible()
    option.locator("summary").press("Enter")
    assert explanation.is_visible()
    assert explanation.inner_text().startswith("Right.")


@pytest.mark.parametrize("visit", [{"scheme": "dark"}], indirect=True)
def test_figures_stand_on_no_box_in_the_dark(visit: Visit) -> None:
    page = visit.open(LESSON)
    styles = page.locator("figure img").evaluate_all(
        "images => images.map(image => getComputedStyle(image))"
        ".map(style => [style.backgroundColor, style.filter])"
    )
    assert len(styles) >= 4
    assert all(style == ["rgba(0, 0, 0, 0)", "none"] for style in styles), styles


def test_the_front_door_leads_to_the_front_page(visit: Visit) -> None:
    page = visit.open("index")
    page.wait_for_url("**/chapters/index.html")
    assert "Deep NLP" in page.locator("h1").first.inner_text()
