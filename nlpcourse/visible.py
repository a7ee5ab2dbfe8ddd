"""Runs a student's notebook and says of each exercise whether its visible tests pass."""

import ast
import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode

from nlpcourse.errors import CourseError
from nlpcourse.exercises import released_text

LARGEST = 50_000_000
"""Bytes. A notebook of this course is a thousand times smaller; what is larger holds something else."""

STUDENTS_ROLES = ("answer", "question", "long")
"""Cells whose text is the student's; all others are the course's."""


@dataclass(frozen=True)
class Outcome:
    """What the visible tests say of one exercise."""

    exercise: str
    status: str
    """`passed`, `failed` or `not written yet`."""
    message: str = ""


def read_notebook(path: Path) -> NotebookNode:
    """Read a notebook of this course.

    Raises:
        CourseError: there is no such file, it is too large, it is no notebook, or it belongs to no topic.
    """
    if not path.is_file():
        raise CourseError(
            f"there is no file {path}; give the path of your notebook, such as embeddings.ipynb"
        )
    if path.stat().st_size > LARGEST:
        raise CourseError(
            f"{path} has {path.stat().st_size:,} bytes, which is no exercise; clear its outputs and save it"
        )
    try:
        notebook = nbformat.read(path, as_version=4)
        cells = [(cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]
    except (OSError, ValueError, AttributeError, KeyError, TypeError, nbformat.ValidationError) as error:
        reason = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise CourseError(
            f"{path} is not a notebook ({reason}); save it again, or take the released one"
        ) from error
    if not any("nlpcourse" in metadata for _, _, metadata in cells) or not notebook.metadata.get("nlpcourse"):
        raise CourseError(
            f"{path} is no exercise of this course; check a notebook that you got from exercises/"
        )
    return notebook


def released_for(student: NotebookNode, path: Path) -> NotebookNode | None:
    """The released notebook of the same topic, or None when this machine does not have it."""
    topic = str(student.metadata.nlpcourse.get("topic", ""))
    if not re.fullmatch(r"[a-z0-9]+", topic):
        raise CourseError(
            f"{path} names no topic of this course; check a notebook that you got from exercises/"
        )
    text = released_text(topic, path.resolve().parent)
    return None if text is None else nbformat.reads(text, as_version=4)


def repaired(student: NotebookNode, released: NotebookNode | None) -> tuple[list[NotebookNode], list[str]]:
    """The cells to run: the course's as released, the student's answers, their added cells where they stood.

    Args:
        student: the notebook as handed in.
        released: the notebook as released, or None: then nothing can be repaired.

    Returns:
        The cells, and a note on each thing that had to be repaired.

    Raises:
        CourseError: a cell is missing and there is no released notebook to take it from.
    """
    if released is None:
        _refuse_gaps(student)
        return list(student.cells), []
    ours = {_key(cell) for cell in released.cells}
    kept: dict[str, NotebookNode] = {}
    added: dict[str, list[NotebookNode]] = {}
    notes = _other_release(student, released)
    before = ""
    for cell in student.cells:
        key = _key(cell)
        if key not in ours:
            added.setdefault(before, []).append(cell)
        elif key in kept:
            notes.append(f"cell {key} stands twice; the first one counts")
        else:
            kept[key] = cell
            before = key
    cells = [*added.get("", [])]
    for cell in released.cells:
        key = _key(cell)
        own = kept.get(key)
        if own is None:
            notes.append(f"cell {key} was missing; the released one is used")
        elif cell.metadata.nlpcourse.role in STUDENTS_ROLES and own.cell_type == cell.cell_type:
            cell.source = own.source
        elif own.source != cell.source and cell.cell_type == "code":
            notes.append(f"cell {key} was changed; the released one is used")
        cells += [cell, *added.get(key, [])]
    return cells, notes


def run(notebook: NotebookNode, folder: Path, *, timeout: int, everything: bool) -> None:
    """Run the code cells in an ordinary kernel; errors stay in the outputs, a dead kernel ends the run.

    Args:
        notebook: its outputs are replaced.
        folder: the working directory.
        timeout: seconds a cell other than the long one may take before it is interrupted.
        everything: whether the long cell runs too.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout_func=lambda cell: None if _role(cell) == "long" else timeout,
        interrupt_on_timeout=True,
        allow_errors=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )

    async def run_all() -> None:
        async with client.async_setup_kernel():
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type == "code" and (everything or _role(cell) != "long"):
                    try:
                        await client.async_execute_cell(cell, index)
                    except DeadKernelError:
                        cell.outputs = [_error("DeadKernelError", "the kernel died in this cell")]
                        return

    asyncio.run(run_all())


def outcomes_of(notebook: NotebookNode, *, everything: bool = False) -> Iterator[Outcome]:
    """What each exercise's test cell says, read from the outputs of a notebook that has run."""
    answers = {_key(cell): cell for cell in notebook.cells if _role(cell) == "answer"}
    dead = next(
        (cell for cell in notebook.cells if (_first_error(cell) or ("",))[0] == "DeadKernelError"), None
    )
    reached = True
    for cell in notebook.cells:
        exercise, role = cell.metadata.get("nlpcourse", {}).get("exercise"), _role(cell)
        error = _first_error(cell)
        if role == "check":
            broken = _first_error(answers[exercise]) if exercise in answers else None
            if broken is not None:
                yield Outcome(exercise, "failed", f"your cell raises {_sentence(broken)}")
            elif not reached:
                yield Outcome(exercise, "failed", f"not run, because the kernel died in cell {_key(dead)}")
            elif exercise in answers and (found := _ruled_out(answers[exercise])):
                yield Outcome(exercise, "failed", found)
            elif error is None:
                yield Outcome(exercise, "passed")
            elif error[0] == "NotImplementedError":
                yield Outcome(exercise, "not written yet")
            else:
                yield Outcome(
                    exercise,
                    "failed",
                    error[1] if error[0] == "AssertionError" and error[1] else _sentence(error),
                )
        elif role == "long" and everything:
            if error is not None and error[0] == "NotImplementedError":
                yield Outcome("long cell", "not written yet", "it needs all exercises")
            elif error is not None or not reached:
                yield Outcome(
                    "long cell", "failed", _sentence(error) if error else "not run, because the kernel died"
                )
            else:
                yield Outcome("long cell", "passed")
        reached = reached and cell is not dead


def _ruled_out(answer: NotebookNode) -> str:
    """Where an answer uses a name that its exercise rules out, in words; "" when it does not.

    Grading looks closer: it also reads the helpers that the answer calls.
    """
    names = set(answer.metadata.nlpcourse.get("may-not-use", ()))
    try:
        tree = ast.parse(answer.source)
    except SyntaxError:  # a magic command, say; what is no Python has failed already
        return ""
    for node in ast.walk(tree):
        found = {getattr(node, field, None) for field in ("id", "attr", "name")}
        if isinstance(node, ast.Attribute | ast.Import):  # a dotted name, such as torch.func
            found |= {ast.unparse(node).removeprefix("import ")}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        for name in names & found:
            return f"line {node.lineno} uses {name}, which this exercise rules out"  # type: ignore[attr-defined]
    return ""


def _other_release(student: NotebookNode, released: NotebookNode) -> list[str]:
    """A note when the notebook was made from other sources than the released one that repairs it."""
    ours, theirs = released.metadata.nlpcourse, student.metadata.nlpcourse
    if theirs.get("sources") == ours.get("sources"):
        return []
    return [
        f"your notebook is of another release (version {theirs.get('version')}) than the course installed here "
        f"(version {ours.get('version')}); cells that are not yours to write are taken from here"
    ]


def _refuse_gaps(student: NotebookNode) -> None:
    present = {_key(cell) for cell in student.cells}
    for exercise in student.metadata.nlpcourse.get("exercises", []):
        for key in (exercise["id"], f"{exercise['id']}-check"):
            if key not in present:
                raise CourseError(
                    f"cell {key} is missing, and the released notebook is not on this machine; "
                    "run the check inside a checkout of the course, or take a fresh copy of the notebook"
                )


def _key(cell: NotebookNode | None) -> str:
    """What identifies a cell: its grade id, or that it is the long one; a student's own has a random id."""
    if cell is None:
        return ""
    if _role(cell) == "long":
        return "long"
    return str(cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", ""))


def _role(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nlpcourse", {}).get("role", ""))


def _first_error(cell: NotebookNode) -> tuple[str, str] | None:
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return output.ename, output.evalue
    return None


def _error(name: str, message: str) -> NotebookNode:
    return nbformat.v4.new_output("error", ename=name, evalue=message, traceback=[])


def _sentence(error: tuple[str, str]) -> str:
    name, message = error
    if name == "KeyboardInterrupt":
        return "KeyboardInterrupt: it took too long and was interrupted; look for a loop that does not end"
    first = message.strip().splitlines()[0][:200] if message.strip() else ""
    return f"{name}: {first}" if first else name
