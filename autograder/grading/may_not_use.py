"""Reads submitted code for names that an exercise rules out. It reads syntax trees and runs nothing."""

import ast
import functools
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autograder.grading.scopes import bound_names, names_looked_up, walk
from autograder.grading.syntax import magic_of, many_magics, parse

_REFLECTION = frozenset(
    (
        "getattr", "getattr_static", "attrgetter", "methodcaller", "eval", "exec", "compile", "__import__",
        "import_module", "globals", "vars", "__dict__", "__getattribute__", "get_ipython", "run_cell",
        "getmembers", "getmembers_static", "get_field", "resolve_name", "get_type_hints", "EntryPoint",
        "CompilationUnit", "FunctionType", "pythonapi", "pickle", "dill", "cloudpickle",
    )
)  # fmt: skip
#: Magics that put code where the notebook can import or run it.
_STORING = frozenset(("file", "load", "macro", "python", "python3", "run", "script", "writefile"))


@dataclass(frozen=True)
class Finding:
    """What an answer and the student's own helpers that it reaches do with the names an exercise rules out."""

    used: tuple[str, ...]
    """One entry a forbidden name, in words: the name and the line where it stands."""

    evasions: tuple[str, ...]
    """Ways round plain names (`getattr`, `importlib`, ...) in the same code; somebody should look."""


@dataclass(frozen=True)
class _Statement:
    """One top-level statement of a submitted cell."""

    tree: ast.stmt
    cell: int
    binds: frozenset[str]


def find(
    exercise: str,
    forbidden: Sequence[str],
    answer: str,
    others: Sequence[str] = (),
    needed: Mapping[str, str] | None = None,
) -> Finding:
    """Look for `forbidden` in the object called `exercise` and in what it reaches.

    Reached are the student's own top-level definitions that the object names, whichever cell they stand in, and
    theirs in turn. Code that the object does not reach (a comparison with a library, say) is the student's own.

    Args:
        exercise: name of the function or class that the exercise asks for.
        forbidden: names ruled out. Of a dotted name the last part counts, where the part before it is its owner:
            `torch.func` rules out `torch.func.grad` and `from torch import func`, but no other `func`.
        answer: source of the answer cell.
        others: sources of the other cells whose names it can see.
        needed: {exercise that it may call: source of that answer cell}; the object of that name is not read, the
            rest of the cell is.
    """
    owners = {name.rpartition(".")[2]: name.rpartition(".")[0].rpartition(".")[2] for name in forbidden}
    ruled_out = owners.keys()
    if not ruled_out:
        return Finding((), ())
    needed = needed or {}
    statements = [
        _Statement(tree, cell, binds)
        for cell, source in enumerate((answer, *others))
        for tree, binds in _statements(source)
    ]
    for cell, (name, source) in enumerate(needed.items(), start=1 + len(others)):
        statements += [
            _Statement(tree, cell, binds) for tree, binds in _statements(source) if not _defines(tree, name)
        ]
    defined = {
        name
        for statement in statements
        if not isinstance(statement.tree, ast.Import | ast.ImportFrom)
        for name in statement.binds
    }
    starred = any(map(_is_star, statements))
    renamed = _renamed_modules(statements)
    used: dict[str, str] = {}
    evasions: dict[str, str] = {}
    if isinstance(error := parse(answer), SyntaxError):
        evasions[""] = f"the answer cell cannot be read ({error.msg})"
    elif many_magics(answer):
        evasions[""] = "too many magic lines in the answer cell"
    for statement in _reached(exercise, statements):
        place = "" if statement.cell == 0 else " of another cell"
        for node, name in _mentions(statement.tree):
            line = f"line {getattr(node, 'lineno', statement.tree.lineno)}{place}"
            if isinstance(node, ast.Constant):
                if name in ruled_out:
                    evasions.setdefault(name, f'"{name}" as a string ({line})')
            elif name in ruled_out and not _belongs(node, owners[name], renamed):
                if isinstance(node, ast.Attribute):
                    evasions.setdefault(name, f"{name} of something else than {owners[name]} ({line})")
            elif name in ruled_out and not (isinstance(node, ast.Name) and name in defined):
                used.setdefault(name, f"{name} ({line})")
            elif name in ruled_out and starred:
                evasions.setdefault(name, f"{name}, which `import *` may have replaced ({line})")
            elif name in _REFLECTION:
                evasions.setdefault(name, f"{name} ({line})")
    for statement in statements:
        magic = magic_of(statement.tree)
        if magic is not None and magic[0] in _STORING:
            evasions.setdefault(f"%{magic[0]}", f"the magic {magic[0]} (line {statement.tree.lineno})")
        if _is_star(statement):
            assert isinstance(statement.tree, ast.ImportFrom)
            evasions.setdefault(
                str(statement.tree.module),
                f"from {statement.tree.module} import * (line {statement.tree.lineno})",
            )
    return Finding(tuple(used.values()), tuple(evasions.values()))


