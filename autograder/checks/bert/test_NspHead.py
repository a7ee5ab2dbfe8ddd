"""Hidden checks of `NspHead`: the pooler on texts of one position, which position is read, the order of the
classes, gradients.

The head is given a state drawn here.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.modules import assert_gradients, assert_untouched
from solutions.bert import heads as reference

WIDTHS = (6, 9)


def make_heads(student, rng: torch.Generator, width: int) -> tuple:
    """The student's head and the reference's, with the same weights, drawn here."""
    theirs, ours = student.NspHead(width), reference.NspHead(width).requires_grad_(False)
    state = ours.state_dict()
    for value in state.values():
        value.normal_(0, width**-0.5 if value.ndim == 2 else 0.5, generator=rng)
    theirs.load_state(state)
    return theirs, ours


def draw(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=rng) * 1.5 + 0.5


def in_order_of_size(logits) -> Tensor:
    """Logits (B, 2), the smaller one first."""
    assert isinstance(logits, Tensor)
    return logits.sort(dim=-1).values


@check(points=1, requires="nsp-1")
def test_one_place(student, rng):
    """With texts of a single position the logits are wrong: `pooler`, then a tanh, then `classifier`, and
    nothing after it: logits are not yet probabilities."""
    for width in WIDTHS:
        theirs, ours = make_heads(student, rng, width)
        hidden = draw(rng, 4, 1, width)
        assert_same(in_order_of_size(theirs(hidden)), in_order_of_size(ours(hidden)))


@check(points=1, requires="nsp-2", after="test_one_place")
def test_first_place(student, rng):
    """Texts of one position are right, longer ones are not: of each text the vector at [CLS] is read, and no
    other position has a say. Which dimension counts the texts, and which the positions?"""
    for width in WIDTHS:
        theirs, ours = make_heads(student, rng, width)
        for batch, places in ((3, 5), (5, 2), (4, 4)):
            hidden = draw(rng, batch, places, width)
            assert_same(in_order_of_size(theirs(hidden)), in_order_of_size(ours(hidden)))


@check(points=1, requires="nsp-3", after="test_one_place")
def test_class_order(student, rng):
    """The two logits are there, but in the other order, or the result has another shape when there is one text:
    the logits are those of `classifier`, and the first of them stands for "is next"."""
    for width in WIDTHS:
        theirs, ours = make_heads(student, rng, width)
        for batch in (1, 2, 5):
            hidden = draw(rng, batch, 1, width)
            assert_same(theirs(hidden), ours(hidden))


@check(points=1, requires="nsp-4", after="test_first_place")
def test_gradients(student, rng):
    """The logits are right, but gradients do not reach the two maps and `hidden` as they should (nothing may be
    detached), there are more parameters than given, or `hidden` was changed."""
    for width in WIDTHS:
        theirs, ours = make_heads(student, rng, width)
        # Both logits of a text weigh the same, so that their order makes no difference.
        hidden, weighing = draw(rng, 3, 4, width), draw(rng, 3, 1).expand(3, 2)
        assert_gradients(student, theirs, ours, weighing, hidden)
        assert_untouched(student, theirs, hidden)
