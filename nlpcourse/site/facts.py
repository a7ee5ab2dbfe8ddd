"""Directives of the page of versions, seeds and times: every figure is read while the book is built."""

import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import make_refnode

from nlpcourse.data import docstrings
from nlpcourse.site.builder import processes
from nlpcourse.site.generated import Generated

_PACKAGES = {
    "torch": "models and gradients",
    "numpy": "arrays",
    "matplotlib": "figures",
    "nlpcourse": "this course",
    "ipykernel": "runs the pages' code",
    "jupyter-book": "makes the book",
    "sphinx": "makes the book",
    "myst-nb": "joins prose and code",
}
_SEED = re.compile(r"\b(manual_seed|default_rng|seed)(?:\(|=)(\d+)")


def setup(app: Sphinx) -> None:
    """Add the directives."""
    app.add_directive("versions", VersionsDirective)
    app.add_directive("corpus-facts", CorpusDirective)
    app.add_directive("seeds", SeedsDirective)
    app.add_directive("page-times", PageTimesDirective)
    app.add_node(PageTimes)
    app.connect("env-updated", write_again)
    app.connect("doctree-resolved", fill_page_times)


class VersionsDirective(Generated):
    """A table: Python and the packages that a page's numbers depend on."""

    def markdown(self) -> str:
        rows = ["| Package | Version | What it does here |", "|---|---|---|"]
        rows.append(f"| Python | {platform.python_version()} | runs everything |")
        for package, purpose in _PACKAGES.items():
            try:
                rows.append(f"| {package} | {version(package)} | {purpose} |")
            except PackageNotFoundError:
                rows.append(f"| {package} | not installed | {purpose} |")
        return "\n".join(rows)


class CorpusDirective(Generated):
    """A table: how much text the docstring corpus of this build holds, and its hash."""

    def markdown(self) -> str:
        info = docstrings.load().info
        rows = [("files", info.files), ("docstrings", info.docstrings), ("words", info.words)]
        rows += [(f"docstrings in {split}", count) for split, count in info.by_split.items()]
        rows += [(f"docstrings of {package}", count) for package, count in info.by_package.items()]
        rows += [("modules of the list that are not on this machine", info.missing)]
        table = ["| What | How many |", "|---|---:|", *(f"| {what} | {count:,} |" for what, count in rows)]
        return "\n".join([*table, "", f"SHA-256 of the records: `{info.sha256}`"])


class SeedsDirective(Generated):
    """A table: the seeds that each page sets, as its code says them."""

    def markdown(self) -> str:
        rows = ["| Chapter | Page | Seeds, in order |", "|---|---|---|"]
        for page in sorted(self.env.found_docs):
            text = self.depends_on(Path(self.env.doc2path(page))).read_text(encoding="utf-8")
            if seeds := [f"`{name}` {value}" for name, value in _SEED.findall(text)]:
                chapter = f"[](/{_front(page)}.md)"
                rows.append(f"| {chapter} | [](/{page}.md) | {', '.join(dict.fromkeys(seeds))} |")
        return "\n".join(rows)


class PageTimes(nodes.General, nodes.Element):
    """Stands where the table of execution times goes until all pages have been read."""


class PageTimesDirective(SphinxDirective):
    """A table: how many seconds the code of each page took when it was executed."""

    def run(self) -> list[nodes.Node]:
        return [PageTimes()]


def write_again(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Pages with the table are written again when a page was executed."""
    if not NbMetadataCollector.new_exec_data(env):
        return []
    return [page for page in env.found_docs if any(env.get_doctree(page).findall(PageTimes))]


def fill_page_times(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the table where it belongs."""
    for place in list(doctree.findall(PageTimes)):
        place.replace_self(_times(app, page))


def _times(app: Sphinx, here: str) -> list[nodes.Node]:
    known = NbMetadataCollector.get_doc_data(app.env)
    seconds = {
        page: data["exec_data"]["runtime"]
        for page, data in known.items()
        if data.get("exec_data") and data["exec_data"]["runtime"] is not None
    }
    rows = nodes.tbody()
    for page in sorted(seconds, key=lambda page: -seconds[page]):
        rows += _row(*(_link(app, here, each) for each in (_front(page), page)), f"{seconds[page]:.1f}")
    rows += _row("All chapters", "All pages, one after the other", f"{sum(seconds.values()):.1f}")
    head = _row("Chapter", "Page", "Seconds")
    group = nodes.tgroup(
        "", *(nodes.colspec(colwidth=width) for width in (30, 50, 20)), nodes.thead("", head), rows, cols=3
    )
    where = (
        f"Measured when the page's code was last executed, from the start of its kernel to its end, on "
        f"{platform.system()} ({platform.machine()}) with {processes()} cores, that many pages at a time, one torch "
        "thread each."
    )
    return [nodes.table("", group, classes=["colwidths-auto"]), nodes.paragraph(text=where)]


def _front(page: str) -> str:
    """The front page of the chapter that a page belongs to."""
    return f"{page.rpartition('/')[0]}/index"


def _link(app: Sphinx, here: str, page: str) -> nodes.reference:
    return make_refnode(app.builder, here, page, "", nodes.Text(app.env.titles[page].astext()))


def _row(*cells: nodes.reference | str) -> nodes.row:
    paragraphs = [
        nodes.paragraph(text=cell) if isinstance(cell, str) else nodes.paragraph("", "", cell)
        for cell in cells
    ]
    *texts, number = paragraphs
    entries = [nodes.entry("", text) for text in texts]
    return nodes.row("", *entries, nodes.entry("", number, classes=["text-right"]))
