"""The hidden checks of BERT's modules: one mistake breaks one sentence, a lent layer serves, dropout is told."""

import pytest
import torch
from torch import nn

from autograder.checks.modules import assert_each_by_itself, kept_before_norm
from autograder.proof.answers import reference_answers, setup
from autograder.proof.local import assignment_of, grade_locally, seeds_from, session_of
from autograder.proof.variants import cases
from autograder.wall.local import local_student

TOPIC = "bert"
CASES = {(case.exercise, case.name): case for case in cases(assignment_of(TOPIC))}

BROKEN = [
    ("BertEmbeddings", "AllOfTypeZero", {"embed-3"}),
    ("BertEmbeddings", "AnotherEps", {"embed-4"}),
    ("BertLayer", "ForgetsTheMask", {"layer-2"}),
    ("BertLayer", "DropsWeights", {"layer-5"}),
    ("MlmHead", "GeluByTanh", {"head-2"}),
    ("MlmHead", "SharesTheNumbers", {"head-3"}),
    ("BertEncoder", "CopiesOfOne", {"encoder-2"}),
    ("NspHead", "IsNextIsOne", {"nsp-3"}),
]


@pytest.mark.parametrize(("exercise", "name", "sentences"), BROKEN)
@pytest.mark.parametrize("seed", range(3))
def test_a_mistake_breaks_its_sentences_on_any_seed(
    exercise: str, name: str, sentences: set[str], seed: int
) -> None:
    case = CASES[exercise, name]
    assert case.answer is not None
    outcome = grade_locally(TOPIC, exercise, case.answer, seed=seed)
    assert (outcome.failed, outcome.died) == (case.fails, "")
    checks = {check.id: check for check in assignment_of(TOPIC).checks[exercise]}
    assert {each for failed in outcome.failed for each in checks[failed].requires} == sentences


@pytest.mark.parametrize("layer", ["NormFirst", "ForgetsTheMask", "GeluByTanh"])
def test_a_right_encoder_of_wrong_layers_gets_everything_with_lent_ones(layer: str) -> None:
    assignment, wrong = assignment_of(TOPIC), CASES["BertLayer", layer].answer
    assert wrong is not None
    answers = reference_answers(assignment)
    source = "\n\n".join([setup(assignment), wrong, answers["BertEncoder"]])
    needs = {"BertLayer": assignment.exercise("BertLayer").stand_in}
    with local_student(source) as student:
        alone, lent = (
            session_of(TOPIC).run("BertEncoder", student, seeds_from(5), names)  # type: ignore[arg-type]
            for names in ({}, needs)
        )
    assert not all(outcome.passed for outcome in alone)
    assert all(outcome.passed for outcome in lent)


def test_what_was_kept_before_a_norm_is_told() -> None:
    rng = torch.Generator().manual_seed(0)
    x, given = torch.randn(2, 3, 5, 4, generator=rng)
    kept = (torch.rand(3, 5, 4, generator=rng) < 0.7).float()
    norm = nn.LayerNorm(4).requires_grad_(False)
    assert torch.equal(kept_before_norm(norm(x + given * kept / 0.7), x, given, norm, 0.3), kept)
    for other in (norm((x + given) * kept / 0.7), norm(x + given) * kept / 0.7, norm(x + given * kept)):
        with pytest.raises(AssertionError):
            kept_before_norm(other, x, given, norm, 0.3)


def test_draws_that_serve_for_several_entries_are_seen() -> None:
    rng = torch.Generator().manual_seed(0)
    for _ in range(100):
        for shape in ((25, 6, 4), (1, 6, 4), (25, 1, 4), (25, 6, 1)):
            kept = (torch.rand(shape, generator=rng) < 0.7).expand(25, 6, 4)
            if shape == kept.shape:
                assert_each_by_itself(kept, 0.7)
            else:
                with pytest.raises(AssertionError):
                    assert_each_by_itself(kept, 0.7)
