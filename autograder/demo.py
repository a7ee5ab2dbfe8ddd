"""`nlpcourse demo`: the whole road once, from the pages to the graded report of a small class."""

import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nbgrader.utils import rmtree
from rich.console import Console

from autograder.authoring import command
from autograder.classroom.collect import collect
from autograder.classroom.export import write_grades, write_platform
from autograder.classroom.feedback import write_feedback
from autograder.classroom.folder import Classroom, lock, make_folder
from autograder.classroom.grade import Order, Outcome, grade
from autograder.classroom.init import init
from autograder.classroom.release import release
from autograder.classroom.report import write_report
from autograder.classroom.results import read_results
from autograder.classroom.sample import TOPIC, write_sample
from autograder.classroom.summary import scores
from autograder.commands import print_outcome, warn_unsafe
from autograder.sandbox import layers
from nlpcourse import site
from nlpcourse.errors import CourseError


def run(root: Path, console: Console, *, workers: int) -> None:
    """Build the site and the exercises of the checkout at `root`, and grade the sample class in `_build/demo`.

    Raises:
        CourseError: a step failed; the message says which and why.
    """
    with lock(make_folder(root / "_build" / "demo")):
        _run(root, console, workers)


def _run(root: Path, console: Console, workers: int) -> None:
    started = time.monotonic()

    def step(text: str) -> None:
        console.print(f"[{time.monotonic() - started:4.0f} s] {text}", markup=False, style="bold")

    step("building the site")
    index = site.build(root)
    step("generating the exercises")
    command.exercises([TOPIC])
    step("making a class and its ten sample submissions")
    classroom = _class(root)
    step("grading them")
    outcome = _grade(classroom, console, workers)
    step("writing the report and the feedback pages")
    results = read_results(classroom)
    report = write_report(classroom, results)
    write_feedback(classroom, results)
    grades = write_grades(classroom, results)
    write_platform(classroom, results, "canvas")
    step("done")
    print_outcome(console, outcome)
    console.print(scores(outcome))
    if outcome.problems:
        raise CourseError(f"the grader failed at {len(outcome.problems)} of its own samples; see above")
    nearly = max(
        (record for record in outcome.records if record.score < record.max), key=lambda record: record.score
    )
    opened = {
        "the book": index,
        "the notebook that students fill in": root / "exercises" / TOPIC / f"{TOPIC}.ipynb",
        "the class report": report,
        "a student's feedback": classroom.feedback(nearly.student, TOPIC),
        "the grades": grades,
    }
    console.print("\nopen:", style="bold")
    for what, path in opened.items():
        console.print(f"  {what:36}{path}", markup=False)
    console.print(f"\nnbgrader's formgrader: cd {classroom.root} && jupyter lab", markup=False)


def _class(root: Path) -> Classroom:
    """A fresh class in `_build/demo/class`, the topic released, the sample collected."""
    folder = root / "_build" / "demo"
    if (folder / "class").exists():
        rmtree(str(folder / "class"))
    classroom = init(folder / "class")
    due = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    release(classroom, TOPIC, root=root, due=due)
    archive = folder / "submissions.zip"
    write_sample(archive, released=classroom.release(TOPIC), root=root)
    collected = collect(classroom, archive)
    if collected.refused:
        path, reason = collected.refused[0]
        raise CourseError(f"the sample submission {path} was not taken: {reason}")
    return classroom


def _grade(classroom: Classroom, console: Console, workers: int) -> Outcome:
    """Grade in the sandbox; without one, loudly, because these notebooks are the course's own."""
    unsafe = False
    try:
        layers.require()
    except CourseError as missing:
        console.print(f"{missing}", markup=False, style="bold red")
        warn_unsafe()
        unsafe = True
    if sys.platform != "linux":
        console.print("On this system only the demo's own sample can be graded.", style="bold red")
    return grade(classroom, Order(TOPIC, workers=workers, unsafe=unsafe))
