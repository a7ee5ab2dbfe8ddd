"""Hidden checks of `sgns_gradient`: each of the three gradients for one pair, then batches, large scores, side effects.

Vectors are scaled so that a score has spread one: no sigmoid saturates, and each misreading moves a gradient. The
three gradients are judged apart, so that one that is right earns its point beside two that are not.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import ABSOLUTE, assert_same
from autograder.checks.embeddings.asking import ask_each
from solutions.embeddings import skipgram as reference

SIZES = ((5, 3, 7), (3, 7, 5), (9, 5, 11))
"""(B, K, D): all odd, all different."""
CENTER, CONTEXT, NEGATIVES = range(3)
"""Places in the result."""


def draw(rng: torch.Generator, batch: int, count: int, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """(B, D) centers, (B, D) contexts, (B, K, D) negatives whose dot products have spread one."""
    shapes = ((batch, width), (batch, width), (batch, count, width))
    center, context, negatives = (torch.randn(shape, generator=rng) * width**-0.25 for shape in shapes)
    return center, context, negatives


def assert_gradients(
    student, calls: list[tuple[Tensor, Tensor, Tensor]], place: int, *, absolute: float = ABSOLUTE
) -> None:
    """The student's gradients at this place of the results are the reference's."""
    for found, arguments in zip(ask_each(student, "sgns_gradient", calls), calls, strict=True):
        assert isinstance(found, tuple | list)
        assert len(found) == 3
        assert_same(found[place], reference.sgns_gradient(*arguments)[place], absolute=absolute)


@check(points=0, requires="grad-1")
def test_three_tensors(student, rng):
    """The result is not three tensors: one gradient for each of the three arguments, in their order."""
    for size in SIZES:
        found = student.sgns_gradient(*draw(rng, *size))
        assert isinstance(found, tuple | list)
        assert len(found) == 3
        assert all(isinstance(each, Tensor) for each in found)


@check(points=0, requires="grad-1", after="test_three_tensors")
def test_shapes(student, rng):
    """A gradient does not have the shape of its argument, or is not of floating point: it holds one slope for each
    number of that argument."""
    for size in SIZES:
        arguments = draw(rng, *size)
        expected = reference.sgns_gradient(*arguments)
        for each, wanted in zip(student.sgns_gradient(*arguments), expected, strict=True):
            assert each.shape == wanted.shape
            assert each.is_floating_point()


@check(points=1, requires="grad-3", after="test_three_tensors")
def test_context(student, rng):
    """For a single pair, the gradient for the context is not right. It points along the center; how far is told by
    the slope of minus the logarithm of the sigmoid at the score, which is never positive."""
    assert_gradients(student, [draw(rng, 1, *size[1:]) for size in SIZES], CONTEXT)


@check(points=1, requires="grad-4", after="test_three_tensors")
def test_negatives(student, rng):
    """For a single pair, the gradient for the negatives is not right. Each has a score of its own and points along
    the center; the more likely the model takes it for a real context, the longer it is."""
    assert_gradients(student, [draw(rng, 1, *size[1:]) for size in SIZES], NEGATIVES)


@check(points=1, requires="grad-2", after="test_three_tensors")
def test_center(student, rng):
    """For a single pair, the gradient for the center is not right. The center stands in every score of its pair, so
    its gradient is a sum: one part along the context and one along each negative."""
    assert_gradients(student, [draw(rng, 1, *size[1:]) for size in SIZES], CENTER)


@check(points=1, requires="grad-3", after="test_context")
def test_mean_over_pairs(student, rng):
    """One pair is right, several are not: the loss is a mean over the pairs, so each pair moves it less, the more
    pairs there are."""
    assert_gradients(student, [draw(rng, *size) for size in SIZES], CONTEXT)


@check(points=1, requires="grad-2", after=("test_center", "test_mean_over_pairs"))
def test_center_of_each_pair(student, rng):
    """With one pair the center's gradient is right, with several something is mixed up: the negatives of a pair stand
    at its own batch index, and no other pair sees them. Which axis does each product sum over?"""
    assert_gradients(student, [draw(rng, *size) for size in SIZES], CENTER)


@check(points=1, requires="grad-4", after=("test_negatives", "test_mean_over_pairs"))
def test_negatives_of_each_pair(student, rng):
    """With one pair the gradient for the negatives is right, with several something is mixed up: each negative is
    pushed along the center of its own pair, as far as its own score says."""
    assert_gradients(student, [draw(rng, *size) for size in SIZES], NEGATIVES)


@check(points=1, requires="grad-5", after="test_context")
def test_large_scores(student, rng):
    """Small scores are right, large ones are not: the exponential of a large number is infinite, and infinity divided
    by infinity is no number. There is a function that computes the sigmoid without it."""
    calls = []
    for size in (30.0, 100.0, 1000.0, -30.0, -100.0, -1000.0):
        center, _, _ = draw(rng, 1, 1, 7)
        score = size * (0.9 + 0.1 * torch.rand((), generator=rng))
        context = score * center / center.square().sum()
        calls.append((center, context, -context[:, None]))
    assert_gradients(student, calls, CONTEXT, absolute=1e-3)


def arguments_after_the_call(student, center, context, negatives):
    """Runs beside the student's code: the gradients, and what the caller's own tensors hold afterwards."""
    found = student.sgns_gradient(center, context, negatives)
    return tuple(found), (center, context, negatives)


@check(points=1, requires="grad-6", after="test_context")
def test_inputs_untouched(student, rng):
    """The caller's tensors are not what they were: a method whose name ends in an underscore, or an operator such as
    `*=`, changes the argument itself."""
    for _, count, width in SIZES[:2]:
        arguments = draw(rng, 1, count, width)
        found, after = student.probe(arguments_after_the_call, *arguments)
        assert_same(found[CONTEXT], reference.sgns_gradient(*arguments)[CONTEXT])
        for tensor, wanted in zip(after, arguments, strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)
