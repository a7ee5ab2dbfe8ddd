"""Reads submitted code for names that an exercise rules out. It reads syntax trees and runs nothing."""

import ast
import contextlib
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

_REFLECTION = frozenset(
    (
        "getattr", "getattr_static", "attrgetter", "methodcaller", "eval", "exec", "compile", "__import__",
        "import_module", "globals", "vars", "__dict__", "__getattribute__", "get_ipython", "run_cell",
        "getmembers", "getmembers_static", "get_field", "resolve_name", "get_type_hints", "EntryPoint",
        "CompilationUnit", "FunctionType", "pythonapi", "pickle", "dill", "cloudpickle",
    )
)  # fmt: skip

#: IPython reads a cell once for every magic line in it; beyond these a cell is no honest one.
_MAX_MAGICS = 40
_MAX_EFFORT = 100_000
"""Characters that IPython reads of a cell, all readings together."""
_MAX_MAGIC_LINE = 1000
"""Characters of a line that asks for help with `?`; the time to read it grows with its square."""
#: What IPython rewrites: magics, help, shell commands, automatic quotes, the prompts of pasted sessions.
_MARK = re.compile(r"^[ \t]*(?:[%!?,;/]|>>>|\.\.\.|In ?\[)|[!?][ \t]*(?:#|$)|=[ \t]*[%!]", re.MULTILINE)
#: Magics that run what stands after them, or below them, as the notebook's own code.
_RUNNING = frozenset(("capture", "prun", "time", "timeit"))
#: Magics that put code where the notebook can import or run it.
_STORING = frozenset(("file", "load", "macro", "python", "python3", "run", "script", "writefile"))
_MAX_NESTING = 5


_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
"""What has variables of its own."""


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


@functools.lru_cache(maxsize=128)
def parse(source: str) -> ast.Module | SyntaxError:
    """The tree of a cell as IPython reads it, magics that run code replaced by that code; or the error.

    Not to be changed: callers get the same tree again.
    """
    try:
        if _many_magics(source):
            return ast.parse(source)
        if not _MARK.search(source):
            with contextlib.suppress(SyntaxError):
                return ast.parse(source)
        return _unfolded(ast.parse(TransformerManager().transform_cell(source)), _MAX_NESTING)
    except SyntaxError as error:
        return error
    except (ValueError, RuntimeError, MemoryError) as error:  # what IPython gives up, and what is too deep
        return SyntaxError(f"cannot be read as Python: {error}")


def effort(source: str) -> int:
    """Characters that IPython would read of a cell, which it reads again for every line that it rewrites."""
    return len(source) * (1 + len(_MARK.findall(source)))


def _many_magics(source: str) -> bool:
    """Whether a cell may hold more magic lines than there is time for."""
    marks = len(_MARK.findall(source))
    longest = max((len(line) for line in source.splitlines() if "?" in line), default=0)
    return marks > _MAX_MAGICS or (marks > 0 and effort(source) > _MAX_EFFORT) or longest > _MAX_MAGIC_LINE


def _unfolded(tree: ast.Module, depth: int) -> ast.Module:
    """The tree, in which the code of a magic such as `%%time` stands in place of the magic."""
    body: list[ast.stmt] = []
    for statement in tree.body:
        code = _run_by_magic(statement)
        if code is None or not depth:
            body.append(statement)
            continue
        inner = ast.parse(TransformerManager().transform_cell(code))
        ast.increment_lineno(inner, statement.lineno - (0 if "\n" in code else 1))
        body += _unfolded(inner, depth - 1).body
    return ast.Module(body, tree.type_ignores)


def _magic_of(statement: ast.stmt) -> tuple[str, str] | None:
    """Name and code of the magic that a statement, as IPython rewrote it, is; None for any other."""
    if not isinstance(statement, ast.Expr | ast.Assign) or not isinstance(statement.value, ast.Call):
        return None
    function = statement.value.func
    if not isinstance(function, ast.Attribute) or function.attr not in ("run_line_magic", "run_cell_magic"):
        return None
    texts = [each.value for each in statement.value.args if isinstance(each, ast.Constant)]
    return (str(texts[0]), str(texts[-1])) if len(texts) > 1 else None


def _run_by_magic(statement: ast.stmt) -> str | None:
    """The code that a magic runs in the notebook; None when the statement is no such magic."""
    magic = _magic_of(statement)
    if magic is None or magic[0] not in _RUNNING:
        return None
    return re.sub(r"^(\s*-\w+(\s+\d+)?)+\s", "", magic[1])  # its options


