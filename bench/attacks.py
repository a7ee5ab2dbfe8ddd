"""The attacks of the tests, run against three graders: nbgrader as it comes, otter-grader where it is given, and ours.

    python bench/attacks.py [--otter-python /path/to/python] [--only WORD] [--json records/attacks.json]

Every form is the same notebook for all three. It stands beside an honest classmate in a class of two. nbgrader has
its hidden tests in the source notebook, otter-grader its own in its tests folder; both ask for the values that our
checks ask for. A form that would harm a machine without a sandbox (a fork bomb, say) is run by none but ours, in the
tests, and is not in the table. Then come honest notebooks, which must lose nothing.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from rich.console import Console
from rich.table import Table

from nlpcourse.files import write_atomically
from nlpcourse.paths import project_root

TESTS = Path(__file__).resolve().parents[1] / "tests" / "autograder"
sys.path[:0] = [str(TESTS / "attacks"), str(TESTS / "grading")]

from attack import FULL, answered  # noqa: E402
from classroom_of_two import printed  # noqa: E402
from forms import ATTACKS  # noqa: E402
from honest import HONEST_NOTEBOOKS  # noqa: E402
from tiny import TOPIC, write_tiny  # noqa: E402

from autograder.assignment import Assignment  # noqa: E402
from autograder.grading.restore import blank  # noqa: E402
from autograder.grading.run import Graded, grade_notebook  # noqa: E402
from autograder.grading.session import CheckSession  # noqa: E402

SECONDS = 3600
"""Wall time of one command of another grader; a single notebook is far quicker."""

NUMBERS = (-717, -42, -8, 0, 5, 311)
HIDDEN = {
    "absolute": [f"absolute({number}) == {abs(number)}" for number in (*NUMBERS, -2.5)],
    "total": [f"total({list(NUMBERS)}) == {sum(map(abs, NUMBERS))}", "total([]) == 0"],
    "largest": [f"largest({list(NUMBERS)}) == {max(NUMBERS)}"],
}
STOCK = """c = get_config()
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError()"}
c.Execute.timeout = 60
"""

#: Rows whose forms may reach others: each has its own class at nbgrader.
ALONE = (4, 6, 17, 18, 19, 23)

#: Notebooks by row and name.
Forms = dict[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """What a form came to: points by exercise, None where there is no result."""

    name: str
    own: dict[str, float] | None
    classmate: dict[str, float] | None
    shown: str
    """What the graded notebook shows, where the grader writes one."""


class Ours:
    """This course's grader, in this process."""

    name = "this course"
    number = version("nlpcourse")

    def __init__(self, assignment: Assignment, work: Path) -> None:
        self.assignment = assignment
        self.session = CheckSession(assignment.root / "autograder" / "checks" / TOPIC)

    def outcomes(self, forms: Forms, honest: bytes) -> Iterator[Outcome]:
        for name, content in forms.items():
            graded = self._grade(content)
            yield Outcome(name, points(graded), points(self._grade(honest)), printed(graded))

    def _grade(self, content: bytes) -> Graded:
        return grade_notebook(content, self.assignment, self.session, student="a", salt=b"s" * 16)


