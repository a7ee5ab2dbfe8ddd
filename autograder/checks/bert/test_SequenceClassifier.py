"""Hidden checks of `SequenceClassifier`: which vector is read, the pooler, mask, types, dropout, gradients.

Where the tanh is not what is looked at, the pooled vectors are so small that it changes nothing.
"""

import torch

from autograder.checks import check
from autograder.checks.bert.classifiers import assert_dropout, assert_gradients, draw_texts, make_classifiers
from autograder.checks.comparing import assert_same
from solutions.bert import classifiers as reference

SIZES = ((4, 6, 5, 3), (2, 9, 7, 2), (5, 3, 4, 6))
"""(B, T, D, C)."""

SMALL = 3e-3
"""For x of this size, tanh(x) is x up to three parts in a million."""

LOOSE = {"relative": 1e-3, "absolute": 1e-3}
"""Where the pooled vectors are small, the logits are hundreds of times as large, and so are the errors of rounding and
of tanh(x) = x, 1e-4 at most; a misreading moves logits of size one by far more."""


def make(student, rng: torch.Generator, width: int, num_classes: int, *, mixing: bool, small: bool) -> tuple:
    """`make_classifiers` without dropout; with `small` the pooled vectors are `SMALL`, and the logits of size one."""
    theirs, ours = make_classifiers(
        student,
        rng,
        reference,
        "SequenceClassifier",
        width,
        mixing=mixing,
        num_classes=num_classes,
        dropout=0.0,
    )
    if small:
        state = ours.state_dict()
        state["pooler.weight"] *= SMALL
        state["pooler.bias"] *= SMALL
        state["classifier.weight"] /= SMALL
        theirs.load_state(state)
    return theirs, ours


def assert_same_logits(
    student, rng: torch.Generator, *, mixing: bool = False, small: bool = True, **drawn: bool
) -> None:
    """With the same weights the student's classifier gives what the reference gives."""
    for batch, length, width, num_classes in SIZES:
        theirs, ours = make(student, rng, width, num_classes, mixing=mixing, small=small)
        texts = draw_texts(rng, batch, length, **drawn)
        assert_same(theirs(*texts), ours(*texts), **(LOOSE if small else {}))


@check(points=1, requires="sequence-2")
def test_cls_is_read(student, rng):
    """The logits are not made from the vector at [CLS]: of what the encoder gives, position zero of every text goes
    through `pooler` and then `classifier`, and the raw scores are the result."""
    assert_same_logits(student, rng)


@check(points=1, requires="sequence-3", after="test_cls_is_read")
def test_tanh(student, rng):
    """The right vector is read, but something is wrong between `pooler` and `classifier`: there stands a tanh, and
    nothing else in evaluation mode."""
    assert_same_logits(student, rng, small=False)


@check(points=1, requires="sequence-1", after="test_cls_is_read")
def test_mask(student, rng):
    """With padding the logits are wrong: the encoder must get the mask as it came, True at tokens, or [CLS] takes
    up vectors of padding."""
    assert_same_logits(student, rng, mixing=True, padded=True)


@check(points=1, requires="sequence-1", after="test_cls_is_read")
def test_types(student, rng):
    """With a second sentence the logits are wrong: the embeddings must get the types, and the encoder must get the
    embeddings of all positions."""
    assert_same_logits(student, rng, mixing=True, two=True)


@check(points=1, requires="sequence-4", after="test_tanh")
def test_dropout(student, rng):
    """Without dropout the logits are right, with it they are not: in training mode it falls on the pooled vector,
    behind the tanh and before `classifier`, with the share that was given, and nowhere else. In evaluation mode
    there is none."""
    texts = draw_texts(rng, 100, 4, two=True)
    assert_dropout(student, rng, reference, "SequenceClassifier", texts, 0.5, dropout=0.5)
    assert_dropout(student, rng, reference, "SequenceClassifier", texts, 0.1)


@check(points=1, requires="sequence-5", after="test_tanh")
def test_gradients(student, rng):
    """The logits are right, but gradients do not reach every parameter as they should: fine-tuning trains embeddings
    and encoder too, so nothing may be detached or frozen, and there are no other parameters."""
    for batch, length, width, num_classes in SIZES[:2]:
        theirs, ours = make(student, rng, width, num_classes, mixing=False, small=False)
        texts = draw_texts(rng, batch, length)
        assert_gradients(theirs, ours, torch.randn(batch, num_classes, generator=rng), texts)
