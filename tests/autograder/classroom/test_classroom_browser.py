"""The report and a feedback page in a real browser: light, dark, wide, narrow, and with hostile names in them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.classroom.feedback import write_feedback
from autograder.classroom.folder import Classroom
from autograder.classroom.report import write_report
from autograder.classroom.results import TopicResults
from tests.in_browser import CHROMIUM, axe, in_browser

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = in_browser


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def paths(classroom: Classroom, results: TopicResults) -> dict[str, Path]:
    write_feedback(classroom, [results])
    return {
        "report": write_report(classroom, [results]),
        "feedback": classroom.feedback("wei", "embeddings"),
        "hostile": classroom.feedback("evil", "embeddings"),
        "failed": classroom.feedback("broken", "embeddings"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_a_page_is_whole_quiet_and_accessible(
    browser: "sync_api.Browser", paths: dict[str, Path], scheme: str, width: int
) -> None:
    for name, path in paths.items():
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page = context.new_page()
        complaints: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message, said=complaints: said.append(message.text))
        page.on("pageerror", lambda error, said=complaints: said.append(str(error)))
        page.on("dialog", lambda dialog, said=complaints: (said.append("a dialog"), dialog.dismiss()))
        page.on("request", lambda request, said=asked: said.append(request.url))
        page.goto(path.as_uri())
        assert asked == [path.as_uri()], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], name
        assert complaints == [], name
        context.close()


def test_the_table_is_sorted_by_the_column_pressed(
    browser: "sync_api.Browser", paths: dict[str, Path]
) -> None:
    page = browser.new_page()
    page.goto(paths["report"].as_uri())
    heading = page.locator("th", has_text="Total")
    shown = []
    for expected in ("ascending", "descending"):
        heading.locator("button").click()
        assert heading.get_attribute("aria-sort") == expected
        totals = page.locator("tbody tr td.sum")
        shown.append([float(cell.get_attribute("data-sort")) for cell in totals.all()])
    assert shown[0] == sorted(shown[0])
    assert shown[1] == sorted(shown[0], reverse=True)
    assert len(set(shown[0])) > 2
    page.close()
