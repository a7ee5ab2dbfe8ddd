"""What an attack is: data. The same notebooks can be handed to any grader (`bench/attacks.py` does).

The assignment is `tiny`: the student answers `total` and `largest` honestly and `absolute` wrongly, so that a gained
point shows. What the attack runs stands in added cells or in the answer.
"""

from collections.abc import Callable
from dataclasses import dataclass

import nbformat
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell
from tiny import HONEST, WRONG

from autograder.sandbox.limits import Limits

#: What an honest classmate gets, and what is fair for the attacker.
FULL = {"absolute": 3, "total": 4, "largest": 2}
FAIR = FULL | {"absolute": 0}

#: A busy machine must not turn a loop into an interruption, so the wall clock is generous.
QUICK = Limits(cpu_seconds_cell=2, cpu_seconds_notebook=100, wall_factor=50)

#: Says of every way that was tried whether it led anywhere. A way gives something true when it did.
ATTEMPT = """
def attempt(name, way):
    try:
        found = way()
    except BaseException as error:
        print("REFUSED", name, type(error).__name__)
    else:
        print("GOT" if found else "REFUSED", name)
"""


@dataclass(frozen=True)
class Attack:
    """One form of an attack."""

    row: int
    """Its number in the list of what grading must survive."""
    name: str
    outcome: str
    """B: blocked, and said to be so by the attack itself. N: no gain. C: only this submission loses something."""
    before: tuple[str, ...] = ()
    """Cells in front of the answers."""
    answer: str = WRONG
    after: tuple[str, ...] = ()
    """Cells at the end."""
    edit: Callable[[NotebookNode], NotebookNode | bytes | None] | None = None
    """What is done to the file; None means that the notebook was changed in place."""
    lost: tuple[str, ...] = ()
    """Exercises that it may cost the attacker."""
    never: tuple[str, ...] = ()
    """Text that may not stand in the graded notebook."""
    limits: Limits = QUICK
    harmless: bool = True
    """Whether it may run where there is no sandbox: all it can reach is the grader itself."""

    @property
    def id(self) -> str:
        return f"{self.row:02} {self.name}"

    def submission(self, blank: NotebookNode) -> bytes:
        """The file handed in, from the notebook handed out (which is changed)."""
        notebook = answered(blank, absolute=self.answer)
        at = next(index for index, cell in enumerate(notebook.cells) if cell.id == "absolute")
        notebook.cells[at:at] = [new_code_cell(source) for source in self.before]
        notebook.cells += [new_code_cell(source) for source in self.after]
        edited = notebook if self.edit is None else self.edit(notebook) or notebook
        return edited if isinstance(edited, bytes) else nbformat.writes(edited).encode()


def answered(blank: NotebookNode, **answers: str) -> NotebookNode:
    """The notebook handed out with honest answers, and those given in their place."""
    texts = {**HONEST, **answers}
    for cell in blank.cells:
        cell.source = texts.get(cell.id, cell.source)
    return blank


def cell_of(notebook: NotebookNode, name: str) -> NotebookNode:
    """The cell with that id."""
    return next(cell for cell in notebook.cells if cell.id == name)
