"""Takes one submission through as many kernels as it needs.

A kernel that ends costs the exercise it ended in. A fresh kernel runs the other cells without the culprit, and an
exercise that needs others gets a second try with public stand-ins for them; the better of the two counts.
"""

import contextlib
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_output

from autograder.assignment import Assignment, Exercise
from autograder.grading import may_not_use
from autograder.grading.added import AddedCells
from autograder.grading.cells import CellError, CellRun, Stopped, run_cell
from autograder.grading.record import INSTRUCTOR_ONLY, INTERRUPTED, NOT_BEGUN, CheckResult, ExerciseResult
from autograder.grading.restore import exercise_of, role_of
from autograder.grading.results import better, check_results, ended_status, ended_why, exercise_result
from autograder.grading.sanitize import shown
from autograder.grading.session import CheckOutcome, CheckSession, SessionDied
from autograder.sandbox.kernel import SandboxedKernel
from autograder.sandbox.limits import Limits
from autograder.wall import lending
from autograder.wall.student import Student, StudentDied, StudentError

#: Cells whose text is the assignment's own.
LOCKED = ("setup", "example", "check")
#: What all cells of a notebook may show together, in characters: nbgrader reads the graded notebook many times.
MAX_SHOWN = 16 << 20
#: Fresh kernels for cells that end theirs and belong to no exercise; an exercise may end two more.
KERNELS_AT_MOST = 6


