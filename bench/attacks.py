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
from rows import TITLES  # noqa: E402
from tiny import TOPIC, write_tiny  # noqa: E402

from autograder.assignment import Assignment  # noqa: E402
from autograder.grading.restore import blank  # noqa: E402
from autograder.grading.run import Graded, grade_notebook  # noqa: E402
from autograder.grading.session import CheckSession  # noqa: E402

CLASS_SECONDS = 1800
"""Wall time of nbgrader for a class."""
NOTEBOOK_SECONDS = 600
"""Wall time of otter-grader for one notebook, thirty times what an honest one takes."""

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
        arguments = ["-m", "nbgrader", "generate_assignment", TOPIC]
        done = run([sys.executable, *arguments], self.folder, self.environment, CLASS_SECONDS)
        if not (self.folder / "release" / TOPIC).is_dir():
            raise SystemExit(f"nbgrader did not release the assignment:\n{done[-2000:]}")

    def outcomes(self, forms: Forms, honest: bytes) -> Iterator[Outcome]:
        """The forms of a row share a class, unless its last student comes to harm."""
        rows: dict[str, Forms] = {}
        for name, content in forms.items():
            rows.setdefault(name[:2], {})[name] = content
        for row in rows.values():
            alone = int(min(row)[:2]) in ALONE
            found = [] if alone else self._grade(row, honest)
            if alone or any(each.classmate != FULL for each in found):
                found = [each for name in row for each in self._grade({name: row[name]}, honest)]
            yield from found

    def _grade(self, forms: Forms, honest: bytes) -> list[Outcome]:
        folder = self.folder.with_name("class")
        shutil.copytree(self.folder, folder)
        students = {f"a{number:03}": name for number, name in enumerate(forms)}
        handed_in = {student: forms[name] for student, name in students.items()} | {"z": honest}
        for student, content in handed_in.items():
            place = folder / "submitted" / student / TOPIC / f"{TOPIC}.ipynb"
            place.parent.mkdir(parents=True)
            place.write_bytes(content)
        arguments = ["-m", "nbgrader", "autograde", TOPIC, "--create"]
        run([sys.executable, *arguments], folder, self.environment, CLASS_SECONDS)
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
        run([self.python, *arguments], folder, dict(os.environ), NOTEBOOK_SECONDS)
        try:
            tests = json.loads((folder / "results" / "results.json").read_text(encoding="utf-8"))["tests"]
            found = {each["name"].split(" ")[0]: float(each.get("score") or 0) for each in tests}
        except (OSError, ValueError, KeyError):
            return None
        finally:
            shutil.rmtree(folder)
        return {name: found.get(name, 0) for name in FULL}


#: The graders by the names that the record has for them; honest notebooks are row 0 there.
WORDS = (Nbgrader.name, Otter.name, Ours.name)


def run(command: list[str], folder: Path, environment: dict[str, str], seconds: float) -> str:
    """Run a grader, but no longer than `seconds`; what it said. It may fail, that is what is asked."""
    own = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--otter-python", help="an interpreter that has otter-grader 7, torch and matplotlib")
    parser.add_argument("--grader", action="append", choices=list(WORDS), help="run this one; default all")
    parser.add_argument(
        "--only", default="", help="only forms whose number and name hold this; nothing is written"
    )
    parser.add_argument(
        "--first", type=int, help="only so many forms of each row (another grader may take long)"
    )
    parser.add_argument("--missing", action="store_true", help="only forms that the record does not have yet")
    parser.add_argument("--json", type=Path, default=project_root() / "records" / "attacks.json")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # of identifiers that attacks make double on purpose
    rows: dict[str, dict[str, str]] = {}
    numbers: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        assignment = Assignment.load(TOPIC, write_tiny(work / "course"))
        honest = nbformat.writes(answered(blank(assignment))).encode()
        fair = {f"00 {name}": make(blank(assignment)) for name, make in HONEST_NOTEBOOKS.items()}
        attacks = {each.id: each.submission(blank(assignment)) for each in ATTACKS if each.harmless}
        forms = {name: each for name, each in {**fair, **attacks}.items() if options.only in name}
        rank = {name: sum(each[:2] == name[:2] for each in list(forms)[:at]) for at, name in enumerate(forms)}
        asked = {name: each for name, each in forms.items() if rank[name] < (options.first or len(forms))}
        for name in options.grader or WORDS:
            if name == Otter.name and not options.otter_python:
                continue
            grader = (
                Otter(assignment, work, options.otter_python)
                if name == Otter.name
                else {Ours.name: Ours, Nbgrader.name: Nbgrader}[name](assignment, work)
            )
            numbers[name] = grader.number
            known = recorded(options.json, name) if options.missing else frozenset()
            new = {form: each for form, each in asked.items() if (int(form[:2]), form[3:]) not in known}
            for outcome in grader.outcomes(new, honest) if new else ():
                word = of_honest(outcome) if outcome.name in fair else of_attack(outcome)
                rows.setdefault(outcome.name, {})[name] = word
                print(f"{name}: {outcome.name}: {word}", file=sys.stderr, flush=True)
                if not options.only:  # at once: the others take long
                    write(options.json, forms, rows, numbers)
    table = Table("row", "form", *numbers)
    for name in asked:
        if name in rows:
            table.add_row(name[:2], name[3:], *(rows[name].get(grader, "") for grader in numbers))
    Console().print(table)


def recorded(place: Path, grader: str) -> frozenset[tuple[int, str]]:
    """Row and name of the forms whose outcome at `grader` is in the record."""
    former = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    return frozenset(
        (form["row"], form["name"])
        for form in former.get("forms", ())
        if form["outcomes"].get(grader, "not run") != "not run"
    )


def write(place: Path, forms: Forms, rows: dict[str, dict[str, str]], numbers: dict[str, str]) -> None:
    """Put what was run into the record; what another run found of another grader stays."""
    former = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    known = {(row["row"], row["name"]): row["outcomes"] for row in former.get("forms", ())}
    numbers = former.get("graders", {}) | numbers
    found = []
    for name in forms:
        key = int(name[:2]), name[3:]
        outcomes = known.get(key, {}) | rows.get(name, {})
        found.append(
            {
                "row": key[0],
                "title": TITLES.get(key[0], "honest work"),
                "name": key[1],
                "outcomes": {each: outcomes.get(each, "not run") for each in numbers},
            }
        )
    record = {
        "graders": numbers,
        "in the sandbox only": sum(not attack.harmless for attack in ATTACKS),
        "forms": found,
        "machine": {"python": platform.python_version(), "system": platform.system()},
    }
    write_atomically(place, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
