"""The scores of a grading run for the terminal: a table of a small class, a few numbers of a large one."""

import statistics

from rich.console import RenderableType
from rich.table import Table

from autograder.classroom.export import number
from autograder.classroom.grade import Outcome

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
    """A row for each submission, a column for each exercise; the exercises are numbered, their names stand below."""
    exercises = outcome.records[0].exercises
    names = ", ".join(
        f"{place} {each.id}{' (outside the total)' if each.further else ''}"
        for place, each in enumerate(exercises, 1)
    )
    drawn = Table(title=f"{outcome.topic} (automatic points)", caption=names, caption_justify="left")
    drawn.add_column("student")
    for place, exercise in enumerate(exercises, 1):
        drawn.add_column(f"{place}\n/{exercise.max}", justify="right", no_wrap=True)
    drawn.add_column("total", justify="right", no_wrap=True)
    drawn.add_column("notes")
    for record in outcome.records:
        points = [str(exercise.score) for exercise in record.exercises]
        statuses = dict.fromkeys(exercise.status for exercise in record.exercises if exercise.status != "ok")
        notes = ["failed"] if record.status == "failed" else list(statuses)
        notes += ["late"] * record.late + ["flagged"] * bool(record.flags)
        drawn.add_row(record.student, *points, f"{record.score}/{record.max}", ", ".join(notes))
    return drawn
