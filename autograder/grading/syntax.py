"""A submitted cell as a syntax tree, read as IPython reads it. Nothing is run."""

import ast
import contextlib
import functools
import re

from IPython.core.inputtransformer2 import TransformerManager

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
_MAX_NESTING = 5


@functools.lru_cache(maxsize=128)
def parse(source: str) -> ast.Module | SyntaxError:
    """The tree of a cell as IPython reads it, magics that run code replaced by that code; or the error.

    Not to be changed: callers get the same tree again.
    """
    try:
        if many_magics(source):
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


def many_magics(source: str) -> bool:
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


def magic_of(statement: ast.stmt) -> tuple[str, str] | None:
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
    magic = magic_of(statement)
    if magic is None or magic[0] not in _RUNNING:
        return None
    return re.sub(r"^(\s*-\w+(\s+\d+)?)+\s", "", magic[1])  # its options
