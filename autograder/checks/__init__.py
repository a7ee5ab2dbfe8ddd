"""Hidden checks: `@check` turns a pytest function into a named diagnosis worth points."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Test = TypeVar("Test", bound=Callable[..., None])


@dataclass(frozen=True)
class Declaration:
    """What `@check` says about a test; `CheckSession` reads it from the function's `declaration`."""

    points: int
    """What passing earns; a whole number, at least 0."""
    requires: tuple[str, ...]
    """Ids of the sentences of the exercise that the check enforces."""
    after: tuple[str, ...]
    """Names of the tests of the same module that must pass before this one is tried."""
    hint: str
    """The docstring: the likely cause in the student's words, never an expected value."""


def check(
    *, points: int, requires: str | tuple[str, ...], after: str | tuple[str, ...] = ()
) -> Callable[[Test], Test]:
    """Declare a test function `test_<what>(student, rng)` as a check.

    `student` calls what the notebook defines (`autograder.wall.student.Student`); `rng` a `torch.Generator`
    that the grader seeds freshly for each submission. The docstring is the hint. The arguments must be
    literals, because `autograder.assignment` reads them from the syntax tree.

    Args:
        points: what passing earns, a whole number of at least 0. A check that worthless answers can pass is worth 0.
        requires: id, or ids, of the requirements that the check enforces, such as "sgns-1". A student reads that none
            of them holds when the check fails, so name those that are then broken for certain.
        after: name, or names, of earlier tests of the module; unless all of them pass, this one reads "not tried".

    Raises:
        ValueError: points is not a whole number >= 0, no requirement is named, or the test has no docstring.
    """
    required = (requires,) if isinstance(requires, str) else tuple(requires)
    first = (after,) if isinstance(after, str) else tuple(after)

    def declare(test: Test) -> Test:
        name = getattr(test, "__name__", repr(test))
        hint = " ".join((test.__doc__ or "").split())
        if type(points) is not int or points < 0:
            raise ValueError(f"{name}: points is {points!r}, expected a whole number >= 0")
        if not required or not all(isinstance(each, str) and each for each in required):
            raise ValueError(
                f"{name}: requires is {requires!r}, expected the id of a requirement, such as 'sgns-1'"
            )
        if not hint:
            raise ValueError(
                f"{name}: no docstring; write the hint there (the likely cause, no expected value)"
            )
        test.declaration = Declaration(points, required, first, hint)  # type: ignore[attr-defined]
        return test

    return declare