def _renamed_modules(statements: Sequence[_Statement]) -> dict[str, str]:
    """{name: last part of the module} of the imports that give a module another name."""
    return {
        alias.asname: alias.name.rpartition(".")[2]
        for statement in statements
        for node in walk(statement.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }


def _belongs(node: ast.AST, owner: str, renamed: Mapping[str, str]) -> bool:
    """Whether a name stands there as a part of `owner`; "" owns everything."""
    if not owner:
        return True
    if isinstance(node, ast.Attribute):
        name = str(getattr(node.value, "id", None) or getattr(node.value, "attr", ""))
        return owner in (name, renamed.get(name))
    if isinstance(node, ast.ImportFrom):
        return owner in (node.module or "").split(".")
    if isinstance(node, ast.Import):
        return any(owner in alias.name.split(".") for alias in node.names)
    return False


def _is_star(statement: _Statement) -> bool:
    return isinstance(statement.tree, ast.ImportFrom) and statement.tree.names[0].name == "*"


def _defines(tree: ast.stmt, name: str) -> bool:
    return isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and tree.name == name


@functools.lru_cache(maxsize=256)  # each exercise of a submission looks at the same cells
def _statements(source: str) -> tuple[tuple[ast.stmt, frozenset[str]], ...]:
    """The top-level statements of a cell with the names they bind; none when it cannot be parsed."""
    tree = parse(source)
    if isinstance(tree, SyntaxError):
        return ()
    parts = itertools.chain.from_iterable(map(_one_name_each, tree.body))
    return tuple((part, bound_names(part)) for part in parts)


def _one_name_each(statement: ast.stmt) -> list[ast.stmt]:
    """An import of several names as several imports, so that a name is reached without its neighbours."""
    if isinstance(statement, ast.ImportFrom):
        rebuilt: list[ast.stmt] = [
            ast.ImportFrom(statement.module, [alias], statement.level) for alias in statement.names
        ]
    elif isinstance(statement, ast.Import):
        rebuilt = [ast.Import([alias]) for alias in statement.names]
    else:
        return [statement]
    return [ast.copy_location(part, statement) for part in rebuilt]


def _reached(start: str, statements: Sequence[_Statement]) -> list[_Statement]:
    """The statements that bind `start` or, through the names they look up, something it needs."""
    binding: dict[str, list[int]] = {}
    for number, statement in enumerate(statements):
        for name in statement.binds:
            binding.setdefault(name, []).append(number)
    waiting, reached = [start], dict.fromkeys([start], None)
    found: dict[int, _Statement] = {}
    while waiting:
        for number in binding.get(waiting.pop(), ()):
            if number not in found:
                found[number] = statements[number]
                names = {each.id: None for each in names_looked_up(statements[number].tree)}
                new = [name for name in names if name not in reached]
                reached.update(dict.fromkeys(new))
                waiting.extend(new)
    return [found[number] for number in sorted(found)]


def _mentions(tree: ast.stmt) -> Iterator[tuple[ast.AST, str]]:
    """Every name, attribute, imported name and short string of a statement.

    A class's `self.x` is left out, and a function's own variables: what they hold stands where they get it.
    """
    own = ("self", "cls") if isinstance(tree, ast.ClassDef) else ()
    looked_up = set(map(id, names_looked_up(tree)))
    for node in walk(tree):
        if isinstance(node, ast.Name):
            if id(node) in looked_up:
                yield node, node.id
        elif isinstance(node, ast.MatchClass):
            yield from ((node, name) for name in node.kwd_attrs)
        elif isinstance(node, ast.Attribute):
            if not (isinstance(node.value, ast.Name) and node.value.id in own):
                yield node, node.attr
        elif isinstance(node, ast.ImportFrom):
            for part in (*(node.module or "").split("."), *(alias.name for alias in node.names)):
                yield node, part
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield from ((node, part) for part in alias.name.split("."))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"[\w.:]{1,100}", node.value)
        ):
            yield node, re.split("[.:]", node.value)[-1]
