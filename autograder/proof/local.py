"""One answer graded in a forked process without a sandbox, and two answers compared. For worker processes."""

import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from autograder.assignment import Assignment
from autograder.grading.session import CheckSession, SessionDied
from autograder.proof.answers import as_source
from autograder.wall.local import local_student
from autograder.wall.student import StudentDied, StudentError

CPU_SECONDS, WALL_SECONDS = 30, 120.0


@functools.cache
def assignment_of(topic: str) -> Assignment:
    """The assignment of the checkout, loaded once in a process."""
    torch.set_num_threads(1)
    return Assignment.load(topic)


@functools.cache
def session_of(topic: str) -> CheckSession:
    """The checks of the checkout, collected once in a process."""
    return CheckSession(assignment_of(topic).root / "autograder" / "checks" / topic)


@dataclass(frozen=True)
class Local:
    """What the checks said of an answer."""

    score: int
    failed: tuple[str, ...]
    died: str = ""
    """Why the answer's process or its definition ended, or ""."""
    passed: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    """Checks in which the answer's own code raised, whether that counts as failed or as not tried."""


def grade_locally(topic: str, exercise: str, answer: str, seed: int) -> Local:
    """Every check of the exercise, once, with seeds made from `seed`."""
    source = as_source(assignment_of(topic), exercise, answer)
    try:
        with local_student(source, cpu_seconds=CPU_SECONDS, wall_seconds=WALL_SECONDS) as student:
            outcomes = session_of(topic).run(exercise, student, seeds_from(seed), {})
    except (StudentError, StudentDied, SessionDied) as end:
        return Local(0, (), str(end) or type(end).__name__)
    failed, passed = (
        tuple(outcome.id for outcome in outcomes if outcome.status == status)
        for status in ("failed", "passed")
    )
    raised = tuple(outcome.id for outcome in outcomes if outcome.error is not None)
    return Local(sum(outcome.earned for outcome in outcomes), failed, passed=passed, raised=raised)


def seeds_from(seed: int) -> Callable[[str], int]:
    """A seed for each check: `seed` and its name, mixed the same way in every process."""
    return lambda check: int.from_bytes(f"{check}#{seed}".encode(), "big") % (2**31 - 1)


def failures_over_seeds(topic: str, exercise: str, answer: str, count: int) -> list[int]:
    """The seeds, from 0 to `count` - 1, with which a check failed; the process lives through all of them."""
    source = as_source(assignment_of(topic), exercise, answer)
    failed = []
    with local_student(source, cpu_seconds=count * 5, wall_seconds=count * 20.0) as student:
        for seed in range(count):
            outcomes = session_of(topic).run(exercise, student, seeds_from(seed), {})
            if not all(outcome.passed for outcome in outcomes):
                failed.append(seed)
    return failed


def known(topic: str, exercise: str) -> ModuleType:
    """`autograder/checks/<topic>/known/<exercise>.py`."""
    return importlib.import_module(f"autograder.checks.{topic}.known.{exercise}")


def first_difference(topic: str, exercise: str, answer: str, inputs: int) -> int | None:
    """The first of `inputs` random inputs on which an answer differs from the reference, or None."""
    return _compare(topic, exercise, answer, inputs, same)


def looks_right(topic: str, exercise: str, answer: str) -> bool:
    """Whether the results of an answer have the reference's kinds and shapes, on a few inputs."""
    return _compare(topic, exercise, answer, 3, lambda one, two: outline(one) == outline(two)) is None


def _compare(
    topic: str, exercise: str, answer: str, inputs: int, agree: Callable[[Any, Any], bool]
) -> int | None:
    assignment, observe = assignment_of(topic), known(topic, exercise).observe
    module = assignment.exercise(exercise).reference.partition(":")[0]
    reference = importlib.import_module(module)
    source = as_source(assignment, exercise, answer)
    with local_student(source, cpu_seconds=600, wall_seconds=3600.0) as student:
        for seed in range(inputs):
            try:
                seen = student.probe(observe, seed)
            except StudentError:
                return seed
            if not agree(seen, observe(reference, seed)):
                return seed
    return None


def same(one: Any, two: Any) -> bool:
    """Whether two nests of data are equal, floating numbers to the last few digits of float32."""
    if type(one) is not type(two):
        return False
    if isinstance(one, Tensor):
        return one.shape == two.shape and torch.allclose(
            one.double(), two.double(), rtol=1e-5, atol=1e-6, equal_nan=True
        )
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(abs(one - two) <= 1e-6 * max(1.0, abs(two))) if isinstance(one, float) else one == two


def outline(value: Any) -> Any:
    """Kinds and shapes of a nest of data, its numbers left out."""
    if isinstance(value, Tensor):
        return ("floating" if value.is_floating_point() else "whole", tuple(value.shape))
    if isinstance(value, dict):
        return {key: outline(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value).__name__, [outline(part) for part in value]
    return type(value).__name__
