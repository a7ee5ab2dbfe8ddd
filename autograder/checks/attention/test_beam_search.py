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

TRIES = 100
"""Models that are drawn at once, until enough of them are telling."""

Case = tuple[Tensor, dict[str, Any]]
"""A model and the settings of a search on it."""


def search_noting(student, cases):
    """Runs beside the student's code: of each search the sequence, its score, and what `step` was called with."""
    found = []
    for table, settings in cases:
        calls: list[Tensor] = []

        def step(beginnings, table=table, calls=calls):
            calls.append(beginnings.clone())
            return table[beginnings.shape[1] - 1, beginnings[:, -1]]

        sequence, score = student.beam_search(step, **settings)
        found.append((sequence, score, calls))
    return found


def draw_model(rng: torch.Generator, rounds: int, *, end: float | Tensor = 0.0, count: int = 1) -> Tensor:
    """(rounds, 7, V) log-probabilities; `end` is added to the logits of the end token, a tensor (rounds, 1) round by
    round. With a `count` above 1 as many models, (count, rounds, 7, V)."""
    logits = torch.randn(count, rounds, WRITTEN + 1, WRITTEN, generator=rng)
    logits[..., END] += end
    return logits.log_softmax(dim=-1).squeeze(0)


def best_sequences(tables: Tensor, beam_size: int, alpha: float, *, first: bool = False) -> Tensor:
    """What a beam search finds on many models (M, rounds, 7, V): a number (M,) long for each sequence.

    With `first` the search stops in the round in which a sequence ends.
    """
    rounds = tables.shape[1]
    totals = torch.full((len(tables), beam_size), -torch.inf)  # (M, K), of what is open
    totals[:, 0] = 0.0
    last, numbers = torch.full(totals.shape, START), torch.zeros(totals.shape, dtype=torch.long)
    best, found = totals[:, -1], numbers[:, 0]  # (M,)
    for length in range(1, rounds + 1):
        following = tables[:, length - 1].gather(1, last.unsqueeze(-1).expand(-1, -1, WRITTEN))  # (M, K, V)
        totals, places = (totals.unsqueeze(-1) + following).flatten(1).topk(beam_size)
        last = places % WRITTEN
        numbers = numbers.gather(1, places // WRITTEN) * (WRITTEN + 1) + last + 1
        done = (last == END) | (length == rounds)
        score, place = totals.masked_fill(~done, -torch.inf).max(dim=1)
        better = score / length**alpha > best
        if first:
            better &= best == -torch.inf
        best = torch.where(better, score / length**alpha, best)
        found = torch.where(better, numbers.gather(1, place.unsqueeze(1)).squeeze(1), found)
        totals = totals.masked_fill(done, -torch.inf)
    return found


def draw_telling_models(
    rng: torch.Generator,
    count: int,
    rounds: int,
    beam_size: int,
    *,
    end: float,
    alpha: float = 0.0,
    first: bool = False,
) -> list[Case]:
    """Searches on models on which the width of the beam tells: one place less and one more give other sequences.

    On most models they do not, so that a beam that is too narrow or too wide would pass. With `first` it tells
    instead whether the search goes on after the first sequence that ends.
    """
    telling: list[Tensor] = []
    while len(telling) < count:
        tables = draw_model(rng, rounds, end=end, count=TRIES)
        right = best_sequences(tables, beam_size, alpha)
        if first:
            tells = best_sequences(tables, beam_size, alpha, first=True) != right
        else:
            narrower, wider = (best_sequences(tables, beam_size + more, alpha) for more in (-1, 1))
            tells = (narrower != right) & (wider != right)
        telling += tables[tells]
    return [(table, {"beam_size": beam_size, "alpha": alpha}) for table in telling[:count]]


def searched(student, cases: list[Case]) -> list[tuple[Any, Any, list[Tensor]]]:
    """The student's sequences, scores and calls; START and END are those of this module."""
    asked = [
        (table, {"start": START, "end": END, "max_length": len(table)} | settings)
        for table, settings in cases
    ]
    return search_noting(student, asked) if student is reference else student.probe(search_noting, asked)


def assert_searches(student, cases: list[Case]) -> None:
    """Sequences and scores are the reference's."""
    for found, expected in zip(searched(student, cases), searched(reference, cases), strict=True):
        sequence, score, _ = found
        assert type(sequence) is list
        assert all(type(token) is int for token in sequence)
        assert type(score) is float
        assert sequence == expected[0]
        assert abs(score - expected[1]) < 1e-4


@check(points=1, requires=("beam-1", "beam-2"))
def test_one_beginning(student, rng):
    """With a beam of one the search is greedy: go on with the likeliest token until it is `end` or
    `max_length` is reached. Return a list of Python integers without `start` but with `end`, and the sum of
    the log-probabilities as a Python float."""
    rounds = (1, 3, 5, 7, 6, 4, 5, 6, 7)
    assert_searches(student, [(draw_model(rng, each, end=1.0), {"beam_size": 1}) for each in rounds])


@check(points=1, requires="beam-3", after="test_one_beginning")
def test_several_beginnings(student, rng):
    """With several beginnings, none of which ends early, the search goes wrong: the best of the continuations
    of all beginnings together are kept (not the best of each), each with the sum of all its
    log-probabilities, and each goes on from its own beginning."""
    sizes = ((2, 2), (4, 3), (6, 2), (5, 4), (6, 5))
    cases = [(draw_model(rng, rounds, end=-30.0), {"beam_size": size}) for rounds, size in sizes]
    assert_searches(student, cases + draw_telling_models(rng, 9, 5, 2, end=-30.0))


@check(points=1, requires="beam-4", after="test_several_beginnings")
def test_finished_sequences(student, rng):
    """Sequences that end early are handled wrongly: what ends with `end` is set aside and not continued, its
    place stays empty, and it competes with all others at the end."""
    for end in (0.5, 1.5):
        sizes = ((6, 3), (5, 4), (7, 2), (6, 6))
        cases = [(draw_model(rng, rounds, end=end), {"beam_size": size}) for rounds, size in sizes]
        assert_searches(student, cases + draw_telling_models(rng, 3, 5, 3, end=end, first=True))


@check(points=1, requires=("beam-2", "beam-3"), after="test_several_beginnings")
def test_a_beam_for_everything(student, rng):
    """A beam that holds every sequence must find the best of all. Is it enough that there are fewer
    continuations than `beam_size`, and are sequences that are cut off at `max_length` candidates too?"""
    assert_searches(
        student, [(draw_model(rng, rounds, end=-1.0), {"beam_size": 300}) for rounds in (1, 2, 3)]
    )


@check(points=1, requires="beam-6", after="test_one_beginning")
def test_length(student, rng):
    """With one beginning and `alpha` above zero the score is wrong: divide by the number of tokens, `end`
    counted and `start` not, to the power of `alpha`."""
    cases = []
    for alpha in (0.5, 2.0):
        settings = {"beam_size": 1, "alpha": alpha}
        for rounds, last in ((6, 2), (5, 1), (4, 4)):
            end = torch.full((rounds, 1), -30.0)  # no sequence ends of its own accord, except in round `last`
            end[last - 1] = 30.0
            cases.append((draw_model(rng, rounds, end=end), settings))
        cases.append((draw_model(rng, 5, end=-30.0), settings))
    assert_searches(student, cases)


@check(points=1, requires="beam-7", after="test_finished_sequences")
def test_what_step_is_asked(student, rng):
    """The answer is right, but `step` was asked otherwise: once in a round while something is open, with whole numbers,
    for the open beginnings and no others, each with `start` in front. What has ended leaves its place in the beam empty
    in that round, and from the next round on the beam has its full size again."""
    sizes = ((4, 2, 0.5), (6, 3, 0.5), (5, 4, 0.5), (3, 1, 30.0))
    cases = [(draw_model(rng, rounds, end=end), {"beam_size": size}) for rounds, size, end in sizes]
    for found, expected in zip(searched(student, cases), searched(reference, cases), strict=True):
        (sequence, _, calls), (expected_sequence, _, expected_calls) = found, expected
        assert sequence == expected_sequence
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
    sizes = ((5, 3), (7, 4), (6, 5))
    cases = [(draw_model(rng, rounds, end=0.5), {"beam_size": size, "alpha": 0.6}) for rounds, size in sizes]
    cases += draw_telling_models(rng, 3, 5, 2, end=0.5, alpha=1.0)
    cases += draw_telling_models(rng, 4, 5, 2, end=0.5, alpha=1.7)
    cases += draw_telling_models(rng, 3, 7, 5, end=1.5, alpha=1.7)
    cases += draw_telling_models(rng, 6, 5, 3, end=0.0, alpha=2.5)
    assert_searches(student, cases)
