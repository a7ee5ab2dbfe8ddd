"""Grades one submission: restores it, runs it in sandboxed kernels, checks it from this side of the wall.

A kernel that ends costs the exercise it ended in. A fresh kernel runs the other cells without the culprit, and an
exercise that needs others gets a second try with public stand-ins for them; the better of the two counts.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

import nbformat
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output

from autograder.assignment import Assignment, Exercise
from autograder.grading import may_not_use
from autograder.grading.cells import CellError, Stopped, run_cell
from autograder.grading.record import INTERRUPTED, CheckResult, ExerciseResult, Hashes, Manual, Record
from autograder.grading.report import outputs
from autograder.grading.restore import Unreadable, blank, exercise_of, restore, role_of
from autograder.grading.results import better, check_results, ended_status, ended_why, exercise_result
from autograder.grading.seeds import digest, seed_maker
from autograder.grading.session import CheckOutcome, CheckSession, SessionDied
from autograder.sandbox.kernel import SandboxedKernel
from autograder.sandbox.layers import layers
from autograder.sandbox.limits import Limits
from autograder.wall.student import Student, StudentDied, StudentError


@dataclass(frozen=True)
class Graded:
    """What grading gives: the record, and the notebook with reports, as it goes to `autograded/`."""

    record: Record
    notebook: bytes


def grade_notebook(
    submission: bytes,
    assignment: Assignment,
    session: CheckSession,
    *,
    student: str,
    salt: bytes,
    limits: Limits | None = None,
    unsafe: bool = False,
) -> Graded:
    """Grade one submission. The result depends on the arguments and on nothing else.

    Args:
        submission: the bytes handed in.
        assignment: what they are an answer to.
        session: the checks of that assignment.
        student: id of the student.
        salt: the class's secret, see `seeds`.
        limits: of the kernels; the defaults when None.
        unsafe: run without a sandbox. For one's own notebooks only; the record says so.

    Raises:
        CourseError: the grader cannot do its work (no sandbox here, say). A student's fault is never an exception.
    """
    limits = limits or Limits()
    try:
        restored = restore(submission, assignment)
    except Unreadable as problem:
        return failed(submission, assignment, student=student, reason=str(problem), limits=limits)
    seed_of = seed_maker(salt, assignment.topic, student, digest(submission))
    names = [f"{name}/{check.id}" for name, checks in assignment.checks.items() for check in checks]
    seeds = {name: seed_of(name) for name in names}
    grading = _Grading(restored.notebook, assignment, session, seeds, limits, unsafe)
    asyncio.run(grading.run())
    results = [grading.results[exercise.id] for exercise in assignment.exercises]
    record = _record(submission, assignment, results, student=student, limits=limits)
    record = replace(
        record,
        flags=(*restored.flags, *grading.flags, *(["graded without a sandbox"] if unsafe else [])),
        seeds=seeds,
        sandbox=() if unsafe else tuple(layer.name for layer in layers() if layer.live),
    )
    return Graded(record, _written(restored.notebook, assignment, results))


def failed(
    submission: bytes, assignment: Assignment, *, student: str, reason: str, limits: Limits | None = None
) -> Graded:
    """The outcome of a submission that cannot be graded at all: no points, and why in one sentence.

    The notebook is the one that was handed out, with the reason in its graded cells.
    """
    results = [
        exercise_result(each, check_results(assignment.checks[each.id], []), status="missing", reason=reason)
        for each in assignment.exercises
    ]
    record = _record(submission, assignment, results, student=student, limits=limits or Limits())
    record = replace(record, status="failed", reason=reason)
    return Graded(record, _written(blank(assignment), assignment, results))


def _record(
    submission: bytes,
    assignment: Assignment,
    results: Sequence[ExerciseResult],
    *,
    student: str,
    limits: Limits,
) -> Record:
    core = [result for result in results if not result.further]
    return Record(
        student=student,
        assignment=assignment.topic,
        status="graded",
        reason="",
        score=sum(result.score for result in core),
        max=sum(result.max for result in core),
        late=False,
        flags=(),
        manual=Manual(None, sum(question.points for question in assignment.questions)),
        exercises=tuple(results),
        hashes=Hashes(digest(submission), assignment.fingerprint, version("nlpcourse")),
        limits=asdict(limits),
    )


def _written(notebook: NotebookNode, assignment: Assignment, results: Sequence[ExerciseResult]) -> bytes:
    """The notebook's bytes, with the report and the score as the only outputs of the graded cells."""
    by_id = {result.id: result for result in results}
    for cell in notebook.cells:
        if role_of(cell) == "check":
            exercise = assignment.exercise(str(exercise_of(cell)))
            sentences = {each.id: each.text for each in exercise.requirements}
            cell.outputs = outputs(by_id[exercise.id], sentences)
    return nbformat.writes(notebook).encode()


