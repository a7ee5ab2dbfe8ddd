"""The hidden checks of every topic: what they promise; that they tell right from wrong, cheats and stubs."""

import re

import pytest

from autograder.authoring.coverage import unmatched
from autograder.proof.answers import reference_answers
from autograder.proof.local import assignment_of, grade_locally
from autograder.proof.variants import Case, cases
from nlpcourse.paths import project_root

TOPICS = sorted(path.parent.name for path in project_root().glob("solutions/*/exercise.md"))
EXERCISES = [(topic, each.id) for topic in TOPICS for each in assignment_of(topic).exercises]
CHEATS = [(topic, case) for topic in TOPICS for case in cases(assignment_of(topic)) if case.kind == "cheat"]
every_exercise = pytest.mark.parametrize(("topic", "exercise"), EXERCISES)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_requirement_is_enforced_and_every_check_is_promised(topic: str) -> None:
    assert unmatched(assignment_of(topic)) == []


@every_exercise
def test_a_hint_names_a_cause_and_no_value(topic: str, exercise: str) -> None:
    for check in assignment_of(topic).checks[exercise]:
        assert len(check.hint.split()) >= 8, check.id
        assert not re.search(r"\b\d", check.hint), f"{check.id} names a number"


@every_exercise
def test_check_modules_compare_with_the_reference(topic: str, exercise: str) -> None:
    path = project_root() / "autograder" / "checks" / topic / f"test_{exercise}.py"
    text = path.read_text(encoding="utf-8")
    assert f"from solutions.{topic} import" in text
    assert "allclose" not in text


@every_exercise
def test_the_reference_gets_everything(topic: str, exercise: str) -> None:
    assignment = assignment_of(topic)
    outcome = grade_locally(topic, exercise, reference_answers(assignment)[exercise], seed=5)
    assert (outcome.score, outcome.failed, outcome.died) == (assignment.exercise(exercise).points, (), "")


@every_exercise
def test_a_stub_gets_nothing(topic: str, exercise: str) -> None:
    text = reference_answers(assignment_of(topic))[exercise]
    for undone in ("raise NotImplementedError()", "pass"):
        stub = re.sub(r"### BEGIN SOLUTION.*?### END SOLUTION", undone, text, flags=re.DOTALL)
        assert stub != text
        assert grade_locally(topic, exercise, stub, seed=5).score == 0


@pytest.mark.parametrize(
    ("topic", "case"), CHEATS, ids=[f"{case.exercise}-{case.name}" for _, case in CHEATS]
)
def test_a_cheat_gets_nothing(topic: str, case: Case) -> None:
    assert case.answer is not None
    outcome = grade_locally(topic, case.exercise, case.answer, seed=5)
    assert (outcome.score, outcome.died) == (0, "")


@every_exercise
def test_an_answer_that_stops_with_an_error_breaks_no_sentence(topic: str, exercise: str) -> None:
    source = f"class {exercise}:\n    def __init__(self, *args, **settings):\n        raise KeyError(args)"
    outcome = grade_locally(topic, exercise, source, seed=5)
    assert (outcome.score, outcome.failed, outcome.died) == (0, (), "")
