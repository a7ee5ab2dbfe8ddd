"""What pages load comes from the site itself: MathJax is copied in, Thebe taken out, our style added."""

import importlib.util
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

_MATHJAX = ("tex-chtml.js", "input/tex", "output/chtml", "a11y", "sre", "ui")
"""Parts of MathJax that a page with TeX may ask for, the accessibility menu included."""

_WANTED = re.compile(r'data-course-script="([a-z-]+\.js)"')
"""How a part of a page names the script that makes it interactive; other pages do not load it."""


def setup(app: Sphinx) -> None:
    """Connect the parts; `sphinx_thebe`, which Jupyter Book always loads, is disconnected again."""
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)
    app.registry.css_files[:] = [entry for entry in app.registry.css_files if entry[0] != "sphinx-thebe.css"]
    app.connect("builder-inited", _add_static)
    app.connect("build-finished", _copy_mathjax)
    for style in ("course.css", "parts.css", "print.css"):
        app.add_css_file(style)
    app.add_js_file("course.js", loading_method="defer")
    app.connect("html-page-context", _add_wanted_scripts)


def _add_static(app: Sphinx) -> None:
    app.config.html_static_path.append(str(Path(__file__).with_name("static")))


def _add_wanted_scripts(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    for script in sorted(set(_WANTED.findall(context.get("body") or ""))):
        app.add_js_file(script, loading_method="defer")


def _copy_mathjax(app: Sphinx, failure: Exception | None) -> None:
    if failure is not None or app.builder.format != "html":
        return
    package = importlib.util.find_spec("sphinx-mathjax-offline")
    if package is None or package.origin is None:
        raise ModuleNotFoundError(
            "sphinx-mathjax-offline is not installed; run: pip install 'nlpcourse[site]'"
        )
    source = Path(package.origin).parent / "static" / "mathjax"
    for part in _MATHJAX:
        target = Path(app.outdir) / "_static" / "mathjax" / part
        if (source / part).is_file():
            target = target.parent
        target.mkdir(parents=True, exist_ok=True)
        copy_asset(source / part, target)
