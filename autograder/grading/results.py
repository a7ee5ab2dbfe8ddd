"""From what happened to an exercise to its line in the record, in the words a student reads."""

from collections.abc import Sequence
from dataclasses import replace

from autograder.assignment import Exercise
from autograder.authoring.declared import DeclaredCheck
from autograder.grading.may_not_use import Finding
from autograder.grading.record import INTERRUPTED, CheckResult, CheckStatus, ExerciseResult, ExerciseStatus
from autograder.grading.session import CheckOutcome
from autograder.sandbox.limits import Limits

NOTHING = Finding((), ())

_STATUS: dict[str, ExerciseStatus] = {
    "timeout": "timeout",
    "interrupted": "timeout",
    "memory": "crash",
    "crash": "crash",
}
_WHERE = {
    "answer": "the answer cell",
    "example": "the example cell",
    "check": "a test in the notebook",
    "hidden": "your code, called by a hidden check,",
    "setup": "the setup cell",
    "added": "a cell you added",
}


def check_results(
    declared: Sequence[DeclaredCheck], outcomes: Sequence[CheckOutcome], broke_at: str | None = None
) -> tuple[CheckResult, ...]:
    """One result for every check of an exercise; a check without an outcome was not tried.

    Args:
        declared: all its checks, in order.
        outcomes: what is known of them.
        broke_at: id of the check during which the kernel ended.
    """
    known = {outcome.id: outcome for outcome in outcomes}
    results = []
    for check in declared:
        outcome = known.get(check.id)
        status: CheckStatus = "failed" if check.id == broke_at else "not tried"
        if outcome is not None:
            status = "passed" if outcome.passed else "failed" if outcome.status == "failed" else "not tried"
        results.append(
            CheckResult(
                id=check.id,
                status=status,
                points=check.points,
                earned=check.points if status == "passed" else 0,
                hint=outcome.hint if outcome is not None else "",
                requires=check.requires,
            )
        )
    return tuple(results)


def exercise_result(
    exercise: Exercise,
    checks: tuple[CheckResult, ...],
    *,
    status: ExerciseStatus = "ok",
    reason: str = "",
    finding: Finding = NOTHING,
    error: str = "",
    visible: str = "",
) -> ExerciseResult:
    """The result of an exercise; whatever its checks earned, an answer that uses what is ruled out scores 0."""
    if finding.used:
        ruled_out = f"the answer uses {', '.join(finding.used)}, which this exercise rules out"
        reason = f"{ruled_out}; {reason}" if reason else ruled_out
    return ExerciseResult(
        id=exercise.id,
        status=status,
        reason=reason,
        score=0 if finding.used else sum(check.earned for check in checks),
        max=sum(check.points for check in checks),
        checks=checks,
        further=exercise.further,
        error=error,
        visible=visible,
    )


def better(own: ExerciseResult, lent: ExerciseResult) -> ExerciseResult:
    """The better of two tries: with the notebook's own helpers, and with stand-ins lent for them."""
    if lent.score <= own.score:
        return own
    reason = f"graded with stand-ins for what it needs; with the notebook's own, {own.reason}"
    return replace(lent, reason=reason, visible=own.visible)


def ended_status(reason: str) -> ExerciseStatus:
    """The status of an exercise whose kernel ended for `reason`."""
    return _STATUS.get(reason, "crash")


def ended_why(reason: str, where: str, limits: Limits) -> str:
    """One sentence: where the kernel ended, and why.

    Args:
        reason: "timeout", "crash", "memory" or "interrupted".
        where: the role of the cell, or "hidden".
        limits: those of the kernel.
    """
    place = _WHERE.get(where, "a cell")
    if reason == "timeout":
        return f"{place} ran longer than {limits.cpu_seconds_cell} s of CPU time"
    if reason == "memory":
        return f"{place} used more than {limits.memory_bytes / 2**30:g} GiB of memory"
    if reason == "interrupted":
        wall = limits.cpu_seconds_cell * limits.wall_factor
        return f"{INTERRUPTED}: {place} was not done after {wall} s, mostly waiting"
    return f"{place} ended the Python process"
