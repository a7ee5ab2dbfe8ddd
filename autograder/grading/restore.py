"""Puts a submitted notebook back into the order, the cells and the metadata that were handed out.

Only two things of a submission survive: the text of the cells that are the student's to fill, and the cells the
student added. Everything else (order, locked text, tags, cell types, points) comes from the assignment.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograder.assignment import Assignment
from autograder.grading.sanitize import clean_attachments, clean_markdown, plain, well_formed
from autograder.grading.scopes import defined_names
from autograder.grading.syntax import effort

MAX_BYTES = 20 << 20
MAX_CELLS = 1000
MAX_CODE = 200_000
"""Characters of one code cell; a longer one is left out."""
MAX_EFFORT = 1_000_000
"""Characters that are read of all code, again for every magic line of a cell; what is above is left out."""

#: Roles whose text is the student's.
STUDENT_ROLES = frozenset(("answer", "question", "long"))

Role = Literal["setup", "prose", "statement", "answer", "example", "check", "question", "long", "added"]


class Unreadable(Exception):
    """The submission cannot be graded at all; the message is one sentence for the student and the instructor."""


@dataclass
class Restored:
    """A submission in canonical form."""

    notebook: NotebookNode
    """Cells of the assignment in its order, the student's own cells after their predecessors; no outputs."""

    flags: list[str] = field(default_factory=list)
    """What had to be repaired, one sentence each."""


@dataclass
class _Cell:
    """What is read of a submitted cell; nothing else of it is ever looked at."""

    kind: str
    source: str
    grade_id: str | None
    cell_id: str | None
    attachments: object = None
    canonical: int | None = None


def role_of(cell: NotebookNode) -> Role:
    """The role of a restored cell (restored metadata comes from the source, so it can be believed)."""
    return cell.metadata.get("nlpcourse", {}).get("role", "prose")


def exercise_of(cell: NotebookNode) -> str | None:
    """The id of the exercise a restored cell belongs to, if any."""
    return cell.metadata.get("nlpcourse", {}).get("exercise")


def blank(assignment: Assignment) -> NotebookNode:
    """A copy of the notebook as students get it."""
    return copy.deepcopy(assignment.handed_out)


def unanswered(restored: NotebookNode, assignment: Assignment) -> tuple[str, ...]:
    """Ids of the questions that nobody answered: in a restored notebook their cell is as it was handed out."""
    texts = {cell.id: cell.source.strip() for cell in assignment.handed_out.cells}
    return tuple(
        str(exercise_of(cell))
        for cell in restored.cells
        if role_of(cell) == "question" and cell.source.strip() == texts[cell.id]
    )


def restore(submission: bytes, assignment: Assignment) -> Restored:
    """The submission in canonical order, with what had to be repaired.

    Raises:
        Unreadable: not a notebook, too large, nested too deeply, or of another assignment.
    """
    cells, topic = _read(submission)
    if topic is not None and topic != assignment.topic:
        raise Unreadable(f"this is the notebook of {plain(topic, 40)!r}, not of {assignment.topic!r}")
    handed_out = blank(assignment)
    flags: list[str] = []
    _leave_out_what_is_too_much(cells, flags)
    _match(cells, handed_out, assignment, flags)
    filled = {cell.canonical for cell in cells if cell.canonical is not None}
    if not any(role_of(handed_out.cells[index]) in STUDENT_ROLES for index in filled):
        raise Unreadable(
            f"no answer cell of {assignment.topic!r} is in it; is it the notebook of another assignment?"
        )

    notebook = handed_out
    added_after: dict[int, list[NotebookNode]] = {}
    previous = -1
    for number, cell in enumerate(cells):
        if cell.canonical is None:
            added_after.setdefault(previous, []).append(_added(cell, number, flags))
        else:
            previous = cell.canonical
            _fill(notebook.cells[previous], cell, flags)
    order = [cell.canonical for cell in cells if cell.canonical is not None]
    if order != sorted(order):
        flags.append("the cells stood in another order; they were put back")

    canonical = notebook.cells
    notebook.cells = list(added_after.get(-1, []))
    for index, cell in enumerate(canonical):
        if index not in filled and role_of(cell) in (*STUDENT_ROLES, "check"):
            flags.append(
                f"the {role_of(cell)} cell {cell.metadata.get('nbgrader', {}).get('grade_id')!r} was missing"
            )
        notebook.cells += [cell, *added_after.get(index, [])]
    return Restored(notebook, flags)


