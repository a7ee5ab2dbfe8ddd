"""Mutants of the references, and right answers on many seeds: how the outcome is found, kept and judged."""

from typing import Any

from autograder.assignment import Assignment
from autograder.checks.variants import observation, read_variants
from autograder.proof.answers import reference_answers
from autograder.proof.keys import tree_key
from autograder.proof.local import failures_over_seeds, first_difference, grade_locally, known, session_of
from autograder.proof.mutation import mutants
from autograder.proof.variants import basis

SEEDS, INPUTS = 500, 1000
LEAST_KILLED, MOST_EQUIVALENT = 0.95, 0.05

Record = dict[str, Any]


def basis_of_mutants(assignment: Assignment, exercise: str) -> dict[str, str]:
    """What the outcome of an exercise's mutants depends on."""
    file = assignment.root / "autograder" / "checks" / assignment.topic / "known" / f"{exercise}.py"
    return {
        **basis(assignment, exercise),
        "observations": tree_key(observation(file)),
        "mutation": tree_key(
            "\n".join(mutant.source for mutant in mutants(reference_answers(assignment)[exercise]))
        ),
    }


def killed(topic: str, exercise: str, source: str) -> bool:
    """Whether a mutant is found out: a check does not pass, or it cannot be run to the end. For worker processes."""
    outcome = grade_locally(topic, exercise, source, seed=1)
    return bool(outcome.died) or len(outcome.passed) < len(session_of(topic).checks(exercise))


def equivalents(topic: str, exercise: str) -> dict[str, str]:
    """{change: reason} of the mutants that are declared to be the same answer."""
    return getattr(known(topic, exercise), "EQUIVALENT", {})


def differs(topic: str, exercise: str, source: str) -> int | None:
    """The first of the inputs on which a mutant is seen to differ, or None. For worker processes."""
    return first_difference(topic, exercise, source, INPUTS)


def right_answers(assignment: Assignment) -> dict[tuple[str, str], str]:
    """{(exercise, name): source} of the references and the right variants."""
    folder = assignment.root / "autograder" / "checks" / assignment.topic
    found = {(name, "reference"): source for name, source in reference_answers(assignment).items()}
    return found | {
        (each.exercise, each.name): each.source for each in read_variants(folder) if each.kind == "right"
    }


def over_seeds(topic: str, exercise: str, source: str, count: int) -> list[int]:
    """The seeds that failed. For worker processes."""
    return failures_over_seeds(topic, exercise, source, count)


def stale_mutants(assignment: Assignment, record: Record) -> list[str]:
    """The exercises whose mutants have no outcome that still holds."""
    held = record.get("exercises", {})
    return [
        each.id
        for each in assignment.exercises
        if held.get(each.id, {}).get("mutants", {}).get("basis") != basis_of_mutants(assignment, each.id)
    ]


def stale_seeds(assignment: Assignment, record: Record) -> list[tuple[str, str]]:
    """The right answers, as (exercise, name), that were not run on enough seeds as they are now."""
    found = []
    bases = {each.id: basis(assignment, each.id) for each in assignment.exercises}
    for (exercise, name), source in right_answers(assignment).items():
        held = record.get("exercises", {}).get(exercise, {}).get("seeds", {}).get(name, {})
        key = {**bases[exercise], "key": tree_key(source)}
        if held.get("basis") != key or held.get("count", 0) < SEEDS:
            found.append((exercise, name))
    return found


def seeds_entry(assignment: Assignment, exercise: str, source: str, count: int, failed: list[int]) -> Record:
    """What is kept of one right answer on many seeds."""
    return {
        "basis": {**basis(assignment, exercise), "key": tree_key(source)},
        "count": count,
        "failed": failed,
    }


def mutants_entry(
    assignment: Assignment,
    exercise: str,
    survived: list[str],
    equal: dict[str, str],
    differing: dict[str, int],
) -> Record:
    """What is kept of the mutants of one exercise.

    Args:
        assignment: the assignment.
        exercise: its id.
        survived: ids of the mutants that no check found out and that are not declared equivalent.
        equal: {id: reason} of those declared equivalent and seen to be, on every input.
        differing: {id: number of an input} of those declared equivalent and not so.
    """
    total = len(mutants(reference_answers(assignment)[exercise]))
    return {
        "basis": basis_of_mutants(assignment, exercise),
        "total": total,
        "killed": total - len(survived) - len(equal) - len(differing),
        "survived": survived,
        "equivalent": equal,
        "inputs": INPUTS,
        "not equivalent": differing,
    }


def problems(assignment: Assignment, record: Record) -> list[str]:
    """What is missing in a record, or too little; a sentence each."""
    found = [f"{name}: its mutants changed; run `make mutants`" for name in stale_mutants(assignment, record)]
    found += [
        f"{exercise}: {name} was not run on {SEEDS} seeds as it is now; run `make mutants`"
        for exercise, name in stale_seeds(assignment, record)
    ]
    for exercise, held in record.get("exercises", {}).items():
        for name, entry in held.get("seeds", {}).items():
            if entry["failed"]:
                found.append(f"{exercise}: {name}, which is right, failed with seeds {entry['failed'][:5]}")
        of = held.get("mutants")
        if of is None:
            continue
        rest = of["total"] - len(of["equivalent"])
        if of["killed"] < LEAST_KILLED * rest:
            found.append(
                f"{exercise}: {of['killed']} of {rest} mutants killed; alive: {'; '.join(of['survived'])}"
            )
        if len(of["equivalent"]) > max(1, MOST_EQUIVALENT * of["total"]):
            found.append(f"{exercise}: {len(of['equivalent'])} of {of['total']} mutants called equivalent")
        found += [
            f"{exercise}: the mutant {name} is called equivalent, yet differs on input {number}"
            for name, number in of["not equivalent"].items()
        ]
        if of["inputs"] < INPUTS:
            found.append(
                f"{exercise}: equivalents were compared on {of['inputs']} inputs, {INPUTS} are needed"
            )
    return found
