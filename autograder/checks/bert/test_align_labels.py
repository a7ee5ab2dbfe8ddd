"""Hidden checks of `align_labels`: whole words, further pieces, special tokens, lost words, side effects."""

from typing import Any

import torch

from autograder.checks import check
from solutions.bert import tagging as reference

WORDS = (5, 3, 8, 1, 6)
"""Words of each text."""

Text = tuple[list[int], list[int | None]]
"""Labels of words, and for each piece the number of its word."""


def draw_text(
    rng: torch.Generator, words: int, *, pieces: int = 1, special: bool = True, lost: float = 0.0
) -> Text:
    """A random text.

    Args:
        rng: source of all that is random.
        words: how many there are; their labels are from 0 to 3, so that neighbours often have the same.
        pieces: of a word at most; some word has as many.
        special: whether there are special tokens and padding around the words.
        lost: how likely a word has no piece.
    """
    labels = torch.randint(4, (words,), generator=rng).tolist()
    counts = torch.randint(1, pieces + 1, (words,), generator=rng)
    counts[int(torch.randint(words, (), generator=rng))] = pieces
    counts[torch.rand(words, generator=rng) < lost] = 0
    word_ids: list[int | None] = torch.arange(words).repeat_interleave(counts).tolist()
    padding = int(torch.randint(1, 4, (), generator=rng))
    return labels, [None, *word_ids, *[None] * padding] if special else word_ids


def aligned_and_arguments(student, texts):
    """Runs beside the student's code: of each call the result, and what the caller's lists hold afterwards."""
    return [(student.align_labels(labels, word_ids), labels, word_ids) for labels, word_ids in texts]


def assert_aligned(student, texts: list[Text]) -> list[Any]:
    """Every result is the reference's; what `aligned_and_arguments` found is returned."""
    found = student.probe(aligned_and_arguments, texts)
    for (aligned, *_), text in zip(found, texts, strict=True):
        assert type(aligned) is list
        assert all(type(label) is int for label in aligned)
        assert aligned == reference.align_labels(*text)
    return found


@check(points=1, requires=("align-1", "align-2"))
def test_whole_words(student, rng):
    """With words of one piece the labels are wrong: each piece has the label of its own word, whatever its neighbours
    have, and what is no piece of a word has the number that the loss leaves out. The result is a list with an integer
    for every piece."""
    assert_aligned(student, [draw_text(rng, words) for words in WORDS])


@check(points=1, requires="align-3", after="test_whole_words")
def test_further_pieces(student, rng):
    """With words of several pieces the labels are wrong: the first piece of a word has the label, and all that follow
    have the number that the loss leaves out. Compare words, not labels: two words beside each other may have the same.
    """
    assert_aligned(student, [draw_text(rng, words, pieces=4) for words in WORDS])


@check(points=1, requires="align-4", after="test_whole_words")
def test_without_special_tokens(student, rng):
    """A text without special tokens is wrong, or one with nothing else: the first piece of a text begins a word, also
    when the last piece belongs to the same, and nothing may lean on what stands around the words."""
    texts = [draw_text(rng, words, special=False) for words in WORDS]
    assert_aligned(student, [*texts, ([3], []), ([2, 1], [None, None])])


@check(points=1, requires="align-5", after="test_whole_words")
def test_words_without_pieces(student, rng):
    """When a word has no piece, the labels behind it are those of other words: do not count the words yourself, the
    number of the word says where its label stands."""
    texts = []
    for words in (*WORDS, 9):
        labels, word_ids = draw_text(rng, words + 2)
        gone = int(torch.randint(words + 1, (), generator=rng))  # never the last one
        labels[gone + 1] = (labels[gone] + 1) % 4
        texts.append((labels, [word for word in word_ids if word != gone]))
    assert_aligned(student, texts)


@check(points=1, requires="align-6", after="test_whole_words")
def test_left_as_it_came(student, rng):
    """The labels are right, but the caller's lists are no longer what they were: take nothing out of them, and write
    into a list of your own."""
    texts = [draw_text(rng, words) for words in WORDS]
    for (_, *after), text in zip(assert_aligned(student, texts), texts, strict=True):
        assert tuple(after) == text