class Nbgrader:
    """nbgrader as it comes, hidden tests in the source notebook."""

    name = "nbgrader"
    number = version("nbgrader")

    def __init__(self, assignment: Assignment, work: Path) -> None:
        self.folder = work / "nbgrader"
        source = nbformat.from_dict(assignment.source)
        source.cells = [
            cell for cell in source.cells if cell.metadata.get("nlpcourse", {}).get("role") != "long"
        ]
        for cell in source.cells:
            if cell.id.endswith("-check"):
                asserts = "\n".join(f"assert {each}" for each in HIDDEN[cell.id.removesuffix("-check")])
                cell.source += f"\n### BEGIN HIDDEN TESTS\n{asserts}\n### END HIDDEN TESTS"
        place = self.folder / "source" / TOPIC / f"{TOPIC}.ipynb"
        place.parent.mkdir(parents=True)
        nbformat.write(source, place)
        (self.folder / "nbgrader_config.py").write_text(STOCK, encoding="utf-8")
        path = (
            f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"  # nbgrader calls alembic
        )
        self.environment = os.environ | {"JUPYTER_CONFIG_DIR": str(work / "none"), "PATH": path}
        done = run(
            [sys.executable, "-m", "nbgrader", "generate_assignment", TOPIC], self.folder, self.environment
        )
        if not (self.folder / "release" / TOPIC).is_dir():
            raise SystemExit(f"nbgrader did not release the assignment:\n{done[-2000:]}")

    def outcomes(self, forms: Forms, honest: bytes) -> Iterator[Outcome]:
        """Forms that can only reach their own submission share a class, unless its last student comes to harm."""
        together = {name: content for name, content in forms.items() if int(name[:2]) not in ALONE}
        groups = [together] + [{name: content} for name, content in forms.items() if name not in together]
        for group in groups:
            found = self._grade(group, honest)
            if len(group) > 1 and any(each.classmate != FULL for each in found):
                for name, content in group.items():
                    yield from self._grade({name: content}, honest)
            else:
                yield from found

    def _grade(self, forms: Forms, honest: bytes) -> list[Outcome]:
        folder = self.folder.with_name("class")
        shutil.copytree(self.folder, folder)
        students = {f"a{number:03}": name for number, name in enumerate(forms)}
        for student, content in {each: forms[name] for each, name in students.items()} | {
            "z": honest
        }.items():
            place = folder / "submitted" / student / TOPIC / f"{TOPIC}.ipynb"
            place.parent.mkdir(parents=True)
            place.write_bytes(content)
        run([sys.executable, "-m", "nbgrader", "autograde", TOPIC, "--create"], folder, self.environment)
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
            classmate = self._points(gradebook, folder, "z")
            found = [
                Outcome(
                    name, self._points(gradebook, folder, student), classmate, self._shown(folder, student)
                )
                for student, name in students.items()
            ]
        shutil.rmtree(folder)
        return found

    def _points(self, gradebook: Gradebook, folder: Path, student: str) -> dict[str, float] | None:
        if not (folder / "autograded" / student / TOPIC / f"{TOPIC}.ipynb").exists():
            return None
        try:
            grades = gradebook.find_submission_notebook(TOPIC, TOPIC, student).grades
        except MissingEntry:
            return None
        found = {grade.name.removesuffix("-check"): grade.score for grade in grades}
        return {name: found.get(name) or 0 for name in FULL}

    def _shown(self, folder: Path, student: str) -> str:
        place = folder / "autograded" / student / TOPIC / f"{TOPIC}.ipynb"
        if not place.exists():
            return ""
        cells = json.loads(place.read_text(encoding="utf-8", errors="replace"))["cells"]
        return json.dumps([cell.get("outputs") for cell in cells])


class Otter:
    """`otter run`, once for each notebook, as its container would."""

    name = "otter-grader"

    def __init__(self, assignment: Assignment, work: Path, python: str) -> None:
        self.python, self.folder = python, work / "otter"
        (self.folder / "tests").mkdir(parents=True)
        for name, points in FULL.items():
            cases = [{"code": f">>> {each}\nTrue", "hidden": True, "locked": False} for each in HIDDEN[name]]
            suite = {"cases": cases, "scored": True, "setup": "", "teardown": "", "type": "doctest"}
            test = {"name": name, "points": points, "all_or_nothing": True, "suites": [suite]}
            text = f"OK_FORMAT = True\ntest = {test!r}\n"
            (self.folder / "tests" / f"{name}.py").write_text(text, encoding="utf-8")
        shutil.make_archive(str(self.folder / "grader"), "zip", self.folder, "tests")
        shutil.rmtree(self.folder / "tests")
        command = [python, "-c", "import otter; print(otter.__version__)"]
        self.number = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def outcomes(self, forms: Forms, honest: bytes) -> Iterator[Outcome]:
        classmate = self._grade(honest)  # in another container, so nothing reaches it
        for name, content in forms.items():
            yield Outcome(name, self._grade(content), classmate, "")

    def _grade(self, content: bytes) -> dict[str, float] | None:
        folder = self.folder.with_name("one")
        shutil.copytree(self.folder, folder)
        (folder / "one.ipynb").write_bytes(content)
        (folder / "results").mkdir()
        arguments = ["-m", "otter", "run", "-a", "grader.zip", "-o", "results", "--no-logo", "one.ipynb"]
        run([self.python, *arguments], folder, dict(os.environ))
        try:
            tests = json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))["tests"]
            found = {each["name"].split(" ")[0]: float(each.get("score") or 0) for each in tests}
        except (OSError, ValueError, KeyError):
            return None
        finally:
            shutil.rmtree(folder)
        return {name: found.get(name, 0) for name in FULL}


