"""The real thing: submissions in real kernels, the coordinator killed in the middle, and started again."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from tiny import HONEST, TOPIC, write_tiny

from autograder.classroom.collect import collect
from autograder.classroom.config import course_directory, load_config
from autograder.classroom.folder import Classroom
from autograder.classroom.gradebook import open_gradebook
from autograder.classroom.init import init
from autograder.classroom.release import release
from nlpcourse.paths import project_root

EXPECTED = {f"s{number}": 0.0 if number == 1 else 1.0 for number in range(7)} | {"s7": 0.0}
"""The second has done nothing, the last one's file is no notebook, all others have everything right."""


pytestmark = pytest.mark.slow


@pytest.fixture
def handed_in(tmp_path: Path) -> Classroom:
    made = init(tmp_path / "class")
    release(made, TOPIC, root=write_tiny(tmp_path / "course"))
    notebook = nbformat.read(made.release(TOPIC), as_version=4)
    untouched = nbformat.writes(notebook)
    for cell in notebook.cells:
        cell.source = HONEST.get(cell.id, cell.source)
    contents = dict.fromkeys(EXPECTED, nbformat.writes(notebook)) | {"s1": untouched, "s7": "{"}
    for student, content in contents.items():
        (tmp_path / "handed-in" / student).mkdir(parents=True)
        (tmp_path / "handed-in" / student / f"{TOPIC}.ipynb").write_text(content, encoding="utf-8")
    assert len(collect(made, tmp_path / "handed-in").taken) == len(EXPECTED)
    return made


def command(classroom: Classroom, *options: str) -> list[str]:
    return [sys.executable, "-m", "nlpcourse.cli", "grade", TOPIC, "--class", str(classroom.root), *options]


def grade(classroom: Classroom, *options: str) -> str:
    done = subprocess.run(
        command(classroom, *options), capture_output=True, text=True, timeout=600, cwd=project_root()
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shares(classroom: Classroom) -> dict[str, float]:
    """The automatic points in the gradebook, as shares of what can be had."""
    with open_gradebook(course_directory(load_config(classroom))) as gradebook:
        return {
            each.student.id: each.code_score / each.max_code_score
            for each in gradebook.assignment_submissions(TOPIC)
        }


def test_killed_in_the_middle_and_started_again(handed_in: Classroom, tmp_path: Path) -> None:
    results = handed_in.root / "results" / TOPIC
    with subprocess.Popen(command(handed_in, "--workers", "2"), cwd=project_root()) as running:
        end = time.monotonic() + 300
        while not list(results.glob("*.json")) and running.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        family = psutil.Process(running.pid).children(recursive=True)
        running.send_signal(signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL, "it was still at work"
    kept = {path: path.stat().st_mtime_ns for path in results.glob("*.json")}
    assert 0 < len(kept) < len(EXPECTED)
    _, alive = psutil.wait_procs(family, timeout=30)
    assert not alive, "nothing of it goes on without the coordinator"

    printed = grade(handed_in, "--workers", "2", "--json", str(tmp_path / "first.json"))
    assert f"{len(EXPECTED) - len(kept)} graded, {len(kept)} were graded already" in printed
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert shares(handed_in) == EXPECTED

    first = json.loads((tmp_path / "first.json").read_text())
    assert [each["status"] for each in first["submissions"]] == ["graded"] * 7 + ["failed"]
    assert "0 graded, 8 were graded already" in grade(handed_in)

    assert "8 graded" in grade(handed_in, "--force", "--workers", "1", "--json", str(tmp_path / "again.json"))
    assert json.loads((tmp_path / "again.json").read_text()) == first
