"""Small wrong changes of a piece of code, made one at a time in its syntax tree."""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
}
_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_CALLS = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "zeros": "ones",
    "zeros_": "ones_",
    "uniform_": "normal_",
    "logsigmoid": "sigmoid",
    "softmax": "log_softmax",
    "train": "eval",
    "exp": "log",
    "log": "exp",
    "sqrt": "square",
    "Adam": "SGD",
    "randperm": "arange",
}
"""Functions that are mistaken for each other."""


@dataclass(frozen=True)
class Mutant:
    """One changed copy of a source."""

    id: str
    """What was changed into what, as code; numbered where the same change is possible more than once."""
    source: str


Change = tuple[str, Callable[[ast.AST], None]]


def mutants(source: str) -> list[Mutant]:
    """Every mutant of `source`: operators, comparisons, constants, arguments, calls, names, statements.

    Annotations, decorators, docstrings, guards against wrong arguments and devices stay as they are; a change that
    leaves no trace is left out, and so are two dimensions of `transpose` in the other order.
    """
    tree = ast.parse(source)
    plain = ast.unparse(tree)
    found: list[Mutant] = []
    counts: dict[str, int] = {}
    for path, node in _places(tree):
        for label, change in _changes(node, path):
            mutated = copy.deepcopy(tree)
            change(_follow(mutated, [step for step, _ in path]))
            text = ast.unparse(ast.fix_missing_locations(mutated))
            if text == plain:
                continue
            counts[label] = counts.get(label, 0) + 1
            number = f" ({counts[label]})" if counts[label] > 1 else ""
            found.append(Mutant(label + number, text))
    return found


Step = tuple[str, int | None]


def _places(tree: ast.AST) -> Iterator[tuple[list[tuple[Step, ast.AST]], ast.AST]]:
    """Every node that may change, with the steps that lead to it, and the node at each step's start."""
    waiting: list[tuple[list[tuple[Step, ast.AST]], ast.AST]] = [([], tree)]
    while waiting:
        path, node = waiting.pop()
        yield path, node
        inner: list[tuple[list[tuple[Step, ast.AST]], ast.AST]] = []
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "bases", "ctx"):
                continue
            children = value if isinstance(value, list) else [value]
            for index, child in enumerate(children):
                if isinstance(child, ast.AST) and not (
                    _is_docstring(node, field, index, child) or _is_not_asked(child)
                ):
                    step: Step = (field, index if isinstance(value, list) else None)
                    inner.append(([*path, (step, node)], child))
        waiting += reversed(inner)


def _is_docstring(node: ast.AST, field: str, index: int, child: ast.AST) -> bool:
    holds = isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and field == "body" and index == 0
    return holds and isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)