Grader = Ours | Nbgrader | Otter


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run a grader; what it said. It may fail, that is what is asked."""
    own = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return "not done in time"
    return done.stdout.decode(errors="replace")


def points(graded: Graded) -> dict[str, float]:
    return {each.id: each.score for each in graded.record.exercises}


def of_attack(outcome: Outcome) -> str:
    """What an attack led to, the worst first."""
    if outcome.own is not None and outcome.own["absolute"] > 0:
        return "full marks gained"
    if outcome.classmate is None:
        return "batch aborted"
    if any(outcome.classmate[name] < points for name, points in FULL.items()):
        return "classmate harmed"
    return "got through" if "GOT " in outcome.shown else "blocked"


def of_honest(outcome: Outcome) -> str:
    """What became of an honest notebook."""
    if outcome.own is None:
        return "no result"
    lost = sum(points - outcome.own[name] for name, points in FULL.items())
    return "full marks" if not lost else f"lost {lost:g} of {sum(FULL.values())}"


def ask(grader: Grader, forms: Forms, honest: bytes) -> dict[str, Outcome]:
    """All outcomes of one grader."""
    found = {}
    for outcome in grader.outcomes(forms, honest):
        found[outcome.name] = outcome
        print(f"{grader.name}: {len(found)} of {len(forms)}: {outcome.name}", file=sys.stderr, flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--otter-python", help="an interpreter that has otter-grader 7, torch and matplotlib")
    parser.add_argument(
        "--only", default="", help="only forms whose number and name hold this; nothing is written"
    )
    parser.add_argument("--json", type=Path, default=project_root() / "records" / "attacks.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of identifiers that attacks make double on purpose
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        assignment = Assignment.load(TOPIC, write_tiny(work / "course"))
        graders: list[Grader] = [Nbgrader(assignment, work)]
        if options.otter_python:
            graders.append(Otter(assignment, work, options.otter_python))
        graders.append(Ours(assignment, work))
        honest = nbformat.writes(answered(blank(assignment))).encode()
        attacks = {each.id: each.submission(blank(assignment)) for each in ATTACKS if each.harmless}
        fair = {f"00 {name}": make(blank(assignment)) for name, make in HONEST_NOTEBOOKS.items()}
        forms = {name: each for name, each in {**fair, **attacks}.items() if options.only in name}
        with ThreadPoolExecutor(2) as pool:
            others = [pool.submit(ask, grader, forms, honest) for grader in graders[:-1]]
            found = [ask(graders[-1], forms, honest)]
            found = [*(each.result() for each in others), *found]
    rows = []
    for name in forms:
        word = of_honest if name in fair else of_attack
        outcomes = {grader.name: word(each[name]) for grader, each in zip(graders, found, strict=True)}
        rows.append({"row": int(name[:2]), "name": name[3:], "outcomes": outcomes})
    table = Table("row", "form", *(grader.name for grader in graders))
    for row in rows:
        table.add_row(str(row["row"] or ""), row["name"], *row["outcomes"].values())
    Console().print(table)
    record = {
        "graders": {grader.name: grader.number for grader in graders},
        "not run": [] if options.otter_python else ["otter-grader"],
        "in the sandbox only": sum(not attack.harmless for attack in ATTACKS),
        "attacks": [row for row in rows if row["row"]],
        "honest": [row for row in rows if not row["row"]],
        "machine": {"python": platform.python_version(), "system": platform.system()},
    }
    if not options.only:
        write_atomically(options.json, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
