"""Hidden checks of `causal_mask`: which entries are true, then the kind of the tensor."""

import torch

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import masks as reference


@check(points=1, requires="causal-1")
def test_past_and_future(student, rng):
    """Row i says what place i may look at: itself, all places before it, and none after it. Is it the right
    triangle, is the diagonal in it, and does True mean that looking is allowed?"""
    for length in (2, 5, 9, 1, 300):
        mask = student.causal_mask(length)
        assert isinstance(mask, torch.Tensor)
        assert_same(mask.double(), reference.causal_mask(length).double())


@check(points=1, requires="causal-2", after="test_past_and_future")
def test_boolean(student, rng):
    """The entries are right, but the tensor is not boolean: ones and zeros are numbers, and `~` turns them
    into other numbers."""
    for length in (1, 3, 7):
        mask = student.causal_mask(length)
        assert mask.dtype == torch.bool
        assert_same(mask, reference.causal_mask(length))
