"""`nlpcourse check`: a line an exercise, repairs, and clear words for what is no notebook of the course."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import typer
from nbformat import NotebookNode
from typer.testing import CliRunner

from autograder.assignment import Assignment
from nlpcourse.check import register
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from nlpcourse.visible import Outcome, outcomes_of, read_notebook, released_for, repaired

ROOT = project_root(Path(__file__).parent)
RELEASED = ROOT / "exercises" / "embeddings" / "embeddings.ipynb"

EXERCISES = tuple(each.id for each in Assignment.load("embeddings", ROOT).exercises)

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def notebook() -> NotebookNode:
    return nbformat.read(RELEASED, as_version=4)


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Saves a notebook and runs the command on it; returns the exit code and what it printed."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)

    def run(notebook: NotebookNode, *options: str) -> tuple[int, str]:
        path = tmp_path / "mine.ipynb"
        nbformat.write(notebook, path)
        before = path.read_bytes()
        result = CliRunner().invoke(app, ["check", str(path), *options], catch_exceptions=False)
        assert path.read_bytes() == before
        return result.exit_code, result.stdout

    return run


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(cell for cell in notebook.cells if cell.id == name)


def outcome_of(exercise: str, notebook: NotebookNode) -> Outcome:
    return next(outcome for outcome in outcomes_of(notebook) if outcome.exercise == exercise)


def solve(notebook: NotebookNode, *exercises: str) -> None:
    solved = {cell.id: cell.source for cell in Assignment.load("embeddings", ROOT).source.cells}
    for exercise in exercises:
        cell_of(notebook, exercise).source = solved[exercise]


def lines_of(printed: str) -> dict[str, str]:
    """What the command says of each exercise, by its name; the rest, such as a note, is left out."""
    found = (line.split(maxsplit=1) for line in printed.splitlines())
    return {words[0]: words[1] for words in found if words[0] in EXERCISES}


def test_one_line_an_exercise(notebook: NotebookNode, command: Command) -> None:
    solve(notebook, "sgns_loss", "SkipGram")
    cell_of(notebook, "SkipGram").source = cell_of(notebook, "SkipGram").source.replace("zeros_", "ones_")
    cell_of(notebook, "long-1").source = "raise ValueError('the long cell must not run')"
    notebook.cells.insert(2, nbformat.v4.new_code_cell("import sys; print('a warning', file=sys.stderr)"))
    code, printed = command(notebook)
    lines = lines_of(printed)
    assert code == 1
    assert len(printed.splitlines()) == len(EXERCISES)
    assert tuple(lines) == EXERCISES
    assert lines.pop("sgns_loss") == "passed"
    assert lines.pop("SkipGram").startswith("failed: In a new model the context vectors must be zeros")
    assert set(lines.values()) == {"not written yet"}


def test_a_ruled_out_call_is_named_before_it_costs_points(notebook: NotebookNode) -> None:
    answer = cell_of(notebook, "sgns_loss")
    for source, found in (
        ("def sgns_loss(a, b, c):\n    return F.soft_margin_loss(a, b)", "line 2 uses soft_margin_loss"),
        ("from torch.nn import BCEWithLogitsLoss as plain", "line 1 uses BCEWithLogitsLoss"),
    ):
        answer.source = source
        outcome = outcome_of("sgns_loss", notebook)
        assert outcome.status == "failed"
        assert outcome.message == f"{found}, which this exercise rules out"
    answer.source = "soft_margin = 'soft_margin_loss'  # binary_cross_entropy_with_logits"
    assert outcome_of("sgns_loss", notebook).status == "passed"


def test_missing_and_changed_cells_are_repaired(notebook: NotebookNode, command: Command) -> None:
    solve(notebook, *EXERCISES)
    cell_of(notebook, "sgns_loss-check").source = "pass"
    notebook.cells = [cell for cell in notebook.cells if cell.id not in ("setup-1", "SkipGram-check")]
    cell_of(notebook, "long-1").source = "print(len(globals()))"
    code, printed = command(notebook, "--all")
    assert code == 0
    notes, rest = printed.splitlines()[:3], printed.splitlines()[3:]
    assert notes == [
        "note: cell setup-1 was missing; the released one is used",
        "note: cell sgns_loss-check was changed; the released one is used",
        "note: cell SkipGram-check was missing; the released one is used",
    ]
    assert sorted(line.rsplit(maxsplit=1)[0].strip() for line in rest) == sorted([*EXERCISES, "long cell"])
    assert all(line.endswith("  passed") for line in rest)


def test_errors_endless_loops_and_a_dead_kernel(notebook: NotebookNode, command: Command) -> None:
    cell_of(notebook, "sgns_loss").source = "def sgns_loss(:"
    cell_of(notebook, "SkipGram").source = "while True: pass"
    cell_of(notebook, "train_skipgram").source = "import os; os._exit(1)"
    code, printed = command(notebook, "--timeout", "5")
    lines = lines_of(printed)
    assert code == 1
    assert lines["sgns_loss"].startswith("failed: your cell raises SyntaxError")
    assert lines["SkipGram"].startswith("failed: your cell raises KeyboardInterrupt: it took too long")
    assert lines["train_skipgram"].startswith("failed: your cell raises DeadKernelError")


def test_a_dead_kernel_is_named_where_it_stops_later_tests(notebook: NotebookNode) -> None:
    cell_of(notebook, "sgns_loss").outputs = [
        nbformat.v4.new_output("error", ename="DeadKernelError", evalue="it died", traceback=[])
    ]
    found = outcome_of("SkipGram", notebook)
    assert found == Outcome("SkipGram", "failed", "not run, because the kernel died in cell sgns_loss")


def test_what_is_no_notebook_of_the_course(tmp_path: Path, notebook: NotebookNode) -> None:
    path = tmp_path / "a.ipynb"
    with pytest.raises(CourseError, match="there is no file"):
        read_notebook(path)
    for text in (
        "",
        "{",
        "[]",
        '"x"',
        '{"cells": 3}',
        json.dumps({"nbformat": 4, "cells": [{"cell_type": "code"}]}),
    ):
        path.write_text(text)
        with pytest.raises(CourseError, match="is not a notebook"):
            read_notebook(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CourseError, match="is not a notebook"):
        read_notebook(path)
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), path)
    with pytest.raises(CourseError, match="no exercise of this course"):
        read_notebook(path)
    notebook.metadata.nlpcourse.topic = "../secret"
    with pytest.raises(CourseError, match="names no topic"):
        released_for(notebook, path)


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nlpcourse.visible.LARGEST", 10)
    path = tmp_path / "a.ipynb"
    path.write_text("x" * 11)
    with pytest.raises(CourseError, match="11 bytes"):
        read_notebook(path)


def test_added_cells_stay_where_they_were_and_doubles_count_once(notebook: NotebookNode) -> None:
    released = nbformat.read(RELEASED, as_version=4)
    helper = nbformat.v4.new_code_cell("def helper(): pass")
    position = next(i for i, cell in enumerate(notebook.cells) if cell.id == "sgns_loss")
    double = notebook.cells[position].copy()
    notebook.cells[position].source = "first"
    double.source = "second"
    notebook.cells[position + 1 : position + 1] = [double, helper]
    cells, notes = repaired(notebook, released)
    assert notes == ["cell sgns_loss stands twice; the first one counts"]
    assert [cell.source for cell in cells[position : position + 2]] == ["first", "def helper(): pass"]


def test_another_release_is_named(notebook: NotebookNode) -> None:
    released = nbformat.read(RELEASED, as_version=4)
    notebook.metadata.nlpcourse.update(sources="0" * 64, version="0.0.9")
    _, notes = repaired(notebook, released)
    assert len(notes) == 1
    assert notes[0].startswith(
        "your notebook is of another release (version 0.0.9) than the course installed"
    )


def test_without_a_released_notebook_gaps_are_refused(notebook: NotebookNode) -> None:
    cells, notes = repaired(notebook, None)
    assert cells == notebook.cells and not notes
    notebook.cells = [cell for cell in notebook.cells if cell.id != "sgns_loss-check"]
    with pytest.raises(CourseError, match="cell sgns_loss-check is missing, and the released notebook"):
        repaired(notebook, None)
