"""Names the thought behind a mistake: failing checks that equal the pattern of a known misconception."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.checks.variants import Variant, read_variants
from autograder.grading.record import ExerciseResult


@dataclass(frozen=True)
class Thought:
    """A misconception that leads to just the checks that failed."""

    says: str
    """The thinking, in a sentence."""
    page: str
    """The paragraph of the chapter that treats it, as `page#anchor`, or ""."""


Patterns = Mapping[tuple[str, frozenset[str]], Sequence[Thought]]


def known_patterns(checks: Path) -> Patterns:
    """The misconceptions of a topic by exercise and failing checks.

    Args:
        checks: `autograder/checks/<topic>`, as pinned for the class.
    """
    found: dict[tuple[str, frozenset[str]], list[Thought]] = {}
    for variant in read_variants(checks):
        if variant.kind == "wrong":
            found.setdefault(_key(variant), []).append(Thought(variant.says, variant.page))
    return found


def thoughts(result: ExerciseResult, patterns: Patterns) -> Sequence[Thought]:
    """The misconceptions whose pattern this result shows; none for a result without a failed check."""
    failed = frozenset(check.id for check in result.checks if check.status == "failed")
    return patterns.get((result.id, failed), ()) if failed and not result.error else ()


def _key(variant: Variant) -> tuple[str, frozenset[str]]:
    return variant.exercise, frozenset(variant.fails)
