"""Reads what a released notebook says about itself: its exercises, their points, minutes and objectives."""

import contextlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root


@dataclass(frozen=True)
class Exercise:
    """One automatically graded exercise."""

    id: str
    number: int
    """That of its heading in the notebook."""
    title: str
    points: int
    difficulty: int
    """1 (easy) to 5 (hard)."""
    minutes: int
    objectives: tuple[str, ...]
    further: bool
    """Whether it stands outside the total."""


@dataclass(frozen=True)
class Question:
    """One question that a person grades."""

    id: str
    number: int
    title: str
    points: int


@dataclass(frozen=True)
class ReleasedAssignment:
    """What a notebook in `exercises/` contains."""

    topic: str
    version: str
    exercises: tuple[Exercise, ...]
    questions: tuple[Question, ...]

    @property
    def points(self) -> int:
        """Points of the core exercises, graded automatically."""
        return sum(exercise.points for exercise in self.exercises if not exercise.further)

    @property
    def total(self) -> str:
        """All points that count, and their parts."""
        return total_in_words(self.points, {each.number: each.points for each in self.questions})

    @property
    def minutes(self) -> int:
        """Estimated minutes for the core exercises."""
        return sum(exercise.minutes for exercise in self.exercises if not exercise.further)


def total_in_words(automatic: int, by_hand: Mapping[int, int]) -> str:
    """The points that count, as every page and table names them: "42 points (39 automatic + 3 for question 6)".

    Args:
        automatic: points of the core exercises.
        by_hand: {number of a question: its points}.
    """
    if not by_hand:
        return f"{automatic} points"
    parts = [
        f"{automatic} automatic",
        *(f"{points} for question {number}" for number, points in by_hand.items()),
    ]
    return f"{automatic + sum(by_hand.values())} points ({' + '.join(parts)})"


def ranges(numbers: Iterable[int]) -> str:
    """Rising numbers, runs of three or more as their ends: "2, 3, 8–14"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    short = (f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return ", ".join(short)


def notebook_path(topic: str, root: Path) -> Path:
    """Where the released notebook of `topic` lies in the checkout at `root`."""
    return root / "exercises" / topic / f"{topic}.ipynb"


def released_text(topic: str, start: Path) -> str | None:
    """The released notebook of `topic`, or None when this machine does not have it.

    It comes from the checkout that holds `start`, or from the one this package is installed from; without a checkout,
    from the package itself, where `nlpcourse publish` has put the notebooks.

    Args:
        topic: letters and digits; it becomes part of a path.
        start: a folder, usually that of a student's notebook.
    """
    places = [files("nlpcourse") / "released" / topic / f"{topic}.ipynb"]
    with contextlib.suppress(CourseError):
        places.insert(0, notebook_path(topic, project_root(start)))
    for place in places:
        if place.is_file():
            return place.read_text(encoding="utf-8")
    return None


def read_assignment(path: Path) -> ReleasedAssignment:
    """Read the metadata of a released notebook.

    Raises:
        CourseError: the file is missing, is no notebook, or does not carry the course's metadata.
    """
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CourseError(f"there is no notebook {path}; run: nlpcourse exercises") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise CourseError(f"{path} is not a notebook ({error}); run: nlpcourse exercises") from error
    try:
        described = notebook["metadata"]["nlpcourse"]
        return ReleasedAssignment(
            topic=described["topic"],
            version=str(described["version"]),
            exercises=tuple(_exercise(row) for row in described["exercises"]),
            questions=tuple(
                Question(row["id"], row["number"], row["title"], row["points"])
                for row in described["questions"]
            ),
        )
    except (KeyError, TypeError) as error:
        raise CourseError(
            f"{path} says nothing of its exercises (missing: {error}); run: nlpcourse exercises"
        ) from error


def _exercise(row: dict[str, Any]) -> Exercise:
    return Exercise(
        id=row["id"],
        number=row["number"],
        title=row["title"],
        points=row["points"],
        difficulty=row["difficulty"],
        minutes=row["minutes"],
        objectives=tuple(row["objectives"]),
        further=row["further"],
    )
