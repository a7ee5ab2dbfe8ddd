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


CONTRAST = ("color-contrast",)
LAYOUT = (
    "aria-hidden-focus",
    "button-name",
    "label",
    "link-name",
    "scrollable-region-focusable",
    "target-size",
)
"""The rules of axe whose outcome depends on what a screen's width shows; contrast depends on the scheme."""


def assert_fits_and_is_accessible(page: Any, rules: tuple[str, ...] = ()) -> None:
    """Nothing is wider than the screen, and axe (all of it, or these rules) finds nothing serious or critical."""
    width, inner = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width <= inner, f"the page is {width} px wide on a screen of {inner} px"
    options = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
    violations = axe.Axe().run(page, options=options).response["violations"]
    grave = [
        (each["id"], [node["html"][:120] for node in each["nodes"]])
        for each in violations
        if each["impact"] in ("serious", "critical")
    ]
    assert grave == []


_COLOURS_CHANGED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    await frame(); await frame();  // by then every transition has begun
    const ending = document.getAnimations().filter(each => each.effect.getComputedTiming().endTime < Infinity);
    await Promise.allSettled(ending.map(each => each.finished));
}"""
_THIN_OUT = """() => {
    const seen = new Set();
    for (const token of document.querySelectorAll('.highlight span[class]')) {
        if (seen.has(token.className)) token.replaceWith(...token.childNodes);
        seen.add(token.className);
    }
    for (const formula of [...document.querySelectorAll('mjx-container')].slice(3)) formula.remove();
}"""


def assert_each_look(page: Any) -> None:
    """A page that was opened in the light on a wide screen is right there, in the dark, and on a narrow screen.

    What depends on the width is looked at in both widths. For all other rules each kind of code token is left standing
    once, and three formulas: axe asks every element for its contrast, and a lesson has thousands of one colour.
    """
    assert_fits_and_is_accessible(page, LAYOUT)
    page.evaluate(_THIN_OUT)
    assert_fits_and_is_accessible(page)
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]", state="attached")
    page.evaluate(_COLOURS_CHANGED)
    assert_fits_and_is_accessible(page, CONTRAST)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 900})
    page.reload(wait_until="networkidle")
    assert_fits_and_is_accessible(page, LAYOUT)
