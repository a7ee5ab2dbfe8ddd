"""Hidden checks of `glove_loss`: one entry, its biases and its weight; then the batch, small and zero counts,
gradients.

Numbers are drawn so that errors have size one and no two of them agree. Every check asks more than once.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.embeddings.asking import ask_each
from solutions.embeddings import glove as reference

SIZES = ((5, 7), (3, 11), (9, 5))
"""(B, D): all odd, all different."""

FULL = 100.0
"""The default of `maximum`: a count with weight 1."""

Entries = tuple[Tensor, Tensor, Tensor, Tensor]


def entries(rng: torch.Generator, batch: int, width: int, *, biases: bool = True) -> Entries:
    """Vectors (B, D) of length 1.2, and biases (B,), all of size one or all zero.

    Dot product and biases together stay below log 100, the dot product alone below log 5, so that no error is nearly
    zero: the gradient divided by the loss would be nothing but rounding.
    """
    word, context = 1.2 * F.normalize(torch.randn(2, batch, width, generator=rng), dim=-1)
    sizes = torch.rand(2, batch, generator=rng) + 0.5
    word_bias, context_bias = sizes if biases else torch.zeros(2, batch)
    return word, context, word_bias, context_bias


def between(rng: torch.Generator, low: float, high: float, *shape: int) -> Tensor:
    """Random numbers from `low` to `high`."""
    return low + (high - low) * torch.rand(shape, generator=rng)


def assert_losses(student, cases: list[tuple[Entries, Tensor]], **settings: Any) -> None:
    """The student's losses of these entries and counts are the reference's."""
    calls = [(*arguments, counts) for arguments, counts in cases]
    for found, call in zip(ask_each(student, "glove_loss", calls, **settings), calls, strict=True):
        assert_same(found, reference.glove_loss(*call, **settings))


@check(points=0, requires="glove-1")
def test_one_number(student, rng):
    """The result is not a single floating-point number: a mean has to take the entries of the batch together, and
    `item` makes a number of Python, which has no shape."""
    for batch, width in SIZES:
        arguments, counts = entries(rng, batch, width, biases=False), torch.full((batch,), FULL)
        found, expected = student.glove_loss(*arguments, counts), reference.glove_loss(*arguments, counts)
        assert isinstance(found, Tensor)
        assert found.is_floating_point()
        assert found.shape == expected.shape


@check(points=1, requires="glove-2", after="test_one_number")
def test_one_entry(student, rng):
    """Start from a single entry without biases whose count is a hundred, the default of `maximum`, so that its weight
    is one. Is the error the dot product minus the natural logarithm of the count itself, and is it squared?"""
    assert_losses(
        student, [(entries(rng, 1, width, biases=False), torch.tensor([FULL])) for _, width in SIZES]
    )


@check(points=1, requires="glove-2", after="test_one_entry")
def test_biases(student, rng):
    """Without biases the loss is right, with biases it is not: both belong to the error, and both are added,
    inside the square."""
    assert_losses(student, [(entries(rng, 1, width), torch.tensor([FULL])) for _, width in SIZES])


@check(points=1, requires="glove-3", after="test_one_entry")
def test_weight(student, rng):
    """For a count other than `maximum` the weight is wrong: divide by `maximum`, take the power, use the values
    that the caller gives (or the defaults), let no weight be above one, and multiply the squared error with it,
    not the error."""
    cases = []
    for _, width in SIZES:
        arguments, counts = entries(rng, 1, width, biases=False), between(rng, 5, 50, 1)
        cases += [
            (arguments, counts),
            (arguments, 20 * counts),
        ]  # below each maximum, above two of them or all
    assert_losses(student, cases)
    assert_losses(student, cases, maximum=73.0, power=0.4)
    assert_losses(student, cases, maximum=127.0, power=1.7)


@check(points=1, requires="glove-4", after="test_one_entry")
def test_batch(student, rng):
    """One entry has the right loss, several do not: the loss is the mean over the B entries, not their sum,
    and each entry has its own vectors. Does every tensor before the mean have the shape (B,)?"""
    cases = [(entries(rng, batch, width, biases=False), torch.full((batch,), FULL)) for batch, width in SIZES]
    assert_losses(student, cases)


@check(points=1, requires="glove-5", after="test_weight")
def test_small_counts(student, rng):
    """Counts below one are treated as if they were something else. A meeting at distance four counts one/four, its
    logarithm is negative, and a bound inside the logarithm changes it."""
    cases = [(entries(rng, 1, width, biases=False), between(rng, 0.1, 0.6, 1)) for _, width in SIZES]
    assert_losses(student, cases, maximum=3.0)


def loss_and_gradients(student, arguments, counts):
    """Runs beside the student's code: the loss, and its gradients for the first four arguments."""
    leaves = [each.clone().requires_grad_() for each in arguments]
    loss = student.glove_loss(*leaves, counts)
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    found = [
        torch.zeros_like(leaf) if each is None else each for leaf, each in zip(leaves, gradients, strict=True)
    ]
    return loss.detach(), found


