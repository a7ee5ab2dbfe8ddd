"""The coordinator: records first, the gradebook after them, and nothing lost whatever ends it."""

import json
import os
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from pretended import STUDENTS, TOPIC, Worker, gradebook_scores, record_scores, run
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from autograder.classroom import grade as grade_module
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom, lock
from autograder.classroom.grade import Order, grade
from autograder.classroom.gradebook import open_gradebook
from autograder.classroom.outcome import as_contract
from autograder.classroom.received import Receipt, write_receipts
from autograder.classroom.results import read_results
from autograder.classroom.sharing import SharedGradebook
from autograder.classroom.workers import Died, Raised
from autograder.grading.record import Record
from autograder.grading.restore import role_of
from nlpcourse.errors import CourseError


def test_everybody_is_graded_once(submitted: Classroom, worker: Worker) -> None:
    first = run(submitted)
    assert (first.graded, first.problems) == (3, [])
    assert [record.student for record in first.records] == list(STUDENTS)
    assert gradebook_scores(submitted) == record_scores(submitted)
    assert len(set(record_scores(submitted).values())) > 1, "the marks tell the students apart"
    second = run(submitted)
    assert second.graded == 0
    assert worker.graded == list(STUDENTS)
    assert second.records == first.records


def test_forced_it_grades_again_with_the_same_scores(submitted: Classroom, worker: Worker) -> None:
    first = run(submitted)
    files = {path: path.read_bytes() for path in (submitted.root / "results").rglob("*.*")}
    second = run(submitted, force=True)
    assert second.graded == 3
    assert second.records == first.records
    assert {path: path.read_bytes() for path in files} == files


def test_only_one_student(submitted: Classroom, worker: Worker) -> None:
    assert [record.student for record in run(submitted, students=("bob",)).records] == ["bob"]
    assert worker.graded == ["bob"]
    with pytest.raises(CourseError, match="no submission of embeddings from 'zoe'"):
        run(submitted, students=("zoe",))


def test_changed_bytes_are_graded_again(submitted: Classroom, worker: Worker) -> None:
    run(submitted)
    path = submitted.submission("bob", TOPIC)
    path.write_text(path.read_text() + " \n")
    worker.graded.clear()
    assert run(submitted).graded == 1
    assert worker.graded == ["bob"]
    assert gradebook_scores(submitted) == record_scores(submitted)


def test_a_submission_reaches_the_gradebook_in_one_step(submitted: Classroom, worker: Worker) -> None:
    """A kill leaves it out or in, never with half of its scores; and waiting for the disk is most of the time."""
    commits: list[object] = []

    def count(connection: object) -> None:
        commits.append(connection)

    run(submitted, students=("ada",))
    event.listen(Engine, "commit", count)
    try:
        run(submitted, students=("ada",))
        opening = len(commits)
        run(submitted, students=("ada", "bob", "eve"))
    finally:
        event.remove(Engine, "commit", count)
    assert len(commits) == 2 * opening + 2, "one for each of the two who are new"


def test_a_penalty_is_made_from_the_new_scores(submitted: Classroom, worker: Worker) -> None:
    """nbgrader's policy "zero" takes off what the database sums up; it must not be the sum before this grading."""
    submitted.config.write_text(
        submitted.config.read_text() + "c.LateSubmissionPlugin.penalty_method = 'zero'\n"
    )
    submitted.timestamp("ada", TOPIC).write_text("2026-03-05 10:00:00 UTC\n")
    run(submitted)
    with open_gradebook(course_directory(load_config(submitted))) as gradebook:
        penalties = {
            each.student.id: each.late_submission_penalty for each in gradebook.assignment_submissions(TOPIC)
        }
    assert penalties["bob"] == 0
    assert penalties["ada"] == gradebook_scores(submitted)["ada"] > 0


def test_what_fails_in_the_shared_session_is_done_the_old_way(
    submitted: Classroom, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: SharedGradebook) -> None:
        raise OperationalError("COMMIT", None, Exception("the connection was lost"))

    monkeypatch.setattr(SharedGradebook, "settle", broken)
    assert run(submitted).problems == []
    assert gradebook_scores(submitted) == record_scores(submitted)


