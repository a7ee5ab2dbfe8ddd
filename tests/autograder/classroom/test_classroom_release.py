"""Making a class and releasing a topic to it, once and again."""

import json
import shutil
import stat
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import nbformat
import pytest

from autograder.assignment import Assignment
from autograder.classroom import release as release_module
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom, open_class
from autograder.classroom.gradebook import open_gradebook
from autograder.classroom.init import init
from autograder.classroom.release import parse_due, release
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_salt_is_secret_and_every_class_has_its_own(released: Classroom, tmp_path: Path) -> None:
    assert stat.S_IMODE(released.salt_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(init(tmp_path / "other").root.stat().st_mode) == 0o700
    assert len(released.salt()) == 32
    assert Classroom(tmp_path / "other").salt() != released.salt()


def test_an_existing_class_is_refused_without_harm(released: Classroom) -> None:
    before = contents(released.root)
    with pytest.raises(CourseError, match="is a class already; nothing was changed"):
        init(released.root)
    assert contents(released.root) == before


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("my only copy")
    with pytest.raises(CourseError, match="not empty"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_init_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("autograder.classroom.init.load_config", fails)
    with pytest.raises(CourseError, match="No space left"):
        init(tmp_path / "class")
    assert not list(tmp_path.iterdir())


def test_what_is_no_class_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="there is no folder"):
        open_class(tmp_path / "none")
    with pytest.raises(CourseError, match="is not a class folder"):
        open_class(tmp_path)


def test_a_release_pins_all_that_grades(released: Classroom) -> None:
    pin = released.read_pin("embeddings")
    here, pinned = Assignment.load("embeddings"), Assignment.load("embeddings", released.pin("embeddings"))
    assert pin["fingerprint"] == here.fingerprint == pinned.fingerprint
    assert "autograder/checks/__init__.py" in pin["files"]
    assert "autograder/checks/embeddings/test_sgns_loss.py" in pin["files"]
    assert "solutions/embeddings/skipgram.py" in pin["files"]
    assert not [name for name in pin["files"] if "__pycache__" in name]


def test_the_notebook_to_hand_out_has_no_solution(released: Classroom) -> None:
    handed_out = nbformat.read(released.release("embeddings"), as_version=4)
    text = "\n".join(cell.source for cell in handed_out.cells)
    assert "raise NotImplementedError()" in text
    for secret in Assignment.load("embeddings").secrets:
        assert secret not in text


def test_the_gradebook_knows_the_cells_and_the_due_date(released: Classroom) -> None:
    with open_gradebook(course_directory(load_config(released))) as gradebook:
        assignment = gradebook.find_assignment("embeddings")
        assert assignment.duedate == datetime(2026, 3, 1, 12, 0)
        points = {
            cell.name: cell.max_score
            for cell in gradebook.find_notebook("embeddings", "embeddings").grade_cells
        }
    expected = {f"{each.id}-check": each.points for each in Assignment.load("embeddings").exercises}
    assert {name: points[name] for name in expected} == expected


def test_released_again_the_former_pin_and_the_due_date_stay(released: Classroom) -> None:
    former = contents(released.pin("embeddings"))
    (released.pin("embeddings") / "mark").write_text("former")
    pin = release(released, "embeddings", root=project_root())
    assert pin["due"] == "2026-03-01T12:00:00+00:00"
    kept = contents(released.root / "pinned" / "embeddings.1")
    assert kept.pop("mark") == b"former"
    assert kept == former
    assert released.topics() == ["embeddings"]
    release(released, "embeddings", root=project_root())
    assert (released.root / "pinned" / "embeddings.2").is_dir()


def test_a_release_that_nbgrader_refuses_changes_nothing(
    released: Classroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(released.root / "pinned"), released.source("embeddings").read_bytes()
    real = release_module.generate_assignment
    calls: list[str] = []

    def refuses(directory, topic, due):
        calls.append(topic)
        if len(calls) == 1:
            raise CourseError("nbgrader cannot release embeddings")
        real(directory, topic, due)

    monkeypatch.setattr(release_module, "generate_assignment", refuses)
    with pytest.raises(CourseError, match="cannot release"):
        release(released, "embeddings", root=project_root())
    assert (contents(released.root / "pinned"), released.source("embeddings").read_bytes()) == before
    assert released.release("embeddings").is_file()


def test_a_topic_without_exercises_is_said_in_a_line(released: Classroom, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="rnn has no exercises"):
        release(released, "rnn", root=tmp_path)
    with pytest.raises(CourseError, match="did you mean 'embeddings'"):
        release(released, "embedings", root=project_root())


def test_a_change_of_the_course_changes_nothing_for_the_class(released: Classroom, tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    shutil.copytree(project_root() / "solutions", root / "solutions")
    shutil.copytree(project_root() / "autograder" / "checks", root / "autograder" / "checks")
    before = json.dumps(released.read_pin("embeddings"))
    check = root / "autograder" / "checks" / "embeddings" / "test_sgns_loss.py"
    check.write_text(check.read_text() + "\n# another thought\n")
    assert Assignment.load("embeddings", root).fingerprint != released.read_pin("embeddings")["fingerprint"]
    assert json.dumps(released.read_pin("embeddings")) == before
    assert release(released, "embeddings", root=root)["fingerprint"] != json.loads(before)["fingerprint"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T23:59+08:00", datetime(2026, 3, 1, 15, 59, tzinfo=UTC)),
        ("2026-03-01T23:59:00Z", datetime(2026, 3, 1, 23, 59, tzinfo=UTC)),
    ],
)
def test_a_due_date_is_kept_in_utc(text: str, expected: datetime) -> None:
    assert parse_due(text) == expected
    assert parse_due(text).tzinfo is UTC


def test_a_date_alone_ends_with_its_day() -> None:
    local = parse_due("2026-03-01").astimezone()
    assert (local.day, local.hour, local.minute) == (1, 23, 59)
    assert parse_due("2026-03-01").astimezone(timezone(timedelta(hours=1)))


def test_a_date_that_is_none_is_said_in_a_line() -> None:
    with pytest.raises(CourseError, match="not an ISO date"):
        parse_due("next friday")


def test_nbgraders_own_maximum_counts_what_is_outside_the_total(released: Classroom) -> None:
    """The instructors' page says so; when nbgrader learns to leave it out, the page must change."""
    assignment = Assignment.load("embeddings")
    pin = released.read_pin("embeddings")
    outside = sum(exercise.points for exercise in assignment.exercises if exercise.further)
    with open_gradebook(course_directory(load_config(released))) as gradebook:
        counted = gradebook.find_assignment("embeddings").max_score
    assert outside > 0
    assert counted == pin["points"] + pin["by_hand"] + outside
