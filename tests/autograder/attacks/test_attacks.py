"""Every attack on a wrong solution, beside an honest classmate: none gains a point, learns a secret or does harm."""

import nbformat
import pytest
from attack import FAIR, Attack
from classroom_of_two import Classmates, printed, shown_live
from forms import ATTACKS
from tiny_course import scores

#: What any attack may leave for the formgrader to show.
LARGEST_NOTEBOOK = 6 << 20


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_attack(classmates: Classmates, attack: Attack) -> None:
    graded = classmates.attack(attack)
    found = scores(graded)
    assert found["absolute"] == 0, "a point was gained"
    for exercise, fair in FAIR.items():
        if exercise not in attack.lost:
            assert found[exercise] == fair, graded.record
    text = printed(graded)
    assert "GOT" not in text
    if attack.outcome == "B":
        assert "REFUSED" in text, "the attack did not run"
    if attack.outcome == "C":
        said = [exercise.reason or exercise.error for exercise in graded.record.exercises]
        assert any(said) or "[stopped: " in text
    shown = shown_live(graded)
    for forbidden in attack.never:
        assert forbidden not in shown
    assert len(graded.notebook) < LARGEST_NOTEBOOK
    nbformat.validate(nbformat.reads(graded.notebook.decode(), as_version=4))


def test_the_classmate_is_unharmed_after_all_of_them(classmates: Classmates) -> None:
    classmates.check_honest()
