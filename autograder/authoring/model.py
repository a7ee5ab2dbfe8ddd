"""What an assignment consists of, as data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Requirement:
    """One numbered sentence of a statement: what must hold."""

    id: str
    text: str


@dataclass(frozen=True)
class Exercise:
    """One object that students write and hidden checks grade."""

    id: str
    """The object's name; also the grade id of its answer cell (its check cell has `<id>-check`)."""
    number: int
    """That of its heading in the notebook."""
    title: str
    reference: str
    """Where the reference stands: `"solutions.embeddings.skipgram:sgns_loss"`."""
    requirements: tuple[Requirement, ...]
    needs: tuple[str, ...]
    """Ids of earlier exercises that the answer may call."""
    stand_in: str | None
    """A public object that can take the answer's place: `"nlpcourse.standins.embeddings:sgns_loss"`."""
    may_not_use: tuple[str, ...]
    """Names that may not occur in the answer."""
    further: bool
    """Graded, but outside the total."""
    difficulty: int
    """From 1 to 5."""
    objectives: tuple[str, ...]
    minutes: int
    """Estimated by rule, see `notebook.minutes`."""
    points: int
    """The sum over its checks."""


@dataclass(frozen=True)
class Question:
    """One question that is answered in words and graded by hand."""

    id: str
    number: int
    title: str
    points: int
    rubric: str
