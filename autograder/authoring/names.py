"""Which names a cell reads and binds, and the rule that a notebook stands alone."""

import ast
import builtins
import symtable
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from nlpcourse.errors import CourseError

ALLOWED = frozenset({"torch", "numpy", "matplotlib", "nlpcourse"})
"""Packages beside the standard library that a notebook may import."""

BUILTINS = frozenset(dir(builtins)) | {"__name__"}


def imported(node: ast.Import | ast.ImportFrom, where: str) -> dict[str, str]:
    """The names that an import statement binds, each with the dotted path it stands for.

    Raises:
        CourseError: the import is relative or imports `*`, so that what it binds cannot be told.
    """
    if isinstance(node, ast.Import):
        return {
            alias.asname or alias.name.split(".")[0]: alias.name if alias.asname else alias.name.split(".")[0]
            for alias in node.names
        }
    if node.level or any(alias.name == "*" for alias in node.names):
        raise CourseError(
            f"{where}: `{ast.unparse(node)}`: write an absolute import that names what it imports"
        )
    return {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}


@dataclass
class CellNames:
    """What a piece of code reads from outside itself, and what it leaves bound."""

    reads: set[str] = field(default_factory=set)
    binds: dict[str, str] = field(default_factory=dict)
    """Name -> meaning: a dotted path for an import, else the expression or statement that binds it."""


def names_of(code: str, where: str) -> CellNames:
    """Read `code` statement by statement.

    Raises:
        CourseError: the code is no plain Python, or imports something that students do not have.
    """
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        raise CourseError(
            f"{where}, line {error.lineno}: {error.msg}; a cell must be plain Python, without magics"
        ) from error
    found = CellNames()
    later: set[str] = set()
    for statement in tree.body:
        table = symtable.symtable(ast.unparse(statement), where, "exec")
        symbols = table.get_symbols()
        bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
        read = {s.get_name() for s in symbols if s.is_referenced()}
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            read.add(statement.target.id)
        simple = isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr)
        found.reads |= read - set(found.binds) - (set() if simple else bound)
        later |= {name for child in table.get_children() for name in _globals_read(child)}
        found.binds.update(dict.fromkeys(bound, _meaning(statement)))
        for node in ast.walk(statement):
            if isinstance(node, ast.Import | ast.ImportFrom):
                paths = imported(node, where)
                _refuse_foreign(node, where)
                found.binds.update({name: path for name, path in paths.items() if name in bound})
    found.reads |= later - set(found.binds)
    return found


def _globals_read(table: symtable.SymbolTable) -> set[str]:
    own = {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return own.union(*(_globals_read(child) for child in table.get_children()))


def _meaning(statement: ast.stmt) -> str:
    value = getattr(statement, "value", None)
    if isinstance(statement, ast.Assign | ast.AnnAssign) and value is not None:
        return ast.unparse(value)
    return ast.unparse(statement)


def _refuse_foreign(node: ast.Import | ast.ImportFrom, where: str) -> None:
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for module in modules:
        root = module.split(".")[0]
        if root not in ALLOWED and root not in sys.stdlib_module_names:
            raise CourseError(
                f"{where}: `{ast.unparse(node)}`: a notebook may import the standard library and "
                f"{', '.join(sorted(ALLOWED))}; use one of these, or move what you need into nlpcourse"
            )


class Scope:
    """The names of a notebook, cell after cell, with what each stands for."""

    def __init__(self) -> None:
        self.bound: dict[str, str] = {}
        self.fixed: dict[str, tuple[str, str]] = {}
        """Names that answers look up when they are called: name -> (meaning, who needs it)."""

    def add(self, code: str, where: str) -> None:
        """A cell that is no answer: what it reads must be bound before, what answers need it may not rebind.

        Raises:
            CourseError: either rule is broken.
        """
        names = names_of(code, where)
        for name in sorted(names.reads - set(self.bound) - BUILTINS):
            raise CourseError(
                f"{where} uses `{name}`, which no earlier cell binds; import or define it first"
            )
        for name, meaning in names.binds.items():
            if name in self.fixed and self.fixed[name][0] != meaning:
                raise CourseError(
                    f"{where} binds `{name}` anew, but {self.fixed[name][1]} needs it to be "
                    f"{self.fixed[name][0]}; choose another name in this cell"
                )
        self.bound.update(names.binds)

    def add_answer(
        self, code: str, where: str, own: tuple[str, str], meaning_of: Callable[[str], str | None]
    ) -> None:
        """An answer cell: each free name must mean here what it means in the reference module.

        Args:
            code: the reference object's source.
            where: the reference file and object, for messages.
            own: the object's name and dotted path.
            meaning_of: what a name means in the reference module.

        Raises:
            CourseError: a name is not bound by an earlier cell, or stands for something else.
        """
        names = names_of(code, where)
        name, path = own
        for free in sorted(names.reads):
            wanted = meaning_of(free)
            if wanted is None:
                raise CourseError(
                    f"{where} uses `{free}`, which the module does not define; mend the reference"
                )
            have = self.bound.get(free, f"builtins.{free}" if free in BUILTINS else None)
            if have != wanted:
                raise CourseError(f"{where} uses `{free}` ({wanted}), {_mend(free, wanted, have, path)}")
            self.fixed[free] = (wanted, where)
        if name in self.fixed and self.fixed[name][0] != path:
            raise CourseError(
                f"{where}: the name `{name}` already means {self.fixed[name][0]} in this notebook; rename it"
            )
        self.bound[name] = path
        self.fixed[name] = (path, where)


def _mend(name: str, wanted: str, have: str | None, path: str) -> str:
    topic = ".".join(path.split(".")[:2]) + "."
    if wanted.startswith("solutions.") and not wanted.startswith(topic):
        return (
            "of another topic, but a notebook stands alone: use torch's own part, or move it into nlpcourse"
        )
    if wanted.startswith(topic):
        return "but no earlier answer cell of the notebook has it: put that exercise first, or inline it"
    if have is None:
        return "but no earlier cell of the notebook binds it: bind it in the setup cell as the reference does"
    return f"but in the notebook it stands for {have}: bind it in the setup cell as the reference does"
