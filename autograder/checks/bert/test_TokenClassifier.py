"""Hidden checks of `TokenClassifier`: every position, mask, types, dropout, gradients. Logits at padding are free."""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.bert.classifiers import assert_dropout, assert_gradients, draw_texts, make_classifiers
from autograder.checks.comparing import assert_same
from solutions.bert import tagging as reference

SIZES = ((4, 6, 5, 3), (2, 9, 7, 2), (5, 3, 4, 6))
"""(B, T, D, C)."""


def make(student, rng: torch.Generator, width: int, num_classes: int, *, mixing: bool) -> tuple:
    """`make_classifiers` without dropout."""
    return make_classifiers(
        student,
        rng,
        reference,
        "TokenClassifier",
        width,
        mixing=mixing,
        num_classes=num_classes,
        dropout=0.0,
    )


def assert_same_logits(student, rng: torch.Generator, *, mixing: bool, **drawn: bool) -> None:
    """With the same weights the student's classifier gives what the reference gives, at all tokens."""
    for batch, length, width, num_classes in SIZES:
        theirs, ours = make(student, rng, width, num_classes, mixing=mixing)
        texts = draw_texts(rng, batch, length, **drawn)
        found, expected, mask = theirs(*texts), ours(*texts), texts[2]
        assert isinstance(found, Tensor)
        assert found.shape == expected.shape
        assert_same(found[mask], expected[mask])


@check(points=1, requires="token-2")
def test_every_position(student, rng):
    """For texts without padding the logits are wrong: what the encoder gives at a position goes through `classifier`
    and through nothing else, at each position by itself, and the raw scores are the result."""
    assert_same_logits(student, rng, mixing=False)


@check(points=1, requires="token-1", after="test_every_position")
def test_mask(student, rng):
    """With padding the logits of the tokens are wrong: the encoder must get the mask as it came, True at tokens, or
    they take up vectors of padding."""
    assert_same_logits(student, rng, mixing=True, padded=True)


@check(points=1, requires="token-1", after="test_every_position")
def test_types(student, rng):
    """With a second sentence the logits are wrong: the embeddings must get the types as they came."""
    assert_same_logits(student, rng, mixing=False, two=True)


@check(points=1, requires="token-3", after="test_every_position")
def test_dropout(student, rng):
    """Without dropout the logits are right, with it they are not: in training mode it falls on each entry of what the
    encoder gives, by itself, with the share that was given, and on nothing behind it. In evaluation mode there is
    none."""
    texts = draw_texts(rng, 20, 6)
    assert_dropout(student, rng, reference, "TokenClassifier", texts, 0.5, dropout=0.5)
    assert_dropout(student, rng, reference, "TokenClassifier", texts, 0.1)


@check(points=1, requires="token-4", after="test_every_position")
def test_gradients(student, rng):
    """The logits are right, but gradients do not reach every parameter as they should: fine-tuning trains embeddings
    and encoder too, so nothing may be detached or frozen, and there are no other parameters."""
    for batch, length, width, num_classes in SIZES[:2]:
        theirs, ours = make(student, rng, width, num_classes, mixing=False)
        texts = draw_texts(rng, batch, length)
        assert_gradients(theirs, ours, torch.randn(batch, length, num_classes, generator=rng), texts)
