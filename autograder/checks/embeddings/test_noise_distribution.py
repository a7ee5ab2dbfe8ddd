"""Hidden checks of `noise_distribution`: the scale, the power, words that never occur; then kinds and side
effects.

Counts are far apart, so that each misreading moves a probability by much more than the tolerance.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.embeddings.asking import ask_each
from solutions.embeddings import pairs as reference

SIZES = (5, 3, 11)


def draw_counts(rng: torch.Generator, size: int) -> Tensor:
    """(size,) float: unlike whole numbers from 1 to some hundreds, in any order; 1 is among them."""
    steps = torch.randint(1, 30, (size,), generator=rng)
    return (1 + (steps.cumsum(0) - steps[0]) * 2)[torch.randperm(size, generator=rng)].float()


def proportions(weights: object) -> Tensor:
    """Weights scaled to sum 1, so that a scale that is wrong is another check's matter."""
    assert isinstance(weights, Tensor), f"expected a tensor, got {type(weights).__name__}"
    return weights / weights.sum()


@check(points=1, requires="noise-1")
def test_given_power(student, rng):
    """The probabilities do not stand in the right proportion to each other: each count is raised to the power
    that was given, whichever that is. The power is no factor, it is not fixed, nothing is added to a count, and
    no softmax is needed."""
    for size, power in zip(SIZES, (0.25, 1.0, 0.5), strict=True):
        counts = draw_counts(rng, size)
        found = proportions(student.noise_distribution(counts, power))
        assert_same(found, reference.noise_distribution(counts, power))


@check(points=1, requires="noise-1")
def test_probabilities(student, rng):
    """When no power is given, the probabilities are wrong. The statement says which power holds then. The divisor
    is the sum of the counts after the power was taken: frequencies that are raised to a power no longer sum to
    one."""
    for size in SIZES:
        counts = draw_counts(rng, size)
        assert_same(student.noise_distribution(counts), reference.noise_distribution(counts))


@check(points=1, requires="noise-2", after="test_given_power")
def test_words_that_never_occur(student, rng):
    """A word that never occurs got a chance to be drawn, or spoiled the rest. Zero to the power of zero is one,
    and the logarithm of zero is infinite."""
    for size, power in zip(SIZES, (0.0, 0.5, 0.0), strict=True):
        counts = draw_counts(rng, 2 * size)
        counts[torch.randperm(2 * size, generator=rng)[:size]] = 0
        found = proportions(student.noise_distribution(counts, power))
        assert_same(found, reference.noise_distribution(counts, power))


@check(points=1, requires="noise-3", after="test_given_power")
def test_kinds_of_counts(student, rng):
    """Counts of one kind give the right result, those of another do not. A tensor made like a tensor of whole numbers
    cuts off every fraction, and large counts do not fit into few bits."""
    calls = []
    for size in SIZES:
        counts = draw_counts(rng, size)
        kinds = counts, counts.long(), counts.double() * 10**9, counts.long() * 10**9
        calls += [(given, 0.75) for given in kinds]
    for found, call in zip(ask_each(student, "noise_distribution", calls), calls, strict=True):
        assert_same(proportions(found), reference.noise_distribution(*call))


def counts_after_the_call(student, counts):
    """Runs beside the student's code: the result, and what the caller's own counts hold after it."""
    return student.noise_distribution(counts, 0.75), counts


@check(points=1, requires="noise-4", after="test_given_power")
def test_counts_untouched(student, rng):
    """The caller's counts were changed: an operator such as `/=`, or a method whose name ends in an underscore, changes
    the argument itself."""
    for size in SIZES:
        counts = draw_counts(rng, size)
        found, after = student.probe(counts_after_the_call, counts)
        assert_same(proportions(found), reference.noise_distribution(counts, 0.75))
        assert_same(after, counts, relative=0, absolute=0)
