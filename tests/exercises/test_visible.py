"""The visible tests: a notebook with the solutions in it passes them all, and each exercise passes alone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.assignment import Assignment
from autograder.authoring.command import generate
from nlpcourse.paths import project_root

ROOT = project_root(Path(__file__).parent)
EXERCISES = tuple(each.id for each in Assignment.load("embeddings", ROOT).exercises)

RunCells = Callable[..., dict[str, BaseException | None]]


@pytest.fixture(scope="module")
def run_cells() -> RunCells:
    """Runs the code cells of the released notebook (no long one); says what each test cell raised."""
    released = nbformat.reads(generate("embeddings", ROOT), as_version=4)
    solved = {cell.id: cell.source for cell in Assignment.load("embeddings", ROOT).source.cells}

    def run(*done: str, changed: tuple[str, str, str] | None = None) -> dict[str, BaseException | None]:
        namespace: dict[str, Any] = {"__name__": "__main__"}
        outcome: dict[str, BaseException | None] = {}
        for cell in released.cells:
            role = cell.metadata.nlpcourse.role
            if cell.cell_type != "code" or role == "long":
                continue
            source = solved[cell.id] if cell.id in done else cell.source
            if changed and cell.id == changed[0]:
                assert changed[1] in source
                source = source.replace(changed[1], changed[2])
            try:
                exec(compile(source, cell.id, "exec"), namespace)
                error = None
            except Exception as raised:  # noqa: BLE001 - the outcome of a cell is data here
                error = raised
            if role == "check":
                outcome[cell.metadata.nlpcourse.exercise] = error
            else:
                assert error is None, f"{cell.id}: {error!r}"
        return outcome

    return run


def test_all_solutions_pass(run_cells: RunCells) -> None:
    assert run_cells(*EXERCISES) == dict.fromkeys(EXERCISES)


def test_nothing_written_is_not_implemented(run_cells: RunCells) -> None:
    assert {type(error) for error in run_cells().values()} == {NotImplementedError}


@pytest.mark.parametrize("exercise", EXERCISES)
def test_each_exercise_passes_with_the_others_undone(run_cells: RunCells, exercise: str) -> None:
    outcome = run_cells(exercise)
    assert outcome.pop(exercise) is None
    assert all(isinstance(error, NotImplementedError) for error in outcome.values())


@pytest.mark.parametrize(
    ("exercise", "old", "new", "message"),
    [
        ("sgns_loss", ".mean()", ".mean(dim=0, keepdim=True)", "must be one number, a tensor of shape"),
        ("sgns_loss", "-(F", "(F", "On the worked example the loss must be 2.9143, but yours is -2.9143"),
        ("sgns_loss", ".mean()", ".sum()", "2.9883, the mean of 2.9143 and 3.0624, but yours is 5.97"),
        ("sgns_loss", "negatives)  #", "negatives[:1].expand_as(negatives))  #", "its own negatives"),
        (
            "SkipGram",
            "self.context_vectors = nn.Embedding(",
            "self.contexts = self.context_vectors = nn.Linear(1, 1);(",
            "called",
        ),
        ("SkipGram", "nn.init.zeros_(", "nn.init.ones_(", "the context vectors must be zeros"),
        ("SkipGram", "return sgns_loss", "return -sgns_loss", "every score is 0"),
        ("SkipGram", "self.context_vectors(negatives)", "self.center_vectors(negatives)", "its table"),
        ("train_skipgram", "total / len(pairs)", "loss", "list of Python floats"),
        ("train_skipgram", "optimizer.zero_grad()", "pass", "gradients of the batch before cleared first"),
        ("train_skipgram", "optimizer.step()", "pass", "The loss must fall"),
        ("train_skipgram", "model.train(was_training)", "pass", "evaluation mode again"),
        ("train_skipgram", "range(epochs)", "range(epochs + 1)", "With epochs=10 there must be 10 losses"),
        ("train_skipgram", "replacement=True, ", "", "Negatives are drawn with replacement"),
        ("sgns_gradient", "- 1) / batch", "- 1)", "Look at its sign, then at the mean over the pairs"),
        ("sgns_gradient", "return for_center, ", "return ", "three tensors"),
    ],
)
def test_a_mistake_is_told(run_cells: RunCells, exercise: str, old: str, new: str, message: str) -> None:
    error = run_cells(*EXERCISES, changed=(exercise, old, new))[exercise]
    assert isinstance(error, AssertionError)
    assert message in str(error)
