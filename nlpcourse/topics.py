"""The registry of topics: names, order, titles, objectives and what each topic needs first."""

import difflib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nlpcourse.errors import CourseError


@dataclass(frozen=True)
class Objective:
    """One thing a reader can do afterwards."""

    id: str
    text: str


@dataclass(frozen=True)
class Topic:
    """One topic: the same name in every room of the project."""

    name: str
    title: str
    chinese: str
    state: str
    """`ready` (the topic has pages) or `planned`."""
    needs: tuple[str, ...]
    """Objective ids of earlier topics."""
    objectives: tuple[Objective, ...]

    @property
    def ready(self) -> bool:
        return self.state == "ready"


def read_topics(path: Path) -> tuple[Topic, ...]:
    """Read and validate a registry file.

    Raises:
        CourseError: a name or objective stands twice, a state is unknown, or a need is no earlier topic's objective.
    """
    found: list[Topic] = []
    known: set[str] = set()
    for row in tomllib.loads(path.read_text(encoding="utf-8"))["topic"]:
        objectives = tuple(Objective(**objective) for objective in row.get("objectives", ()))
        topic = Topic(**{**row, "needs": tuple(row["needs"]), "objectives": objectives})
        if topic.state not in ("ready", "planned"):
            raise CourseError(
                f"{path}: topic {topic.name}: state is {topic.state!r}, expected 'ready' or 'planned'"
            )
        if topic.name in {earlier.name for earlier in found}:
            raise CourseError(f"{path}: topic {topic.name} stands twice")
        for need in topic.needs:
            if need not in known:
                raise CourseError(f"{path}: topic {topic.name} needs {need}, which no earlier topic has")
        for objective in objectives:
            if objective.id in known:
                raise CourseError(f"{path}: objective {objective.id} stands twice")
            known.add(objective.id)
        found.append(topic)
    return tuple(found)


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, in course order."""
    return read_topics(Path(__file__).with_name("topics.toml"))


def topic(name: str) -> Topic:
    """The topic called `name`.

    Raises:
        CourseError: there is none; the message names the nearest.
    """
    for each in topics():
        if each.name == name:
            return each
    names = [each.name for each in topics()]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"topics are {', '.join(names)}"
    raise CourseError(f"there is no topic {name!r}; {hint}")
