"""Hidden checks of `SpanClassifier`: start logits, end logits, padding in and behind the encoder, types, gradients."""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.bert.classifiers import Texts, assert_gradients, draw_texts, make_classifiers
from autograder.checks.comparing import assert_same
from solutions.bert import spans as reference

SIZES = ((4, 6, 5), (2, 9, 7), (5, 3, 4))
"""(B, T, D)."""


def make(student, rng: torch.Generator, width: int, *, mixing: bool) -> tuple:
    return make_classifiers(student, rng, reference, "SpanClassifier", width, mixing=mixing)


def logits_of(student, rng: torch.Generator, sizes: tuple[int, int, int], *, mixing: bool, **drawn: bool):
    """Texts, what the student's classifier gives, and what the reference gives with the same weights."""
    batch, length, width = sizes
    theirs, ours = make(student, rng, width, mixing=mixing)
    texts: Texts = draw_texts(rng, batch, length, **drawn)
    found = theirs(*texts)
    assert isinstance(found, (tuple, list))
    assert len(found) == 2
    return texts, found, ours(*texts)


@check(points=1, requires="spans-2")
def test_starts(student, rng):
    """The first result is wrong for texts without padding: the start logits of all positions are the first of the two
    outputs of `classifier`, which reads what the encoder gives, and they are raw scores."""
    for sizes in SIZES:
        _, (starts, _), (expected, _) = logits_of(student, rng, sizes, mixing=False)
        assert_same(starts, expected)


@check(points=1, requires="spans-2")
def test_ends(student, rng):
    """The second result is wrong for texts without padding: the end logits of all positions are the second of the two
    outputs of `classifier`, which reads what the encoder gives, and they are raw scores."""
    for sizes in SIZES:
        _, (_, ends), (_, expected) = logits_of(student, rng, sizes, mixing=False)
        assert_same(ends, expected)


@check(points=1, requires="spans-3", after=("test_starts", "test_ends"))
def test_padding_is_hidden(student, rng):
    """With padding the logits are wrong, although the encoder gives the same as without: both are minus infinity where
    the mask is False, and nowhere else; the question keeps its logits."""
    for sizes in SIZES:
        _, found, expected = logits_of(student, rng, sizes, mixing=False, padded=True, two=True)
        for logits, wanted in zip(found, expected, strict=True):
            assert_same(logits, wanted)


@check(points=1, requires="spans-1", after=("test_starts", "test_ends"))
def test_mask(student, rng):
    """With padding the logits of the tokens are wrong: the encoder must get the mask as it came, True at tokens, or
    they take up vectors of padding."""
    for sizes in SIZES:
        (_, _, mask), found, expected = logits_of(student, rng, sizes, mixing=True, padded=True)
        for logits, wanted in zip(found, expected, strict=True):
            assert isinstance(logits, Tensor)
            assert logits.shape == wanted.shape
            assert_same(logits[mask], wanted[mask])


@check(points=1, requires="spans-1", after=("test_starts", "test_ends"))
def test_types(student, rng):
    """With a question and a text the logits are wrong: the embeddings must get the types as they came."""
    for sizes in SIZES:
        _, found, expected = logits_of(student, rng, sizes, mixing=False, two=True)
        for logits, wanted in zip(found, expected, strict=True):
            assert_same(logits, wanted)


@check(points=1, requires="spans-4", after=("test_starts", "test_ends"))
def test_gradients(student, rng):
    """The logits are right, but gradients do not reach every parameter as they should: fine-tuning trains embeddings
    and encoder too, so nothing may be detached or frozen, in training mode nothing is dropped, and there are no other
    parameters."""
    for batch, length, width in SIZES[:2]:
        theirs, ours = make(student, rng, width, mixing=False)
        theirs.train()
        texts = draw_texts(rng, batch, length)
        weighing = tuple(torch.randn(2, batch, length, generator=rng))
        assert_gradients(theirs, ours, weighing, texts)
