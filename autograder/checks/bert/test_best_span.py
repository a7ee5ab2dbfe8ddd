"""Hidden checks of `best_span`: order, size, length, context, ties, no context, side effects.

Each check asks about many rows of random scores, so that a rule that is misread meets one on which it tells.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.wall.student import StudentError
from solutions.bert import spans as reference

LENGTHS = (5, 8, 13, 6, 1, 9, 7, 11, 4, 10) * 2
"""T of each row; below 16, see `draw_row`."""


@dataclass
class Row:
    """The arguments of one call."""

    start_logits: Tensor
    end_logits: Tensor
    max_length: int
    context: Tensor

    def arguments(self) -> tuple[Any, ...]:
        return self.start_logits, self.end_logits, self.max_length, self.context


def draw_row(rng: torch.Generator, length: int) -> Row:
    """Scores that are mostly positive; every position is in the context, and a span may be as long as the row.

    No two sums are the same, and all are exact in 32 bits: steps of a quarter, with a place of its own between them for
    every start, and a finer one for every end.
    """
    steps = (torch.randn(2, length, generator=rng) * 4).round() / 4 + 2
    ranks = torch.stack([torch.randperm(length, generator=rng) for _ in range(2)])
    starts, ends = steps + ranks * torch.tensor([[2.0**-7], [2.0**-11]])
    return Row(starts, ends, length, torch.ones(length, dtype=torch.bool))


def draw_telling_rows(rng: torch.Generator, count: int) -> list[Row]:
    """In turn: rows whose best span has two better starts or two better ends beside it, and rows whose best product
    is another span. On most rows a search among the best of each, or by products, finds the best sum too."""
    rows: list[Row] = []
    while len(rows) < count:
        row = draw_row(rng, 10)
        starts, ends = row.start_logits, row.end_logits
        first, last = reference.best_span(*row.arguments())
        if len(rows) % 2:
            tells = int((starts[:, None] * ends).triu().argmax()) != first * 10 + last
        else:
            tells = max(int((starts > starts[first]).sum()), int((ends > ends[last]).sum())) > 1
        if tells:
            rows.append(row)
    return rows


def draw_context(rng: torch.Generator, length: int) -> Tensor:
    """(T,) bool: a stretch of at least two positions behind the first and before the last."""
    first = int(torch.randint(1, length - 3, (), generator=rng))
    last = int(torch.randint(first + 1, length - 1, (), generator=rng))
    places = torch.arange(length)
    return (places >= first) & (places <= last)


def draw_ties(rng: torch.Generator) -> Row:
    """A row with equally good spans: the first start has two of them, and a later start has a shorter one."""
    while True:
        row = draw_row(rng, 9)
        for logits in (row.start_logits, row.end_logits):
            logits.copy_(torch.randint(3, (9,), generator=rng))  # sums of whole numbers are exact
        scores = (row.start_logits[:, None] + row.end_logits).triu()
        starts, ends = (scores == scores.max()).nonzero(as_tuple=True)  # in the order of starts
        lengths = ends - starts
        if len(starts) > 1 and starts[1] == starts[0] and lengths.min() < lengths[0]:
            return row


def spans_and_arguments(student, calls):
    """Runs beside the student's code: of each call the result, and what the caller's tensors hold afterwards."""
    found = []
    for start_logits, end_logits, max_length, context in calls:
        span = student.best_span(start_logits, end_logits, max_length, context)
        found.append((span, start_logits, end_logits, context))
    return found


def asked(student, rows: list[Row]) -> list[Any]:
    return student.probe(spans_and_arguments, [row.arguments() for row in rows])


def assert_same_span(span: Any, row: Row) -> None:
    """The span is the reference's, two Python integers."""
    assert isinstance(span, (tuple, list))
    assert all(type(place) is int for place in span)
    assert tuple(span) == reference.best_span(*row.arguments())


def assert_same_spans(student, rows: list[Row]) -> None:
    for (span, *_), row in zip(asked(student, rows), rows, strict=True):
        assert_same_span(span, row)


@check(points=1, requires="span-1")
def test_order(student, rng):
    """In a row that is all context, it is not the best span that you find: the score of a span is the sum of two
    logits, its end may not stand before its start but may be its start, and all these spans are compared."""
    rows = [draw_row(rng, length) for length in LENGTHS]
    assert_same_spans(student, rows + draw_telling_rows(rng, 6))


@check(points=1, requires="span-2", after="test_order")
def test_negative_scores(student, rng):
    """When every score is far below zero, the span is wrong: the best one so far may not begin with a number that
    no span reaches."""
    rows = [draw_row(rng, length) for length in LENGTHS]
    for row in rows:
        row.start_logits -= 1000
        row.end_logits -= 1000
    assert_same_spans(student, rows)


@check(points=1, requires="span-3", after="test_order")
def test_max_length(student, rng):
    """A span is found that is too long, or one that is just long enough is left out: count the positions of a span
    with both its ends, and let `max_length` be any number that is positive."""
    rows = []
    for number, length in enumerate(LENGTHS):
        row = draw_row(rng, length)
        first, last = reference.best_span(*row.arguments())
        # The best span of the row just fits, or is too long by one; or every span would fit.
        row.max_length = length + 3 if number % 5 == 0 else max(1, last - first + number % 2)
        rows.append(row)
    assert_same_spans(student, rows)


@check(points=1, requires="span-4", after="test_order")
def test_context(student, rng):
    """The best span of the context is missed when there are better scores outside, or minus infinity: both ends of a
    span stand in the context, and positions are counted from the beginning of the row. Infinity times zero is no
    number."""
    rows = []
    for length in LENGTHS:
        if length < 5:
            continue
        row = draw_row(rng, length)
        row.context = draw_context(rng, length)
        for logits in (row.start_logits, row.end_logits):
            outside = torch.where(torch.rand(length, generator=rng) < 0.5, 50.0, -torch.inf)
            logits.copy_(torch.where(row.context, logits, outside))
        rows.append(row)
    assert_same_spans(student, rows)


@check(points=1, requires="span-5", after="test_order")
def test_ties(student, rng):
    """Of several spans that are equally good, the wrong one is found: the first start decides, then the first end,
    so a later span is taken only when it is better."""
    assert_same_spans(student, [draw_ties(rng) for _ in range(8)])


@check(points=1, requires="span-6", after="test_order")
def test_no_context(student, rng):
    """A row without any context must raise a ValueError, and a context of one position must not."""
    for length in (4, 7):
        row = draw_row(rng, length)
        assert_same_spans(student, [row])
        row.context = torch.arange(length) == int(torch.randint(length, (), generator=rng))
        row.start_logits[~row.context] = row.end_logits[~row.context] = 0.0
        assert_same_span(student.best_span(*row.arguments()), row)
        row.context = torch.zeros(length, dtype=torch.bool)
        try:
            student.best_span(*row.arguments())
        except StudentError as error:
            assert error.kind == "ValueError"
        else:
            raise AssertionError("no error")


@check(points=1, requires="span-7", after="test_context")
def test_left_as_it_came(student, rng):
    """The span is right, but the caller's scores are no longer what they were: hide what is outside in a copy."""
    rows = []
    for length in (6, 9, 12):
        row = draw_row(rng, length)
        row.context = draw_context(rng, length)
        rows.append(row)
    for (span, *after), row in zip(asked(student, rows), rows, strict=True):
        assert_same_span(span, row)
        for tensor, wanted in zip(after, (row.start_logits, row.end_logits, row.context), strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)