def test_a_lost_gradebook_is_made_again_from_the_records(submitted: Classroom, worker: Worker) -> None:
    run(submitted)
    before = gradebook_scores(submitted)
    (submitted.root / "gradebook.db").unlink()
    worker.graded.clear()
    outcome = run(submitted)
    assert (outcome.graded, outcome.problems, worker.graded) == (0, [], [])
    assert gradebook_scores(submitted) == before


def test_a_gradebook_that_disagrees_is_put_right(submitted: Classroom, worker: Worker) -> None:
    run(submitted)
    before = gradebook_scores(submitted)
    with open_gradebook(course_directory(load_config(submitted))) as gradebook:
        gradebook.find_grade("sgns_loss-check", TOPIC, TOPIC, "ada").auto_score = 9.5
        gradebook.db.commit()
    assert gradebook_scores(submitted) != before
    assert run(submitted).graded == 0
    assert gradebook_scores(submitted) == before


def test_a_kill_while_nbgrader_writes_is_mended(submitted: Classroom, worker: Worker) -> None:
    """nbgrader alone would skip a student whose sanitised notebook lies there for ever."""
    run(submitted)
    shown = submitted.autograded("eve", TOPIC)
    sanitised = nbformat.read(shown, as_version=4)
    for cell in sanitised.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    shown.chmod(0o644)
    shown.write_text(nbformat.writes(sanitised))
    assert run(submitted).graded == 0
    reports = [cell.outputs for cell in nbformat.read(shown, as_version=4).cells if role_of(cell) == "check"]
    assert reports
    assert all(reports)


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(9)])
def test_what_was_graded_before_the_end_stays(
    submitted: Classroom, worker: Worker, ending: BaseException
) -> None:
    worker.instead["bob"] = ending
    with pytest.raises(type(ending)):
        run(submitted)
    assert submitted.record("ada", TOPIC).is_file()
    assert not submitted.record("eve", TOPIC).exists()
    worker.instead.clear()
    outcome = run(submitted)
    assert outcome.graded == 2
    assert worker.graded == ["ada", "bob", "eve"]
    assert gradebook_scores(submitted) == record_scores(submitted)


