"""An assignment as the grader knows it: exercises, source notebook, and a fingerprint of what grades it."""

import copy
import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearSolutions

from autograder.authoring.declared import DeclaredCheck
from autograder.authoring.model import Exercise, Question, Requirement
from autograder.authoring.notebook import build
from nlpcourse.exercises import total_in_words
from nlpcourse.paths import project_root
from nlpcourse.topics import topic as registered

__all__ = ["Assignment", "Exercise", "Question", "Requirement"]


@dataclass(frozen=True)
class Assignment:
    """One topic's assignment, read from its manuscript, its references and its checks."""

    topic: str
    root: Path
    """Holds `solutions/` and `autograder/checks/`: a checkout, or a class's `pinned/<topic>`."""
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...]
    checks: dict[str, tuple[DeclaredCheck, ...]]
    """By exercise id, in the order in which they run."""
    secrets: tuple[str, ...]
    """Solution lines and rubrics, which may be in no released notebook."""
    source: NotebookNode
    """nbgrader's source notebook, with solutions."""
    fingerprint: str
    """SHA-256 over the source notebook, the check modules and the reference modules."""

    @classmethod
    def load(cls, topic: str, root: Path | None = None) -> "Assignment":
        """Read the assignment of `topic`; no check or reference module is imported.

        Args:
            topic: a name in the registry of topics.
            root: the folder that holds `solutions/` and `autograder/checks/`; the checkout when not given.

        Raises:
            CourseError: there is no such topic, a file is missing, or the manuscript breaks a rule.
        """
        registered(topic)
        root = project_root() if root is None else root
        built = build(topic, root)
        return cls(
            topic=topic,
            root=root,
            exercises=tuple(built.exercises),
            questions=tuple(built.questions),
            checks=built.checks,
            secrets=tuple(built.secrets),
            source=built.source,
            fingerprint=_fingerprint(topic, root, built.source),
        )

    @functools.cached_property
    def handed_out(self) -> NotebookNode:
        """The notebook as students get it: solutions and rubrics replaced by nbgrader's own stubs, no outputs.

        It is the same one each time, to be read only; `restore.blank` gives copies.
        """
        notebook, _ = ClearSolutions().preprocess(copy.deepcopy(self.source), {})
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs = []
                cell.execution_count = None
        return notebook

    def exercise(self, name: str) -> Exercise:
        """The exercise called `name`; KeyError when there is none."""
        return {each.id: each for each in self.exercises}[name]

    @property
    def points(self) -> int:
        """The automatic points of the core exercises; those marked further do not count."""
        return sum(each.points for each in self.exercises if not each.further)

    @property
    def maximum(self) -> int:
        """All points that count: the automatic ones, and those given by hand."""
        return self.points + sum(each.points for each in self.questions)

    @property
    def total(self) -> str:
        """All points that count and their parts, in words."""
        return total_in_words(self.points, {each.number: each.points for each in self.questions})


def _fingerprint(topic: str, root: Path, source: NotebookNode) -> str:
    """Changes with whatever may change a score; the course's version and Colab cell may change without it."""
    digest = hashlib.sha256()
    for cell in source.cells:
        if cell.id != "colab":
            digest.update(json.dumps([cell.id, cell.source, cell.metadata], sort_keys=True).encode())
    checks = root / "autograder" / "checks"
    graded_with = [
        *checks.glob("*.py"),
        *(checks / topic).glob("[!_]*.py"),
        *(root / "solutions" / topic).glob("*.py"),
    ]
    for file in sorted(graded_with):
        content = file.read_bytes()
        digest.update(f"\0{file.relative_to(root).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