class Grading:
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
        self.stubs = {cell.id: cell.source for cell in assignment.handed_out.cells}
        self.results: dict[str, ExerciseResult] = {}
        self.flags: list[str] = []
        self.excluded: set[str] = set()
        """Ids of the cells that a fresh kernel does not run."""
        self.second_try: str | None = None
        """The exercise that a fresh kernel checks with stand-ins; its first result is in `results`."""
        self.spent = 0.0
        """CPU seconds of the kernels that ended."""
        self.added = AddedCells(limits)
        self.room = MAX_SHOWN
        """Characters that the cells still to be run in this kernel may show."""
        self.errors: dict[str, CellError] = {}
        """The error of each exercise's answer cell."""
        self.findings = {each.id: self._look_for_ruled_out(each) for each in assignment.exercises}

    async def run(self) -> None:
        """Fill `results`: one for every exercise."""
        kernels = KERNELS_AT_MOST + 2 * len(self.assignment.exercises)
        wall_seconds = self.limits.cpu_seconds_notebook * self.limits.wall_factor
        deadline = time.monotonic() + wall_seconds
        while not self._finished():
            if time.monotonic() > deadline:
                why = (
                    f"{INTERRUPTED}: the whole submission was not done after {wall_seconds} s, mostly waiting"
                )
                self.flags.append(why)
                self._give_up(why)
                return
            kernels -= 1
            if kernels < 0:
                self._give_up("too many cells ended the kernel before this exercise")
                return
            left = int(self.limits.cpu_seconds_notebook - self.spent)
            if left < 1:
                allowed = self.limits.cpu_seconds_notebook
                self._give_up(f"the notebook used its {allowed} s of CPU time before this exercise")
                return
            cell = min(self.limits.cpu_seconds_cell, left)
            budget = replace(self.limits, cpu_seconds_notebook=left, cpu_seconds_cell=cell)
            async with SandboxedKernel(budget, unsafe=self.unsafe) as kernel:
                kernel.end_by(deadline)
                await self._pass(kernel)
                self.spent += kernel.usage().cpu_seconds

    def _finished(self) -> bool:
        return self.second_try is None and len(self.results) == len(self.assignment.exercises)

    async def _pass(self, kernel: SandboxedKernel) -> None:
        """Run the cells in order in one kernel, until every exercise has its result or the kernel ends."""
        student = Student(kernel.channel, alive=kernel.verdict)
        self.room = MAX_SHOWN
        for cell in self.cells:
            if self._finished():
                return
            role, exercise = role_of(cell), exercise_of(cell)
            second = exercise is not None and exercise == self.second_try
            if cell.id in self.excluded:
                continue
            if role in ("check", "example") and exercise in self.results and not (role == "check" and second):
                continue
            if role == "added" and not self.added.seconds(cell.id):
                self.excluded.add(cell.id)
                self.flags.append(f"the cell {cell.id} was left out: {self.added.used_up}")
                continue
            try:
                if role == "check":
                    await self._check(kernel, student, cell, self.assignment.exercise(str(exercise)), second)
                    continue
                run = await self._run(kernel, student, cell)
            except Stopped as stop:
                why = self._why(stop, role)
                notice = new_output("stream", name="stdout", text=f"\n[stopped: {why}]\n")
                cell.outputs = [*stop.run.outputs, notice]
                self._cell_ended_kernel(stop.died.reason, why, cell)
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

    async def _run(self, kernel: SandboxedKernel, student: Student, cell: NotebookNode) -> CellRun:
        """Run a cell; around a locked one, what it asks for is lent, unless that is an answer still to be graded."""
        unsettled = {each.id for each in self.assignment.exercises} - self.results.keys()
        asked = lending.asked_for(cell.source) if role_of(cell) in LOCKED else {}
        lent = {name: address for name, address in asked.items() if name not in unsettled}
        try:
            with contextlib.suppress(
                StudentError
            ):  # broken over there: the cell will say so in its own words
                student.lend(lent)
                if role_of(cell) == "check":  # it stands behind the answer, and before the hidden checks
                    student.keep_names()
            run = await self._run_in_time(kernel, cell)
            self.room = max(0, self.room - shown(run.outputs))
            with contextlib.suppress(StudentError):
                student.take_back(lent)
                if role_of(cell) == "check":
                    student.bring_names_back()
        except StudentDied as died:
            raise Stopped(died, CellRun(), self.limits.cpu_seconds_cell) from died
        return run

    async def _run_in_time(self, kernel: SandboxedKernel, cell: NotebookNode) -> CellRun:
        """Run a cell with the CPU time and the output that it may have."""
        room = min(self.limits.output_bytes_cell, self.room)
        if role_of(cell) != "added":
            return await run_cell(kernel, cell.source, max_output=room)
        before = kernel.usage().cpu_seconds
        try:
            seconds = self.added.seconds(cell.id)
            return await run_cell(kernel, cell.source, max_output=room, cpu_seconds=seconds)
        finally:
            self.added.took(cell.id, kernel.usage().cpu_seconds - before)

    async def _check(
        self, kernel: SandboxedKernel, student: Student, cell: NotebookNode, exercise: Exercise, second: bool
    ) -> None:
        """The tests in the notebook, in the kernel; then the hidden checks, from here."""
        visible = ""
        if not second:
            run = await self._run(kernel, student, cell)
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
        written = answer.source.strip()
        handed_out = written == self.stubs[answer.id].strip()
        attempted = (bool(written) and not handed_out) or any(outcome.earned for outcome in outcomes)
        if not attempted:
            reason = f"{NOT_BEGUN}: the answer is {'as it was handed out' if handed_out else 'empty'}"
        elif not defined:
            reason = "; ".join(filter(None, (f"{exercise.id} is not defined", reason)))
        elif broken is not None:
            reason = "; ".join(filter(None, ("its code keeps the checks from running", reason)))
        raised = broken or next((outcome.error for outcome in outcomes if outcome.error is not None), None)
        if attempted and raised is not None and raised.kind == "NotImplementedError":
            reason = "; ".join(
                filter(None, ("a line that raises NotImplementedError is still there: delete it", reason))
            )
            outcomes = [replace(outcome, hint="") for outcome in outcomes]
        elif attempted and defined and broken is None and outcomes[0].status == "not tried":
            reason = "; ".join(
                filter(None, ("your code stopped with an error before it gave anything to judge", reason))
            )
        self.flags += [
            f"{INSTRUCTOR_ONLY}{exercise.id}: the check {outcome.id} itself failed with {outcome.detail}"
            for outcome in outcomes
            if outcome.detail
        ]
        return exercise_result(
            exercise,
            check_results(self.assignment.checks[exercise.id], outcomes if attempted else []),
            status="ok" if attempted and defined else "missing",
            reason=reason,
            finding=self.findings[exercise.id],
            error=str(raised) if raised is not None and attempted else "",
            visible=visible,
        )

    # --- kernels that end ---

    def _why(self, stop: Stopped, role: str) -> str:
        """Where and why a cell ended the kernel, in one sentence."""
        why = ended_why(stop.died.reason, role, replace(self.limits, cpu_seconds_cell=stop.cpu_seconds))
        early = stop.died.reason == "timeout" and stop.cpu_seconds < self.limits.cpu_seconds_cell
        return f"{why}; {self.added.used_up}" if early else why

    def _cell_ended_kernel(self, reason: str, why: str, cell: NotebookNode) -> None:
        """Leave the cell out from now on, and with it the exercise it belongs to."""
        role, exercise = role_of(cell), exercise_of(cell)
        if role != "check":
            self.excluded.add(cell.id)
        if exercise is None or (exercise in self.results and exercise != self.second_try):
            self.flags.append(f"the cell {cell.id} was left out: {why}")
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

    def _give_up(self, reason: str) -> None:
        """What has no result yet gets none; a second try that is still due is not made."""
        if self.second_try is not None:
            first = self.results[self.second_try]
            self.results[self.second_try] = replace(first, reason=f"{reason}; {first.reason}")
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
        """What the answer does with names ruled out; the objects of the exercises that it may call are not read.

        Nor are the cells behind its check, which run when it has been graded.
        """
        seen_by_it = itertools.takewhile(
            lambda cell: (role_of(cell), exercise_of(cell)) != ("check", exercise.id), self.cells
        )
        others = [
            cell
            for cell in seen_by_it
            if role_of(cell) in ("added", "setup", "answer") and exercise_of(cell) != exercise.id
        ]
        finding = may_not_use.find(
            exercise.id,
            exercise.may_not_use,
            self._answer(exercise.id).source,
            [cell.source for cell in others if exercise_of(cell) not in exercise.needs],
            {str(exercise_of(cell)): cell.source for cell in others if exercise_of(cell) in exercise.needs},
        )
        if finding.used:
            self.flags.append(f"{exercise.id}: uses {', '.join(finding.used)}, which is ruled out")
        if finding.evasions:
            self.flags.append(
                f"{INSTRUCTOR_ONLY}{exercise.id}: {', '.join(finding.evasions)} may hide a name that is ruled out"
            )
        return finding
