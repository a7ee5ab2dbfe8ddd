"""report.html, one self-contained page on a class: scores, their distribution, what is missed most, what failed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.classroom.folder import Classroom
from autograder.classroom.pages import render
from autograder.classroom.results import Submission, TopicResults
from nlpcourse.exercises import ranges
from nlpcourse.files import write_atomically

BINS = 5
"""Bars of a distribution: five fifths of the points."""


@dataclass(frozen=True)
class Bar:
    """One bar of a histogram, in units of the drawing (a hundred high)."""

    label: str
    count: int
    height: float


@dataclass(frozen=True)
class Histogram:
    """How one exercise's scores are spread."""

    id: str
    title: str
    max: float
    mean: float
    bars: tuple[Bar, ...]

    @property
    def description(self) -> str:
        """The same in words, for those who do not see the drawing."""
        parts = ", ".join(f"{bar.count} at {bar.label}" for bar in self.bars)
        return f"{self.title}: mean {self.mean:.1f} of {self.max:g} points; {parts} of the points"


@dataclass(frozen=True)
class Missed:
    """One hidden check that students failed."""

    exercise: str
    check: str
    hint: str
    failed: int
    tried: int
    not_tried: int


@dataclass(frozen=True)
class Notice:
    """One submission that a person should look at."""

    name: str
    student: str
    lines: tuple[str, ...]


def histogram(identifier: str, title: str, scores: Sequence[float], maximum: float) -> Histogram:
    """Count `scores` in `BINS` equal parts of 0..maximum; full marks belong to the last."""
    counts = [0] * BINS
    for score in scores:
        share = score / maximum if maximum else 0.0
        counts[min(BINS - 1, max(0, int(share * BINS)))] += 1
    highest = max([*counts, 1])
    bars = tuple(
        Bar(f"{100 * index // BINS}–{100 * (index + 1) // BINS} %", count, 100 * count / highest)
        for index, count in enumerate(counts)
    )
    mean = sum(scores) / len(scores) if scores else 0.0
    return Histogram(identifier, title, maximum, mean, bars)


def histograms(result: TopicResults) -> list[Histogram]:
    """One for each exercise, over the submissions that could be graded."""
    graded = [work for work in result.submissions if work.record and not work.failed]
    return [
        histogram(
            exercise.id,
            f"{exercise.number}. {exercise.title}",
            [each.score for work in graded for each in work.exercises if each.result.id == exercise.id],
            exercise.points,
        )
        for exercise in result.assignment.exercises
    ]


def most_missed(result: TopicResults) -> list[Missed]:
    """The checks that were failed by those who attempted the exercise, the most failed first."""
    status: dict[tuple[str, str], Counter[str]] = {}
    for work in result.submissions:
        for each in work.exercises:
            if work.failed or each.result.status == "missing":
                continue
            for check in each.result.checks:
                status.setdefault((each.result.id, check.id), Counter())[check.status] += 1
    hints = {
        (exercise, check.id): check.hint
        for exercise, checks in result.assignment.checks.items()
        for check in checks
    }
    titles = {each.id: f"{each.number}. {each.title}" for each in result.assignment.exercises}
    missed = [
        Missed(
            titles[exercise],
            check,
            hints.get((exercise, check), ""),
            counts["failed"],
            counts["failed"] + counts["passed"],
            counts["not tried"],
        )
        for (exercise, check), counts in status.items()
        if counts["failed"]
    ]
    return sorted(missed, key=lambda each: (-each.failed, each.exercise, each.check))


def notices(result: TopicResults) -> list[Notice]:
    """Submissions that failed, crashed, ran out of time or were tampered with, with the reasons."""
    found = []
    for work in result.submissions:
        lines = _lines(work)
        if lines:
            found.append(Notice(work.name, work.student, tuple(lines)))
    return found


def _lines(work: Submission) -> list[str]:
    if work.record is None:
        return ["not graded yet; run `nlpcourse grade`"]
    if work.failed:
        return [f"failed: {work.record.reason}"]
    stopped: dict[str, list[str]] = {}
    for each in work.exercises:
        if each.result.status != "ok" and each.begun:
            reason = f"{each.result.status}: {each.result.reason}"
            stopped.setdefault(reason, []).append(f"{each.number}. {each.title}")
    lines = [f"{', '.join(titles)}: {reason}" for reason, titles in stopped.items()]
    blank = [each.number for each in work.exercises if not (each.begun or each.result.further)]
    if blank := blank + [each.number for each in work.written if not each.answered]:
        lines.append(f"not begun: {ranges(sorted(blank))}")
    return lines + [f"flag: {flag}" for flag in work.record.flags]


def write_report(classroom: Classroom, results: Sequence[TopicResults]) -> Path:
    """Write report.html.

    Returns:
        Its path.
    """
    page = render(
        "report.html.j2",
        with_script=True,
        classname=classroom.root.name,
        topics=[
            {
                "result": result,
                "histograms": histograms(result),
                "missed": most_missed(result),
                "notices": notices(result),
            }
            for result in results
        ],
    )
    path = classroom.root / "report.html"
    write_atomically(path, page)
    return path
