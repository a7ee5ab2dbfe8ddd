"""Hidden checks of `sgns_loss`: one pair, its negatives, the batch; then gradients, large scores, side
effects.

Vectors are scaled so that a score has spread one: no sigmoid saturates, and each misreading moves the loss.
Every check asks more than once, so that a remembered answer is a wrong answer.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import ABSOLUTE, assert_same
from solutions.embeddings import skipgram as reference

SIZES = ((5, 3, 7), (3, 7, 5), (9, 5, 11))
"""(B, K, D): all odd, all different."""


def vectors(rng: torch.Generator, *shape: int) -> Tensor:
    """Random vectors whose dot products have spread one; the last entry of `shape` is their width."""
    return torch.randn(*shape, generator=rng) * shape[-1] ** -0.25


def assert_loss(student, *arguments: Tensor) -> None:
    """The student's loss of these (center, context, negatives) is the reference's."""
    assert_same(student.sgns_loss(*arguments), reference.sgns_loss(*arguments))


def assert_gradients(student, *arguments: Tensor, absolute: float = ABSOLUTE) -> None:
    """The student's gradients for (center, context, negatives) are the reference's."""
    leaves = [argument.clone().requires_grad_() for argument in arguments]
    expected = torch.autograd.grad(reference.sgns_loss(*leaves), leaves)
    gradients = student.sgns_loss.grads(*arguments)
    assert len(gradients) == len(expected)
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert_same(gradient, wanted, absolute=absolute)


@check(points=0, requires="sgns-1")
def test_one_number(student, rng):
    """The result is not a single floating-point number: a mean has to take the pairs of the batch together, and `item`
    makes a number of Python, which has no shape."""
    for batch, count, width in SIZES:
        arguments = vectors(rng, batch, width), vectors(rng, batch, width), vectors(rng, batch, count, width)
        found, expected = student.sgns_loss(*arguments), reference.sgns_loss(*arguments)
        assert isinstance(found, Tensor)
        assert found.is_floating_point()
        assert found.shape == expected.shape


@check(points=1, requires="sgns-2", after="test_one_number")
def test_positive_pair(student, rng):
    """Start from one pair whose negative is a vector of zeros. Is each term minus the logarithm of a sigmoid
    (not the sigmoid itself, not a softmax over the scores)?"""
    for _, _, width in SIZES:
        assert_loss(student, vectors(rng, 1, width), vectors(rng, 1, width), torch.zeros(1, 1, width))


@check(points=1, requires="sgns-2", after="test_positive_pair")
def test_negative_pair(student, rng):
    """The positive part is right, the negative part is not: a noise word should score low, so the sign of its
    score turns round inside the sigmoid."""
    for _, _, width in SIZES:
        assert_loss(student, vectors(rng, 1, width), vectors(rng, 1, width), vectors(rng, 1, 1, width))


@check(points=1, requires="sgns-2", after="test_negative_pair")
def test_negatives_are_summed(student, rng):
    """With a single negative the loss is right, with several it is not: each negative adds a full term of its
    own, so they are summed, not averaged, and none is left out."""
    for _, count, width in SIZES:
        assert_loss(student, vectors(rng, 1, width), vectors(rng, 1, width), vectors(rng, 1, count, width))


@check(points=1, requires="sgns-3", after="test_negative_pair")
def test_batch_is_averaged(student, rng):
    """A batch that repeats the same pair should have the loss of that pair: the batch is averaged, not
    summed."""
    for batch, _, width in SIZES:
        center, context = vectors(rng, 1, width).repeat(batch, 1), vectors(rng, 1, width).repeat(batch, 1)
        assert_loss(student, center, context, vectors(rng, 1, 1, width).repeat(batch, 1, 1))


@check(points=1, requires="sgns-2", after="test_batch_is_averaged")
def test_rows_stay_apart(student, rng):
    """Rows of the batch are mixed up: a center is scored with its own context only, never with that of
    another row. Which axis does each product sum over?"""
    for batch, _, width in SIZES:
        negatives = vectors(rng, 1, 1, width).repeat(batch, 1, 1)
        assert_loss(student, vectors(rng, batch, width), vectors(rng, batch, width), negatives)


@check(points=1, requires="sgns-2", after="test_rows_stay_apart")
def test_own_negatives(student, rng):
    """Every pair has negatives of its own: those of a pair stand at its own batch index, all of them count,
    and no other row sees them."""
    for batch, count, width in SIZES:
        negatives = vectors(rng, batch, count, width)
        assert_loss(student, vectors(rng, batch, width), vectors(rng, batch, width), negatives)


def large_scores(rng: torch.Generator, magnitude: float) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Single pairs whose positive and negative scores are about `magnitude`, with every combination of
    signs."""
    found = []
    for signs in ((1, 1), (-1, 1), (-1, -1), (1, -1)):
        center = vectors(rng, 1, 7)
        scores = magnitude * (0.9 + 0.1 * torch.rand(2, generator=rng)) * torch.tensor(signs)
        context, negative = (score * center / center.square().sum() for score in scores)
        found.append((center, context, negative.unsqueeze(1)))
    return found


@check(points=1, requires="sgns-4", after="test_negative_pair")
def test_large_scores(student, rng):
    """The formula is right for small scores and breaks for large ones. The sigmoid of a very negative score
    rounds to zero, so a logarithm taken afterwards comes too late. A bound (`clamp`) on the score or on the sigmoid, or
    a tiny number that is added, makes the loss finite, but not right. One function does both steps together."""
    for magnitude in (30.0, 100.0, 1000.0):
        for arguments in large_scores(rng, magnitude):
            assert_loss(student, *arguments)


@check(points=1, requires="sgns-5", after="test_negative_pair")
def test_gradients(student, rng):
    """The loss is right, the gradients are not: nothing may be detached, turned into a Python number or a
    NumPy array, computed under `no_grad`, or changed in place on its way to the result."""
    for _, _, width in SIZES:
        arguments = vectors(rng, 1, width), vectors(rng, 1, width), vectors(rng, 1, 1, width)
        assert_gradients(student, *arguments)


@check(points=1, requires="sgns-4", after="test_gradients")
def test_large_gradients(student, rng):
    """Large scores give the right loss and a gradient that is not finite: `torch.where` and masks hide an
    infinity in the loss, yet the gradient still passes through the branch that was not taken. And where a bound
    (`clamp`) holds, the gradient is zero."""
    for magnitude in (30.0, 100.0, 1000.0):
        for arguments in large_scores(rng, magnitude):
            assert_gradients(student, *arguments, absolute=1e-3)  # entries are as large as the scores


def arguments_after_the_call(student, center, context, negatives):
    """Runs beside the student's code: what the caller's own tensors hold once the loss has been computed."""
    loss = student.sgns_loss(center, context, negatives)
    return loss, center, context, negatives


@check(points=1, requires="sgns-6", after="test_negative_pair")
def test_inputs_untouched(student, rng):
    """The caller's tensors are not what they were: a method whose name ends in an underscore, or an operator
    such as `*=`, changes the argument itself."""
    for _, _, width in SIZES:
        arguments = vectors(rng, 1, width), vectors(rng, 1, width), vectors(rng, 1, 1, width)
        loss, *after = student.probe(arguments_after_the_call, *arguments)
        assert_same(loss, reference.sgns_loss(*arguments))
        for tensor, wanted in zip(after, arguments, strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)
