"""Reads `exercise.md`: which cell plays which part, and what the statements declare."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext

from autograder.authoring.model import Requirement
from nlpcourse.errors import CourseError

STATEMENT_KEYS = {"exercise", "difficulty", "objectives", "needs", "may-not-use", "stand-in", "further"}
QUESTION_KEYS = {"question", "points", "rubric"}
CODE_ROLES = {"setup", "example", "long"}
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
REQUIREMENT = re.compile(
    r"^\d+\. +`(?P<id>[a-z0-9-]+)` +(?P<text>.+(?:\n(?!\d+\. )[ \t]+\S.*)*)", re.MULTILINE
)
HEADING = re.compile(r"## +(?P<number>\d+)\. +(?P<title>\S.*)")
ITEM = re.compile(r"^\d+\. +(.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Part:
    """One cell of a manuscript."""

    role: str
    """`setup`, `prose`, `statement`, `answer`, `example`, `check`, `question` or `long`."""
    exercise: str | None
    """The exercise it belongs to; for a question, the question's id."""
    text: str
    where: str
    """For messages: the file, and which cell of it."""
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manuscript:
    """One topic's assignment as its author wrote it."""

    path: Path
    title: str
    topic: str
    parts: tuple[Part, ...]


def read_manuscript(root: Path, topic: str) -> Manuscript:
    """Read `solutions/<topic>/exercise.md` below `root`.

    Raises:
        CourseError: the file is missing, or a cell's metadata is not what a manuscript has.
    """
    path = root / "solutions" / topic / "exercise.md"
    if not path.is_file():
        raise CourseError(
            f"there is no manuscript {path}; an assignment of topic {topic} begins with that file"
        )
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="md:myst")
    for key in ("title", "topic"):
        if not notebook.metadata.get(key):
            raise CourseError(f"{path}: the front matter has no `{key}`; add it")
    if notebook.metadata["topic"] != topic:
        raise CourseError(
            f"{path}: the front matter says topic {notebook.metadata['topic']!r}, the folder {topic!r}"
        )
    parts: list[Part] = []
    current: str | None = None
    for number, cell in enumerate(notebook.cells, start=1):
        if not cell.source.strip() and cell.cell_type == "markdown":
            continue
        part = _part(
            cell.cell_type, cell.source.strip("\n"), dict(cell.metadata), current, f"{path}, cell {number}"
        )
        current = part.exercise if part.role != "question" else None
        parts.append(part)
    _check_order(parts, path)
    _check_numbers(parts)
    return Manuscript(path, str(notebook.metadata["title"]), topic, tuple(parts))


def _part(kind: str, text: str, settings: dict[str, Any], current: str | None, where: str) -> Part:
    if kind == "markdown":
        if "exercise" in settings:
            return _named("statement", "exercise", STATEMENT_KEYS, text, settings, where)
        if "question" in settings:
            return _named("question", "question", QUESTION_KEYS, text, settings, where)
        if settings:
            raise CourseError(
                f"{where}: settings {sorted(settings)}; expected those of an exercise or a question"
            )
        return Part("prose", None if re.match(r"#{1,2} ", text) else current, text, where)
    if kind != "code":
        raise CourseError(f"{where} is a {kind} cell; a manuscript has markdown and code cells")
    if set(settings) == {"reference"}:
        if text.strip():
            raise CourseError(f"{where} names a reference and has code of its own; leave its body empty")
        return Part("answer", str(settings["reference"]).rpartition(".")[2], "", where, settings)
    if set(settings) == {"check"}:
        return Part("check", str(settings["check"]), text, where)
    if set(settings) == {"role"} and settings["role"] in CODE_ROLES:
        return Part(settings["role"], current if settings["role"] == "example" else None, text, where)
    raise CourseError(
        f"{where}: settings are {settings}; "
        f"expected one of `role` ({', '.join(sorted(CODE_ROLES))}), `reference`, `check`"
    )


def _named(role: str, key: str, keys: set[str], text: str, settings: dict[str, Any], where: str) -> Part:
    if set(settings) != keys:
        missing, unknown = sorted(keys - set(settings)), sorted(set(settings) - keys)
        raise CourseError(
            f"{where}: a {role} lacks {missing} and has unknown {unknown}; give exactly {sorted(keys)}"
        )
    name = settings[key]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise CourseError(f"{where}: {key} is {name!r}, expected letters, digits, `_` and `-`, at most 40")
    if not HEADING.match(text):
        raise CourseError(f"{where}: a {role} begins with a heading such as `## 1. Title`")
    return Part(role, name, text, where, settings)


def _check_order(parts: list[Part], path: Path) -> None:
    seen: dict[tuple[str, str | None], int] = {}
    for position, part in enumerate(parts):
        if part.role in ("statement", "question", "answer", "check"):
            if (part.role, part.exercise) in seen:
                raise CourseError(f"{part.where}: a second {part.role} cell of {part.exercise}; keep one")
            seen[part.role, part.exercise] = position
    names = {name for role, name in seen if role != "question"}
    for name in sorted(str(name) for name in names):
        order = [seen.get((role, name)) for role in ("statement", "answer", "check")]
        if None in order:
            missing = ("statement", "answer (`reference:`)", "check")[order.index(None)]
            raise CourseError(f"{path}: exercise {name} has no {missing} cell; the three go together")
        if order != sorted(order):  # type: ignore[type-var]
            raise CourseError(f"{path}: exercise {name}: the order must be statement, answer, check")


def _check_numbers(parts: list[Part]) -> None:
    """Every numbered heading of the notebook, an exercise's or not, has a number of its own, in order."""
    last = 0
    for part in parts:
        if heading := HEADING.match(part.text) if part.role != "check" else None:
            if int(heading["number"]) <= last:
                raise CourseError(
                    f"{part.where}: the heading has number {heading['number']} after {last}; number them in order"
                )
            last = int(heading["number"])


def heading_of(text: str) -> tuple[int, str]:
    """The number and the title of a statement or question; pages and tables show no other number."""
    heading = HEADING.match(text)
    assert heading is not None, text  # `_named` has looked
    return int(heading["number"]), heading["title"].strip()


def requirements_of(part: Part) -> tuple[Requirement, ...]:
    """The numbered list of what must hold: each item is an id in backticks, then a sentence.

    Raises:
        CourseError: there is no list, an item has no id, or an id stands twice.
    """
    found = tuple(Requirement(m["id"], " ".join(m["text"].split())) for m in REQUIREMENT.finditer(part.text))
    items = ITEM.findall(part.text)
    if not found or len(items) != len(found):
        odd = next((item for item in items if not re.match(r"`[a-z0-9-]+` +\S", item)), "no numbered list")
        raise CourseError(
            f"{part.where}: an item of the numbered list begins with its id, as in 1. `sgns-1`; found: {odd}"
        )
    ids = [requirement.id for requirement in found]
    for each in ids:
        if ids.count(each) > 1:
            raise CourseError(f"{part.where}: requirement {each} stands twice; ids are unique")
    return found
