"""Reads a reference module as text: the source of its objects, their solutions, and what its names mean."""

import ast
import builtins
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.authoring.names import imported
from nlpcourse.errors import CourseError
from nlpcourse.site.telling import BEGIN, END


@dataclass(frozen=True)
class ReferenceModule:
    """One file of `solutions/<topic>/`, never imported here."""

    path: Path
    name: str
    """Its dotted name, `solutions.<topic>.<file>`."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.text)
        except SyntaxError as error:
            raise CourseError(f"{self.path}:{error.lineno}: {error.msg}; mend the reference") from error

    @cached_property
    def meanings(self) -> dict[str, str]:
        """What each module-level name stands for: a dotted path, or the expression a constant is set to."""
        found: dict[str, str] = {}
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found[node.name] = f"{self.name}.{node.name}"
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found.update(imported(node, str(self.path)))
            elif (
                isinstance(node, ast.Assign)
                and len(node.targets) == 1
                and isinstance(node.targets[0], ast.Name)
            ):
                found[node.targets[0].id] = ast.unparse(node.value)
            elif (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and node.value is not None
            ):
                found[node.target.id] = ast.unparse(node.value)
        return found

    def meaning(self, name: str) -> str | None:
        """What `name` stands for in this module, or None when the module does not know it."""
        if name in self.meanings:
            return self.meanings[name]
        return f"builtins.{name}" if hasattr(builtins, name) else None

    def source_of(self, name: str) -> str:
        """The source of a function or class, with its decorators.

        Raises:
            CourseError: the module has no such object, or it has no solution region.
        """
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                lines = self.text.splitlines()[first - 1 : node.end_lineno]
                # A closing marker after the last statement belongs to no syntax node.
                rest = self.text.splitlines()[node.end_lineno or 0 :]
                for count, line in enumerate(rest, start=1):
                    if line.strip() == END:
                        lines += rest[:count]
                    elif line.strip():
                        break
                source = "\n".join(lines)
                if not solution_lines(source, f"{self.path}: {name}"):
                    raise CourseError(
                        f"{self.path}: {name} has no line between `{BEGIN}` and `{END}`; mark its solution"
                    )
                return source
        raise CourseError(
            f"{self.path} has no function or class {name!r}; exercise.md names it as a reference"
        )


def read_reference(root: Path, topic: str, file: str) -> ReferenceModule:
    """The module `solutions/<topic>/<file>.py` below `root`.

    Raises:
        CourseError: there is no such file.
    """
    path = root / "solutions" / topic / f"{file}.py"
    if not path.is_file():
        raise CourseError(f"there is no reference module {path}; exercise.md names an object in it")
    return ReferenceModule(path, f"solutions.{topic}.{file}", path.read_text(encoding="utf-8"))


def solution_lines(source: str, where: str) -> list[str]:
    """The lines between the markers, stripped, without blank lines and comments.

    Raises:
        CourseError: a marker is missing, stands twice, or is not spelt exactly as it must be.
    """
    found: list[str] = []
    inside = False
    for line in source.splitlines():
        text = line.strip()
        if text in (BEGIN, END):
            if inside == (text == BEGIN):
                raise CourseError(f"{where}: `{text}` stands where the other marker must be; pair them")
            inside = text == BEGIN
        elif "BEGIN SOLUTION" in text or "END SOLUTION" in text:
            raise CourseError(
                f"{where}: {text!r} is no marker; write `{BEGIN}` or `{END}` on a line of its own"
            )
        elif inside and text and not text.startswith("#"):
            found.append(text)
    if inside:
        raise CourseError(f"{where}: `{BEGIN}` has no `{END}`; add it after the solution")
    return found


def given_lines(source: str) -> set[str]:
    """The lines around the markers, stripped: what a stub gives away."""
    given: set[str] = set()
    inside = False
    for line in map(str.strip, source.splitlines()):
        if line in (BEGIN, END):
            inside = line == BEGIN
        elif not inside:
            given.add(line)
    return given
