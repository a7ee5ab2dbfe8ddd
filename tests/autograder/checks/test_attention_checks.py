"""The hidden checks of `attention`: one mistake breaks one sentence, and what the checks count and draw tells it."""

import pytest
import torch

from autograder.checks.attention.layers import assert_each_by_itself
from autograder.checks.attention.test_beam_search import best_sequences, draw_model, draw_telling_models
from autograder.checks.attention.test_beam_search import searched as asked
from autograder.proof.local import assignment_of, grade_locally
from autograder.proof.variants import cases
from solutions.attention import beam

TOPIC = "attention"
CASES = {(case.exercise, case.name): case for case in cases(assignment_of(TOPIC))}

BROKEN = [
    ("EncoderLayer", "OneNormForBoth", {"encoder-2", "encoder-3", "encoder-4"}, 3),
    ("EncoderLayer", "OneDrawForAllPlaces", {"encoder-5"}, 6),
    ("DecoderLayer", "ForgetsTheMemoryMask", {"decoder-2"}, 9),
    ("DecoderLayer", "DropoutInside", {"decoder-6"}, 8),
    ("beam_search", "counts_the_start", {"beam-6"}, 5),
    ("beam_search", "asks_about_nothing", {"beam-7"}, 6),
    ("scaled_dot_product_attention", "not_low_enough", {"sdpa-4"}, 9),
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


def test_draws_that_serve_for_several_entries_are_seen() -> None:
    rng = torch.Generator().manual_seed(0)

    def kept(*shape: int) -> torch.Tensor:
        return (torch.rand(shape, generator=rng) < 0.7).expand(25, 6, 4)

    for _ in range(100):
        assert_each_by_itself(kept(25, 6, 4), 0.7)
        for shape in ((1, 6, 4), (25, 1, 4), (25, 6, 1)):
            with pytest.raises(AssertionError):
                assert_each_by_itself(kept(*shape), 0.7)


@pytest.mark.parametrize(("rounds", "beam_size", "end", "alpha"), [(5, 2, 0.5, 1.7), (4, 3, -1.0, 0.0)])
def test_many_searches_at_once_find_what_the_reference_finds(
    rounds: int, beam_size: int, end: float, alpha: float
) -> None:
    tables = draw_model(torch.Generator().manual_seed(3), rounds, end=end, count=50)
    settings = {"beam_size": beam_size, "alpha": alpha}
    found = asked(beam, [(table, settings) for table in tables])
    numbers = [int("".join(str(token + 1) for token in sequence), 7) for sequence, *_ in found]
    assert best_sequences(tables, beam_size, alpha).tolist() == numbers


def test_telling_models_tell_the_width_of_the_beam() -> None:
    told = draw_telling_models(torch.Generator().manual_seed(4), 5, 5, 3, end=0.0, alpha=2.5)
    assert len(told) == 5
    right = asked(beam, told)
    for more in (-1, 1):
        other = asked(beam, [(table, settings | {"beam_size": 3 + more}) for table, settings in told])
        assert all(one[0] != two[0] for one, two in zip(right, other, strict=True))
