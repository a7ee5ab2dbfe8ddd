"""Attacks by the file itself: metadata, order, copies, broken files, active content (rows 1 to 6 and 36)."""

import copy
import json

import nbformat
from attack import Attack, cell_of
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)><iframe src='javascript:alert(3)'></iframe>"


def _tags(*tags: str, only: str = "") -> object:
    def edit(notebook: NotebookNode) -> None:
        for cell in notebook.cells:
            if not only or cell.id == only:
                cell.metadata["tags"] = list(tags)

    return edit


def _without(*names: str) -> object:
    def edit(notebook: NotebookNode) -> None:
        notebook.cells = [cell for cell in notebook.cells if cell.id not in names]

    return edit


def _no_metadata(notebook: NotebookNode) -> None:
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)


def _flipped(**changes: object) -> object:
    def edit(notebook: NotebookNode) -> None:
        cell_of(notebook, "absolute-check").metadata.nbgrader.update(changes)

    return edit


def _as_markdown(notebook: NotebookNode) -> None:
    at = notebook.cells.index(cell_of(notebook, "absolute-check"))
    old = notebook.cells[at]
    notebook.cells[at] = new_markdown_cell(old.source, id=old.id, metadata=old.metadata)


def _copied(source: str, *, first: bool, times: int = 1) -> object:
    """A copy of the graded cell with another text, before or after the true one."""

    def edit(notebook: NotebookNode) -> None:
        true = cell_of(notebook, "absolute-check")
        copies = [copy.deepcopy(true) for _ in range(times)]
        for each in copies:
            each.source = source
        at = notebook.cells.index(true) + (not first)
        notebook.cells[at:at] = copies

    return edit


def _reversed(notebook: NotebookNode) -> None:
    notebook.cells.reverse()


def _test_before_answer(notebook: NotebookNode) -> None:
    check = cell_of(notebook, "absolute-check")
    notebook.cells.remove(check)
    notebook.cells.insert(0, check)
    notebook.cells.insert(0, new_code_cell("absolute = abs"))


def _raw(content: bytes) -> object:
    return lambda notebook: content


def _wrong_schema(notebook: NotebookNode) -> bytes:
    content = json.loads(nbformat.writes(notebook))
    content |= {"nbformat": "four", "nbformat_minor": -1, "metadata": [], "extra": {"cells": 3}}
    content["cells"] += [None, {"cell_type": "heading"}, {"cell_type": "code", "source": 3, "outputs": "x"}]
    return json.dumps(content).encode()


def _future_format(notebook: NotebookNode) -> bytes:
    return nbformat.writes(notebook).replace('"nbformat": 4', '"nbformat": 99').encode()


def _active(notebook: NotebookNode) -> None:
    notebook.cells.insert(1, new_markdown_cell(HOSTILE))
    data = {
        "text/html": HOSTILE,
        "application/javascript": "alert(4)",
        "image/svg+xml": f"<svg>{HOSTILE}</svg>",
    }
    cell_of(notebook, "absolute").outputs = [new_output("display_data", data=data)]
    cell_of(notebook, "why").source = HOSTILE + "\n[x](javascript:alert(5))"
    cell_of(notebook, "why").metadata["name"] = HOSTILE


def _tags_behind_backslashes(notebook: NotebookNode) -> None:
    """Where a formula's backslash is taken away, a tag may be left."""
    for name in ("style", "data", "html"):
        notebook.cells.insert(
            1, new_markdown_cell(f"<\\{name} onload=alert(6)><\\\\{name} onclick=alert(7)>x")
        )


ALL = ("absolute", "total", "largest")
TAGS = (
    ("skip-execution",),
    ("remove_cell", "remove_input", "remove_output"),
    ("raises-exception", "nbgrader-ignore"),
)

ATTACKS = (
    *(Attack(1, f"tag {tags[0]}", "N", edit=_tags(*tags, only="absolute-check")) for tags in TAGS),
    Attack(1, "tags on every cell", "N", edit=_tags(*(tag for tags in TAGS for tag in tags))),
    Attack(2, "graded cell deleted", "N", edit=_without("absolute-check")),
    Attack(2, "answer and graded cell deleted", "N", edit=_without("absolute", "absolute-check")),
    Attack(2, "all of nbgrader's metadata deleted", "N", edit=_no_metadata),
    Attack(3, "grade off", "N", edit=_flipped(grade=False)),
    Attack(3, "graded cell made a solution", "N", edit=_flipped(solution=True, grade=True, locked=False)),
    Attack(3, "points of a hundred", "N", edit=_flipped(points=100)),
    Attack(3, "another id", "N", edit=_flipped(grade_id="largest-check")),
    Attack(3, "graded cell made markdown", "N", edit=_as_markdown),
    Attack(4, "graded cell copied in front", "N", edit=_copied("3", first=True)),
    Attack(4, "graded cell copied behind", "N", edit=_copied("print('passed')", first=False)),
    Attack(4, "graded cell copied twenty times", "N", edit=_copied("3", first=True, times=20)),
    Attack(5, "cells reversed", "N", edit=_reversed),
    Attack(5, "test in front of the answer", "N", edit=_test_before_answer),
    Attack(6, "cut off", "C", edit=lambda notebook: nbformat.writes(notebook).encode()[:-200], lost=ALL),
    Attack(6, "200,000 deep", "C", edit=_raw(b"[" * 200_000), lost=ALL),
    Attack(
        6, "too large", "C", edit=_raw(b'{"cells": [' + b" " * (21 << 20) + b"]}"), lost=ALL, harmless=False
    ),
    Attack(6, "odd cells among the honest", "N", edit=_wrong_schema),
    Attack(6, "format 99", "N", edit=_future_format),
    Attack(6, "no text at all", "C", edit=_raw(b"\x00\xff\xfe"), lost=ALL),
    Attack(
        36, "active markdown and outputs", "N", edit=_active, never=("<script", "<img", "<iframe", "](java")
    ),
    Attack(
        36,
        "tags behind backslashes",
        "N",
        edit=_tags_behind_backslashes,
        never=("<style", "<data", "<html"),
    ),
    Attack(
        36,
        "active outputs while it runs",
        "N",
        before=(
            "from IPython.display import HTML, SVG, Javascript, display\n"
            "display(HTML('<script>alert(1)' + '</script>'), Javascript('alert' + '(2)'))\n"
            "display({'text/html': '<img src=x on' + 'error=alert(3)>', 'application/vnd.x': 1}, raw=True)\n"
            "display(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\" on' + 'load=\"alert(4)\"/>'))",
        ),
        never=("<script>", "alert(2)", "onerror=", "onload="),
    ),
)
