"""The scores of a grading run for the terminal: a table of a small class, a few numbers of a large one."""

import statistics

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table

from autograder.assignment import Assignment
from autograder.classroom.export import number
from autograder.classroom.grade import Outcome
from autograder.grading.record import NOT_BEGUN

#: Submissions that a table may have.
TABLE_ROWS = 40


def scores(outcome: Outcome) -> RenderableType:
    """The automatic points: a table for at most `TABLE_ROWS` submissions, else one line."""
    return table(outcome) if 0 < len(outcome.records) <= TABLE_ROWS else summary(outcome)


def summary(outcome: Outcome) -> str:
    """How the automatic points of the core exercises are spread, in one line."""
    totals = [record.score for record in outcome.records]
    if not totals:
        return f"{outcome.topic}: no submissions"
    lower, median, upper = (
        statistics.quantiles(totals, n=4, method="inclusive") if len(totals) > 1 else totals * 3
    )
    return (
        f"{outcome.topic}: automatic points of {outcome.records[0].max}: lowest {min(totals)}, "
        f"lower quartile {number(lower)}, median {number(median)}, upper quartile {number(upper)}, "
        f"highest {max(totals)}, mean {statistics.fmean(totals):.1f}"
    )


def table(outcome: Outcome) -> Table:
    """A row for each submission, a column for each exercise; what the numbers of the columns mean stands below.

    The columns are as narrow as their numbers, and fold where a window is narrower still.
    """
    assignment = outcome.assignment
    drawn = Table(
        title=f"{outcome.topic}: {assignment.total}",
        title_justify="left",
        caption=_legend(assignment),
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=0,
        show_edge=False,
    )
    drawn.add_column("student", overflow="fold", min_width=8)
    for exercise in assignment.exercises:
        drawn.add_column(f"{exercise.number}\n/{exercise.points}", justify="right", overflow="fold")
    drawn.add_column(f"automatic\n/{assignment.points}", justify="right", overflow="fold")
    drawn.add_column("notes", overflow="fold", min_width=8)
    for record in outcome.records:
        points = [str(exercise.score) for exercise in record.exercises]
        statuses = dict.fromkeys(
            exercise.status if exercise.begun else NOT_BEGUN
            for exercise in record.exercises
            if exercise.status != "ok" and (exercise.begun or not exercise.further)
        )
        notes = ["failed"] if record.status == "failed" else list(statuses)
        notes += ["late"] * record.late + ["flagged"] * bool(record.flags)
        drawn.add_row(record.student, *points, str(record.score), ", ".join(notes))
    return drawn


def _legend(assignment: Assignment) -> str:
    core = [f"{each.number}={each.id}" for each in assignment.exercises if not each.further]
    further = [f"{each.number}={each.id}" for each in assignment.exercises if each.further]
    return ", ".join(core) + (f"; outside the total: {', '.join(further)}" if further else "")
