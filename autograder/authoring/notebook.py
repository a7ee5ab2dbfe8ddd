"""Builds nbgrader's source notebook (with solutions) from a manuscript, its references and its checks."""

import hashlib
import math
from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.authoring.declared import DeclaredCheck, declared_checks
from autograder.authoring.examples import Rehearsal, with_output
from autograder.authoring.formulas import unknown
from autograder.authoring.manuscript import Manuscript, Part, heading_of, read_manuscript, requirements_of
from autograder.authoring.model import Exercise, Question
from autograder.authoring.names import Scope
from autograder.authoring.reference import given_lines, read_reference, solution_lines
from nlpcourse.errors import CourseError
from nlpcourse.exercises import ranges, total_in_words
from nlpcourse.settings import REPOSITORY, TAG
from nlpcourse.topics import topics

COLAB = f"""import subprocess
import sys

if "google.colab" in sys.modules:  # Colab has torch, but not this course
    address = "nlpcourse @ git+{REPOSITORY}@{TAG}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", address], check=True)"""

STAND_IN_NAMES = ("standins", "stand_ins")
"""What an answer may not use when the course has a stand-in for it: it would be the whole answer."""


@dataclass
class Built:
    """A source notebook and what was read on the way to it."""

    exercises: list[Exercise] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    checks: dict[str, tuple[DeclaredCheck, ...]] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    """Solution lines that no stub gives, and rubrics: nothing of this may be in a released notebook."""
    given: set[str] = field(default_factory=set)
    """Lines that the stubs give."""
    source: NotebookNode = field(default_factory=new_notebook)


def build(topic: str, root: Path) -> Built:
    """Build the source notebook of `topic` from the `solutions` and `autograder/checks` folders below `root`.

    Raises:
        CourseError: the manuscript, a reference or a check module is missing or breaks a rule.
    """
    manuscript = read_manuscript(root, topic)
    built = Built()
    answers = {part.exercise: part for part in manuscript.parts if part.role == "answer"}
    for part in manuscript.parts:
        if part.role == "statement":
            _add_exercise(part, answers[part.exercise], manuscript, root, built)
        elif part.role == "question":
            settings = part.settings
            if not isinstance(settings["points"], int) or settings["points"] < 1:
                raise CourseError(
                    f"{part.where}: points is {settings['points']!r}, expected a whole number from 1 up"
                )
            built.questions.append(
                Question(str(part.exercise), *heading_of(part.text), settings["points"], settings["rubric"])
            )
            built.secrets.append(settings["rubric"])
    built.secrets = [secret for secret in built.secrets if secret not in built.given]
    _cells(manuscript, root, built)
    built.source.metadata = NotebookNode(
        kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
        language_info={"name": "python"},
        nlpcourse=_summary(manuscript, built, root),
    )
    return built


def minutes(statement: str, solution: list[str]) -> int:
    """Working time by rule: a minute for 150 words, 6 for a line of the solution, 10 to begin and to test."""
    return math.ceil(len(statement.split()) / 150 + 6 * len(solution) + 10)


def _add_exercise(part: Part, answer: Part, manuscript: Manuscript, root: Path, built: Built) -> None:
    name, settings = str(part.exercise), part.settings
    module, _, target = str(answer.settings["reference"]).rpartition(".")
    if target != name:
        raise CourseError(
            f"{answer.where}: the reference is {target!r}, but the exercise is {name!r}; they share a name"
        )
    for need in settings["needs"]:
        if need not in {earlier.id for earlier in built.exercises}:
            raise CourseError(
                f"{part.where}: {name} needs {need!r}, which is no earlier exercise of the notebook"
            )
    known = {objective.id for each in topics() for objective in each.objectives}
    for objective in settings["objectives"]:
        if objective not in known:
            raise CourseError(
                f"{part.where}: objective {objective!r} is not in nlpcourse/topics.toml; add or correct it"
            )
    if settings["difficulty"] not in (1, 2, 3, 4, 5):
        raise CourseError(f"{part.where}: difficulty is {settings['difficulty']!r}, expected 1 to 5")
    requirements = requirements_of(part)
    checks = declared_checks(root / "autograder" / "checks" / manuscript.topic / f"test_{name}.py")
    for sentence in (*(each.text for each in requirements), *(each.hint for each in checks)):
        for formula in unknown(sentence):
            raise CourseError(
                f"{part.where}: the feedback cannot show ${formula}$ of {name}; write it simpler, or teach "
                "autograder/authoring/formulas.py"
            )
    for earlier in built.exercises:
        for twice in {each.id for each in earlier.requirements} & {each.id for each in requirements}:
            raise CourseError(
                f"{part.where}: requirement {twice} already belongs to {earlier.id}; ids are unique"
            )
    source = read_reference(root, manuscript.topic, module).source_of(name)
    lines = solution_lines(source, answer.where)
    stand_in = settings["stand-in"]
    number, title = heading_of(part.text)
    built.exercises.append(
        Exercise(
            id=name,
            number=number,
            title=title,
            reference=f"solutions.{manuscript.topic}.{module}:{name}",
            requirements=requirements,
            needs=tuple(settings["needs"]),
            stand_in=stand_in,
            may_not_use=(*settings["may-not-use"], *(STAND_IN_NAMES if stand_in else ())),
            further=bool(settings["further"]),
            difficulty=settings["difficulty"],
            objectives=tuple(settings["objectives"]),
            minutes=minutes(part.text, lines),
            points=sum(each.points for each in checks),
        )
    )
    built.checks[name] = checks
    built.secrets.extend(lines)
    built.given |= given_lines(source)


