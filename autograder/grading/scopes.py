"""Names of a statement as Python's scopes have them: what it binds, and what it looks up in the notebook."""

import ast
from collections.abc import Iterator

from autograder.grading.syntax import parse

_SCOPES = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
"""What has variables of its own."""


def defined_names(source: str) -> frozenset[str]:
    """The names that a cell's top-level statements bind; none when it cannot be parsed."""
    tree = parse(source)
    if isinstance(tree, SyntaxError):
        return frozenset()
    return frozenset().union(*(bound_names(statement) for statement in tree.body))


def bound_names(statement: ast.stmt) -> frozenset[str]:
    """The names a top-level statement binds or reaches into (`f.attribute = ...` counts for `f`)."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return frozenset([statement.name])
    bound = set()
    for node in walk(statement):
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


def names_looked_up(tree: ast.stmt) -> list[ast.Name]:
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
                for each in walk(part.target)
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


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a tree in source order, without recursion (a submitted tree may be deep)."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))
