"""What a student can do to a class from outside the kernel: by a name, by a file that is none, by its moment."""

import hashlib
import os

import nbformat
import pytest
from nbconvert.exporters import HTMLExporter
from nbgrader.api import Student
from nbgrader.server_extensions.formgrader import handlers
from pretended import TOPIC, Worker, run
from traitlets.config import Config

from autograder.classroom.config import course_directory, load_config
from autograder.classroom.export import write_platform
from autograder.classroom.feedback import write_feedback
from autograder.classroom.folder import Classroom
from autograder.classroom.gradebook import open_gradebook
from autograder.classroom.received import Receipt, write_receipts
from autograder.classroom.results import read_results
from autograder.classroom.worker import make
from autograder.classroom.workers import work
from autograder.grading.record import Record

RECEIVED, LATER = "2026-02-28T10:00:00+00:00", "2026-03-09T10:00:00+00:00"


def receive(classroom: Classroom, student: str, name: str, received: str = RECEIVED) -> None:
    """Note that a student handed in what lies there, under a name of the student's own choice."""
    digest = hashlib.sha256(classroom.submission(student, TOPIC).read_bytes()).hexdigest()
    write_receipts(
        classroom, [Receipt(student, TOPIC, name, f"{student}.ipynb", received, digest, "", "7", "")]
    )


def name_in_the_gradebook(classroom: Classroom, student: str) -> str:
    with open_gradebook(course_directory(load_config(classroom))) as gradebook:
        return gradebook.find_student(student).last_name


def test_a_name_is_text_on_the_formgraders_own_page(submitted: Classroom, worker: Worker, evil: str) -> None:
    """nbgrader writes it there as it is, on the origin of its grading API."""
    receive(submitted, "bob", f"王 {evil}")
    assert not run(submitted).problems
    config = Config()
    config.HTMLExporter.template_name = "formgrade"
    config.HTMLExporter.extra_template_basedirs = [handlers.template_path]
    name = name_in_the_gradebook(submitted, "bob")
    resources = {"last_name": name, "first_name": "bob", "student": "bob", "base_url": "", "index": 0}
    resources |= {"assignment_id": TOPIC, "notebook_id": TOPIC, "submission_id": "1", "total": 1}
    page, _ = HTMLExporter(config=config).from_notebook_node(nbformat.v4.new_notebook(), resources=resources)
    assert "王" in page, "the name stands on the page"
    assert "alert(1)" in page
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_a_long_name_fits_into_every_database(submitted: Classroom, worker: Worker) -> None:
    """PostgreSQL refuses a text that is too long for its column, and with it the whole class; SQLite does not."""
    receive(submitted, "bob", "Bob " * 200)
    assert not run(submitted).problems
    name = name_in_the_gradebook(submitted, "bob")
    assert name.startswith("Bob Bob")
    assert len(name) <= Student.last_name.type.length


def test_what_came_after_grading_is_not_told_as_graded(submitted: Classroom, worker: Worker) -> None:
    """Else the old score would stand beside the new time, in the report and in what the platform imports."""
    receive(submitted, "bob", "Bob")
    run(submitted)
    write_feedback(submitted, read_results(submitted))
    page = submitted.feedback("bob", TOPIC).read_text(encoding="utf-8")
    assert "2026-02-28" in page
    path = submitted.submission("bob", TOPIC)
    path.write_text(path.read_text() + " \n")
    receive(submitted, "bob", "Bob", LATER)
    results = read_results(submitted)
    graded = {work.student: work.record is not None for work in results[0].submissions}
    assert graded == {"ada": True, "bob": False, "eve": True}
    write_feedback(submitted, results)
    assert submitted.feedback("bob", TOPIC).read_text(encoding="utf-8") == page, "of what was graded"
    (table,) = write_platform(submitted, results, "moodle")
    assert "Bob" not in table.read_text(encoding="utf-8")
    run(submitted)
    assert all(work.record for work in read_results(submitted)[0].submissions)


def test_a_score_by_hand_of_an_earlier_file_waits_to_be_looked_at(
    submitted: Classroom, worker: Worker
) -> None:
    """A score by hand stays when its student hands in anew, better or worse; the report says that it is to be read."""
    run(submitted)
    question, exercise = worker.assignment.questions[0].id, f"{worker.assignment.exercises[0].id}-check"
    with open_gradebook(course_directory(load_config(submitted))) as gradebook:
        for name in (question, exercise):
            grade = gradebook.find_grade(name, TOPIC, TOPIC, "bob")
            grade.manual_score, grade.needs_manual_grade = 2, False
        gradebook.db.commit()

    def told() -> dict[str, tuple[bool, list[float | None]]]:
        works = read_results(submitted)[0].submissions
        return {each.student: (each.pending, [part.score for part in each.written]) for each in works}

    assert told()["bob"] == (False, [2])
    path = submitted.submission("bob", TOPIC)
    path.write_text(path.read_text() + " \n")
    run(submitted)
    assert told() == {"ada": (False, [0]), "bob": (True, [2]), "eve": (False, [0])}


@pytest.mark.parametrize("kind", ["a link to a file", "a link to a folder", "a pipe"])
def test_what_is_no_file_of_the_students_own_earns_nothing(submitted: Classroom, kind: str) -> None:
    """The instructor's own source, or a classmate's notebook, by a link that came with unpacked files."""
    path = submitted.submission("eve", TOPIC)
    path.unlink()
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a link to a file":
        path.symlink_to(submitted.source(TOPIC))
    else:
        submitted.timestamp("eve", TOPIC).unlink()
        path.parent.rmdir()
        path.parent.symlink_to(submitted.submission("ada", TOPIC).parent)
    assert submitted.read_submission("eve", TOPIC) == b""
    assert submitted.read_submission("ada", TOPIC) == submitted.submission("ada", TOPIC).read_bytes()


def test_a_link_is_said_to_be_why(
    submitted: Classroom, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = submitted.submission("eve", TOPIC)
    path.unlink()
    path.symlink_to(submitted.source(TOPIC))
    arguments = (str(submitted.root), TOPIC, False)
    ((_, (record, notebook)),) = work(["eve"], workers=1, make=make, arguments=arguments, seconds=300)
    assert (record.status, record.score) == ("failed", 0)
    assert "a link" in record.reason
    worker.instead["eve"] = (record, notebook)
    assert not run(submitted).problems
    held = Record.from_json(submitted.record("eve", TOPIC).read_bytes())
    assert (held.status, held.score, held.reason) == (record.status, record.score, record.reason)
