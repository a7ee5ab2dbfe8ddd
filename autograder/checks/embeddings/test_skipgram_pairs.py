"""Hidden checks of `skipgram_pairs`: the window in the middle of a text, its ends, words that come again, no
pairs.

Numbers of words are far above any place of a text, so that a place can never pass for a word. Each check leaves
out of sight what another one is about: pairs of a word with itself, say, are counted in one check only.
"""

from collections import Counter
from typing import Any

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.embeddings import pairs as reference

Pairs = Counter[tuple[int, int]]


def distinct_words(rng: torch.Generator, length: int) -> Tensor:
    """(length,) long: words of which none comes twice."""
    return torch.randperm(900, generator=rng)[:length] + 100


def long_text(rng: torch.Generator, window: int) -> tuple[Tensor, int]:
    """A text of distinct words, and the word in its middle: every word near that one has a full window."""
    text = distinct_words(rng, 4 * window + 3)
    return text, int(text[2 * window + 1])


def counted(result: Any) -> Pairs:
    """How often each pair stands in a result, whatever the order of its rows and the kind of its numbers."""
    assert isinstance(result, Tensor), f"expected a tensor, got {type(result).__name__}"
    assert result.dim() == 2, f"expected two dimensions, got {result.dim()}"
    assert result.shape[1] == 2, f"expected two columns, got {result.shape[1]}"
    return Counter((center, context) for center, context in result.tolist())


def both(student, text: Tensor, window: int) -> tuple[Pairs, Pairs]:
    """The student's pairs and the reference's."""
    return counted(student.skipgram_pairs(text, window)), counted(reference.skipgram_pairs(text, window))


def of_two_words(pairs: Pairs) -> Pairs:
    """Those pairs whose two words differ."""
    return Counter({pair: count for pair, count in pairs.items() if pair[0] != pair[1]})


@check(points=1, requires="pairs-1")
def test_reach(student, rng):
    """A word in the middle of a text meets the wrong words. The two columns hold words of the text, not their
    places, and words as far away as the window says still belong to the company: does a `range` stop one too
    early?"""
    for window in (1, 2, 4):
        text, middle = long_text(rng, window)
        met, expected = (
            {word for pair in pairs if middle in pair for word in pair} - {middle}
            for pairs in both(student, text, window)
        )
        assert met == expected


@check(points=1, requires="pairs-1", after="test_reach")
def test_both_directions(student, rng):
    """Two words that are near each other make two pairs, for each of them is the center once. Does every center
    look to both sides, and equally far?"""
    for window in (1, 2, 4):
        text, middle = long_text(rng, window)
        found, expected = (
            [{pair for pair in of_two_words(pairs) if pair[column] == middle} for column in (0, 1)]
            for pairs in both(student, text, window)
        )
        assert found == expected


@check(points=1, requires="pairs-2", after="test_both_directions")
def test_ends(student, rng):
    """In the middle of a text the pairs are right, near its ends they are not. A negative index counts from the
    end of the text, a slice that begins below zero is empty, and a center that lacks some contexts keeps the
    others. A text that is made longer with zeros has other pairs: zero is the number of a word too."""
    for length, window in ((9, 2), (7, 3), (5, 8), (3, 2), (2, 1)):
        text = distinct_words(rng, length)
        text[length // 2] = 0
        found, expected = both(student, text, window)
        assert set(of_two_words(found)) == set(expected)


@check(points=1, requires="pairs-3", after="test_both_directions")
def test_not_its_own_context(student, rng):
    """The window around a place contains the place itself, and that one is no context."""
    for window in (1, 2, 4):
        text, middle = long_text(rng, window)
        found, expected = (
            {pair for pair in pairs if pair[0] == middle} for pairs in both(student, text, window)
        )
        assert found == expected


@check(points=1, requires="pairs-3", after="test_both_directions")
def test_same_word_twice(student, rng):
    """A word that comes again within the window is a context of itself. Compare places, not words, to leave out
    the center; and do not ask for the place of a word, which finds its first one only."""
    for window in (1, 2, 4):
        text, middle = long_text(rng, window)
        text[3 * window + 1] = middle
        found, expected = (
            {pair for pair in pairs if pair[0] == middle} for pairs in both(student, text, window)
        )
        assert found == expected


@check(points=1, requires="pairs-4", after="test_both_directions")
def test_repeated_pairs(student, rng):
    """A pair that occurs several times in a text stands in several rows: how often two words meet is what the
    model learns from. A set, or `unique`, forgets it."""
    for window, length in ((1, 5), (2, 7), (3, 9)):
        words = distinct_words(rng, length)
        inner = words[window:-window].tolist()  # all their windows are full
        found, expected = (
            {pair: count for pair, count in of_two_words(pairs).items() if pair[0] in inner}
            for pairs in both(student, words.repeat(3), window)  # a word comes again outside the window only
        )
        assert found == expected


@check(points=1, requires="pairs-5", after="test_both_directions")
def test_kind_and_shape(student, rng):
    """The result is not a table of whole numbers with two columns, whatever the text. A text of a single word,
    or of none, has no pairs, yet its table still has two columns; and a tensor made of an empty list, or without
    a kind, is floating point."""
    for window in (1, 3):
        text, middle = long_text(rng, window)
        pairs = student.skipgram_pairs(text, window), reference.skipgram_pairs(text, window)
        found, expected = (
            {pair for pair in of_two_words(counted(each)) if pair[0] == middle} for each in pairs
        )
        assert found == expected
        assert not pairs[0].is_floating_point()
        for nothing in (text[:1], text[:0]):
            assert_same(student.skipgram_pairs(nothing, window), reference.skipgram_pairs(nothing, window))
