"""What tests that open a page in Chromium share: where it is, how a page is looked at, what must hold of each look."""

from pathlib import Path
from typing import Any

import pytest

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

CHROMIUM = Path("/usr/bin/chromium")

in_browser = [
    pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"Chromium is not installed at {CHROMIUM}"),
    pytest.mark.xdist_group("browser"),
]
"""Marks of a module or a class of tests."""

each_look = pytest.mark.parametrize(
    ("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")], ids=["light", "dark", "narrow"]
)


def look(browser: Any, address: str, width: int, scheme: str) -> Any:
    """A page, opened in a profile of its own; its `context` is to be closed."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    return page


def assert_fits_and_is_accessible(page: Any) -> None:
    """Nothing is wider than the screen, and axe finds nothing serious or critical."""
    width, inner = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= inner, f"the page is {width} px wide on a screen of {inner} px"
    violations = axe.Axe().run(page).response["violations"]
    grave = [
        (each["id"], [node["html"][:120] for node in each["nodes"]])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
    assert grave == []
