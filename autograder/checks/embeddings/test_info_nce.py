"""Hidden checks of `info_nce`: a batch in which all rows and columns are alike, then each thing that it hides.

In a turning batch (`turning`) the cosines of row i are those of row 0, moved by i places. So every query has the same
loss, a softmax over the queries gives the same as one over the keys, and with vectors of length 1 and a temperature of
1 the lengths and the temperature do not show either. Each later check lets one of these show. Only `test_mean` asks
whether the losses were averaged; elsewhere their total is accepted, too, so that this mistake costs one check.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import ABSOLUTE, assert_same
from autograder.checks.embeddings.asking import ask_each
from solutions.embeddings import sentences as reference


def turning(rng: torch.Generator, batch: int, blocks: int = 3) -> tuple[Tensor, Tensor]:
    """Queries and keys (B, blocks * B) of length 1, whose cosines in row i are those of row 0 moved by i places."""
    first = torch.randn(2, blocks, batch, generator=rng)
    rows = torch.stack([first.roll(i, dims=-1) for i in range(batch)], dim=1)  # (2, B, blocks, B)
    queries, keys = F.normalize(rows.flatten(2), dim=-1)
    return queries, keys


def same_up_to_total(actual: object, expected: Tensor, batch: int, *, absolute: float = ABSOLUTE) -> None:
    """`actual` is `expected`, or `batch` times that: the total of the losses in place of their mean."""
    assert isinstance(actual, Tensor)
    assert actual.shape == expected.shape
    scale = float(actual.abs().max()) / max(float(expected.abs().max()), 1e-12)
    factor = batch if abs(scale - batch) < abs(scale - 1) else 1
    assert_same(actual, factor * expected, absolute=absolute)


def assert_losses(student, calls: list[tuple], *, absolute: float = ABSOLUTE) -> None:
    """The student's losses are the reference's, or their totals over the batch."""
    for found, call in zip(ask_each(student, "info_nce", calls), calls, strict=True):
        same_up_to_total(found, reference.info_nce(*call), len(call[0]), absolute=absolute)


@check(points=0, requires="nce-1")
def test_one_number(student, rng):
    """The result is not a single floating-point number: the mean has to take the losses of all queries together, and
    `item` makes a number of Python, which has no shape."""
    for batch in (5, 7, 3):
        queries, keys = turning(rng, batch)
        found, expected = student.info_nce(queries, keys, 1.0), reference.info_nce(queries, keys, 1.0)
        assert isinstance(found, Tensor)
        assert found.is_floating_point()
        assert found.shape == expected.shape


@check(points=1, requires="nce-2", after="test_one_number")
def test_plain_batch(student, rng):
    """The loss of a batch of vectors of length one with a temperature of one is not right. Is each term minus the
    logarithm of a softmax over all keys, the own one among them, and does row i of the keys belong to query i?"""
    assert_losses(student, [(*turning(rng, batch), 1.0) for batch in (5, 7, 3)])


@check(points=1, requires="nce-2", after="test_plain_batch")
def test_queries_choose(student, rng):
    """Right only while all queries are alike: each query of its own chooses among the keys. Is the sum below the line
    over the keys, and not over the queries, both, or one row for all?"""
    shapes = ((5, 3), (7, 11), (4, 9))
    assert_losses(
        student, [(*F.normalize(torch.randn(2, *shape, generator=rng), dim=-1), 1.0) for shape in shapes]
    )


@check(points=1, requires="nce-3", after="test_plain_batch")
def test_lengths(student, rng):
    """Right for vectors of length one, wrong for longer and shorter ones: the similarity is the cosine, so queries and
    keys are both scaled, each row by its own length."""
    calls: list[tuple] = []
    for batch in (5, 7, 3):
        queries, keys = turning(rng, batch)
        long, short = torch.rand(2, batch, 1, generator=rng).mul(2).exp()
        calls += [(queries * long, keys, 1.0), (queries, keys / short, 1.0)]
    assert_losses(student, calls)


@check(points=1, requires="nce-4", after="test_plain_batch")
def test_temperature(student, rng):
    """Right with a temperature of one only: cosines are divided by the temperature before the softmax, and
    it has a default for when nothing is said."""
    calls = [(*turning(rng, 5), temperature) for temperature in (0.3, 2.0, 0.23)]
    while True:
        queries, keys = turning(rng, 7)
        if reference.info_nce(queries, keys) < 10:  # a tiny probability is another check's matter
            break
    assert_losses(student, [*calls, (queries, keys)])


@check(points=1, requires="nce-5", after="test_plain_batch")
def test_mean(student, rng):
    """The total over the batch is not asked for, but its mean. If you took the mean: a batch may have a single pair,
    so let no `squeeze` remove its dimension."""
    calls = [(*turning(rng, batch), 1.0) for batch in (5, 3, 8, 1)]
    for found, call in zip(ask_each(student, "info_nce", calls), calls, strict=True):
        assert_same(found, reference.info_nce(*call))


@check(points=1, requires="nce-6", after="test_temperature")
def test_small_temperature(student, rng):
    """The loss is right for common temperatures and breaks for small ones. Then e to the power of a score overflows, or
    a probability rounds to zero before its logarithm is taken: use one function for softmax and logarithm together."""
    calls: list[tuple] = []
    for half, temperature in ((2, 0.001), (3, 0.001), (2, 0.003), (3, 0.01)):
        part = torch.randn(3, half, generator=rng)
        first = torch.cat([part, -part], dim=-1)  # (3, 2 * half): half a turn gives the opposite
        queries = torch.stack([first.roll(i, dims=-1) for i in range(2 * half)]).flatten(1)
        queries = F.normalize(queries, dim=-1)
        calls.append((queries, -queries, temperature))  # the own key is the farthest
        calls.append((*turning(rng, 2 * half), temperature))
    assert_losses(student, calls, absolute=1e-2)


@check(points=1, requires="nce-7", after="test_lengths")
def test_gradients(student, rng):
    """The loss is right, the gradients are not: they flow to queries and keys alike. Nothing may be detached, turned
    into a Python number, computed under `no_grad`, or changed in place on its way."""
    for batch in (5, 3):
        queries, keys = (each.requires_grad_() for each in turning(rng, batch))
        expected = torch.autograd.grad(reference.info_nce(queries, keys, 1.0), (queries, keys))
        gradients = student.info_nce.grads(queries.detach(), keys.detach(), 1.0)
        assert len(gradients) == len(expected)
        for gradient, wanted in zip(gradients, expected, strict=True):
            same_up_to_total(gradient, wanted, batch)


def arguments_after_the_call(student, queries, keys):
    """Runs beside the student's code: the loss, and what the caller's own tensors hold afterwards."""
    loss = student.info_nce(queries, keys, 1.0)
    return loss, queries, keys


@check(points=1, requires="nce-8", after="test_lengths")
def test_inputs_untouched(student, rng):
    """The caller's tensors are not what they were: a method whose name ends in an underscore, or an operator such as
    `/=`, changes the argument itself."""
    for batch in (5, 3):
        queries, keys = (2 * each for each in turning(rng, batch))
        loss, *after = student.probe(arguments_after_the_call, queries, keys)
        same_up_to_total(loss, reference.info_nce(queries, keys, 1.0), batch)
        for tensor, wanted in zip(after, (queries, keys), strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)
