"""nbgrader's own commands with our two steps in place: same scores, no student left out, no score from the kernel."""

import copy
import os
import shutil
import subprocess
import sys

import nbformat
import pytest
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from nbgrader.apps import NbGraderAPI
from nbgrader.utils import determine_grade
from tiny import TOPIC, WRONG, write_tiny

from autograder.assignment import Assignment
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.gradebook import open_gradebook
from autograder.classroom.init import init
from autograder.classroom.release import release
from autograder.grading import nbgrader_glue
from autograder.grading.record import Record
from autograder.grading.restore import blank
from nlpcourse.errors import CourseError

SCORES = {
    "honest": {"absolute": 3, "total": 4, "largest": 2, "why": None},
    "untouched": {"absolute": 0, "total": 0, "largest": 0, "why": 0},
    "tampered": {"absolute": 0, "total": 4, "largest": 2, "why": None},
    "stripped": {"absolute": 0, "total": 4, "largest": 2, "why": None},
    "unreadable": {"absolute": 0, "total": 0, "largest": 0, "why": 0},
    "elsewhere": {"absolute": 0, "total": 0, "largest": 0, "why": 0},
}


@pytest.fixture(scope="module")
def classroom(tmp_path_factory, tiny):
    """A class of six with the tiny assignment, not graded yet."""
    root = write_tiny(tmp_path_factory.mktemp("course"))
    made = init(tmp_path_factory.mktemp("classes") / "class")
    release(made, TOPIC, root=root)
    honest = tiny.notebook(
        absolute="import sys\nprint('warning', file=sys.stderr)\ndef absolute(x):\n    return abs(x)"
    )
    tampered = tiny.notebook(absolute=WRONG)
    check = next(cell for cell in tampered.cells if cell.id == "absolute-check")
    for cell in tampered.cells:
        cell.metadata["tags"] = ["skip-execution"]
    passing = copy.deepcopy(check)
    passing.source = "3"
    tampered.cells.insert(2, passing)
    stripped = tiny.notebook(absolute=WRONG)
    for cell in stripped.cells:
        cell.metadata = {}
    contents = {
        "honest": nbformat.writes(honest).encode(),
        "untouched": nbformat.writes(blank(tiny.assignment)).encode(),
        "tampered": nbformat.writes(tampered).encode(),
        "stripped": nbformat.writes(stripped).encode(),
        "unreadable": b"PK not a notebook",
        "elsewhere": nbformat.writes(
            nbformat.v4.new_notebook(metadata={"nlpcourse": {"topic": "cnn"}})
        ).encode(),
    }
    for student, content in contents.items():
        file = made.submission(student, TOPIC)
        file.parent.mkdir(parents=True)
        file.write_bytes(content)
    return made


@pytest.fixture(scope="module")
def graded(classroom):
    """The class, after nbgrader's own command line graded it."""
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(classroom.root / "none")}
    command = [sys.executable, "-m", "nbgrader", "autograde", TOPIC]
    done = subprocess.run(
        command, cwd=classroom.root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:6000]
    return classroom


def gradebook_scores(classroom, student):
    with open_gradebook(course_directory(load_config(classroom))) as gradebook:
        notebook = gradebook.find_submission_notebook(TOPIC, TOPIC, student)
        assert notebook.needs_manual_grade == (SCORES[student]["why"] is None)
        return {grade.name.removesuffix("-check"): grade.auto_score for grade in notebook.grades}


@pytest.mark.parametrize("student", SCORES)
def test_nbgrader_autograde_gives_the_scores_of_the_records(graded, student):
    assert gradebook_scores(graded, student) == SCORES[student]
    record = Record.from_json(graded.record(student, TOPIC).read_bytes())
    assert {each.id: each.score for each in record.exercises} == {
        name: score for name, score in SCORES[student].items() if name != "why"
    }
    assert (record.status == "failed") == (student in ("unreadable", "elsewhere"))
    assert bool(record.flags) == (student in ("tampered", "stripped"))
    shown = nbformat.read(graded.autograded(student, TOPIC), as_version=4)
    for cell in shown.cells:
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
            assert determine_grade(cell)[0] == SCORES[student][cell.metadata.nlpcourse.exercise]
            assert [output.output_type for output in cell.outputs] == ["display_data", "execute_result"]


def test_the_formgraders_autograde_applies_the_record_without_grading_again(graded, monkeypatch):
    def no_grading(*arguments):
        raise AssertionError("graded again")

    monkeypatch.setattr(nbgrader_glue, "_grader", no_grading)
    monkeypatch.chdir(graded.root)
    shutil.rmtree(graded.autograded("honest", TOPIC).parent)
    config = load_config(graded)
    api = NbGraderAPI(course_directory(config), config=config)
    outcome = api.autograde(TOPIC, "honest")
    assert outcome["success"], outcome
    assert gradebook_scores(graded, "honest") == SCORES["honest"]


def apply(classroom, monkeypatch, student):
    monkeypatch.chdir(classroom.root)
    config = load_config(classroom)
    return NbGraderAPI(course_directory(config), config=config).autograde(TOPIC, student)


def test_a_record_of_other_bytes_does_not_count(graded, monkeypatch):
    asked = []

    def grade(student):
        asked.append(student)
        raise CourseError("asked to grade")

    monkeypatch.setattr(nbgrader_glue, "_grader", lambda *arguments: grade)
    file = graded.submission("honest", TOPIC)
    content = file.read_bytes()
    try:
        file.write_bytes(content + b"\n")
        assert not apply(graded, monkeypatch, "honest")["success"]
    finally:
        file.write_bytes(content)
    assert asked == ["honest"]
    assert apply(graded, monkeypatch, "honest")["success"]


def test_a_record_that_says_more_than_the_notebook_is_refused(graded, monkeypatch):
    file = graded.graded("untouched", TOPIC)
    content = file.read_bytes()
    notebook = nbformat.reads(content.decode(), as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    try:
        file.write_bytes(nbformat.writes(notebook).encode())
        outcome = apply(graded, monkeypatch, "untouched")
        assert not outcome["success"]
        assert "the record says 0, the notebook []" in outcome["log"]
    finally:
        file.write_bytes(content)
    assert apply(graded, monkeypatch, "untouched")["success"]


def test_grading_refuses_another_provisioner(tiny, monkeypatch):
    def other(self, kernel_id, kernel_spec, parent):
        return LocalProvisioner(kernel_id=kernel_id, kernel_spec=kernel_spec, parent=parent)

    kernel_spec_argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    monkeypatch.setattr(KernelProvisionerFactory, "create_provisioner_instance", other)
    monkeypatch.setattr("autograder.sandbox.kernel.KernelSpec", _spec(kernel_spec_argv))
    with pytest.raises(CourseError, match="LocalProvisioner, expected SandboxProvisioner"):
        tiny.grade(tiny.notebook())


def _spec(argv):
    from jupyter_client.kernelspec import KernelSpec

    return lambda **fields: KernelSpec(**{**fields, "argv": argv})


def test_the_class_is_graded_with_its_pin_and_an_unreleased_topic_is_refused(graded):
    assert Assignment.load(TOPIC, graded.pin(TOPIC)).fingerprint == (
        Record.from_json(graded.record("honest", TOPIC).read_bytes()).hashes.fingerprint
    )
    with pytest.raises(CourseError, match="not released"):
        nbgrader_glue._Work(graded, "rnn", "honest")
