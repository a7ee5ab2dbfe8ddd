"""Probes: small functions that a check sends as text, to be run beside the student's code."""

import ast
import builtins
import functools
import inspect
import textwrap
from collections.abc import Callable
from typing import Any

#: Names that the text of a probe finds on the student's side (`agent._compiled` puts them there).
NAMES = ("torch", "nn", "F", "Tensor", "np", "numpy", "math")


class Probe:
    """A small function sent as text, to be run beside the student's code.

    It may use its own parameters, the builtins, `torch`, `nn`, `F`, `Tensor`, `np` and `math`; it returns
    data. Passed as an argument it is a callable there. `bound` are its first arguments, sent with it.

    Raises:
        ValueError: the function uses a name that does not cross.
    """

    def __init__(self, function: Callable[..., Any], *bound: Any) -> None:
        self.name, self.source = _source(function)
        self.bound = bound


@functools.lru_cache(maxsize=4096)
def _source(function: Callable[..., Any]) -> tuple[str, str]:
    """Name and text of a probe, after looking that every name in it is known on the other side."""
    source = textwrap.dedent(inspect.getsource(function))
    tree = ast.parse(source).body[0]
    if not isinstance(tree, ast.FunctionDef) or tree.decorator_list:
        raise ValueError(f"probe {function}: expected a plain `def` without decorators")
    known = {*NAMES, *dir(builtins)}
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            known.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.ExceptHandler)) and node.name:
            known.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            raise ValueError(f"probe {tree.name}: no imports; {', '.join(NAMES)} are there")
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id not in known:
            raise ValueError(f"probe {tree.name}: `{node.id}` does not cross; pass it as an argument")
    return tree.name, source
