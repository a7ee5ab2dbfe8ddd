"""Known answers graded the whole way, sandbox and all, and what the outcome has to be."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from autograder.assignment import Assignment
from autograder.checks.variants import CHEATS, read_variants
from autograder.grading.run import grade_notebook
from autograder.proof.answers import as_submission, reference_answers
from autograder.proof.keys import checks_key, grader_version, reference_key, tree_key
from autograder.proof.local import assignment_of, looks_right, session_of

SALT = b"not a secret: known answers have known seeds"
LEAST_WRONG, LEAST_RIGHT, LEAST_SLIPPING = 4, 4, 2
"""At least so many wrong and right variants an exercise, and wrong ones that pass every visible test."""

Entry = dict[str, Any]
Record = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One known answer."""

    exercise: str
    name: str
    kind: str
    """`reference`, `stub`, `right`, `wrong` or `cheat`."""
    answer: str | None
    """Its text; None for the stub."""
    says: str = ""
    fails: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return tree_key(self.answer or "")


def cases(assignment: Assignment) -> list[Case]:
    """The reference, the stub and every variant of every exercise."""
    found = []
    for name, answer in reference_answers(assignment).items():
        found += [Case(name, "reference", "reference", answer), Case(name, "stub", "stub", None)]
    folder = assignment.root / "autograder" / "checks" / assignment.topic
    return found + [
        Case(each.exercise, each.name, each.kind, each.source, each.says, each.fails)
        for each in read_variants(folder)
    ]


def grade(topic: str, case: Case) -> Entry:
    """The outcome of one case: everything but what it needs is left as handed out. For worker processes."""
    assignment = assignment_of(topic)
    submission = as_submission(assignment, case.exercise, case.answer)
    graded = grade_notebook(submission, assignment, session_of(topic), student=case.name, salt=SALT)
    result = next(each for each in graded.record.exercises if each.id == case.exercise)
    entry: Entry = {
        "kind": case.kind,
        "key": case.key,
        "score": result.score,
        "failed": [check.id for check in result.checks if check.status == "failed"],
        "not tried": [check.id for check in result.checks if check.status == "not tried"],
        "visible": result.visible == "passed",
    }
    if case.kind == "wrong":
        entry["looks right"] = looks_right(topic, case.exercise, case.answer or "")
    return entry


def stale(assignment: Assignment, record: Record) -> list[Case]:
    """The cases without an outcome that still holds."""
    held = _holding(assignment, record)
    return [case for case in cases(assignment) if case not in held]


def _holding(assignment: Assignment, record: Record) -> dict[Case, Entry]:
    """The outcomes in a record that still hold."""
    exercises = record.get("exercises", {})
    fresh = {
        each.id: exercises[each.id]
        for each in assignment.exercises
        if each.id in exercises and exercises[each.id].items() >= basis(assignment, each.id).items()
    }
    found = {}
    for case in cases(assignment):
        entry = fresh.get(case.exercise, {}).get("variants", {}).get(case.name)
        if entry is not None and entry["key"] == case.key:
            found[case] = entry
    return found


def basis(assignment: Assignment, exercise: str) -> dict[str, str]:
    """What every outcome of an exercise depends on."""
    return {
        "checks": checks_key(assignment, exercise),
        "reference": reference_key(assignment, exercise),
        "grader": grader_version(),
    }


def updated(assignment: Assignment, record: Record, outcomes: dict[Case, Entry]) -> Record:
    """The record with `outcomes` in it, without what no longer holds; in the order of the assignment."""
    exercises: dict[str, Any] = {}
    known = _holding(assignment, record) | outcomes
    for case in cases(assignment):
        entry = known.get(case)
        if case.exercise not in exercises:
            points = assignment.exercise(case.exercise).points
            exercises[case.exercise] = {**basis(assignment, case.exercise), "points": points, "variants": {}}
        if entry is not None:
            exercises[case.exercise]["variants"][case.name] = entry
    return {"topic": assignment.topic, "exercises": exercises}


def problems(assignment: Assignment, record: Record, exercises: Iterable[str] | None = None) -> list[str]:
    """What is missing in a record, or wrong with the outcomes it holds; a sentence each."""
    wanted = {each.id for each in assignment.exercises} if exercises is None else set(exercises)
    found = []
    known = _holding(assignment, record)
    held: dict[str, list[tuple[Case, Entry]]] = {name: [] for name in wanted}
    for case in cases(assignment):
        if case.exercise in wanted:
            entry = known.get(case)
            if entry is None:
                found.append(
                    f"{case.exercise}: {case.name} has no outcome that still holds; run `make variants`"
                )
            else:
                held[case.exercise].append((case, entry))
                found += misjudged(case, entry, assignment.exercise(case.exercise).points)
    for name, pairs in held.items():
        found += [f"{name}: {sentence}" for sentence in _short_of(pairs)]
    return found


def misjudged(case: Case, entry: Entry, points: int) -> list[str]:
    """What is wrong with the outcome of a case: none or one sentence."""
    who = f"{case.exercise}: {case.kind} {case.name}"
    if case.kind in ("reference", "right") and entry["score"] != points:
        return [f"{who} got {entry['score']} of {points}; it failed {', '.join(entry['failed'])}"]
    if case.kind in ("stub", "cheat") and entry["score"] != 0:
        return [f"{who} got {entry['score']} points for nothing"]
    if case.kind == "wrong" and (tuple(entry["failed"]) != case.fails or entry["score"] >= points):
        return [f"{who} failed {', '.join(entry['failed']) or 'nothing'}, expected {', '.join(case.fails)}"]
    return []


def _short_of(pairs: list[tuple[Case, Entry]]) -> list[str]:
    wrong = [(case, entry) for case, entry in pairs if case.kind == "wrong"]
    looking = sum(entry["looks right"] for _, entry in wrong)
    slipping = sum(entry["visible"] for _, entry in wrong)
    right = sum(case.kind == "right" for case, _ in pairs)
    kinds = sorted(case.says for case, _ in pairs if case.kind == "cheat")
    return [
        sentence
        for holds, sentence in (
            (len(wrong) >= LEAST_WRONG, f"{len(wrong)} wrong variants, {LEAST_WRONG} are needed"),
            (right >= LEAST_RIGHT, f"{right} right variants, {LEAST_RIGHT} are needed"),
            (kinds == sorted(CHEATS), f"the cheats are {', '.join(kinds)}; one of each kind is needed"),
            (2 * looking >= len(wrong), f"only {looking} of {len(wrong)} wrong variants look right"),
            (slipping >= LEAST_SLIPPING, f"only {slipping} wrong variants pass the visible tests"),
        )
        if not holds
    ]