def test_a_full_disk_is_one_line_and_costs_one(
    submitted: Classroom, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, full = os.fsync, {"now": False}

    def fsync(descriptor: int) -> None:
        name = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if full["now"] or "bob.json" in name:
            full["now"] = True
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(CourseError, match=r"cannot write .*bob\.json: No space left on device"):
        run(submitted)
    monkeypatch.undo()
    monkeypatch.setattr(grade_module, "work", worker)
    monkeypatch.setattr(grade_module.layers, "require", lambda: None)
    assert submitted.record("ada", TOPIC).is_file()
    assert not submitted.record("bob", TOPIC).exists()
    assert not list((submitted.root / "results").rglob("*.tmp"))
    assert run(submitted).graded == 2
    assert gradebook_scores(submitted) == record_scores(submitted)


def test_a_cut_off_record_is_graded_again(submitted: Classroom, worker: Worker) -> None:
    run(submitted)
    path = submitted.record("ada", TOPIC)
    path.write_bytes(path.read_bytes()[:200])
    assert run(submitted).graded == 1


def test_a_submission_that_no_worker_survives_is_recorded(submitted: Classroom, worker: Worker) -> None:
    worker.instead["bob"] = Died("killed by SIGKILL")
    outcome = run(submitted)
    assert not outcome.problems
    bob = outcome.records[1]
    assert (bob.status, bob.score) == ("failed", 0)
    assert "killed by SIGKILL" in bob.reason
    assert gradebook_scores(submitted) == record_scores(submitted)
    assert run(submitted).graded == 0


def test_a_fault_of_the_grader_is_no_outcome(
    submitted: Classroom, worker: Worker, capsys: pytest.CaptureFixture[str]
) -> None:
    worker.instead["bob"] = Raised("ValueError: four", "Traceback ...")
    outcome = run(submitted)
    assert outcome.problems == ["bob: the grader failed: ValueError: four"]
    assert "Traceback" in capsys.readouterr().err
    assert not submitted.record("bob", TOPIC).exists()
    worker.instead.clear()
    assert run(submitted).graded == 1


def test_a_submission_that_is_no_notebook(submitted: Classroom, worker: Worker) -> None:
    submitted.submission("bob", TOPIC).write_bytes(b"not json")
    from autograder.grading.run import failed

    made = failed(b"not json", worker.assignment, student="bob", reason="the file is not a notebook")
    worker.instead["bob"] = (made.record, made.notebook)
    outcome = run(submitted)
    assert not outcome.problems
    assert gradebook_scores(submitted)["bob"] == 0
    assert submitted.autograded("bob", TOPIC).is_file(), "the formgrader shows why"
    assert run(submitted).graded == 0


def test_lateness_comes_from_the_collector(submitted: Classroom, worker: Worker) -> None:
    times = {
        "ada": "2026-03-01T11:59:59+00:00",
        "bob": "2026-03-01T12:00:01+00:00",
        "eve": "2026-01-01T00:00:00+00:00",
    }
    write_receipts(
        submitted,
        [
            Receipt(student, TOPIC, student, "x", time, "0", "yes" if student == "eve" else "", "", "")
            for student, time in times.items()
        ],
    )
    outcome = run(submitted)
    assert [record.late for record in outcome.records] == [False, True, True]
    submitted.received_file.unlink()
    outcome = run(submitted)
    assert (outcome.graded, [record.late for record in outcome.records]) == (0, [False, False, False])


def test_two_coordinators_do_not_meet(submitted: Classroom, worker: Worker) -> None:
    with lock(submitted.root), pytest.raises(CourseError, match="another command is at work"):
        run(submitted)
    assert run(submitted).graded == 3


def test_a_pin_that_was_changed_is_refused(submitted: Classroom, worker: Worker) -> None:
    check = submitted.pin(TOPIC) / "autograder" / "checks" / TOPIC / "test_sgns_loss.py"
    check.write_text(check.read_text() + "\n# changed\n")
    with pytest.raises(CourseError, match="is not what was released"):
        run(submitted)


def test_a_topic_that_is_not_released(submitted: Classroom, worker: Worker) -> None:
    with pytest.raises(CourseError, match="rnn is not released"):
        grade(submitted, Order("rnn"))


def test_without_a_sandbox_it_refuses(
    submitted: Classroom, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise CourseError("no sandbox here: files are not covered")

    monkeypatch.setattr(grade_module.layers, "require", missing)
    with pytest.raises(CourseError, match="no sandbox here"):
        run(submitted)
    assert run(submitted, unsafe=True).graded == 3


def test_a_record_made_without_a_sandbox_does_not_hold_with_one(
    submitted: Classroom, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = worker.result

    def unsafe(student: str) -> tuple[Record, bytes]:
        record, content = real(student)
        return replace(record, sandbox=()), content

    monkeypatch.setattr(worker, "result", unsafe)
    assert run(submitted, unsafe=True).graded == 3
    assert run(submitted, unsafe=True).graded == 0
    monkeypatch.setattr(worker, "result", real)
    assert run(submitted).graded == 3


def test_the_gradebook_may_be_another_database(submitted: Classroom, worker: Worker, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    assert run(submitted, db_url=url).problems == []
    assert gradebook_scores(submitted) == record_scores(submitted), "the class remembers it"
    assert (tmp_path / "elsewhere.db").stat().st_size > 0
    assert submitted.database_file.stat().st_mode & 0o077 == 0
    with pytest.raises(CourseError, match="the gradebook sqlite"):
        run(submitted, db_url=f"sqlite:///{tmp_path}/no/such/folder.db")


CHECK_KEYS = {"id", "status", "points", "hint"}
EXERCISE_KEYS = {"id", "status", "reason", "score", "max", "checks"}
SUBMISSION_KEYS = {"student", "status", "reason", "score", "max", "late", "flags", "manual", "exercises"}


def test_the_json_is_the_contracts(submitted: Classroom, worker: Worker) -> None:
    content = json.loads(json.dumps(as_contract(submitted, run(submitted))))
    assert set(content) == {"assignment", "version", "submissions"}
    for submission in content["submissions"]:
        assert set(submission) == SUBMISSION_KEYS
        assert submission["score"] == sum(each["score"] for each in submission["exercises"])
        for exercise in submission["exercises"]:
            assert set(exercise) == EXERCISE_KEYS
            assert all(set(check) == CHECK_KEYS for check in exercise["checks"])


def test_scores_given_by_hand_are_kept_and_shown(submitted: Classroom, worker: Worker) -> None:
    path = submitted.submission("ada", TOPIC)
    content = nbformat.read(path, as_version=4)
    next(cell for cell in content.cells if cell.id == "two-tables").source = "Because."
    path.write_text(nbformat.writes(content))
    outcome = run(submitted)
    waiting = as_contract(submitted, outcome)["submissions"][0]["manual"]
    assert waiting == {"score": None, "max": outcome.records[0].manual.max}
    with open_gradebook(course_directory(load_config(submitted))) as gradebook:
        gradebook.find_grade("two-tables", TOPIC, TOPIC, "ada").manual_score = 2.0
        gradebook.find_comment("two-tables", TOPIC, TOPIC, "ada").manual_comment = "half of it"
        gradebook.db.commit()
    run(submitted, force=True)
    assert as_contract(submitted, run(submitted))["submissions"][0]["manual"]["score"] == 2.0
    ada = read_results(submitted)[0].submissions[0]
    assert (ada.written[0].score, ada.written[0].comment) == (2.0, "half of it")
    assert ada.score == outcome.records[0].score + 2


def test_scores_by_hand_stand_when_the_same_file_is_graded_again(
    submitted: Classroom, worker: Worker
) -> None:
    """But who overruled an automatic score is asked again when that one is another now."""
    before = {each.id: each.score for each in run(submitted).records[1].exercises}
    same, other = [name for name, score in before.items() if score][:2]
    question = worker.assignment.questions[0].id
    with open_gradebook(course_directory(load_config(submitted))) as gradebook:
        for name in (question, f"{same}-check", f"{other}-check"):
            grade = gradebook.find_grade(name, TOPIC, TOPIC, "bob")
            grade.manual_score, grade.needs_manual_grade = 1, False
        gradebook.db.commit()
    worker.failed = {other}
    run(submitted, force=True)
    bob = read_results(submitted)[0].submissions[1]
    assert [each.result.id for each in bob.exercises if each.review] == [other]
    assert (bob.written[0].score, bob.written[0].review) == (1, False)


def test_a_folder_that_cannot_be_written_is_one_line(submitted: Classroom, worker: Worker) -> None:
    (submitted.root / ".lock").mkdir()
    with pytest.raises(CourseError, match="cannot be written"):
        run(submitted)
    (submitted.root / ".lock").rmdir()
    (submitted.root / "results" / TOPIC).touch()
    with pytest.raises(CourseError, match="cannot make the folder"):
        run(submitted)


@pytest.mark.parametrize("told", ["student", "assignment", "hashes"])
def test_a_record_of_something_else_touches_nobody(submitted: Classroom, worker: Worker, told: str) -> None:
    """What comes from another machine is data: it must not stand in a classmate's place, nor lead out of the class."""
    run(submitted)
    before = {path: path.read_bytes() for path in (submitted.root / "results").rglob("*.json")}
    record, notebook = worker.result("eve")
    wrong = {"student": "bob", "assignment": "../ada", "hashes": replace(record.hashes, submission="0" * 64)}
    worker.instead["eve"] = (replace(record, **{told: wrong[told]}), notebook)
    outcome = run(submitted, force=True)
    (problem,) = outcome.problems
    assert problem.startswith("eve: the grader failed: its record is of another ")
    assert {path: path.read_bytes() for path in (submitted.root / "results").rglob("*.json")} == before
