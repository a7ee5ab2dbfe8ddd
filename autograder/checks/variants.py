"""Answers that are known to be right, wrong or cheating: what the checks themselves are tested on.

`autograder/checks/<topic>/known/<exercise>.py` has functions and classes under the name of the variant, each with
one of the decorators below. Variants are read as text; a variant may use the undecorated definitions of its
module: their text goes with it. The module also has `observe(student, seed)`, what can be seen of an answer on
random input number `seed`, and where one is needed `EQUIVALENT = {change of the reference: why nobody sees it}`.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from nlpcourse.errors import CourseError

Definition = ast.FunctionDef | ast.ClassDef
Answer = TypeVar("Answer", bound=Callable[..., Any])
Kind = Literal["wrong", "right", "cheat"]

CHEATS = ("zeros", "input", "noise", "remembered")
"""The universal cheats, of which every exercise has one each: zeros of the right shape, the input returned,
noise of the right shape, and an answer remembered from an earlier call."""


@dataclass(frozen=True)
class Variant:
    """One known answer to an exercise."""

    name: str
    exercise: str
    kind: Kind
    says: str
    """The thinking behind a wrong one, the looks of a right one, the name of a universal cheat."""
    fails: tuple[str, ...]
    """The checks that a wrong one fails; the others pass or, coming after one of these, are not tried."""
    page: str
    """The paragraph of the chapter that treats the misconception, as `page#anchor`, or ""."""
    source: str
    """The text of the answer, under the name that the exercise asks for."""


def wrong(*, thinking: str, fails: tuple[str, ...], page: str = "") -> Callable[[Answer], Answer]:
    """Mark a misconception.

    Args:
        thinking: one sentence, the thought that leads to it.
        fails: the checks that it fails.
        page: `page#anchor` of the paragraph that treats it.
    """
    return _as_it_is


def right(*, looks: str) -> Callable[[Answer], Answer]:
    """Mark a right answer that does not look like the reference; `looks` says how, in a sentence."""
    return _as_it_is


def cheat(*, kind: str) -> Callable[[Answer], Answer]:
    """Mark a universal cheat; `kind` is one of `CHEATS`."""
    return _as_it_is


def _as_it_is(answer: Answer) -> Answer:
    return answer


def read_variants(folder: Path) -> tuple[Variant, ...]:
    """The variants of a topic, by exercise and in file order.

    Args:
        folder: `autograder/checks/<topic>`.

    Raises:
        CourseError: a decorator's argument is no literal, a needed one is missing, or a name stands twice.
    """
    files = [path for path in sorted(folder.glob("known/*.py")) if path.name != "__init__.py"]
    found = [each for path in files for each in _of_file(path)]
    seen: set[tuple[str, str]] = set()
    for each in found:
        if (each.exercise, each.name) in seen:
            raise CourseError(
                f"{folder}: {each.exercise} has two variants {each.name!r}; give each its own name"
            )
        seen.add((each.exercise, each.name))
    return tuple(found)


def _of_file(path: Path) -> list[Variant]:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    helpers: dict[str, Definition] = {}
    decorated: list[tuple[Definition, ast.Call, str]] = []
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            marks = [
                (decorator, decorator.func.id)
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name)
            ]
            known = [(node, mark, name) for mark, name in marks if name in ("wrong", "right", "cheat")]
            decorated += known
            if not known:
                helpers[node.name] = node
    found = []
    for node, mark, kind in decorated:
        texts = ["".join(lines[each.lineno - 1 : each.end_lineno]) for each in (*_used(node, helpers), node)]
        found.append(_variant(path, node.name, kind, mark, texts))
    return found


def _used(start: ast.AST, helpers: dict[str, Definition]) -> list[Definition]:
    """The helpers that `start` names, and those that they name, in file order."""
    used: set[str] = set()
    waiting = [start]
    while waiting:
        names = {node.id for node in ast.walk(waiting.pop()) if isinstance(node, ast.Name)}
        new = names & helpers.keys() - used
        used |= new
        waiting += [helpers[name] for name in new]
    return [node for name, node in helpers.items() if name in used]


def observation(file: Path) -> str:
    """The text of `observe` and of what it uses, and of `EQUIVALENT`: what the record of mutants depends on.

    Raises:
        CourseError: the file is missing or has no `observe`.
    """
    if not file.is_file():
        raise CourseError(f"{file} is missing; it holds the known answers to {file.stem} and its `observe`")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    definitions = {node.name: node for node in tree.body if isinstance(node, Definition)}
    if "observe" not in definitions:
        raise CourseError(f"{file} has no function observe(student, seed); mutants are compared by it")
    parts: list[ast.stmt] = [*_used(definitions["observe"], definitions), definitions["observe"]]
    parts += [
        node
        for node in tree.body
        if isinstance(node, ast.Assign) and "EQUIVALENT" in {ast.unparse(each) for each in node.targets}
    ]
    return "\n".join(ast.unparse(part) for part in parts)


def _variant(path: Path, name: str, kind: str, decorator: ast.Call, texts: list[str]) -> Variant:
    where = f"{path}:{decorator.lineno}: {name}"
    try:
        given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in decorator.keywords}
    except ValueError as error:
        raise CourseError(f"{where}: the arguments of @{kind} must be literals") from error
    says = given.get({"wrong": "thinking", "right": "looks", "cheat": "kind"}[kind])
    exercise, fails = path.stem, given.get("fails", ())
    if not says or (kind == "wrong" and not fails):
        raise CourseError(f"{where}: @{kind} needs a sentence, and for a wrong one the checks it fails")
    *helpers, answer = texts
    renamed = re.sub(rf"^(def|class) {name}\b", rf"\1 {exercise}", answer, count=1)
    source = "\n\n".join([*helpers, renamed])
    return Variant(name, exercise, kind, says, tuple(fails), given.get("page", ""), source)  # type: ignore[arg-type]
