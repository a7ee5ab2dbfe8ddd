"""Hidden checks of `beam_search`: on small random models, from the narrowest beam to one that holds
everything.

The model is a table (round, last token, next token), which the student's function sees through `step` alone;
what it asked is noted. Every check asks about several models.
"""

from typing import Any

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import beam as reference

START, END = 6, 4
"""Neither is the first token or the last, and `START` is a token that is never written."""

WRITTEN = 6
"""V, the tokens that a model may write: 0 to 5."""

TRIES = 1000
"""Models that are drawn at most until one is telling."""


def search_noting(student, table, settings):
    """Runs beside the student's code: the result of a search, and what `step` was called with."""
    calls = []

    def step(beginnings):
        calls.append(beginnings.clone())
        return table[beginnings.shape[1] - 1, beginnings[:, -1]]

    sequence, score = student.beam_search(step, **settings)
    return sequence, score, calls


def draw_model(rng: torch.Generator, rounds: int, *, end: float | Tensor = 0.0) -> Tensor:
    """(rounds, 7, V) log-probabilities; `end` is added to the logits of the end token, a tensor (rounds, 1) round by
    round."""
    logits = torch.randn(rounds, WRITTEN + 1, WRITTEN, generator=rng)
    logits[:, :, END] += end
    return logits.log_softmax(dim=-1)


def draw_telling_model(
    rng: torch.Generator, rounds: int, beam_size: int, *, end: float, alpha: float = 0.0
) -> Tensor:
    """As `draw_model`, a model on which the width of the beam tells: one place less and one more give other sequences.

    On most models they do not, so that a beam that is too narrow or too wide would pass.
    """
    for _ in range(TRIES):
        table = draw_model(rng, rounds, end=end)
        best = searched(reference, table, beam_size=beam_size, alpha=alpha)[0]
        others = (searched(reference, table, beam_size=beam_size + more, alpha=alpha)[0] for more in (1, -1))
        if all(other != best for other in others):
            break
    return table


def searched(student, table: Tensor, **settings: Any) -> tuple[list[int], float, list[Tensor]]:
    """The student's result and calls; START and END are those of this module."""
    settings = {"start": START, "end": END, "max_length": len(table), "alpha": 0.0} | settings
    if student is reference:
        return search_noting(student, table, settings)
    return student.probe(search_noting, table, settings)


def assert_search(student, table: Tensor, **settings: Any) -> None:
    """Sequence and score are the reference's."""
    sequence, score, _ = searched(student, table, **settings)
    expected, expected_score, _ = searched(reference, table, **settings)
    assert type(sequence) is list
    assert all(type(token) is int for token in sequence)
    assert type(score) is float
    assert sequence == expected
    assert abs(score - expected_score) < 1e-4


@check(points=1, requires=("beam-1", "beam-2"))
def test_one_beginning(student, rng):
    """With a beam of one the search is greedy: go on with the likeliest token until it is `end` or
    `max_length` is reached. Return a list of Python integers without `start` but with `end`, and the sum of
    the log-probabilities as a Python float."""
    for rounds in (1, 3, 5, 7, 6, 4) * 3:
        assert_search(student, draw_model(rng, rounds, end=1.0), beam_size=1)


@check(points=1, requires="beam-3", after="test_one_beginning")
def test_several_beginnings(student, rng):
    """With several beginnings, none of which ends early, the search goes wrong: the best of the continuations
    of all beginnings together are kept (not the best of each), each with the sum of all its
    log-probabilities, and each goes on from its own beginning."""
    for rounds, beam_size in ((2, 2), (4, 3), (6, 2), (5, 4), (5, 3), (6, 5)) * 2:
        assert_search(student, draw_model(rng, rounds, end=-30.0), beam_size=beam_size)
    for _ in range(6):
        assert_search(student, draw_telling_model(rng, 5, 2, end=-30.0), beam_size=2)


@check(points=1, requires="beam-4", after="test_several_beginnings")
def test_finished_sequences(student, rng):
    """Sequences that end early are handled wrongly: what ends with `end` is set aside and not continued, its
    place stays empty, and it competes with all others at the end."""
    for rounds, beam_size in ((4, 2), (6, 3), (5, 4), (7, 2), (5, 3), (6, 6)) * 4:
        for end in (0.5, 1.5):
            assert_search(student, draw_model(rng, rounds, end=end), beam_size=beam_size)


@check(points=1, requires=("beam-2", "beam-3"), after="test_several_beginnings")
def test_a_beam_for_everything(student, rng):
    """A beam that holds every sequence must find the best of all. Is it enough that there are fewer
    continuations than `beam_size`, and are sequences that are cut off at `max_length` candidates too?"""
    for rounds in (1, 2, 3):
        assert_search(student, draw_model(rng, rounds, end=-1.0), beam_size=300)


@check(points=1, requires="beam-6", after="test_one_beginning")
def test_length(student, rng):
    """With one beginning and `alpha` above zero the score is wrong: divide by the number of tokens, `end`
    counted and `start` not, to the power of `alpha`."""
    for alpha in (0.5, 1.0, 2.0):
        for rounds, last in ((3, 3), (6, 2), (5, 1), (6, 4), (4, 4)):
            end = torch.full((rounds, 1), -30.0)  # no sequence ends of its own accord, except in round `last`
            end[last - 1] = 30.0
            assert_search(student, draw_model(rng, rounds, end=end), beam_size=1, alpha=alpha)
            assert_search(student, draw_model(rng, rounds, end=-30.0), beam_size=1, alpha=alpha)


@check(points=1, requires="beam-7", after="test_finished_sequences")
def test_what_step_is_asked(student, rng):
    """The answer is right, but `step` was asked otherwise: once in a round while something is open, with whole numbers,
    for the open beginnings and no others, each with `start` in front. What has ended leaves its place in the beam empty
    in that round, and from the next round on the beam has its full size again."""
    for rounds, beam_size, end in ((4, 2, 0.5), (6, 3, 0.5), (5, 4, 0.5), (3, 1, 30.0)):
        table = draw_model(rng, rounds, end=end)
        sequence, _, calls = searched(student, table, beam_size=beam_size)
        expected, _, expected_calls = searched(reference, table, beam_size=beam_size)
        assert sequence == expected
        assert len(calls) == len(expected_calls)
        for call, wanted in zip(calls, expected_calls, strict=True):
            assert not call.is_floating_point()
            assert_same(call.unique(dim=0), wanted.unique(dim=0))
            assert len(call) == len(wanted)


@check(points=1, requires=("beam-3", "beam-5", "beam-6"), after="test_length")
def test_longer_may_be_better(student, rng):
    """With `alpha` above zero, sequences of several lengths compete: beginnings are kept by their
    log-probability, the finished are compared by their score, and the search goes on while a beginning is
    open. In each round the beam has its full size, however many have ended."""
    for alpha in (0.6, 1.0, 1.7):
        for rounds, beam_size in ((5, 3), (7, 4), (6, 2), (6, 5)) * 3:
            assert_search(student, draw_model(rng, rounds, end=0.5), beam_size=beam_size, alpha=alpha)
        for _ in range(4):
            table = draw_telling_model(rng, 5, 2, end=0.5, alpha=alpha)
            assert_search(student, table, beam_size=2, alpha=alpha)
