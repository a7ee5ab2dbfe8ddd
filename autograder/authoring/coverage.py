"""Holds statements and checks together: what is promised is enforced, and what is enforced is promised."""

from autograder.assignment import Assignment


def unmatched(assignment: Assignment) -> list[str]:
    """What is promised and not checked, or checked and not promised; a sentence each."""
    found: list[str] = []
    for exercise in assignment.exercises:
        stated = [requirement.id for requirement in exercise.requirements]
        checks = assignment.checks[exercise.id]
        enforced = {required for check in checks for required in check.requires}
        found += [f"{exercise.id}: no check enforces {each}" for each in stated if each not in enforced]
        found += [
            f"{exercise.id}: {check.id} enforces {each}, which the statement does not have"
            for check in checks
            for each in check.requires
            if each not in stated
        ]
    return found
