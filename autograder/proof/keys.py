"""What a record depends on, as short hashes of syntax trees: comments, layout and docstrings are free."""

import ast
import hashlib
from importlib.metadata import version

from autograder.assignment import Assignment
from autograder.proof.answers import reference_answers, setup


def tree_key(*sources: str) -> str:
    """16 hexadecimal digits that change when the syntax tree of a source does, docstrings aside."""
    digest = hashlib.sha256()
    for source in sources:
        tree = ast.parse(source)
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
                and ast.get_docstring(node) is not None
            ):
                node.body = node.body[1:] or [ast.Pass()]
        digest.update(ast.dump(tree).encode() + b"\0")
    return digest.hexdigest()[:16]


def grader_version() -> str:
    """The version of the course that is installed."""
    return version("nlpcourse")


def checks_key(assignment: Assignment, exercise: str) -> str:
    """Of the check module of an exercise, of `comparing.py`, and of what else it imports of `autograder.checks`, itself
    or through these."""
    folder = assignment.root / "autograder" / "checks"
    module = (folder / assignment.topic / f"test_{exercise}.py").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    waiting = _imported_checks(module)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = (folder / f"{name}.py").read_text(encoding="utf-8")
            waiting |= _imported_checks(found[name])
    comparing = (folder / "comparing.py").read_text(encoding="utf-8")
    return tree_key(module, comparing, *(found[name] for name in sorted(found.keys() - {"comparing"})))


def _imported_checks(module: str) -> set[str]:
    """The modules of `autograder.checks` that a module imports from, such as `attention/layers`."""
    package = "autograder.checks."
    return {
        node.module.removeprefix(package).replace(".", "/")
        for node in ast.parse(module).body
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(package)
    }


def reference_key(assignment: Assignment, exercise: str) -> str:
    """Of the reference answers of an exercise and of what it needs, and of what they and the known answers read of the
    cell that runs before them: an import that another exercise asks for changes nothing here."""
    names = (*assignment.exercise(exercise).needs, exercise)
    references = [reference_answers(assignment)[name] for name in sorted(names)]
    known = assignment.root / "autograder" / "checks" / assignment.topic / "known" / f"{exercise}.py"
    texts = [*references, known.read_text(encoding="utf-8")] if known.is_file() else references
    return tree_key(_read_of(setup(assignment), texts), *references)


def _read_of(source: str, readers: list[str]) -> str:
    """`source` without imports whose name none of the readers has."""
    read = {node.id for text in readers for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    kept: list[ast.stmt] = []
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            statement.names = [
                each for each in statement.names if (each.asname or each.name.partition(".")[0]) in read
            ]
            if statement.names:
                kept.append(statement)
        else:
            kept.append(statement)
    return "\n".join(ast.unparse(statement) for statement in kept)
