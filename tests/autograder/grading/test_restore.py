"""Whatever is done to a notebook, what is graded has the assignment's cells, order and metadata."""

import copy
import json
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_raw_cell
from nbgrader.nbgraderformat import MetadataValidator
from tiny import HONEST

from autograder.grading import restore as restoring
from autograder.grading.restore import MAX_BYTES, MAX_CELLS, Unreadable, blank, restore, role_of


def restored(tiny, notebook):
    result = restore(nbformat.writes(notebook).encode(), tiny.assignment)
    nbformat.validate(result.notebook)
    MetadataValidator().validate_nb(result.notebook)
    return result


def canonical(notebook):
    return [(cell.id, cell.cell_type, cell.metadata) for cell in notebook.cells if role_of(cell) != "added"]


def source(notebook, cell_id):
    return next(cell.source for cell in notebook.cells if cell.id == cell_id)


def cell(notebook, cell_id):
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def test_an_honest_notebook_comes_through_as_it_is(tiny):
    notebook = tiny.notebook()
    result = restored(tiny, notebook)
    assert result.flags == []
    assert [each.source for each in result.notebook.cells] == [each.source for each in notebook.cells]


def test_solutions_and_rubrics_are_in_no_blank_cell(tiny):
    text = nbformat.writes(blank(tiny.assignment))
    assert "TOP-SECRET" in nbformat.writes(tiny.assignment.source)
    for secret in ("TOP-SECRET", "BEGIN SOLUTION", "return max(values)", "x >= 0"):
        assert secret not in text


def test_tags_and_metadata_are_reset(tiny):
    notebook = tiny.notebook()
    for each in notebook.cells:
        each.metadata["tags"] = ["skip-execution", "raises-exception", "remove_cell", "nbgrader-x"]
        each.metadata["collapsed"] = True
    notebook.metadata["kernelspec"] = {"name": "evil", "display_name": "<b>", "language": "R"}
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    assert result.notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("grade", False),
        ("solution", True),
        ("points", 1000),
        ("locked", False),
        ("task", True),
        ("grade_id", "other"),
        ("schema_version", 99),
        ("cell_type", "markdown"),
    ],
)
@pytest.mark.parametrize("cell_id", ["absolute-check", "why"])
def test_flipped_nbgrader_metadata_is_put_back(tiny, cell_id, key, value):
    notebook = tiny.notebook()
    cell(notebook, cell_id).metadata.nbgrader[key] = value
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    assert source(result.notebook, "absolute") == HONEST["absolute"]


def test_a_changed_cell_type_is_put_back(tiny):
    notebook = tiny.notebook()
    for cell_id in ("absolute", "absolute-check"):
        index = next(index for index, each in enumerate(notebook.cells) if each.id == cell_id)
        old = notebook.cells[index]
        notebook.cells[index] = new_markdown_cell(old.source, metadata=old.metadata, id=old.id)
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    assert source(result.notebook, "absolute") == HONEST["absolute"]
    assert sum("is code again" in flag for flag in result.flags) == 2


def test_locked_text_is_put_back_and_said(tiny):
    notebook = tiny.notebook()
    cell(notebook, "absolute-check").source = "print(3)"
    result = restored(tiny, notebook)
    assert source(result.notebook, "absolute-check") == source(blank(tiny.assignment), "absolute-check")
    assert any("absolute-check" in flag and "changed" in flag for flag in result.flags)


def test_cells_in_another_order_are_put_back_and_added_cells_follow_their_predecessor(tiny):
    notebook = tiny.notebook()
    index = next(index for index, each in enumerate(notebook.cells) if each.id == "total")
    notebook.cells.insert(index + 1, new_code_cell("helper = 1"))
    notebook.cells.insert(0, new_code_cell("first = 1"))
    in_order = restored(tiny, notebook)
    assert in_order.flags == []
    order = [each.source for each in in_order.notebook.cells]
    assert order[0] == "first = 1"
    assert order.index("helper = 1") == order.index(HONEST["total"]) + 1
    notebook.cells.reverse()
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    assert any("order" in flag for flag in result.flags)


def test_missing_cells_come_back_as_they_were_handed_out(tiny):
    notebook = tiny.notebook()
    notebook.cells = [each for each in notebook.cells if each.id not in ("absolute-check", "total", "why")]
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    for cell_id in ("absolute-check", "total", "why"):
        assert source(result.notebook, cell_id) == source(blank(tiny.assignment), cell_id)
        assert any(repr(cell_id) in flag and "missing" in flag for flag in result.flags)


def test_copies_become_added_cells(tiny):
    notebook = tiny.notebook()
    for cell_id, text in (("absolute-check", "print(3)"), ("absolute", "def absolute(x):\n    return 0")):
        copied = copy.deepcopy(cell(notebook, cell_id))
        copied.source = text
        notebook.cells.insert(notebook.cells.index(cell(notebook, cell_id)) + 1, copied)
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    assert source(result.notebook, "absolute") == HONEST["absolute"]
    assert [each.source for each in result.notebook.cells if role_of(each) == "added"] == [
        "def absolute(x):\n    return 0",
        "print(3)",
    ]
    assert sum("twice" in flag for flag in result.flags) == 2


def test_cells_that_lost_their_metadata_are_known_by_id_text_or_definition(tiny):
    notebook = tiny.notebook()
    for each in notebook.cells:
        each.metadata = {}
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    (flag,) = result.flags
    assert "metadata was gone" in flag
    for each in notebook.cells:
        del each["id"]
    notebook.nbformat_minor = 4
    result = restored(tiny, notebook)
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    assert source(result.notebook, "total") == HONEST["total"]
    assert source(result.notebook, "why") == HONEST["why"]
    assert sum("known by what it defines" in flag for flag in result.flags) == 3


