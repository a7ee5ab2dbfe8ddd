"""Hidden checks of `sgns_loss`: one pair, its negatives, the batch; then gradients, large scores, side
effects.

Vectors are scaled so that a score has spread one: no sigmoid saturates, and each misreading moves the loss.
Every check asks more than once, so that a remembered answer is a wrong answer.
"""

from itertools import product

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.embeddings.asking import ask_each
from solutions.embeddings import skipgram as reference

SIZES = ((5, 3, 7), (3, 7, 5), (9, 5, 11))
"""(B, K, D): all odd, all different."""


Arguments = tuple[Tensor, Tensor, Tensor]
"""center, context, negatives"""


def vectors(rng: torch.Generator, *shape: int) -> Tensor:
    """Random vectors whose dot products have spread one; the last entry of `shape` is their width."""
    return torch.randn(*shape, generator=rng) * shape[-1] ** -0.25


def draw_pairs(rng: torch.Generator) -> list[Arguments]:
    """A single pair with a single negative, in each width."""
    return [
        (vectors(rng, 1, width), vectors(rng, 1, width), vectors(rng, 1, 1, width)) for _, _, width in SIZES
    ]


def assert_losses(student, calls: list[Arguments]) -> None:
    """The student's losses are the reference's."""
    for found, arguments in zip(ask_each(student, "sgns_loss", calls), calls, strict=True):
        assert_same(found, reference.sgns_loss(*arguments))


def gradients_of_each(student, calls):
    """Runs beside the student's code: the gradients of the loss for the arguments of each of `calls`."""
    found = []
    for arguments in calls:
        leaves = [argument.clone().requires_grad_() for argument in arguments]
        found.append(torch.autograd.grad(student.sgns_loss(*leaves), leaves))
    return found


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
    calls = [
        (vectors(rng, 1, width), vectors(rng, 1, width), torch.zeros(1, 1, width)) for _, _, width in SIZES
    ]
    assert_losses(student, calls)


@check(points=1, requires="sgns-2", after="test_positive_pair")
def test_negative_pair(student, rng):
    """The positive part is right, the negative part is not: a noise word should score low, so the sign of its
    score turns round inside the sigmoid."""
    assert_losses(student, draw_pairs(rng))


@check(points=1, requires="sgns-2", after="test_negative_pair")
def test_negatives_are_summed(student, rng):
    """With a single negative the loss is right, with several it is not: each negative adds a full term of its
    own, so they are summed, not averaged, and none is left out."""
    calls = [
        (vectors(rng, 1, width), vectors(rng, 1, width), vectors(rng, 1, count, width))
        for _, count, width in SIZES
    ]
    assert_losses(student, calls)


@check(points=1, requires="sgns-3", after="test_negative_pair")
def test_batch_is_averaged(student, rng):
    """A batch that repeats the same pair should have the loss of that pair: the batch is averaged, not
    summed."""
    calls = [
        (center.repeat(batch, 1), context.repeat(batch, 1), negatives.repeat(batch, 1, 1))
        for (batch, _, _), (center, context, negatives) in zip(SIZES, draw_pairs(rng), strict=True)
    ]
    assert_losses(student, calls)


@check(points=1, requires="sgns-2", after="test_batch_is_averaged")
def test_rows_stay_apart(student, rng):
    """Rows of the batch are mixed up: a center is scored with its own context only, never with that of
    another row. Which axis does each product sum over?"""
    calls = [
        (
            vectors(rng, batch, width),
            vectors(rng, batch, width),
            vectors(rng, 1, 1, width).repeat(batch, 1, 1),
        )
        for batch, _, width in SIZES
    ]
    assert_losses(student, calls)


@check(points=1, requires="sgns-2", after="test_rows_stay_apart")
def test_own_negatives(student, rng):
    """Every pair has negatives of its own: those of a pair stand at its own batch index, all of them count,
    and no other row sees them."""
    calls = [
        (vectors(rng, batch, width), vectors(rng, batch, width), vectors(rng, batch, count, width))
        for batch, count, width in SIZES
    ]
    assert_losses(student, calls)


def large_scores(rng: torch.Generator) -> list[Arguments]:
    """Single pairs whose positive and negative scores are about 30, 100 and 1000, with every combination of signs."""
    found = []
    for magnitude, *signs in product((30.0, 100.0, 1000.0), (1, -1), (1, -1)):
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
    assert_losses(student, large_scores(rng))


@check(points=1, requires="sgns-5", after="test_negative_pair")
def test_gradients(student, rng):
    """The loss is right, the gradients are not: nothing may be detached, turned into a Python number or a
    NumPy array, computed under `no_grad`, or changed in place on its way to the result."""
    for arguments in draw_pairs(rng)[:2]:
        (expected,) = gradients_of_each(reference, [arguments])
        for gradient, wanted in zip(student.sgns_loss.grads(*arguments), expected, strict=True):
            assert_same(gradient, wanted)


@check(points=1, requires="sgns-4", after="test_gradients")
def test_large_gradients(student, rng):
    """Large scores give the right loss and a gradient that is not finite: `torch.where` and masks hide an
    infinity in the loss, yet the gradient still passes through the branch that was not taken. And where a bound
    (`clamp`) holds, the gradient is zero."""
    calls = large_scores(rng)
    expected = gradients_of_each(reference, calls)
    for gradients, wanted in zip(student.probe(gradients_of_each, calls), expected, strict=True):
        for gradient, ours in zip(gradients, wanted, strict=True):
            assert_same(gradient, ours, absolute=1e-3)  # entries are as large as the scores


def arguments_after_the_call(student, center, context, negatives):
    """Runs beside the student's code: what the caller's own tensors hold once the loss has been computed."""
    loss = student.sgns_loss(center, context, negatives)
    return loss, center, context, negatives


@check(points=1, requires="sgns-6", after="test_negative_pair")
def test_inputs_untouched(student, rng):
    """The caller's tensors are not what they were: a method whose name ends in an underscore, or an operator
    such as `*=`, changes the argument itself."""
    for arguments in draw_pairs(rng)[:2]:
        loss, *after = student.probe(arguments_after_the_call, *arguments)
        assert_same(loss, reference.sgns_loss(*arguments))
        for tensor, wanted in zip(after, arguments, strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)
