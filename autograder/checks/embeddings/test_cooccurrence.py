"""Hidden checks of `cooccurrence`: the table, direct neighbours, then direction, reach, weight, repeats, short texts.

Most checks compare only those entries on which other mistakes have no influence, so that one mistake costs once.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.embeddings import glove as reference

NEVER = 10**6
"""Stands for the distance of two words of which one is not in the text."""


def distinct_words(rng: torch.Generator, size: int, length: int) -> Tensor:
    """(length,) long, a text in which no word comes twice; the last of the `size` words is in it."""
    others = torch.randperm(size - 1, generator=rng)[: length - 1]
    words = torch.cat([others, torch.tensor([size - 1])])
    return words[torch.randperm(length, generator=rng)]


def tables(student, text: Tensor, size: int, window: int) -> tuple[Tensor, Tensor]:
    """(V, V) counts of the student and of the reference, both in float64."""
    theirs = student.cooccurrence(text, vocabulary_size=size, window=window)
    ours = reference.cooccurrence(text, vocabulary_size=size, window=window)
    assert isinstance(theirs, Tensor), f"{type(theirs).__name__} as a table"
    assert theirs.shape == ours.shape
    return theirs.double(), ours.double()


def smallest_distance(text: Tensor, size: int) -> Tensor:
    """(V, V) long, how near two words come to each other; 0 for a word of the text and itself."""
    found = torch.full((size, size), NEVER)
    for distance in reversed(range(len(text))):  # the nearest is written last
        left, right = text[: len(text) - distance], text[distance:]
        found[left, right] = found[right, left] = distance
    return found


def either_way(table: Tensor) -> Tensor:
    """The larger of the entries (i, j) and (j, i), so that a table of one direction counts like one of both."""
    return torch.maximum(table, table.T)


def beyond_doubt(text: Tensor, size: int, window: int) -> Tensor:
    """(V, V) bool, the pairs that stand side by side, and those that never come near the edge of the window."""
    distance = smallest_distance(text, size)
    return (distance == 1) | (distance > window + 1)


@check(points=0, requires="cooc-1")
def test_table(student, rng):
    """The result is not a table with a row and a column for every word number, in floating point: its size is
    `vocabulary_size`, not the length of the text."""
    for size, length, window in ((23, 11, 2), (17, 13, 3)):
        text = distinct_words(rng, size, length)
        tables(student, text, size, window)
        assert student.cooccurrence(text, vocabulary_size=size, window=window).is_floating_point()


@check(points=0, requires="cooc-2", after="test_table")
def test_meetings(student, rng):
    """Other pairs of words have an entry than those that meet. Words that stand side by side do; words that are far
    from each other, or not in the text, do not. Are the rows and columns numbers of words, not places, and is the
    text a line that has two ends, not a ring?"""
    for size, length, window in ((23, 11, 2), (17, 13, 3)):
        text = distinct_words(rng, size, length)
        theirs, ours = tables(student, text, size, window)
        sure = beyond_doubt(text, size, window)
        assert torch.equal(either_way(theirs)[sure] != 0, either_way(ours)[sure] != 0)


@check(points=1, requires="cooc-3", after="test_meetings")
def test_neighbours(student, rng):
    """The right words meet, but two words that stand side by side, once, should have the entry one: it is their
    distance that divides, and they are one place apart, not zero and not two."""
    for size, length, window in ((23, 11, 2), (17, 13, 3)):
        text = distinct_words(rng, size, length)
        theirs, ours = tables(student, text, size, window)
        sure = beyond_doubt(text, size, window)
        assert_same(either_way(theirs)[sure], either_way(ours)[sure])


@check(points=1, requires="cooc-1", after="test_neighbours")
def test_unseen_words(student, rng):
    """Words with high numbers that the text does not hold have lost their row and column: the text does not tell how
    large the table is, `vocabulary_size` does."""
    for size, length, window in ((23, 11, 2), (17, 13, 3)):
        text = distinct_words(rng, size - 4, length)
        theirs, ours = tables(student, text, size, window)
        sure = beyond_doubt(text, size, window)
        assert_same(either_way(theirs)[sure], either_way(ours)[sure])


@check(points=1, requires="cooc-3", after="test_neighbours")
def test_both_ways(student, rng):
    """Only one of the two entries of a pair is filled: the left word is company of the right one, and the
    right one of the left."""
    for size, length, window in ((23, 11, 2), (17, 13, 3)):
        text = distinct_words(rng, size, length)
        theirs, ours = tables(student, text, size, window)
        sure = beyond_doubt(text, size, window)
        assert_same(theirs[sure], ours[sure])


@check(points=1, requires="cooc-2", after="test_neighbours")
def test_reach(student, rng):
    """The window ends at the wrong place: two words that are exactly `window` places apart still meet, and
    those one place further do not. Look at the end of your range."""
    for size, length, window in ((23, 13, 1), (23, 11, 2), (19, 17, 5)):
        theirs, ours = tables(student, distinct_words(rng, size, length), size, window)
        different = ~torch.eye(size, dtype=torch.bool)
        assert torch.equal(either_way(theirs)[different] != 0, either_way(ours)[different] != 0)


@check(points=1, requires="cooc-3", after="test_neighbours")
def test_weight(student, rng):
    """Direct neighbours are counted rightly, words further apart are not: a meeting at distance d weighs one/d,
    whatever the window."""
    for size, length, window in ((19, 17, 5), (31, 23, 9)):
        text = distinct_words(rng, size, length)
        theirs, ours = tables(student, text, size, window)
        distance = smallest_distance(text, size)
        sure = (distance > 0) & ((distance < window) | (distance > window + 1))
        assert_same(either_way(theirs)[sure], either_way(ours)[sure])


@check(points=1, requires="cooc-4", after="test_neighbours")
def test_repeated_pairs(student, rng):
    """Two words that meet several times have the entry of a single meeting: adding to `counts[left, right]`
    writes an entry once, however often it is named there. The meetings have to be accumulated."""
    for size, period, window in ((23, 11, 2), (17, 13, 3)):
        text = distinct_words(rng, size, period).repeat(5)[
            :-3
        ]  # the same words in the same order, five times
        theirs, ours = tables(student, text, size, window)
        sure = beyond_doubt(text, size, window)
        assert_same(either_way(theirs)[sure], either_way(ours)[sure])


@check(points=1, requires="cooc-5", after="test_both_ways")
def test_same_word(student, rng):
    """The diagonal is wrong: a word that stands beside itself is company of itself, seen from the left place
    and from the right one. But a single place is no company of itself."""
    for size, length, window in ((23, 11, 2), (17, 13, 3)):
        text = distinct_words(rng, size, length)
        times = torch.ones(length, dtype=torch.long)
        times[torch.randperm(length, generator=rng)[:3]] = 2
        theirs, ours = tables(student, text.repeat_interleave(times), size, window)
        assert_same(theirs.diagonal(), ours.diagonal())


@check(points=1, requires="cooc-6", after="test_neighbours")
def test_short_text(student, rng):
    """A text that is shorter than the window breaks your code, or gives meetings that are not there: at a
    distance as large as the text and beyond, both parts of the text are empty."""
    for size, length, window in ((7, 5, 5), (11, 3, 7), (5, 2, 9), (9, 1, 1), (13, 1, 5)):
        text = distinct_words(rng, size, length)
        theirs, ours = tables(student, text, size, window)
        distance = smallest_distance(text, size)
        sure = (distance == 1) | (distance == NEVER)
        assert_same(either_way(theirs)[sure], either_way(ours)[sure])


@check(
    points=1,
    requires="cooc-4",
    after=("test_both_ways", "test_reach", "test_weight", "test_repeated_pairs", "test_same_word"),
)
def test_whole_text(student, rng):
    """Each thing alone is right, and on a longer text the table is not: pairs meet at several distances, and all
    their meetings add up, in both directions."""
    for size, length, window in ((13, 57, 1), (23, 201, 4), (17, 99, 11)):
        text = torch.randint(size, (length,), generator=rng)
        text[0] = size - 1  # whether the table is large enough is another check's matter
        theirs, ours = tables(student, text, size, window)
        assert_same(theirs, ours)