def test_a_colab_copy_is_honest(tiny):
    notebook = tiny.notebook()
    notebook.metadata = {"colab": {"provenance": []}, "kernelspec": {"name": "python3"}, "accelerator": "GPU"}
    for each in notebook.cells:
        each.metadata = {"id": each.id, "outputId": "x", **each.metadata}
        del each["id"]
    notebook.nbformat_minor = 0
    assert restored(tiny, notebook).flags == []


def test_what_a_student_writes_in_markdown_is_disarmed(tiny):
    notebook = tiny.notebook(why="I think 1 < 2. <script>alert(1)</script>")
    notebook.cells.append(new_markdown_cell("<iframe src=x>"))
    notebook.cells.append(
        new_raw_cell("<img src=x onerror=alert(1)>", metadata={"raw_mimetype": "text/html"})
    )
    result = restored(tiny, notebook)
    text = "\n".join(each.source for each in result.notebook.cells)
    assert "1 < 2." in text
    assert not any(tag in text for tag in ("<script", "<iframe", "<img"))
    assert {each.cell_type for each in result.notebook.cells} == {"code", "markdown"}


def test_an_untouched_question_keeps_its_text_so_that_nbgrader_sees_no_response(tiny):
    untouched = source(blank(tiny.assignment), "why")
    assert source(restored(tiny, blank(tiny.assignment)).notebook, "why") == untouched


def notebook_text(**changes):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [], **changes}).encode()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty, or a link"),
        (b"PK\x03\x04 a zip", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"cells": [', "not JSON"),
        (b"[1, 2]", "another kind"),
        (b"{}", "no list of cells"),
        (notebook_text(cells={"a": 1}), "no list of cells"),
        (b'{"worksheets": []}', "2015"),
        (b"[" * 200_000, "too deeply"),
        (b'{"cells":' * 50_000, "too deeply"),
        (b" " * (MAX_BYTES + 1), "clear its outputs"),
        (notebook_text(cells=[{}] * (MAX_CELLS + 1)), "cells, more than"),
        (notebook_text(metadata={"nlpcourse": {"topic": "cnn"}}), "'cnn'"),
        (notebook_text(), "another assignment"),
        (
            notebook_text(cells=[{"cell_type": "code", "source": "x = 1", "metadata": {}}]),
            "another assignment",
        ),
        (b'{"cells": [], "x": ' + b"9" * 10_000 + b"}", "not JSON"),
    ],
)
def test_what_cannot_be_graded_is_said_in_one_sentence(tiny, content, reason):
    with pytest.raises(Unreadable, match=reason) as caught:
        restore(content, tiny.assignment)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "odd",
    [
        None,
        3,
        {"cell_type": "code"},
        {"cell_type": "code", "source": 3, "metadata": []},
        {"cell_type": "code", "source": ["x", 3, "y"], "metadata": {"nbgrader": "no"}},
        {"cell_type": "code", "source": "x\ud800", "metadata": {"nbgrader": {"grade_id": ["a"]}}, "id": {}},
        {"cell_type": "markdown", "source": "x", "attachments": {"a": 3}, "metadata": None},
        {"cell_type": "heading", "source": "x"},
        {"cell_type": "code", "source": "x" * 300_000, "outputs": "no"},
    ],
)
def test_odd_cells_among_honest_ones_do_no_harm(tiny, odd):
    content = json.loads(nbformat.writes(tiny.notebook()))
    content["cells"].insert(3, odd)
    result = restore(json.dumps(content).encode(), tiny.assignment)
    nbformat.validate(result.notebook)
    nbformat.writes(result.notebook).encode()
    assert canonical(result.notebook) == canonical(blank(tiny.assignment))
    assert source(result.notebook, "absolute") == HONEST["absolute"]


def test_deep_nesting_that_json_can_read_is_never_walked(tiny):
    content = json.loads(nbformat.writes(tiny.notebook()))
    text = json.dumps(content).replace('"metadata": {', '"metadata": {"x": ' + "[" * 900 + "]" * 900 + ",", 1)
    assert restore(text.encode(), tiny.assignment).flags == []


def test_a_notebook_with_a_byte_order_mark_is_read(tiny):
    assert restore(b"\xef\xbb\xbf" + nbformat.writes(tiny.notebook()).encode(), tiny.assignment).flags == []


def test_cells_that_take_minutes_to_read_are_left_out(tiny, monkeypatch):
    """They are read where no limit ends it, once by the grader and once by nbgrader's own step."""
    monkeypatch.setattr(restoring, "MAX_EFFORT", 50_000)
    notebook = tiny.notebook()
    notebook.cells = [each for each in notebook.cells if each.id != "largest"]  # so that names are looked for
    honest, costly = new_code_cell("%time x = 1\nprint(x)"), ";f x\n" * 39
    notebook.cells += [honest, *(new_code_cell(f"{costly}# {number}") for number in range(50))]
    result = restored(tiny, notebook)
    sources = [each.source for each in result.notebook.cells]
    assert honest.source in sources
    assert sum(costly in each for each in sources) * 40 * len(costly) < 50_000
    assert any("too much code, or too many magic lines" in flag for flag in result.flags)


def test_a_long_line_that_asks_for_help_is_read_at_once(tiny):
    """IPython's own pattern takes a time that grows with the square of such a line."""
    notebook = tiny.notebook()
    notebook.cells = [each for each in notebook.cells if each.id != "largest"]
    notebook.cells += [new_code_cell("a." * 90_000 + "?"), new_code_cell("a." * 90_000 + "? # why")]
    began = time.process_time()
    restored(tiny, notebook)
    assert time.process_time() - began < 10