def _read(submission: bytes) -> tuple[list[_Cell], str | None]:
    """The cells of a submission, and the topic that it says it belongs to."""
    if not submission:
        raise Unreadable("the file is empty, or a link and no file; hand in the notebook itself")
    if len(submission) > MAX_BYTES:
        megabytes = len(submission) / (1 << 20)
        raise Unreadable(
            f"the notebook has {megabytes:.0f} MB, more than {MAX_BYTES >> 20}; clear its outputs and hand it in again"
        )
    try:
        content = json.loads(submission)
    except RecursionError:
        raise Unreadable("the file is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise Unreadable(f"the file is not a notebook: it is not JSON ({plain(str(error), 80)})") from None
    if not isinstance(content, dict):
        raise Unreadable("the file is not a notebook: it is JSON of another kind")
    if isinstance(content.get("worksheets"), list):
        raise Unreadable(
            "the notebook is in a format from before 2015; open it, save it and hand it in again"
        )
    if not isinstance(content.get("cells"), list):
        raise Unreadable("the file is not a notebook: it has no list of cells")
    if len(content["cells"]) > MAX_CELLS:
        raise Unreadable(f"the notebook has {len(content['cells'])} cells, more than {MAX_CELLS}")
    topic = _string(_mapping(_mapping(content.get("metadata")).get("nlpcourse")).get("topic"))
    return list(_cells(content["cells"])), topic


def _cells(raw: list[Any]) -> Iterator[_Cell]:
    for entry in raw:
        if not isinstance(entry, dict) or entry.get("cell_type") not in ("code", "markdown", "raw"):
            continue
        metadata = _mapping(entry.get("metadata"))
        yield _Cell(
            kind=entry["cell_type"],
            source=well_formed(entry.get("source")),
            grade_id=_string(_mapping(metadata.get("nbgrader")).get("grade_id")),
            cell_id=_string(entry.get("id")) or _string(metadata.get("id")),
            attachments=entry.get("attachments"),
        )


def _leave_out_what_is_too_much(cells: list[_Cell], flags: list[str]) -> None:
    """Empty the code cells whose reading alone would hold the grader up for minutes."""
    spent = 0
    for number, cell in enumerate(cells, start=1):
        if cell.kind == "code" and len(cell.source) <= MAX_CODE:
            spent += effort(cell.source)
            if spent > MAX_EFFORT:
                cell.source = "# this code was left out: there is too much of it, or too many magic lines"
                flags.append(f"cell number {number} was left out: too much code, or too many magic lines")


def _match(cells: list[_Cell], handed_out: NotebookNode, assignment: Assignment, flags: list[str]) -> None:
    """Say of each submitted cell which cell of the assignment it is, if any.

    By nbgrader's id, else by cell id, else by unchanged text, else by the name an answer defines or by following its
    question: an editor that drops metadata costs nothing. The first claim holds; a later copy is an added cell.
    """
    slots = dict(enumerate(handed_out.cells))
    by_grade_id = {_grade_id(cell): index for index, cell in slots.items() if _grade_id(cell)}
    by_cell_id = {cell.id: index for index, cell in slots.items()}
    by_text: dict[str, int] = {}
    for index, cell in slots.items():
        by_text.setdefault(cell.source.strip(), index)
    free = set(slots)

    def claim(cell: _Cell, index: int | None) -> bool:
        if cell.canonical is None and index in free:
            cell.canonical = index
            free.discard(index)
            return True
        return False

    for cell in cells:
        if cell.grade_id is not None and not claim(cell, by_grade_id.get(cell.grade_id)):
            what = "was there twice; the later one is an added cell"
            if cell.grade_id not in by_grade_id:
                what = "is not of this assignment"
            flags.append(f"the cell {plain(cell.grade_id, 60)!r} {what}")
    marked = {each.id for each in slots.values() if _grade_id(each)}
    if lost := sum(cell.grade_id is None for cell in cells if cell.cell_id in marked):
        flags.append(f"nbgrader's metadata was gone from {lost} cells; it was put back")
    copies = {id(cell) for cell in cells if cell.grade_id in by_grade_id and cell.canonical is None}
    for cell in cells:
        if id(cell) not in copies and cell.cell_id is not None:
            claim(cell, by_cell_id.get(cell.cell_id))
    for cell in cells:
        if id(cell) not in copies and cell.source.strip():
            claim(cell, by_text.get(cell.source.strip()))
    answers = {
        _grade_id(each): index for index, each in slots.items() if index in free and role_of(each) == "answer"
    }
    for cell in cells:
        if cell.kind == "code" and cell.canonical is None and answers:
            for name in sorted(defined_names(cell.source[:MAX_CODE]) & answers.keys()):
                if id(cell) not in copies and claim(cell, answers.get(name)):
                    flags.append(f"the answer cell {name!r} had lost its id; it was known by what it defines")
    for before, cell in pairwise(cells):
        after = -1 if before.canonical is None else before.canonical + 1
        if cell.kind == "markdown" and after in free and role_of(handed_out.cells[after]) == "question":
            question = _grade_id(handed_out.cells[after])
            if id(cell) not in copies and claim(cell, after):
                flags.append(f"the answer to {question!r} had lost its id; it was known by its place")


def _fill(target: NotebookNode, cell: _Cell, flags: list[str]) -> None:
    """Put the student's text into a cell that is theirs; report a changed text in one that is not."""
    name = _grade_id(target) or target.id
    if cell.kind != target.cell_type:
        flags.append(f"the cell {name!r} had become a {cell.kind} cell; it is {target.cell_type} again")
    if role_of(target) not in STUDENT_ROLES:
        if cell.source.strip() != target.source.strip() and role_of(target) in ("check", "setup"):
            flags.append(f"the locked cell {name!r} had been changed; the text handed out was put back")
        return
    if target.cell_type == "code":
        target.source = _code(cell.source, name, flags)
    elif cell.source.strip():  # an emptied question is one that nobody answered
        attachments = clean_attachments(cell.attachments)
        target.source = clean_markdown(cell.source, attachments)
        if attachments:
            target.attachments = attachments


def _added(cell: _Cell, number: int, flags: list[str]) -> NotebookNode:
    """A cell of the student's own, without its metadata."""
    cell_id = f"added-{number}"
    metadata = {"nlpcourse": {"role": "added"}}
    if cell.kind == "code":
        return new_code_cell(_code(cell.source, cell_id, flags), id=cell_id, metadata=metadata)
    attachments = clean_attachments(cell.attachments)
    added = new_markdown_cell(clean_markdown(cell.source, attachments), id=cell_id, metadata=metadata)
    if attachments:
        added.attachments = attachments
    return added


def _code(source: str, name: str, flags: list[str]) -> str:
    if len(source) <= MAX_CODE:
        return source
    flags.append(f"the cell {name!r} has {len(source)} characters, more than {MAX_CODE}; it was left out")
    return f"# {len(source)} characters of code were left out here; a cell may have {MAX_CODE}"


def _grade_id(cell: NotebookNode) -> str | None:
    return cell.metadata.get("nbgrader", {}).get("grade_id")


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _string(value: object) -> str | None:
    return well_formed(value) if isinstance(value, str) else None