def _cells(manuscript: Manuscript, root: Path, built: Built) -> None:
    scope, rehearsal, count = Scope(), Rehearsal(), Counter[str]()
    exercises = {each.id: each for each in built.exercises}
    cells = [_code(COLAB, "colab", "setup")]
    scope.add(COLAB, "the Colab cell")
    for part in manuscript.parts:
        name, text = part.exercise, part.text
        count[f"{name}-{part.role}"] += 1
        cell_id = "-".join([*([name] if name else []), part.role, str(count[f"{name}-{part.role}"])])
        if part.role in ("setup", "example", "check", "long"):
            scope.add(text, part.where)
        if part.role == "setup":
            rehearsal.run(text, part.where)
            cells.append(_code(text, cell_id, "setup"))
        elif part.role == "example":
            cells.append(_code(with_output(text, rehearsal.run(text, part.where)), cell_id, "example", name))
        elif part.role == "answer":
            module = read_reference(
                root, manuscript.topic, str(part.settings["reference"]).rpartition(".")[0]
            )
            text = module.source_of(str(name))
            own = (str(name), f"{module.name}.{name}")
            scope.add_answer(text, f"{module.path}: {name}", own, module.meaning)
            rehearsal.run(text, f"{module.path}: {name}")
            cell = _code(text, str(name), "answer", name, solution=True)
            if ruled_out := exercises[str(name)].may_not_use:
                cell.metadata.nlpcourse["may-not-use"] = list(ruled_out)
            cells.append(cell)
        elif part.role == "check":
            points = exercises[str(name)].points
            cells.append(_code(text, f"{name}-check", "check", name, points=points))
        elif part.role == "long":
            cells.append(_code(text, cell_id, "long", locked=False))
        elif part.role == "statement":
            text = _with_facts(text, exercises[str(name)], part.settings["may-not-use"])
            cells.append(_markdown(text, f"{name}-statement", "statement", name))
        elif part.role == "question":
            points = part.settings["points"]
            heading, _, rest = text.partition("\n")
            text = f"{heading}\n\n*{points} points · graded by hand*\n{rest}"
            cells.append(_markdown(text, f"{name}-question", "prose", name))
            cells.append(
                _markdown(part.settings["rubric"], str(name), "question", name, points=points, solution=True)
            )
        else:
            text = _with_total(text, built) if cell_id == "prose-1" else text
            cells.append(_markdown(text, cell_id, "prose", name))
    built.source.cells = cells


def _with_total(text: str, built: Built) -> str:
    """The notebook's opening with the points below its title."""
    heading, _, rest = text.partition("\n")
    automatic = sum(each.points for each in built.exercises if not each.further)
    facts = [total_in_words(automatic, {each.number: each.points for each in built.questions})]
    if further := [each.number for each in built.exercises if each.further]:
        facts.append(f"exercises {ranges(further)} outside the total")
    return f"{heading}\n\n*{' · '.join(facts)}*\n{rest}"


def _with_facts(text: str, exercise: Exercise, forbidden: list[str]) -> str:
    """A statement with its derived facts and forbidden names below the heading."""
    heading, _, rest = text.partition("\n")
    facts = [
        f"{exercise.points} points" + (" outside the total" if exercise.further else ""),
        f"difficulty {exercise.difficulty} of 5",
        f"about {exercise.minutes} minutes",
        *([f"objectives {', '.join(exercise.objectives)}"] if exercise.objectives else []),
    ]
    if forbidden:
        names = ", ".join(f"`{name}`" for name in forbidden)
        rest = f"\n**You may not use** {names}: one such call would be the whole answer.\n{rest}"
    return f"{heading}\n\n*{' · '.join(facts)}*\n{rest}"


def _summary(manuscript: Manuscript, built: Built, root: Path) -> dict[str, Any]:
    keys = ("id", "number", "title", "points", "difficulty", "minutes", "objectives", "further")
    files = {each.reference.partition(":")[0].rpartition(".")[2] for each in built.exercises}
    references = [read_reference(root, manuscript.topic, file).text for file in sorted(files)]
    sources = "\0".join([manuscript.path.read_text(encoding="utf-8"), *references])
    return {
        "topic": manuscript.topic,
        "title": manuscript.title,
        "version": version("nlpcourse"),
        "sources": hashlib.sha256(sources.encode()).hexdigest(),
        "exercises": [
            {key: list(value) if isinstance(value := getattr(each, key), tuple) else value for key in keys}
            for each in built.exercises
        ],
        "questions": [
            {"id": each.id, "number": each.number, "title": each.title, "points": each.points}
            for each in built.questions
        ],
    }


def _code(text: str, cell_id: str, role: str, exercise: str | None = None, **flags: Any) -> NotebookNode:
    return new_code_cell(text, id=cell_id, metadata=_metadata(cell_id, role, exercise, **flags))


def _markdown(text: str, cell_id: str, role: str, exercise: str | None = None, **flags: Any) -> NotebookNode:
    return new_markdown_cell(text, id=cell_id, metadata=_metadata(cell_id, role, exercise, **flags))


def _metadata(
    cell_id: str,
    role: str,
    exercise: str | None,
    *,
    points: int | None = None,
    solution: bool = False,
    locked: bool = True,
) -> dict[str, Any]:
    """A cell is graded when it has points, students write it when it is a solution, and else it is locked."""
    metadata: dict[str, Any] = {"nlpcourse": {"role": role, "exercise": exercise}}
    if locked or solution:
        metadata["nbgrader"] = {
            "grade": points is not None,
            "grade_id": cell_id,
            "locked": not solution,
            "schema_version": 3,
            "solution": solution,
            "task": False,
            **({"points": points} if points is not None else {}),
        }
    return metadata
