"""What pages load comes from the site itself: MathJax is copied in, Thebe taken out, our style added."""

import importlib.util
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.fileutil import copy_asset

_MATHJAX = ("tex-chtml.js", "input/tex", "output/chtml", "a11y", "sre", "ui")
"""Parts of MathJax that a page with TeX may ask for, the accessibility menu included."""


def setup(app: Sphinx) -> None:
    """Connect the parts; `sphinx_thebe`, which Jupyter Book always loads, is disconnected again."""
    for listeners in app.events.listeners.values():
        for listener in list(listeners):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)
    app.registry.css_files[:] = [entry for entry in app.registry.css_files if entry[0] != "sphinx-thebe.css"]
    app.connect("builder-inited", _add_static)
    app.connect("build-finished", _copy_mathjax)
    app.add_css_file("course.css")
    app.add_js_file("course.js", loading_method="defer")


def _add_static(app: Sphinx) -> None:
    app.config.html_static_path.append(str(Path(__file__).with_name("static")))


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