def defined_names(source: str) -> frozenset[str]:
    """The names that a cell's top-level statements bind; none when it cannot be parsed."""
    tree = parse(source)
    if isinstance(tree, SyntaxError):
        return frozenset()
    return frozenset().union(*(_bound_names(statement) for statement in tree.body))


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
        statement for cell, source in enumerate((answer, *others)) for statement in _statements(cell, source)
    ]
    for cell, (name, source) in enumerate(needed.items(), start=1 + len(others)):
        statements += [
            statement for statement in _statements(cell, source) if not _defines(statement.tree, name)
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
    elif _many_magics(answer):
        evasions[""] = "too many magic lines in the answer cell"
    for statement in _reached(exercise, statements):
        place = "" if statement.cell == 0 else " of another cell"
        looked_up = _looked_up(statement.tree)
        for node, name in _mentions(statement.tree):
            line = f"line {getattr(node, 'lineno', statement.tree.lineno)}{place}"
            if isinstance(node, ast.Constant):
                if name in ruled_out:
                    evasions.setdefault(name, f'"{name}" as a string ({line})')
            elif isinstance(node, ast.Name) and name in ruled_out and name not in looked_up and not starred:
                continue  # a variable of the student's own
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
        magic = _magic_of(statement.tree)
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
        for node in _walk(statement.tree)
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


def _statements(cell: int, source: str) -> Iterator[_Statement]:
    tree = parse(source)
    if not isinstance(tree, SyntaxError):
        for statement in tree.body:
            for part in _one_name_each(statement):
                yield _Statement(part, cell, _bound_names(part))


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


def _bound_names(statement: ast.stmt) -> frozenset[str]:
    """The names a top-level statement binds or reaches into (`f.attribute = ...` counts for `f`)."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset([statement.name])
    bound = set()
    for node in _walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            root: ast.expr = node
            while isinstance(root, ast.Attribute | ast.Subscript):
                root = root.value
            if isinstance(root, ast.Name):
                bound.add(root.id)
    return frozenset(bound)


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
                names = {each.id: None for each in _looked_up(statements[number].tree)}
                new = [name for name in names if name not in reached]
                reached.update(dict.fromkeys(new))
                waiting.extend(new)
    return [found[number] for number in sorted(found)]


def _looked_up(tree: ast.stmt) -> list[ast.Name]:
    """The names that a statement looks up in the notebook; a function's own parameters and variables are not."""
    found = []
    waiting: list[tuple[ast.AST, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, own = waiting.pop()
        if isinstance(node, ast.Name) and node.id not in own:
            found.append(node)
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            first = node.generators[0].iter  # looked up outside, as Python does
            parts = [*_parts_of(node)]
            names = {
                each.id
                for part in node.generators
                for each in _walk(part.target)
                if isinstance(each, ast.Name)
            }
            waiting.extend((part, own if part is first else own | names) for part in parts)
            continue
        inner: list[ast.AST] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            inner = [*node.body]
        elif isinstance(node, ast.Lambda):
            inner = [node.body]
        within = own | _own_names(node) if inner else own
        waiting.extend(
            (child, within if any(child is part for part in inner) else own)
            for child in ast.iter_child_nodes(node)
        )
    return found


def _parts_of(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> Iterator[ast.AST]:
    """The expressions of a comprehension."""
    yield from (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
    for part in node.generators:
        yield from (part.target, part.iter, *part.ifs)


def _own_names(function: ast.AST) -> frozenset[str]:
    """A function's parameters and the variables it assigns itself."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    given = function.args
    own = {each.arg for each in (*given.posonlyargs, *given.args, *given.kwonlyargs)}
    own |= {each.arg for each in (given.vararg, given.kwarg) if each is not None}
    elsewhere: set[str] = set()
    waiting: list[ast.AST] = [] if isinstance(function, ast.Lambda) else [*function.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            own.add(node.name)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            elsewhere |= {*node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            own.add(node.id)
        if not isinstance(node, _SCOPES):
            waiting.extend(ast.iter_child_nodes(node))
    return frozenset(own - elsewhere)


def _mentions(tree: ast.stmt) -> Iterator[tuple[ast.AST, str]]:
    """Every name, attribute, imported name and short string of a statement.

    A class's `self.x` is left out, and a function's own variables: what they hold stands where they get it.
    """
    own = ("self", "cls") if isinstance(tree, ast.ClassDef) else ()
    looked_up = set(map(id, _looked_up(tree)))
    for node in _walk(tree):
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


def _walk(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree in source order, without recursion (a submitted tree may be deep)."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))
