"""A pattern of failing checks that a known misconception has is named in the feedback; others are not."""

from pathlib import Path

import pytest

from autograder.checks.variants import read_variants
from autograder.classroom.patterns import Thought, known_patterns, thoughts
from autograder.grading.record import CheckResult, ExerciseResult
from nlpcourse.paths import project_root
from nlpcourse.topics import topics

VARIANTS = """
from autograder.checks.variants import right, wrong


@wrong(thinking="Adding is joining.", fails=("test_value", "test_sign"), page="sums#joining")
def joined(a, b):
    return a


@wrong(thinking="The sign does not matter.", fails=("test_sign",))
def unsigned(a, b):
    return abs(a) + abs(b)


@wrong(thinking="A difference is a sum.", fails=("test_sign",))
def difference(a, b):
    return a - b


@right(looks="swaps the two")
def swapped(a, b):
    return b + a
"""


def write_known(folder: Path, exercise: str, text: str) -> None:
    (folder / "known").mkdir()
    (folder / "known" / f"{exercise}.py").write_text(text, encoding="utf-8")


def result(error: str = "", **status: str) -> ExerciseResult:
    checks = tuple(CheckResult(name, outcome, 1) for name, outcome in status.items())
    return ExerciseResult("add", "ok", "", 0, len(checks), checks, error=error)


def test_patterns_are_found_by_exactly_the_checks_that_failed(tmp_path: Path) -> None:
    write_known(tmp_path, "add", VARIANTS)
    patterns = known_patterns(tmp_path)

    both = thoughts(result(test_value="failed", test_sign="failed"), patterns)
    assert both == [Thought("Adding is joining.", "sums#joining")]
    one = thoughts(result(test_value="passed", test_sign="failed"), patterns)
    assert [thought.says for thought in one] == ["The sign does not matter.", "A difference is a sum."]
    assert not thoughts(result(test_value="failed", test_sign="not tried"), patterns)
    assert not thoughts(result(test_value="passed", test_sign="passed"), patterns)


def test_code_that_stopped_is_no_pattern(tmp_path: Path) -> None:
    write_known(tmp_path, "add", VARIANTS)
    stopped = result("NameError: name 'a' is not defined", test_value="passed", test_sign="failed")
    assert not thoughts(stopped, known_patterns(tmp_path))


@pytest.mark.parametrize("topic", [each.name for each in topics() if each.ready])
def test_every_page_that_a_misconception_names_has_the_paragraph(topic: str) -> None:
    named = [each for each in read_variants(project_root() / "autograder" / "checks" / topic) if each.page]
    assert len(named) >= 20
    for variant in named:
        page, label = variant.page.split("#")
        chapter = project_root() / "chapters" / topic / f"{page}.md"
        assert f"\n({label})=\n" in chapter.read_text(encoding="utf-8"), (variant.name, variant.page)