def _is_not_asked(node: ast.AST) -> bool:
    """Whether no exercise asks for it: a guard against wrong arguments, or the device on which a tensor is made."""
    match node:
        case ast.If(body=[ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError")))], orelse=[]):
            return True
        case ast.keyword(arg="device"):
            return True
    return False


def _follow(tree: ast.AST, steps: list[Step]) -> ast.AST:
    for field, index in steps:
        value = getattr(tree, field)
        tree = value if index is None else value[index]
    return tree


def _changes(node: ast.AST, path: list[tuple[Step, ast.AST]]) -> Iterator[Change]:
    """What may be done to `node`: a label, and the function that does it to the same node of a copy."""
    parents = [parent for _, parent in path]
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _OPERATORS:
        new = _OPERATORS[type(node.op)]
        yield _labelled(node, lambda copied: setattr(copied, "op", new()))
    elif isinstance(node, ast.Compare):
        for index, each in enumerate(node.ops):
            new_comparison = _COMPARISONS[type(each)]
            yield _labelled(node, lambda copied, i=index, n=new_comparison: copied.ops.__setitem__(i, n()))
    elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield _labelled(node, lambda copied: _become(copied, copied.operand))
    number = _number(node)
    if number is not None and not (parents and _number(parents[-1]) is not None):
        values = [not number] if isinstance(number, bool) else [number + 1, number - 1]
        for value in values:
            yield _labelled(node, lambda copied, v=value: _become(copied, _literal(v)))
    if isinstance(node, ast.Call):
        yield from _call_changes(node)
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield from _name_changes(node, parents)
    if path and path[-1][0][0] in ("body", "orelse", "finalbody"):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.AnnAssign):
            yield f"without `{_short(node)}`", lambda copied: _become(copied, ast.Pass())
        elif isinstance(node, ast.Return) and node.value is not None:
            yield f"without the value of `{_short(node)}`", lambda copied: setattr(copied, "value", None)


def _call_changes(node: ast.Call) -> Iterator[Change]:
    for index, keyword in enumerate(node.keywords):
        if keyword.arg is not None and not _is_not_asked(keyword):
            yield _labelled(node, lambda copied, i=index: copied.keywords.pop(i))
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
    starred = any(isinstance(each, ast.Starred) for each in node.args[:2])
    if len(node.args) > 1 and not starred and name != "transpose":
        yield _labelled(node, lambda copied: copied.args.__setitem__(slice(0, 2), copied.args[1::-1]))
    if name in _CALLS:
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield _labelled(node, lambda copied: setattr(copied.func, field, _CALLS[name]))
    if isinstance(node.func, ast.Attribute) and _is_value(node.func.value):
        yield _labelled(node, lambda copied: _become(copied, copied.func.value))
    elif node.args and not isinstance(node.args[0], ast.Starred):
        yield _labelled(node, lambda copied: _become(copied, copied.args[0]))


def _name_changes(node: ast.Name | ast.Attribute, parents: list[ast.AST]) -> Iterator[Change]:
    """A parameter for the next one of the function; an attribute of `self` for the next one of the class."""
    if isinstance(node, ast.Name):
        functions = [parent for parent in parents if isinstance(parent, ast.FunctionDef)]
        names = [each.arg for each in _parameters(functions[-1]) if each.arg != "self"] if functions else []
        field, own = "id", node.id
    else:
        classes = [parent for parent in parents if isinstance(parent, ast.ClassDef)]
        of_self = isinstance(node.value, ast.Name) and node.value.id == "self"
        names = _attributes(classes[-1]) if classes and of_self else []
        field, own = "attr", node.attr
    if own in names and len(names) > 1:
        other = names[(names.index(own) + 1) % len(names)]
        context = parents[-1] if parents else node
        yield (
            f"`{other}` for `{own}` in `{_short(context)}`",
            lambda copied: setattr(copied, field, other),
        )


def _parameters(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _attributes(node: ast.ClassDef) -> list[str]:
    """Names of what the class assigns to `self`, in order."""
    return list(
        dict.fromkeys(
            each.attr
            for each in ast.walk(node)
            if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Store)
        )
    )


def _is_value(node: ast.expr) -> bool:
    """Whether a method is called on it, and not a function of a module (`F.relu`) or of `super()`."""
    if isinstance(node, ast.Name):
        return node.id not in ("torch", "F", "nn", "math", "np", "self")
    if isinstance(node, ast.Attribute):
        return _is_value(node.value) or (isinstance(node.value, ast.Name) and node.value.id == "self")
    return not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super")


def _number(node: ast.AST) -> float | None:
    """The value of a literal number, a sign included, or of True and False."""
    if isinstance(node, ast.Constant) and isinstance(node.value, bool | int | float):
        return node.value
    if (
        isinstance(node, ast.UnaryOp)
        and isinstance(node.op, ast.USub)
        and isinstance(node.operand, ast.Constant)
    ):
        inner = _number(node.operand)
        return None if inner is None else -inner
    return None


def _literal(value: float) -> ast.expr:
    return ast.Constant(value) if value >= 0 else ast.UnaryOp(ast.USub(), ast.Constant(-value))


def _become(node: ast.AST, other: ast.AST) -> None:
    """Turn `node` into `other` where it stands."""
    replacement = copy.copy(other)
    node.__class__ = type(replacement)
    node.__dict__.clear()
    node.__dict__.update(replacement.__dict__)


def _labelled(node: ast.AST, change: Callable[..., object]) -> Change:
    changed = copy.deepcopy(node)
    change(changed)
    return f"`{_short(changed)}` for `{_short(node)}`", change  # type: ignore[return-value]


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).split())
    return text if len(text) <= 90 else f"{text[:60]} ... {text[-25:]}"