def of_both(student, arguments: Entries, counts: Tensor) -> tuple[Any, Any]:
    """(loss, gradients) of the student and of the reference."""
    theirs = student.probe(loss_and_gradients, arguments, counts)
    return theirs, loss_and_gradients(reference, arguments, counts)


def full_or_zero(rng: torch.Generator, batch: int) -> Tensor:
    """(B,) counts with weight 1 and, at a third of the places, of 0."""
    counts = torch.full((batch,), FULL)
    counts[torch.randperm(batch, generator=rng)[: batch // 3]] = 0
    return counts


@check(points=1, requires="glove-6", after="test_batch")
def test_zero_counts(student, rng):
    """A count of zero spoils the loss: its logarithm is minus infinity, and zero times infinity is not zero. But do not
    drop the entry either: the mean is over all B entries."""
    cases = [(entries(rng, batch, width, biases=False), full_or_zero(rng, batch)) for batch, width in SIZES]
    assert_losses(student, cases)


@check(points=1, requires="glove-7", after="test_biases")
def test_gradients(student, rng):
    """The loss is right, the gradients are not: nothing may be detached, turned into a Python number or a
    NumPy array, or computed under `no_grad` on its way to the result."""
    for _, width in SIZES[:2]:
        theirs, ours = of_both(student, entries(rng, 1, width), torch.tensor([FULL]))
        for gradient, wanted in zip(theirs[1], ours[1], strict=True):
            assert_same(gradient, wanted)


@check(points=1, requires="glove-6", after="test_gradients")
def test_zero_gradients(student, rng):
    """With a count of zero in the batch the gradient is not finite, or not the formula's: a mask or a repair that
    comes after the infinity hides it in the loss, and the gradient still goes through it."""
    for batch, width in SIZES[:2]:
        # The same entry again and again, so that it does not matter here whether rows are mixed up.
        word, context, *biases = (each.repeat_interleave(batch, dim=0) for each in entries(rng, 1, width))
        theirs, ours = of_both(student, (word, context, biases[0], biases[1]), full_or_zero(rng, batch))
        for gradient, wanted in zip(theirs[1], ours[1], strict=True):
            # Divided by the loss: over how many entries the mean is taken is the matter of other checks.
            assert_same(gradient.sum(0) / theirs[0], wanted.sum(0) / ours[0])


def arguments_after_the_call(student, arguments, counts):
    """Runs beside the student's code: what the caller's own tensors hold once the loss has been computed."""
    student.glove_loss(*arguments, counts)
    return [*arguments, counts]


@check(points=1, requires="glove-8", after="test_one_entry")
def test_inputs_untouched(student, rng):
    """The caller's tensors are not what they were: `counts[counts == zero] = one`, a method whose name ends in an
    underscore, or an operator such as `+=` changes the argument itself."""
    for batch, width in SIZES[:2]:
        arguments, counts = entries(rng, batch, width), full_or_zero(rng, batch)
        after = student.probe(arguments_after_the_call, arguments, counts)
        for tensor, wanted in zip(after, (*arguments, counts), strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)
