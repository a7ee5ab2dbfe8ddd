"""The instructor's commands as they are typed: what they print, write and return."""

import json
import zipfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from autograder import commands
from autograder.assignment import Assignment
from autograder.classroom import grade as grade_module
from autograder.classroom import worker
from autograder.classroom.folder import Classroom
from autograder.classroom.sample import fill, samples, write_sample
from autograder.classroom.workers import Pool, Raised
from autograder.grading.run import failed
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root


@pytest.fixture
def command():
    app = typer.Typer()
    commands.register(app)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    return run


@pytest.fixture
def collected(released: Classroom, notebook: bytes, tmp_path: Path, command) -> Classroom:
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("ada/embeddings.ipynb", notebook)
        archive.writestr("王小明/embeddings.ipynb", notebook)
        archive.writestr("bob/\x1b[31mnotes.txt", b"x")
    result = command("class", "collect", released.root, tmp_path / "s.zip")
    assert result.exit_code == 0
    assert "2 taken (0 marked late by the platform), 0 unchanged, 1 not taken" in result.stdout
    assert "\x1b[31m" not in result.stdout
    return released


@pytest.fixture
def graded(collected: Classroom, monkeypatch: pytest.MonkeyPatch) -> Classroom:
    """Grading is replaced: nobody can be graded, each for a reason."""
    assignment = Assignment.load("embeddings")

    def work(pool, tasks):
        for student in tasks:
            submission = collected.submission(student, "embeddings").read_bytes()
            made = failed(submission, assignment, student=student, reason="no answer cell")
            yield student, (made.record, made.notebook)

    nobody = Pool(workers=0, make=work, arguments=(), seconds=1)
    monkeypatch.setattr(worker, "begin", lambda *_, **__: nobody)
    monkeypatch.setattr(Pool, "work", work)
    monkeypatch.setattr(grade_module.layers, "require", lambda: None)
    return collected


def test_from_nothing_to_a_released_topic(command, tmp_path: Path) -> None:
    folder = tmp_path / "spring"
    assert command("class", "init", folder).exit_code == 0
    result = command("class", "release", folder, "embeddings", "--due", "2026-03-01T23:59+08:00")
    assert result.exit_code == 0
    assert "due 2026-03-01T15:59:00+00:00" in result.stdout
    assert f"{Assignment.load('embeddings').points} automatic points" in result.stdout
    assert "3 by hand" in result.stdout
    assert Classroom(folder).release("embeddings").is_file()


def test_grade_says_what_failed_and_that_is_no_error(graded: Classroom, command, tmp_path: Path) -> None:
    result = command("grade", "embeddings", "--class", graded.root, "--json", tmp_path / "out.json")
    assert result.exit_code == 0, result.output
    assert "2 graded, 0 were graded already" in result.stdout
    assert "failed: ada: no answer cell" in result.stdout
    assert f"embeddings: {Assignment.load('embeddings').total}" in result.stdout
    assert result.stdout.endswith(f"next: nlpcourse report --class {graded.root}\n")
    content = json.loads((tmp_path / "out.json").read_text())
    assert [each["status"] for each in content["submissions"]] == ["failed", "failed"]
    again = command("grade", "embeddings", "--class", graded.root)
    assert "0 graded, 2 were graded already" in again.stdout


def test_a_fault_of_the_grader_is_exit_code_1(
    graded: Classroom, command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pool, "work", lambda pool, tasks: ((each, Raised("Oops", "...")) for each in tasks))
    assert command("grade", "embeddings", "--class", graded.root).exit_code == 1


def test_ctrl_c_is_one_line(graded: Classroom, command, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(pool, tasks):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(Pool, "work", work)
    result = command("grade", "embeddings", "--class", graded.root)
    assert isinstance(result.exception, CourseError)
    assert "run the same command again" in str(result.exception)


def test_report_writes_everything(graded: Classroom, command) -> None:
    command("grade", "embeddings", "--class", graded.root)
    result = command("report", "--class", graded.root)
    assert result.exit_code == 0, result.output
    assert "2 feedback pages" in result.stdout
    assert (graded.root / "report.html").is_file()
    assert (graded.root / "grades.csv").is_file()
    assert "王小明" in (graded.root / "report.html").read_text(encoding="utf-8")


def test_a_missing_number_of_the_platform_hides_nothing_that_was_written(graded: Classroom, command) -> None:
    command("grade", "embeddings", "--class", graded.root)
    result = command("report", "--class", graded.root, "--lms", "canvas")
    assert isinstance(result.exception, CourseError)
    assert "has a canvas number" in str(result.exception)
    assert "grades.csv" in result.stdout
    assert "2 feedback pages" in result.stdout


@pytest.mark.parametrize(
    "arguments", [("grade", "embeddings", "--class"), ("report", "--class"), ("class", "release")]
)
def test_a_class_that_is_not_there_is_one_line(command, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    last = ("embeddings",) if arguments[-1] == "release" else ()
    result = command(*arguments, tmp_path / "none", *last)
    assert isinstance(result.exception, CourseError)
    assert "there is no folder" in str(result.exception)


def test_the_sample_has_ten_students_and_the_answers_of_the_reference(
    released: Classroom, tmp_path: Path
) -> None:
    import nbformat

    made = write_sample(tmp_path / "s.zip", released=released.release("embeddings"), root=project_root())
    assert len(made) == 10
    blank = nbformat.read(released.release("embeddings"), as_version=4)
    full = fill(blank, made[0])
    sources = "\n".join(cell.source for cell in full.cells if cell.cell_type == "code")
    assert "raise NotImplementedError()" not in sources
    assert "### BEGIN SOLUTION" not in sources
    untouched = next(each for each in samples(project_root()) if not each.answers)
    assert fill(blank, untouched) == blank
    again = tmp_path / "again.zip"
    write_sample(again, released=released.release("embeddings"), root=project_root())
    assert again.read_bytes() == (tmp_path / "s.zip").read_bytes()
