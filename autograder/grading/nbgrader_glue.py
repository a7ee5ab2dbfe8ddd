"""Our two steps among nbgrader's own: `Restore` comes first when it sanitises, `Execute` stands where it runs cells.

Everything else stays nbgrader's: database, late policy, formgrader, manual grading, feedback. With these in place
`nbgrader autograde` and the formgrader give the scores that `nlpcourse grade` gives, from the same records.
"""

import functools
import json
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from nbconvert.exporters import NotebookExporter
from nbconvert.preprocessors import ClearMetadataPreprocessor
from nbformat.notebooknode import NotebookNode
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearOutput,
    DeduplicateIds,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)
from traitlets import Bool

from autograder.assignment import Assignment
from autograder.classroom.folder import Classroom, make_folder
from autograder.classroom.worker import make
from autograder.grading.record import Record
from autograder.grading.restore import Unreadable, blank, restore
from autograder.grading.seeds import digest
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically


def configure(c: Any) -> None:
    """Set nbgrader's lists of steps; `c` is a traitlets configuration."""
    c.Autograde.exporter_class = SubmissionExporter
    c.Autograde.sanitize_preprocessors = [
        Restore,
        ClearOutput,
        DeduplicateIds,
        OverwriteKernelspec,
        OverwriteCells,
        CheckMetadata,
    ]
    c.Autograde.autograde_preprocessors = [
        Execute,
        IgnorePattern,
        ClearMetadataPreprocessor,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckMetadata,
    ]


