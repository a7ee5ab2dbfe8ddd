"""What of the public stand-ins is lent to a notebook, as text: the objects asked for and what they use, no more.

A stand-in is a complete answer, so the jail shows none. The grader, who has them, lends one where it is due.
"""

import ast
from collections.abc import Collection, Mapping
from importlib.util import find_spec
from pathlib import Path

from nlpcourse.errors import CourseError

STAND_INS = "nlpcourse.standins."


def modules_for(names: Mapping[str, str]) -> dict[str, str]:
    """The modules of stand-ins that are lent for `names`, cut down.

    Args:
        names: {name: "module:object"}; objects of other modules (torch's own, say) need not be lent.

    Returns:
        {module: text}.

    Raises:
        CourseError: there is no such module.
    """
    wanted: dict[str, set[str]] = {}
    for address in names.values():
        module, _, name = address.partition(":")
        if module.startswith(STAND_INS):
            wanted.setdefault(module, set()).add(name)
    return {module: cut(_text(module), objects) for module, objects in wanted.items()}


def cut(text: str, names: Collection[str]) -> str:
    """A module's text with the imports, `names` and the definitions that they use, and nothing else."""
    body = ast.parse(text).body
    imports = [each for each in body if isinstance(each, ast.Import | ast.ImportFrom)]
    kept: set[int] = set()
    waiting, seen = list(names), set(names)
    while waiting:
        name = waiting.pop()
        for at, statement in enumerate(body):
            if at not in kept and name in _bound(statement):
                kept.add(at)
                used = {each.id for each in ast.walk(statement) if isinstance(each, ast.Name)} - seen
                seen |= used
                waiting += used
    rest = [body[at] for at in sorted(kept) if body[at] not in imports]
    return ast.unparse(ast.Module([*imports, *rest], []))


def asked_for(cell: str) -> dict[str, str]:
    """{name: "module:object"} of the stand-ins of a cell's `with stand_ins(globals(), topic, name, ...)`."""
    found: dict[str, str] = {}
    for node in ast.walk(ast.parse(cell)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "stand_ins":
            topic, *names = (str(each.value) for each in node.args[1:] if isinstance(each, ast.Constant))
            found |= {name: f"{STAND_INS}{topic}:{name}" for name in names}
    return found


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a top-level statement of a module of stand-ins binds."""
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return {
        each.id
        for each in ast.walk(statement)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    }


def _text(module: str) -> str:
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise CourseError(
            f"there is no module {module}, which an exercise names for its stand-in; mend its manuscript"
        )
    return Path(spec.origin).read_text(encoding="utf-8")
