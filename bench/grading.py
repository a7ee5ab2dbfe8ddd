"""A class graded by stock nbgrader, by otter-grader where it is given, and by this course, in one run.

    python bench/grading.py [--students 60] [--repeats 3] [--otter-python /path/to/python] [--json FILE]

All grade the same submissions of the released embeddings notebook, every exercise answered, without the student's own
long run. Stock nbgrader runs the visible tests only: it has no hidden checks and no sandbox. otter-grader runs the
cells of the first ten notebooks under `otter run` with one empty test, the least that it can do: it starts afresh for
each, so that more of them would tell the same. Ours runs visible tests and hidden checks in the sandbox, at one and at
two workers. The ratios are those of one run on one machine; times by themselves say nothing about another.
"""

import argparse
import contextlib
import functools
import inspect
import json
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
import torch
from rich.console import Console
from rich.table import Table

from autograder.assignment import Assignment
from autograder.classroom.folder import Classroom
from autograder.classroom.init import init
from autograder.classroom.release import release
from autograder.classroom.sample import TOPIC, fill, samples
from autograder.grading import kernels, may_not_use, run
from autograder.grading.session import CheckSession
from nlpcourse.files import write_atomically
from nlpcourse.paths import project_root

STOCK = """c = get_config()
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError()"}
c.Execute.timeout = 600
c.CourseDirectory.course_id = "stock"
"""

OTTER_TEST = """OK_FORMAT = True
test = {"name": "q1", "points": 1, "suites": [{"cases": [{"code": ">>> 1\\n1"}], "type": "doctest"}]}
"""

OTTER_NOTEBOOKS = 10
IN_PARTS = 21
"""Submissions graded to see where the time goes."""
PARTS: tuple[tuple[str, Any, str], ...] = (
    ("submission read and restored", run, "restore"),
    ("ruled-out names looked for", may_not_use, "find"),
    ("kernel begun", kernels.SandboxedKernel, "__aenter__"),
    ("cells and visible tests run", kernels, "run_cell"),
    ("hidden checks run", CheckSession, "run"),
    ("kernel ended", kernels.SandboxedKernel, "__aexit__"),
    ("graded notebook written", run, "_written"),
)
"""What grading a submission consists of: none is called within another."""


def answered(released: Path, students: int) -> dict[str, str]:
    """Notebooks as handed in, by student: all right, each with a comment of its own, the long run left out."""
    blank = nbformat.read(released, as_version=4)
    right = fill(blank, samples(project_root())[0])
    right.cells = [cell for cell in right.cells if cell.metadata.get("nlpcourse", {}).get("role") != "long"]
    found = {}
    for number in range(students):
        for cell in right.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "sgns_loss":
                cell.source = cell.source.split("\n# student")[0] + f"\n# student {number}"
        found[f"student{number:04d}"] = nbformat.writes(right)
    return found


def hand_in(classroom: Classroom, notebooks: dict[str, str]) -> None:
    """Put the notebooks where a class keeps what was handed in."""
    for student, text in notebooks.items():
        path = classroom.submission(student, TOPIC)
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


def stock_class(folder: Path, ours: Classroom, notebooks: dict[str, str]) -> Path:
    """A course of nbgrader as it comes, with the same source and submissions."""
    made = Classroom(folder)
    source = nbformat.read(ours.source(TOPIC), as_version=4)
    source.cells = [cell for cell in source.cells if cell.metadata.get("nlpcourse", {}).get("role") != "long"]
    made.source(TOPIC).parent.mkdir(parents=True)
    nbformat.write(source, made.source(TOPIC))
    made.config.write_text(STOCK, encoding="utf-8")
    hand_in(made, notebooks)
    command(["-m", "nbgrader", "generate_assignment", TOPIC, "--force"], folder)
    return folder