class SubmissionExporter(NotebookExporter):
    """Lets any file come as far as `Restore`, which reads it itself and puts the blank one in place of no notebook."""

    optimistic_validation = Bool(True, help="Validate once, not after each step.").tag(config=True)

    def from_file(
        self, file_stream: Any, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """As nbconvert's; while it sanitises, an empty notebook, since `Restore` reads the submitted file itself."""
        if getattr(self.parent, "_sanitizing", False):
            return self.from_notebook_node(nbformat.v4.new_notebook(), resources=resources, **kw)
        return super().from_file(file_stream, resources=resources, **kw)


class CheckMetadata(CheckCellMetadata):
    """nbgrader's own check of its metadata, made once for the same metadata.

    It compiles a schema for every cell, a third of all that autograding costs; after `Restore` and `OverwriteCells`
    the metadata of all students are the same.
    """

    seen: ClassVar[set[str]] = set()

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Raises what nbgrader raises for metadata that it does not accept."""
        told = [
            (cell.cell_type, cell.metadata["nbgrader"]) for cell in nb.cells if "nbgrader" in cell.metadata
        ]
        key = digest(json.dumps(told, sort_keys=True).encode())
        if key not in self.seen:
            super().preprocess(nb, resources)
            self.seen.add(key)
        return nb, resources


class Restore(NbGraderPreprocessor):
    """Puts the submission back into the form that was handed out; nbgrader's own steps then find what they expect."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """The restored notebook, made from the submitted file itself; a blank one when it cannot be read."""
        work = _Work.of(self, resources)
        try:
            restored = restore(work.submission(), work.assignment)
        except Unreadable as problem:
            self.log.warning("%s: %s", work.student, problem)
            return blank(work.assignment), resources
        for flag in restored.flags:
            self.log.warning("%s: %s", work.student, flag)
        return restored.notebook, resources


class Execute(NbGraderPreprocessor):
    """Writes what grading gave into the notebook. Grades the submission unless its record is there and holds.

    A record holds when it was made from these bytes with this release. One that says "interrupted, run again" is
    written too; `nlpcourse grade` grades it again.
    """

    unsafe_no_sandbox = Bool(
        False, help="Run submissions without a sandbox. For one's own notebooks only; every record says so."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook with its outputs, the score of each graded cell among them.

        Raises:
            CourseError: the grader cannot do its work: no sandbox, no salt, a gradebook of another release.
        """
        work = _Work.of(self, resources)
        record, graded = work.result(unsafe=self.unsafe_no_sandbox)
        outputs = {cell.id: cell.outputs for cell in graded.cells if cell.cell_type == "code"}
        scores = {f"{exercise.id}-check": exercise.score for exercise in record.exercises}
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            cell.outputs = outputs.get(cell.id, [])
            cell.execution_count = None
            settings = cell.metadata.get("nbgrader", {})
            if settings.get("grade"):
                self._verify(cell, scores.pop(settings["grade_id"], None))
        if scores:
            raise CourseError(
                f"{work.student}: the notebook lacks the graded cell {min(scores)}; release again"
            )
        return nb, resources

    def _verify(self, cell: NotebookNode, score: int | None) -> None:
        """Raise unless nbgrader will read exactly `score` from this cell (without a number it gives full marks)."""
        shown = [
            output.data.get("text/plain") for output in cell.outputs if output.output_type == "execute_result"
        ]
        points = cell.metadata.nbgrader.points
        if score is None or shown != [str(score)] or score > points:
            raise CourseError(
                f"cell {cell.metadata.nbgrader.grade_id}: the record says {score}, the notebook {shown}, the gradebook "
                f"at most {points:g}; grade again with --force, or release the assignment again"
            )


class _Work:
    """One submission of one class, as the converter that runs a step sees it."""

    def __init__(self, classroom: Classroom, topic: str, student: str) -> None:
        self.classroom, self.topic, self.student = classroom, topic, student
        classroom.read_pin(topic)
        self.assignment = _assignment(topic, classroom.pin(topic))

    @classmethod
    def of(cls, step: NbGraderPreprocessor, resources: dict[str, Any]) -> "_Work":
        converter = getattr(step.parent, "parent", None)
        course = getattr(converter, "coursedir", None) or CourseDirectory(config=step.config)
        names = resources["nbgrader"]
        return cls(Classroom(Path(course.root)), names["assignment"], names["student"])

    def submission(self) -> bytes:
        try:
            return self.classroom.read_submission(self.student, self.topic)
        except OSError as error:
            file = self.classroom.submission(self.student, self.topic)
            raise CourseError(f"cannot read the submission {file}: {error.strerror}") from error

    def result(self, *, unsafe: bool) -> tuple[Record, NotebookNode]:
        """The record of these bytes with its notebook, from `results/` or made now."""
        record_file = self.classroom.record(self.student, self.topic)
        notebook_file = self.classroom.graded(self.student, self.topic)
        try:
            record = Record.from_json(record_file.read_bytes())
            notebook = nbformat.reads(notebook_file.read_text(encoding="utf-8"), as_version=4)
        except (OSError, CourseError, ValueError):
            pass
        else:
            if (
                record.hashes.submission == digest(self.submission())
                and record.hashes.fingerprint == self.assignment.fingerprint
                and (unsafe or record.sandbox or record.status == "failed")
            ):
                return record, notebook
        grade = _grader(str(self.classroom.root), self.topic, self.assignment.fingerprint, unsafe)
        record, content = grade(self.student)
        make_folder(record_file.parent)
        write_atomically(notebook_file, content)
        write_atomically(record_file, record.to_json())
        return record, nbformat.reads(content.decode(), as_version=4)


@functools.lru_cache(maxsize=4)
def _assignment_of(topic: str, pin: Path, stamp: int) -> Assignment:
    return Assignment.load(topic, pin)


def _assignment(topic: str, pin: Path) -> Assignment:
    """The pinned assignment, read again when the pin was made again."""
    return _assignment_of(topic, pin, (pin / "pin.json").stat().st_mtime_ns)


class _Grader:
    """A process that grades with one pin: the formgrader's server is no place for student data and pytest."""

    def __init__(self, root: str, topic: str, unsafe: bool) -> None:
        context = get_context("spawn")
        self.channel, theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, root, topic, unsafe), daemon=True).start()
        theirs.close()

    def __call__(self, student: str) -> tuple[Record, bytes]:
        try:
            self.channel.send(student)
            answer = self.channel.recv()
        except (EOFError, OSError) as error:
            _grader.cache_clear()
            raise CourseError(f"the grading process ended while it graded {student}; run it again") from error
        if isinstance(answer, Exception):
            raise answer
        return Record.from_json(answer[0]), answer[1]


@functools.lru_cache(maxsize=1)
def _grader(root: str, topic: str, fingerprint: str, unsafe: bool) -> Callable[[str], tuple[Record, bytes]]:
    return _Grader(root, topic, unsafe)


def _serve(channel: Connection, root: str, topic: str, unsafe: bool) -> None:
    """In the grading process: grade one student after another until nobody asks any more."""
    grade = None
    while True:
        try:
            student = channel.recv()
        except EOFError:
            return
        try:
            grade = grade or make(root, topic, unsafe)
            record, notebook = grade(student)
            channel.send((record.to_json(), notebook))
        except Exception as error:  # noqa: BLE001 - raised where it was asked for
            channel.send(
                error if isinstance(error, CourseError) else CourseError(f"grading failed: {error!r}")
            )