class _Grading:
    """One submission on its way through as many kernels as it takes."""

    def __init__(
        self,
        notebook: NotebookNode,
        assignment: Assignment,
        session: CheckSession,
        seeds: dict[str, int],
        limits: Limits,
        unsafe: bool,
    ) -> None:
        self.cells = [cell for cell in notebook.cells if cell.cell_type == "code" and role_of(cell) != "long"]
        self.assignment, self.session, self.seeds = assignment, session, seeds
        self.limits, self.unsafe = limits, unsafe
        self.stubs = {cell.id: cell.source for cell in blank(assignment).cells}
        self.results: dict[str, ExerciseResult] = {}
        self.flags: list[str] = []
        self.excluded: set[str] = set()
        """Ids of the cells that a fresh kernel does not run."""
        self.second_try: str | None = None
        """The exercise that a fresh kernel checks with stand-ins; its first result is in `results`."""
        self.spent = 0.0
        """CPU seconds of the kernels that ended."""
        self.errors: dict[str, CellError] = {}
        """The error of each exercise's answer cell."""
        self.findings = {each.id: self._look_for_ruled_out(each) for each in assignment.exercises}

    async def run(self) -> None:
        """Fill `results`: one for every exercise."""
        while not self._finished():
            left = int(self.limits.cpu_seconds_notebook - self.spent)
            if left < 1:
                self._out_of_time()
                return
            cell = min(self.limits.cpu_seconds_cell, left)
            budget = replace(self.limits, cpu_seconds_notebook=left, cpu_seconds_cell=cell)
            async with SandboxedKernel(budget, unsafe=self.unsafe) as kernel:
                await self._pass(kernel)
                self.spent += kernel.usage().cpu_seconds

    def _finished(self) -> bool:
        return self.second_try is None and len(self.results) == len(self.assignment.exercises)

    async def _pass(self, kernel: SandboxedKernel) -> None:
        """Run the cells in order in one kernel, until every exercise has its result or the kernel ends."""
        student = Student(kernel.channel, alive=kernel.verdict)
        for cell in self.cells:
            if self._finished():
                return
            role, exercise = role_of(cell), exercise_of(cell)
            second = exercise is not None and exercise == self.second_try
            if cell.id in self.excluded:
                continue
            if role in ("check", "example") and exercise in self.results and not (role == "check" and second):
                continue
            try:
                if role == "check":
                    await self._check(kernel, student, cell, self.assignment.exercise(str(exercise)), second)
                    continue
                run = await run_cell(kernel, cell.source, max_output=self.limits.output_bytes_cell)
            except Stopped as stop:
                why = ended_why(stop.died.reason, role, self.limits)
                notice = new_output("stream", name="stdout", text=f"\n[stopped: {why}]\n")
                cell.outputs = [*stop.run.outputs, notice]
                self._cell_ended_kernel(stop.died.reason, cell)
                return
            except SessionDied as death:
                checks = check_results(
                    self.assignment.checks[str(exercise)], death.outcomes, broke_at=death.check
                )
                self._exercise_ended_kernel(str(exercise), death.reason, "hidden", checks)
                return
            cell.outputs = run.outputs
            if role == "answer" and run.error is not None:
                self.errors[str(exercise)] = run.error

    async def _check(
        self, kernel: SandboxedKernel, student: Student, cell: NotebookNode, exercise: Exercise, second: bool
    ) -> None:
        """The tests in the notebook, in the kernel; then the hidden checks, from here."""
        visible = ""
        if not second:
            run = await run_cell(kernel, cell.source, max_output=self.limits.output_bytes_cell)
            visible = f"stopped with {run.error}" if run.error else "passed"
        kernel.begin_cell()
        stand_ins = self._stand_ins(exercise)
        outcomes: list[CheckOutcome] = []
        broken: StudentError | None = None
        defined = True
        try:
            if second:
                with student.stand_ins(stand_ins):
                    outcomes = self.session.run(exercise.id, student, self._seed_of(exercise.id), {})
            elif defined := student.defined(exercise.id):
                outcomes = self.session.run(exercise.id, student, self._seed_of(exercise.id), stand_ins)
        except StudentDied as died:
            raise SessionDied([], self.assignment.checks[exercise.id][0].id, died) from died
        except StudentError as error:  # even seeding and asking failed: the code broke Python's own tools
            broken = error
        result = self._settled(exercise, outcomes, defined=defined, broken=broken, visible=visible)
        if second:
            self.second_try = None
            result = better(self.results[exercise.id], result)
        self.results[exercise.id] = result

    def _settled(
        self,
        exercise: Exercise,
        outcomes: Sequence[CheckOutcome],
        *,
        defined: bool,
        broken: StudentError | None,
        visible: str,
    ) -> ExerciseResult:
        """The result of an exercise whose checks ran to their end."""
        answer = self._answer(exercise.id)
        own = self.errors.get(exercise.id)
        reason = f"the answer cell stopped with {own}" if own else ""
        attempted = answer.source != self.stubs[answer.id] or any(outcome.earned for outcome in outcomes)
        if not attempted:
            reason = "not attempted: the answer is as it was handed out"
        elif not defined:
            reason = "; ".join(filter(None, (f"{exercise.id} is not defined", reason)))
        elif broken is not None:
            reason = "; ".join(filter(None, ("its code keeps the checks from running", reason)))
        raised = broken or next((outcome.error for outcome in outcomes if outcome.error is not None), None)
        self.flags += [
            f"{exercise.id}: the check {outcome.id} itself failed with {outcome.detail}"
            for outcome in outcomes
            if outcome.detail
        ]
        return exercise_result(
            exercise,
            check_results(self.assignment.checks[exercise.id], outcomes),
            status="ok" if attempted and defined else "missing",
            reason=reason,
            finding=self.findings[exercise.id],
            error=str(raised) if raised is not None and attempted else "",
            visible=visible,
        )

    # --- kernels that end ---

    def _cell_ended_kernel(self, reason: str, cell: NotebookNode) -> None:
        """Leave the cell out from now on, and with it the exercise it belongs to."""
        role, exercise = role_of(cell), exercise_of(cell)
        self.excluded.add(cell.id)
        if exercise is None or (exercise in self.results and exercise != self.second_try):
            self.flags.append(f"the cell {cell.id} was left out: {ended_why(reason, role, self.limits)}")
        else:
            self._exercise_ended_kernel(
                exercise, reason, role, check_results(self.assignment.checks[exercise], [])
            )

    def _exercise_ended_kernel(
        self, name: str, reason: str, where: str, checks: tuple[CheckResult, ...]
    ) -> None:
        """Record why an exercise ended its kernel, and plan a second try where stand-ins may help."""
        exercise = self.assignment.exercise(name)
        if reason == "interrupted":
            self.flags.append(f"{name}: {INTERRUPTED}")
        result = exercise_result(
            exercise,
            checks,
            status=ended_status(reason),
            reason=ended_why(reason, where, self.limits),
            finding=self.findings[name],
        )
        if name not in self.results:
            self.results[name] = result
            if where != "answer" and self._stand_ins(exercise):
                self.second_try = name
                return
        else:
            self.results[name] = better(self.results[name], result)
        self.second_try = None
        self.excluded |= {cell.id for cell in self.cells if exercise_of(cell) == name}

    def _out_of_time(self) -> None:
        """The notebook's CPU time is used up: what has no result yet gets none."""
        reason = (
            f"the notebook used its {self.limits.cpu_seconds_notebook} s of CPU time before this exercise"
        )
        self.second_try = None
        for exercise in self.assignment.exercises:
            checks = check_results(self.assignment.checks[exercise.id], [])
            result = exercise_result(exercise, checks, status="timeout", reason=reason)
            self.results.setdefault(exercise.id, result)

    # --- what the assignment and the cells say ---

    def _seed_of(self, exercise: str) -> Callable[[str], int]:
        return lambda check: self.seeds[f"{exercise}/{check}"]

    def _stand_ins(self, exercise: Exercise) -> dict[str, str]:
        needed = (self.assignment.exercise(need) for need in exercise.needs)
        return {each.id: each.stand_in for each in needed if each.stand_in}

    def _answer(self, exercise: str) -> NotebookNode:
        return next(
            cell for cell in self.cells if role_of(cell) == "answer" and exercise_of(cell) == exercise
        )

    def _look_for_ruled_out(self, exercise: Exercise) -> may_not_use.Finding:
        """What the answer does with names ruled out; the cells of the exercises it may call are not read for it."""
        others = [
            cell.source
            for cell in self.cells
            if role_of(cell) in ("added", "setup", "answer")
            and exercise_of(cell) not in (exercise.id, *exercise.needs)
        ]
        finding = may_not_use.find(
            exercise.id, exercise.may_not_use, self._answer(exercise.id).source, others
        )
        if finding.evasions:
            self.flags.append(
                f"{exercise.id}: {', '.join(finding.evasions)} may hide a name that is ruled out"
            )
        return finding
