"""What a manuscript declares, and what is refused in it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.authoring.command import manuscripts
from autograder.authoring.coverage import unmatched
from autograder.authoring.declared import declared_checks
from autograder.authoring.manuscript import read_manuscript
from autograder.authoring.notebook import minutes
from autograder.authoring.reference import solution_lines
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root

Writer = Callable[..., Path]
TOPICS = manuscripts(project_root(Path(__file__).parent))


@pytest.mark.parametrize("topic", TOPICS)
def test_an_assignment_keeps_the_rules_of_the_course(topic: str) -> None:
    assignment = Assignment.load(topic)
    for exercise in assignment.exercises:
        checks = assignment.checks[exercise.id]
        assert exercise.points == sum(check.points for check in checks) > 0
        numbers = [int(each.id.rpartition("-")[2]) for each in exercise.requirements]
        assert numbers == list(range(1, len(numbers) + 1))
    assert unmatched(assignment) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_the_core_of_a_topic_is_an_afternoon(topic: str) -> None:
    core = [each for each in Assignment.load(topic).exercises if not each.further]
    assert 20 <= sum(each.points for each in core) <= 40
    assert sum(each.minutes for each in core) <= 180


@pytest.mark.parametrize("topic", TOPICS)
def test_further_exercises_stand_after_the_core(topic: str) -> None:
    order = [each.further for each in Assignment.load(topic).exercises]
    assert order == sorted(order)


def test_nbgrader_metadata_is_derived() -> None:
    assignment = Assignment.load("embeddings")
    cells = {cell.id: cell for cell in assignment.source.cells}
    assert len(cells) == len(assignment.source.cells)
    for exercise in assignment.exercises:
        answer, check = cells[exercise.id], cells[f"{exercise.id}-check"]
        assert answer.metadata.nbgrader.solution and not answer.metadata.nbgrader.locked
        assert check.metadata.nbgrader.points == exercise.points and check.metadata.nbgrader.locked
        assert f"{exercise.points} points" in cells[f"{exercise.id}-statement"].source
        for name in exercise.may_not_use[: len(exercise.may_not_use) - 2]:
            assert name in cells[f"{exercise.id}-statement"].source
    assert cells["two-tables"].metadata.nbgrader.grade and cells["two-tables"].metadata.nbgrader.solution
    assert "nbgrader" not in cells["long-1"].metadata


def test_examples_carry_the_output_they_have(project: Path) -> None:
    cells = {cell.id: cell.source for cell in Assignment.load("embeddings", project).source.cells}
    assert cells["sgns_loss-example-1"].endswith("# loss 2.9143")
    manuscript = project / "solutions" / "embeddings" / "exercise.md"
    manuscript.write_text(manuscript.read_text().replace("[0.5, 0.25], 1)", "[0.5, 0.75], 1)"))
    cells = {cell.id: cell.source for cell in Assignment.load("embeddings", project).source.cells}
    assert cells["sgns_loss-example-1"].endswith("# loss 2.7279")


@pytest.mark.parametrize(
    "file",
    [
        "solutions/embeddings/skipgram.py",
        "solutions/embeddings/exercise.md",
        "autograder/checks/embeddings/test_sgns_loss.py",
    ],
)
def test_the_fingerprint_changes_with_every_source(project: Path, file: str) -> None:
    before = Assignment.load("embeddings", project).fingerprint
    assert Assignment.load("embeddings", project).fingerprint == before
    path = project / file
    path.write_text(path.read_text().replace("loss", "cost", 1))
    assert Assignment.load("embeddings", project).fingerprint != before


def test_unstated_and_unenforced_requirements_are_reported(project: Path) -> None:
    assert unmatched(Assignment.load("embeddings", project)) == []
    path = project / "solutions" / "embeddings" / "exercise.md"
    path.write_text(path.read_text().replace("`sgns-6` The three", "`sgns-9` The three"))
    complaints = unmatched(Assignment.load("embeddings", project))
    assert "sgns_loss: no check enforces sgns-9" in complaints
    assert any("enforces sgns-6, which the statement does not have" in each for each in complaints)


def test_minutes_by_rule() -> None:
    assert minutes("word " * 300, ["a = 1", "b = 2"]) == 2 + 12 + 10
    assert minutes("word", ["a = 1"]) == 17


def test_solution_lines() -> None:
    source = "def f():\n    ### BEGIN SOLUTION\n    a = 1\n\n    # why\n    return a\n    ### END SOLUTION"
    assert solution_lines(source, "f") == ["a = 1", "return a"]
    with pytest.raises(CourseError, match="no `### END SOLUTION`"):
        solution_lines("### BEGIN SOLUTION\na = 1", "f")
    with pytest.raises(CourseError, match="is no marker"):
        solution_lines("# BEGIN SOLUTION\na = 1", "f")
    with pytest.raises(CourseError, match="pair them"):
        solution_lines("### BEGIN SOLUTION\n### BEGIN SOLUTION", "f")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"difficulty": 1', '"difficulty": 9', "difficulty is 9, expected 1 to 5"),
        ('"difficulty": 1, ', "", r"lacks \['difficulty'\]"),
        (
            '"objectives": []',
            '"objectives": ["emb-99"]',
            "objective 'emb-99' is not in nlpcourse/topics.toml",
        ),
        ('"needs": []', '"needs": ["later"]', "needs 'later', which is no earlier exercise"),
        ("`scaled-1` The", "The", "begins with its id"),
        ("## 1. Scale a tensor", "Scale a tensor", "begins with a heading"),
        ("## 1. Scale a tensor", "## Scale a tensor", "begins with a heading"),
        ("## 1. Scale a tensor", "## 0. Scale a tensor", "number 0 after 0"),
        (":reference: layers.scaled", ":reference: layers.shrunk", "exercise scaled has no answer"),
        (":reference: layers.scaled", ":reference: nowhere.scaled", "there is no reference module"),
        (":check: scaled", ":role: test", "expected one of `role`"),
        (":check: scaled", ":check: other", "exercise other has no statement"),
        ("topic: mlp", "topic: cnn", "the front matter says topic 'cnn'"),
        ("assert scaled", "assert = scaled", "must be plain Python"),
        ("# A second topic\n", '# A second topic\n\n+++ {"colour": "red"}\n\nred\n', "colour"),
    ],
)
def test_a_manuscript_that_breaks_a_rule(second_topic: Writer, old: str, new: str, message: str) -> None:
    with pytest.raises(CourseError, match=message):
        Assignment.load("mlp", second_topic(change=(old, new)))


def test_missing_things(second_topic: Writer, tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="there is no topic 'embedings'; did you mean 'embeddings'"):
        Assignment.load("embedings", tmp_path)
    with pytest.raises(CourseError, match="there is no manuscript"):
        read_manuscript(tmp_path, "mlp")
    root = second_topic()
    (root / "autograder" / "checks" / "mlp" / "test_scaled.py").unlink()
    with pytest.raises(CourseError, match="there is no check module"):
        Assignment.load("mlp", root)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "declares no check"),
        ("def (", "mend the check module"),
        ("P = 1\n@check(points=P, requires='a-1')\ndef test_a(s, r): 'hint'", "must be literals"),
        ("@check(points=-1, requires='a-1')\ndef test_a(s, r): 'hint'", "points is -1"),
        ("@check(points=1)\ndef test_a(s, r): 'hint'", "`requires` is missing"),
        ("@check(points=1, requires='a-1')\ndef test_a(s, r): pass", "has no docstring"),
        ("@check(points=1, requires='a-1', after='test_b')\ndef test_a(s, r): 'hint'", "no earlier check"),
    ],
)
def test_a_check_module_that_breaks_a_rule(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "test_a.py"
    path.write_text(text)
    with pytest.raises(CourseError, match=message):
        declared_checks(path)


def test_declared_checks_in_file_order(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    path.write_text(
        "@check(points=2, requires=('a-1', 'a-2'))\ndef test_b(s, r):\n    'one'\n\n"
        "def helper(): pass\n\n"
        "@checks.check(points=1, requires='a-1', after='test_b')\ndef test_a(s, r):\n    'two'\n"
    )
    assert [dataclasses.astuple(each) for each in declared_checks(path)] == [
        ("test_b", 2, ("a-1", "a-2"), (), "one"),
        ("test_a", 1, ("a-1",), ("test_b",), "two"),
    ]
