"""Reads docstrings out of Python files without importing them. Stands alone (standard library only).

`python extract.py` reads file names from stdin, one JSON string a line, and answers each on stdout, one line
each: a JSON list of [qualified name, kind, docstring], or null when this Python cannot parse the file.
"""

import ast
import inspect
import json
import sys
import warnings
from collections.abc import Iterator

Found = tuple[str, str, str]
"""Qualified name within the module (as the file writes it, when `attached`), kind, docstring.

The kind is `module`, `class`, `function`, or `attached` (see `ATTACHERS`)."""

ATTACHERS = {"add_docstr", "_add_docstr", "add_docstr_all", "add_newdoc"}
"""Functions that give a docstring to an object written in C: those of torch, and numpy's `add_newdoc`."""


def docstrings(source: bytes) -> list[Found]:
    """All docstrings of one file, in the order they stand there, cleaned of indentation and never empty.

    Raises:
        SyntaxError: `source` is no Python of this version.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old escapes in other people's files are no concern of the reader
        tree = ast.parse(source)
    return [found for found in _walk(tree, "") if found[2]]


def _walk(
    scope: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[Found]:
    kind = {ast.Module: "module", ast.ClassDef: "class"}.get(type(scope), "function")
    if docstring := ast.get_docstring(scope):
        yield name, kind, docstring.strip()
    yield from _walk_body(scope.body, name)


def _walk_body(body: list[ast.stmt], name: str) -> Iterator[Found]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _walk(node, f"{name}.{node.name}" if name else node.name)
        elif isinstance(node, ast.Expr | ast.Assign | ast.Return):
            if isinstance(node.value, ast.Call):
                target = node.targets[0] if isinstance(node, ast.Assign) else None
                for said_of, kind, text in _attached(
                    node.value
                ):  # `cross = _add_docstr(...)` says more than its argument
                    yield target.id if isinstance(target, ast.Name) else said_of, kind, text
        else:
            for block in ("body", "orelse", "finalbody"):
                yield from _walk_body(getattr(node, block, []), name)
            for branch in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
                yield from _walk_body(branch.body, name)


def _attached(call: ast.Call) -> Iterator[Found]:
    """What a call of one of `ATTACHERS` says, when its arguments can be read without running anything."""
    function = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if function not in ATTACHERS:
        return
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    if (
        function == "add_newdoc"
    ):  # (place, object, docstring | (attribute, docstring) | [(attribute, docstring), ...])
        if len(arguments) < 3:
            return
        owner = [string(argument) for argument in arguments[:2]]
        if None in owner:
            return
        said = arguments[2].elts if isinstance(arguments[2], ast.List) else [arguments[2]]
        for each in said:
            if isinstance(each, ast.Tuple) and len(each.elts) == 2:
                attribute, text = string(each.elts[0]), string(each.elts[1])
            else:
                attribute, text = "", string(each)
            if attribute is not None and text is not None:
                yield ".".join(part for part in (*owner, attribute) if part), "attached", _clean(text)
    elif (
        len(arguments) >= 2 and (text := string(arguments[1])) is not None
    ):  # (object | method name, docstring)
        method = string(arguments[0])
        target = ast.unparse(arguments[0]) if method is None else f"torch.Tensor.{method}"
        yield target, "attached", _clean(text)


def string(node: ast.expr) -> str | None:
    """The string an expression makes, read without running it; None when it makes no string that can be read.

    In `"...".format(...)` and in f-strings a placeholder `{name}` reads as its own name.
    """
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = string(node.left), string(node.right)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        template = string(node.func.value)
        return None if template is None else _fill(template)
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        return "".join(string(part) or ast.unparse(part) for part in parts)
    return None


def _fill(template: str) -> str:
    pieces = []
    for piece in template.replace("{{", "\0").replace("}}", "\1").split("{"):
        name, brace, rest = piece.partition("}")
        pieces.append(name.split("!")[0].split(":")[0] + rest if brace else piece)
    return "".join(pieces).replace("\0", "{").replace("\1", "}")


def _clean(text: str) -> str:
    """The text without indentation and without the C signature (up to a line `--`) in front."""
    text = inspect.cleandoc(text)
    head, mark, rest = text.partition("\n--\n")
    return (rest if mark and "\n\n" not in head.strip() else text).strip()


def main() -> None:
    """Answer each file name on stdin with one line on stdout."""
    for line in sys.stdin:
        with open(json.loads(line), "rb") as file:  # noqa: PTH123 - pathlib would double the time to start
            source = file.read()
        try:
            answer = docstrings(source)
        except (SyntaxError, ValueError):  # ValueError: null bytes
            answer = None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
