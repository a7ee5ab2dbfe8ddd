"""The record of one graded submission: every outcome, and the hashes of all it depends on. The gradebook follows it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from nlpcourse.errors import CourseError

CheckStatus = Literal["passed", "failed", "not tried"]
ExerciseStatus = Literal["ok", "timeout", "crash", "missing"]
Status = Literal["graded", "failed"]

#: How the reason of an exercise begins that the wall clock stopped; grading it again may give another result.
INTERRUPTED = "interrupted, run again"
#: How the reason of an exercise begins whose answer is as it was handed out, or empty.
NOT_BEGUN = "not begun"
#: How a flag begins that no student reads: it speaks of checks, or of a suspicion.
INSTRUCTOR_ONLY = "for the instructor: "


@dataclass(frozen=True)
class CheckResult:
    """One hidden check. `points` is what it is worth; `earned` is what it gave."""

    id: str
    status: CheckStatus
    points: int
    earned: int = 0
    hint: str = ""
    requires: tuple[str, ...] = ()
    """Ids of the sentences of the exercise that the check enforces."""


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise. `score` and `max` are sums over its checks; `further` ones stay outside the totals."""

    id: str
    status: ExerciseStatus
    reason: str
    score: int
    max: int
    checks: tuple[CheckResult, ...]
    further: bool = False
    error: str = ""
    """The student's own error: its type, message and line."""

    visible: str = ""
    """What the tests in the notebook said, in the student's own kernel; never scored."""

    @property
    def begun(self) -> bool:
        """Whether the student wrote something for it."""
        return not self.reason.startswith(NOT_BEGUN)

    @property
    def tried(self) -> bool:
        """Whether a hidden check was tried on it."""
        return any(check.status != "not tried" for check in self.checks)


@dataclass(frozen=True)
class Manual:
    """The questions graded by hand; `score` is None until somebody has."""

    score: float | None
    max: int


@dataclass(frozen=True)
class Hashes:
    """What the result depends on. Two records with equal hashes hold equal scores."""

    submission: str
    fingerprint: str
    """SHA-256 over the assignment's source, checks and reference."""

    grader: str
    """Version of the grader."""


@dataclass(frozen=True)
class Record:
    """One submission with its outcome; `score` and `max` are the automatic points."""

    student: str
    assignment: str
    status: Status
    reason: str
    score: int
    max: int
    late: bool
    flags: tuple[str, ...]
    manual: Manual
    exercises: tuple[ExerciseResult, ...]
    hashes: Hashes
    limits: dict[str, float] = field(default_factory=dict)
    seeds: dict[str, int] = field(default_factory=dict)
    """Seed of each check, keyed `exercise/check`."""

    sandbox: tuple[str, ...] = ()
    """Names of the layers that were live; empty when there was no sandbox."""

    unanswered: tuple[str, ...] = ()
    """Ids of the questions whose cell is as it was handed out, or empty."""

    def __post_init__(self) -> None:
        _consistent(self)

    @property
    def interrupted(self) -> bool:
        """Whether the wall clock stopped an exercise, so that grading again may give another result."""
        return any(exercise.reason.startswith(INTERRUPTED) for exercise in self.exercises)

    @property
    def open_flags(self) -> tuple[str, ...]:
        """The flags that the student reads too."""
        return tuple(flag for flag in self.flags if not flag.startswith(INSTRUCTOR_ONLY))

    def as_dict(self) -> dict[str, Any]:
        """The per-submission object of `nlpcourse grade --json`, with the hashes beside it."""
        return asdict(self)

    def to_json(self) -> str:
        """The record as text; equal records give equal text."""
        return (
            json.dumps(self.as_dict(), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"
        )

    @classmethod
    def from_json(cls, text: str | bytes) -> "Record":
        """Read a record back.

        Raises:
            CourseError: the text is no whole, consistent record (cut off, edited, of another version).
        """
        try:
            content = json.loads(text)
            exercises = tuple(
                ExerciseResult(**{**exercise, "checks": tuple(_check(check) for check in exercise["checks"])})
                for exercise in content["exercises"]
            )
            return cls(
                **{
                    **content,
                    "flags": tuple(content["flags"]),
                    "manual": Manual(**content["manual"]),
                    "exercises": exercises,
                    "hashes": Hashes(**content["hashes"]),
                    "sandbox": tuple(content["sandbox"]),
                    "unanswered": tuple(content.get("unanswered", ())),
                }
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise CourseError(
                f"this is not a whole record of a graded submission ({error}); delete it and grade again"
            ) from None


def _check(content: Mapping[str, Any]) -> CheckResult:
    return CheckResult(**{**content, "requires": tuple(content["requires"])})


def _consistent(record: Record) -> None:
    """Raise ValueError unless every field has its type and every sum is right."""
    _one_of(record.status, Status)
    for name in ("student", "assignment", "reason"):
        _typed(getattr(record, name), str, name)
    _typed(record.late, bool, "late")
    for exercise in record.exercises:
        _one_of(exercise.status, ExerciseStatus)
        for check in exercise.checks:
            _one_of(check.status, CheckStatus)
            _count(check.points, f"points of {check.id}")
            _count(check.earned, f"earned of {check.id}")
            if check.earned > check.points or (check.earned and check.status != "passed"):
                raise ValueError(f"check {check.id} cannot have earned {check.earned} of {check.points}")
        _equal(exercise.max, sum(check.points for check in exercise.checks), f"max of {exercise.id}")
        _count(exercise.score, f"score of {exercise.id}")
        if exercise.score > sum(check.earned for check in exercise.checks):
            raise ValueError(f"score of {exercise.id} is above what its checks earned")
    core = [exercise for exercise in record.exercises if not exercise.further]
    _equal(record.score, sum(exercise.score for exercise in core), "score")
    _equal(record.max, sum(exercise.max for exercise in core), "max")
    _count(record.manual.max, "manual max")


def _one_of(value: object, choices: Any) -> None:
    if value not in get_args(choices):
        raise ValueError(f"{value!r} is none of {', '.join(get_args(choices))}")


def _typed(value: object, kind: type, name: str) -> None:
    if not isinstance(value, kind):
        raise ValueError(f"{name} is {value!r}, not of type {kind.__name__}")


def _count(value: object, name: str) -> None:
    if type(value) is not int or value < 0:
        raise ValueError(f"{name} is {value!r}, not a whole number of points")


def _equal(value: object, expected: int, name: str) -> None:
    _count(value, name)
    if value != expected:
        raise ValueError(f"{name} is {value!r}, but its parts sum to {expected}")
