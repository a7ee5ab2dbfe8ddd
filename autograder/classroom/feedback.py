"""One page of feedback for each student and topic: points, what holds, one hint, their own error."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.assignment import Exercise
from autograder.classroom.folder import Classroom, make_folder
from autograder.classroom.pages import render
from autograder.classroom.patterns import Patterns, Thought, known_patterns, thoughts
from autograder.classroom.results import Scored, Submission, TopicResults, Written
from nlpcourse.files import write_atomically
from nlpcourse.settings import BOOK


@dataclass(frozen=True)
class Property:
    """One numbered sentence of an exercise, and whether the student's work keeps it."""

    id: str
    text: str
    status: str
    """`holds`, `missed` or `not tried`."""


@dataclass(frozen=True)
class Part:
    """One exercise as its student sees it."""

    scored: Scored
    properties: tuple[Property, ...]
    hint: str
    thoughts: Sequence[Thought]
    """Known misconceptions that fail in just this way."""


@dataclass(frozen=True)
class Next:
    """What a student can do next."""

    part: Part | None
    """The first core exercise that is not whole; None when all are."""
    unanswered: tuple[Written, ...]
    """Questions that wait for an answer."""
    further: tuple[Part, ...]
    """Further exercises that are not whole."""


def next_step(found: Sequence[Part], work: Submission) -> Next:
    """The core exercises come first, in their order, then the questions, then what is outside the total."""
    open_parts = [part for part in found if part.scored.score < part.scored.result.max]
    return Next(
        next((part for part in open_parts if not part.scored.result.further), None),
        tuple(question for question in work.written if not question.answered),
        tuple(part for part in open_parts if part.scored.result.further),
    )


def properties(exercise: Exercise, scored: Scored) -> tuple[Property, ...]:
    """What holds: a sentence holds when every check that enforces it passed."""
    found = []
    for requirement in exercise.requirements:
        statuses = {check.status for check in scored.result.checks if requirement.id in check.requires}
        if "failed" in statuses:
            status = "missed"
        elif "passed" in statuses and "not tried" not in statuses:
            status = "holds"
        else:
            status = "not tried"
        found.append(Property(requirement.id, requirement.text, status))
    return tuple(found)


def parts(result: TopicResults, work: Submission, patterns: Patterns) -> list[Part]:
    """The exercises of one submission, in the order of the notebook."""
    exercises = {exercise.id: exercise for exercise in result.assignment.exercises}
    return [
        Part(
            scored,
            properties(exercises[scored.result.id], scored),
            next((check.hint for check in scored.result.checks if check.hint), ""),
            thoughts(scored.result, patterns),
        )
        for scored in work.exercises
    ]


def write_feedback(classroom: Classroom, results: Sequence[TopicResults]) -> list[Path]:
    """Write feedback/<student>/<topic>.html for every graded submission.

    Returns:
        The paths.
    """
    written = []
    for result in results:
        patterns = known_patterns(result.assignment.root / "autograder" / "checks" / result.topic)
        for work in result.submissions:
            if work.record is None:
                continue
            found = [] if work.failed else parts(result, work, patterns)
            page = render(
                "feedback.html.j2",
                with_script=False,
                result=result,
                work=work,
                parts=found,
                next=next_step(found, work),
                chapter=f"{BOOK}/chapters/{result.topic}",
            )
            path = classroom.feedback(work.student, result.topic)
            make_folder(path.parent)
            write_atomically(path, page)
            written.append(path)
    return written
