"""Reads what hidden checks declare (points, requirement, order) from their syntax tree, importing nothing."""

import ast
from dataclasses import dataclass
from pathlib import Path

from nlpcourse.errors import CourseError


@dataclass(frozen=True)
class DeclaredCheck:
    """One hidden check, as its decorator and docstring describe it."""

    id: str
    points: int
    requires: tuple[str, ...]
    after: tuple[str, ...]
    hint: str


def declared_checks(path: Path) -> tuple[DeclaredCheck, ...]:
    """The checks of one module, in file order.

    Raises:
        CourseError: the module is missing, is no Python or has no check; a declaration is no literal; `after`
            names no earlier check; a check has no docstring.
    """
    if not path.is_file():
        raise CourseError(f"there is no check module {path}; write it, with one test for each requirement")
    try:
        tree = ast.parse(path.read_bytes())
    except SyntaxError as error:
        raise CourseError(f"{path}:{error.lineno}: {error.msg}; mend the check module") from error
    found: list[DeclaredCheck] = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            found.extend(
                _declared(node, decorator, path) for decorator in node.decorator_list if _is_check(decorator)
            )
    if not found:
        raise CourseError(
            f"{path} declares no check; decorate its tests with @check(points=..., requires=...)"
        )
    for position, each in enumerate(found):
        for name in each.after:
            if name not in {earlier.id for earlier in found[:position]}:
                raise CourseError(f"{path}: {each.id} comes after {name!r}, which is no earlier check there")
    return tuple(found)


def _is_check(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and (
        (isinstance(decorator.func, ast.Name) and decorator.func.id == "check")
        or (isinstance(decorator.func, ast.Attribute) and decorator.func.attr == "check")
    )


def _declared(node: ast.FunctionDef, decorator: ast.expr, path: Path) -> DeclaredCheck:
    where = f"{path}:{node.lineno}: {node.name}"
    assert isinstance(decorator, ast.Call)
    try:
        given = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in decorator.keywords}
    except ValueError as error:
        raise CourseError(
            f"{where}: the arguments of @check must be literals, so that no import is needed"
        ) from error
    points, requires = given.get("points"), given.get("requires")
    if not isinstance(points, int) or points < 0 or isinstance(points, bool):
        raise CourseError(f"{where}: points is {points!r}, expected a whole number from 0 up")
    requires = (requires,) if isinstance(requires, str) else requires
    after = given.get("after", ())
    after = (after,) if isinstance(after, str) else after
    if not requires:
        raise CourseError(f"{where}: `requires` is missing; name the requirement that this check enforces")
    hint = ast.get_docstring(node)
    if not hint:
        raise CourseError(f"{where} has no docstring; it is the hint that a student reads")
    return DeclaredCheck(node.name, points, tuple(requires), tuple(after), hint)
