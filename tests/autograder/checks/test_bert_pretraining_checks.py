"""The hidden checks of BERT's pre-training: how seldom chance fails a right answer, and what one mistake costs."""

import inspect
import math

import pytest
import torch

from autograder.checks.bert.chance import FALSE_ALARM, assert_each_by_itself, assert_share
from autograder.proof.local import assignment_of, grade_locally
from autograder.proof.variants import cases
from nlpcourse.standins import bert as public

TOPIC = "bert"
CASES = {(case.exercise, case.name): case for case in cases(assignment_of(TOPIC))}

BROKEN = [
    ("mask_tokens", "hidden_elsewhere", {"mask-3"}, 6),
    ("mask_tokens", "fixed_number_of_the_batch", {"mask-1"}, 5),
    ("mask_tokens", "always_the_mask", {"mask-4"}, 5),
    ("mask_tokens", "never_the_mask", {"mask-5"}, 6),
    ("pretraining_loss", "classes_swapped", {"pretrain-4"}, 3),
    ("train_mlm", "mask_of_the_inputs", {"mlm-2"}, 6),
    ("train_mlm", "hidden_once", {"mlm-6"}, 6),
    ("sentence_pairs", "one_step_on", {"pairs-4"}, 7),
    ("sentence_pairs", "label_by_comparison", {"pairs-5"}, 7),
]


@pytest.mark.parametrize(("exercise", "name", "sentences", "points"), BROKEN)
def test_a_mistake_breaks_its_sentences_and_the_rest_earns(
    exercise: str, name: str, sentences: set[str], points: int
) -> None:
    answer = CASES[exercise, name].answer
    assert answer is not None
    outcome = grade_locally(TOPIC, exercise, answer, seed=5)
    checks = {check.id: check for check in assignment_of(TOPIC).checks[exercise]}
    assert {each for failed in outcome.failed for each in checks[failed].requires} == sentences
    assert outcome.score == points


def refused(count: int, happened: int, probability: float) -> bool:
    try:
        assert_share(torch.arange(count) < happened, probability)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize(("count", "probability"), [(150, 0.4096), (600, 0.25), (1000, 0.15), (400, 0.002)])
def test_a_share_is_refused_as_seldom_as_promised(count: int, probability: float) -> None:
    total = 0.0
    for happened in range(count + 1):
        if refused(count, happened, probability):
            ways = math.lgamma(count + 1) - math.lgamma(happened + 1) - math.lgamma(count - happened + 1)
            total += math.exp(
                ways + happened * math.log(probability) + (count - happened) * math.log1p(-probability)
            )
    assert 0 < total <= FALSE_ALARM
    assert refused(count, count, probability)


def test_draws_that_serve_for_several_entries_are_seen() -> None:
    rng = torch.Generator().manual_seed(0)

    def happened(*shape: int) -> torch.Tensor:
        return (torch.rand(shape, generator=rng) < 0.4).expand(1500, 4)

    for _ in range(20):
        assert_each_by_itself(happened(1500, 4), 0.4)
        for shape in ((1500, 1), (1, 4)):
            with pytest.raises(AssertionError):
                assert_each_by_itself(happened(*shape), 0.4)


def test_the_stand_in_hides_words_as_a_right_answer_does() -> None:
    outcome = grade_locally(TOPIC, "mask_tokens", inspect.getsource(public.mask_tokens), seed=5)
    assert (outcome.score, outcome.failed, outcome.died) == (7, (), "")
