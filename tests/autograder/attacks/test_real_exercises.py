"""On the exercises of the course: what holds nothing earns nothing, and honest results of another kind earn all.

A comparison with an empty tensor, or with not a number, can be true of itself; a loop over nothing asserts nothing.
"""

import nbformat
import pytest
from tiny_course import by_id

from autograder.authoring.command import manuscripts
from autograder.grading.restore import blank
from autograder.grading.run import grade_notebook
from autograder.proof.answers import reference_answers
from autograder.proof.local import assignment_of, grade_locally, session_of
from autograder.sandbox.limits import Limits
from autograder.wall import lending
from nlpcourse.paths import project_root

TOPICS = manuscripts(project_root())
EXERCISES = [(topic, each.id) for topic in TOPICS for each in assignment_of(topic).exercises]

ANYTHING = """
import torch
class Anything:
    def __init__(self, *args, **kwargs): pass
    def __call__(self, *args, **kwargs): return result()
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return lambda *args, **kwargs: result()
    def __len__(self): return 0
    def __contains__(self, x): return True
    def __getitem__(self, key): return result()
    def __eq__(self, other): return True
    __hash__ = None
def result(): return {}
"""
VALUES = {
    "empty list": "[]",
    "empty dict": "{}",
    "empty tensor": "torch.empty(0, requires_grad=True)",
    "not a number": "torch.full((1, 1), float('nan'), requires_grad=True)",
    "a pair of nothing": "([], [])",
    "a handle": "Anything()",
    "true": "True",
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize(("topic", "exercise"), EXERCISES)
def test_an_answer_that_holds_nothing_earns_nothing(topic: str, exercise: str, value: str) -> None:
    answer = ANYTHING.replace("return {}", f"return {value}") + f"{exercise} = Anything\n"
    if not exercise[0].isupper():
        answer += f"def {exercise}(*args, **kwargs): return result()\n"
    outcome = grade_locally(topic, exercise, answer, seed=3)
    assert (outcome.score, outcome.died) == (0, "")
    assert outcome.failed or outcome.raised, "no check was tried"


@pytest.mark.parametrize("topic", TOPICS)
def test_no_loan_holds_an_answer_that_is_still_to_be_graded(topic: str) -> None:
    """What is lent is text in the student's own process: an agent taken over can read it."""
    assignment = assignment_of(topic)
    order = [each.id for each in assignment.exercises]
    for exercise in assignment.exercises:
        later = set(order[order.index(exercise.id) :])
        assert not later & set(exercise.needs)
        loans = {need: assignment.exercise(need).stand_in or "" for need in exercise.needs}
        for text in lending.modules_for(loans).values():
            for name in later:
                assert f"def {name}(" not in text and f"class {name}(" not in text, (exercise.id, name)


ODD_TENSORS = {
    "float64": "lambda x: x.double() if x.is_floating_point() else x",
    "not contiguous": "lambda x: torch.stack([x, x], -1)[..., 0]",
    "a parameter's relative": "lambda x: x.as_subclass(type('Own', (torch.Tensor,), {}))",
}
WRAPPED = """

_plain_{name}, _odd = {name}, {odd}
def {name}(*args, **kwargs):
    result = _plain_{name}(*args, **kwargs)
    if isinstance(result, tuple):
        return tuple(_odd(each) if isinstance(each, torch.Tensor) else each for each in result)
    return _odd(result) if isinstance(result, torch.Tensor) else result
"""


@pytest.mark.parametrize("odd", ODD_TENSORS.values(), ids=ODD_TENSORS)
def test_honest_tensors_of_another_kind_get_full_marks(odd: str) -> None:
    assignment = assignment_of("embeddings")
    wrapped = ("noise_distribution", "sgns_loss", "sgns_gradient", "cooccurrence", "glove_loss", "info_nce")
    answers = reference_answers(assignment)
    notebook = blank(assignment)
    for cell in notebook.cells:
        if cell.id in wrapped:
            cell.source = answers[cell.id] + WRAPPED.format(name=cell.id, odd=odd)
    graded = grade_notebook(
        nbformat.writes(notebook).encode(),
        assignment,
        session_of("embeddings"),
        student="ada",
        salt=b"0123456789abcdef",
        limits=Limits(wall_factor=50),
    )
    results = by_id(graded)
    for name in wrapped:
        assert results[name].score == results[name].max > 0, results[name]