def command(arguments: list[str], folder: Path, python: str = sys.executable) -> None:
    """Run python with arguments in a folder; what it said is shown when it fails."""
    done = subprocess.run(
        [python, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stdout[-3000:]}")


def timed(action: Callable[[], None]) -> float:
    """Wall seconds of one call."""
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def otter_folder(folder: Path, notebooks: dict[str, str]) -> Path:
    """What `otter grade` runs: a tests folder zipped as its autograder, and the notebooks."""
    (folder / "tests").mkdir(parents=True)
    (folder / "tests" / "q1.py").write_text(OTTER_TEST, encoding="utf-8")
    shutil.make_archive(str(folder / "autograder"), "zip", folder, "tests")
    for student, text in notebooks.items():
        (folder / f"{student}.ipynb").write_text(text, encoding="utf-8")
    return folder


def otter(folder: Path, python: str, notebooks: dict[str, str]) -> None:
    """`otter run` for every notebook, one after the other, as its own container would."""
    for student in notebooks:
        arguments = ["-m", "otter", "run", "-a", "autograder.zip", "--no-logo", f"{student}.ipynb"]
        command(arguments, folder, python)


def stock(folder: Path) -> None:
    """`nbgrader autograde`."""
    command(["-m", "nbgrader", "autograde", TOPIC, "--create"], folder)


def ours(folder: Path, workers: int) -> None:
    """`nlpcourse grade`."""
    arguments = ["grade", TOPIC, "--class", str(folder), "--workers", str(workers)]
    command(["-m", "nlpcourse.cli", *arguments], project_root())


@contextlib.contextmanager
def fresh(folder: Path) -> Iterator[Path]:
    """A copy of a class in which nothing is graded, for one run."""
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(shutil.copytree(folder, Path(scratch) / "class"))


def breakdown(notebooks: dict[str, str]) -> dict[str, float]:
    """Mean wall seconds of each of `PARTS` for one submission, graded here one after the other, and of the rest."""
    torch.set_num_threads(1)
    assignment = Assignment.load(TOPIC)
    session = CheckSession(assignment.root / "autograder" / "checks" / TOPIC)
    spent = dict.fromkeys((name for name, _, _ in PARTS), 0.0)

    def grade(student: str) -> None:
        run.grade_notebook(
            notebooks[student].encode(), assignment, session, student=student, salt=b"a class of a benchmark"
        )

    first, *others = notebooks  # the first pays for what is made once, such as the warm template
    grade(first)
    with contextlib.ExitStack() as stack:
        for name, owner, attribute in PARTS:
            stack.enter_context(_watched(owner, attribute, spent, name))
        total = timed(lambda: [grade(student) for student in others] and None)
    spent["the rest"] = total - sum(spent.values())
    return {name: seconds / len(others) for name, seconds in spent.items()}


@contextlib.contextmanager
def _watched(owner: Any, attribute: str, spent: dict[str, float], name: str) -> Iterator[None]:
    """Add the wall time of each call of `owner.attribute` to `spent[name]`."""
    function = getattr(owner, attribute)

    async def awaited(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return await function(*arguments, **named)
        finally:
            spent[name] += time.perf_counter() - start

    def called(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            spent[name] += time.perf_counter() - start

    with mock.patch.object(owner, attribute, awaited if inspect.iscoroutinefunction(function) else called):
        yield


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--students", type=int, default=60)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--otter-python", help="an interpreter that has otter-grader 7 and torch")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        classroom = init(work / "ours")
        release(classroom, TOPIC, root=project_root(), due=None)
        notebooks = answered(classroom.release(TOPIC), options.students)
        hand_in(classroom, notebooks)
        ungraded = stock_class(work / "stock", classroom, notebooks)
        count = options.students
        runs: dict[str, tuple[Path, int, Callable[[Path], None]]] = {
            "nbgrader, visible tests only": (ungraded, count, stock),
            "this course, 1 worker": (classroom.root, count, lambda folder: ours(folder, 1)),
            "this course, 2 workers": (classroom.root, count, lambda folder: ours(folder, 2)),
        }
        if options.otter_python:
            few = dict(list(notebooks.items())[:OTTER_NOTEBOOKS])
            runs[f"otter-grader, cells only, of {len(few)} notebooks"] = (
                otter_folder(work / "otter", few),
                len(few),
                lambda folder: otter(folder, options.otter_python, few),
            )
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for repeat in range(options.repeats):
            for name, (folder, submissions, action) in runs.items():
                with console.status(f"run {repeat + 1} of {options.repeats}: {name}"), fresh(folder) as copy:
                    seconds[name].append(timed(functools.partial(action, copy)) / submissions)
    middle = {name: statistics.median(values) for name, values in seconds.items()}
    stock_time = middle["nbgrader, visible tests only"]
    table = Table("grader", "s a submission (median)", "against nbgrader")
    for name, value in middle.items():
        table.add_row(name, f"{value:.2f}", f"{stock_time / value:.1f}x")
    console.print(table)
    gain = middle["this course, 1 worker"] / middle["this course, 2 workers"]
    console.print(
        f"two workers against one: {gain:.2f}x; {options.students} students, {options.repeats} repeats"
    )
    parts = breakdown({student: notebooks[student] for student in list(notebooks)[:IN_PARTS]})
    table = Table("where our time goes", "s a submission", "share")
    for name, value in parts.items():
        table.add_row(name, f"{value:.3f}", f"{value / sum(parts.values()):.0%}")
    console.print(table)
    if options.json:
        figures = {
            "students": options.students,
            "repeats": options.repeats,
            "seconds a submission": {
                name: [round(value, 4) for value in values] for name, values in seconds.items()
            },
            "against nbgrader": {name: round(stock_time / value, 2) for name, value in middle.items()},
            "two workers against one": round(gain, 3),
            "seconds of the parts": {name: round(value, 4) for name, value in parts.items()},
            "machine": {
                "python": platform.python_version(),
                "system": f"{platform.system()} {platform.machine()}",
            },
        }
        write_atomically(options.json, json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
