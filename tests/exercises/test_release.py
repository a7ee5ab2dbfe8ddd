"""The released notebook: the same bytes each time, nothing secret in it, and the committed one up to date."""

import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import typer
from typer.testing import CliRunner

from autograder.assignment import Assignment
from autograder.authoring.command import drift, generate, register
from autograder.authoring.release import refuse_leaks, released_notebook
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root

ROOT = project_root(Path(__file__).parent)


@pytest.fixture(scope="module")
def released() -> str:
    return generate("embeddings", ROOT)


@pytest.fixture
def command(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs `nlpcourse exercises` in a copy of the project; returns what it prints."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    monkeypatch.chdir(project)

    def run(*arguments: str) -> str:
        result = CliRunner().invoke(app, ["exercises", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    return run


def test_two_runs_are_equal_to_the_byte(released: str) -> None:
    assert generate("embeddings", ROOT) == released


def test_the_committed_notebook_is_what_the_sources_give(released: str) -> None:
    assert drift(ROOT / "exercises" / "embeddings" / "embeddings.ipynb", released) is None


def test_it_is_a_valid_notebook_with_stubs(released: str) -> None:
    notebook = nbformat.reads(released, as_version=4)
    nbformat.validate(notebook)
    ids = [cell.id for cell in notebook.cells]
    assert len(ids) == len(set(ids))
    answers = [cell.source for cell in notebook.cells if cell.metadata.nlpcourse.role == "answer"]
    assert len(answers) == len(Assignment.load("embeddings", ROOT).exercises)
    assert all("raise NotImplementedError()" in answer for answer in answers)
    assert not any(cell.get("outputs") for cell in notebook.cells)


def test_no_solution_line_and_no_rubric_is_in_it(released: str) -> None:
    assignment = Assignment.load("embeddings", ROOT)
    secrets = assignment.secrets
    assert len(secrets) >= 2 * len(assignment.exercises)
    lines = {
        line.strip() for cell in json.loads(released)["cells"] for line in "".join(cell["source"]).split("\n")
    }
    assert not {secret for secret in secrets if len(secret) >= 12} & lines
    assert not [secret for secret in secrets if len(secret) >= 24 and json.dumps(secret)[1:-1] in released]
    assert "SOLUTION" not in released
    assert "One point" not in released


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer.zero_grad()", r"cell prose gives away a solution: 'optimizer\.zero_grad\(\)'"),
        ("Use `similarity[word] = -torch.inf` here", "gives away"),
        ("a rubric that nobody may see", "gives away"),
        ("### BEGIN SOLUTION", "marker 'BEGIN SOLUTION' survived"),
    ],
)
def test_a_leak_is_refused(text: str, message: str) -> None:
    secrets = ("optimizer.zero_grad()", "similarity[word] = -torch.inf", "a rubric that nobody may see")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text, id="prose")])
    with pytest.raises(CourseError, match=message):
        refuse_leaks(notebook, secrets)


def test_words_that_happen_to_be_in_a_solution_are_no_leak() -> None:
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("else:\nuse `optimizer.zero_grad()`")]
    )
    refuse_leaks(notebook, ("else:", "optimizer.zero_grad()"))


def test_a_hint_that_quotes_the_solution_is_refused(project: Path) -> None:
    manuscript = project / "solutions" / "embeddings" / "exercise.md"
    quoted = "`nn.init.zeros_(self.context_vectors.weight)`"
    manuscript.write_text(manuscript.read_text().replace("The numbers of a table are", f"Use {quoted}."))
    with pytest.raises(CourseError, match="SkipGram-prose-1 gives away a solution"):
        released_notebook(Assignment.load("embeddings", project))


def test_a_changed_line_of_the_prose_is_drift(project: Path, command: Callable[..., str]) -> None:
    assert "what their sources give" in command("--check")
    manuscript = project / "solutions" / "embeddings" / "exercise.md"
    manuscript.write_text(
        manuscript.read_text().replace("The loss is what the model", "The cost is what the model")
    )
    with pytest.raises(CourseError, match=r"cell sgns_loss-statement still has the line 'The loss is what"):
        command("--check")
    assert command() == "wrote exercises/embeddings/embeddings.ipynb\n"
    assert "what their sources give" in command("--check")
    assert command("embeddings") == "exercises/embeddings/embeddings.ipynb is up to date\n"


def test_a_changed_line_of_the_reference_is_drift(project: Path, command: Callable[..., str]) -> None:
    reference = project / "solutions" / "embeddings" / "skipgram.py"
    reference.write_text(
        reference.read_text().replace("lr: learning rate of Adam.", "lr: step size of Adam.")
    )
    with pytest.raises(
        CourseError, match=r"cell train_skipgram still has the line 'lr: learning rate of Adam\.'"
    ):
        command("--check")


def test_a_changed_solution_is_drift_too(project: Path, command: Callable[..., str]) -> None:
    """The stub hides the solution's text, but the notebook carries a hash of its sources."""
    reference = project / "solutions" / "embeddings" / "skipgram.py"
    reference.write_text(reference.read_text().replace("loss.backward()", "(-loss).backward()"))
    with pytest.raises(CourseError, match="the text of a solution or a rubric has changed"):
        command("--check")


def test_a_notebook_edited_by_hand_missing_or_foreign_is_drift(
    project: Path, command: Callable[..., str]
) -> None:
    path = project / "exercises" / "embeddings" / "embeddings.ipynb"
    text = path.read_text()
    path.write_text(text.replace("    # YOUR CODE HERE", "    # HERE", 1))
    with pytest.raises(CourseError, match=r"cell \w+ still has the line '# HERE'"):
        command("--check")
    path.write_text("{")
    with pytest.raises(CourseError, match="the file is no notebook"):
        command("--check")
    path.unlink()
    with pytest.raises(CourseError, match="the file is missing"):
        command("--check")
    path.write_text(text)
    (project / "exercises" / "embeddings" / "old.ipynb").write_text(text)
    with pytest.raises(CourseError, match=r"old\.ipynb: no manuscript makes it"):
        command("--check")


def test_a_requirement_without_a_check_is_refused(project: Path, command: Callable[..., str]) -> None:
    manuscript = project / "solutions" / "embeddings" / "exercise.md"
    text = manuscript.read_text().replace("6. `sgns-6`", "6. `sgns-7` It is green.\n7. `sgns-6`")
    manuscript.write_text(text)
    with pytest.raises(CourseError, match="sgns_loss: no check enforces sgns-7"):
        command()


def test_the_difference_is_shown_for_order_only(released: str, tmp_path: Path) -> None:
    notebook = json.loads(released)
    notebook["cells"].reverse()
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(notebook))
    assert drift(path, released) == "the metadata or the order of the cells differs"


def test_a_notebook_is_shown_as_a_student_sees_it(project: Path, command: Callable[..., str]) -> None:
    command("embeddings", "--show")
    page = (project / "_build" / "preview" / "embeddings.html").read_text(encoding="utf-8")
    assert "The loss of skip-gram" in page
    assert "NotImplementedError" in page
