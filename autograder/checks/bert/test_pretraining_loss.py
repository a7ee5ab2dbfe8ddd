"""Hidden checks of `pretraining_loss`: the gradient of each part by itself, then the number, then a batch
without words.

The gradient with respect to the scores of one part says nothing of the other part, so each mistake is seen
where it is made. Labels are drawn up to the last class, and scores are a few units wide: no class is
certain.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.bert import losses as reference


def draw_batch(rng: torch.Generator, texts: int, length: int, size: int, asked: list[int]) -> tuple:
    """The four arguments; text b has `asked[b]` labels, at any positions. At least one text is next, and one
    is not."""
    labels = torch.full((texts, length), -100)
    for row, count in zip(labels, asked, strict=True):
        row[torch.randperm(length, generator=rng)[:count]] = torch.randint(size, (count,), generator=rng)
    is_next = torch.rand(texts, generator=rng) < 0.5
    is_next[torch.randperm(texts, generator=rng)[:2]] = torch.tensor([True, False])
    return (
        2 * torch.randn(texts, length, size, generator=rng),
        labels,
        2 * torch.randn(texts, 2, generator=rng),
        is_next,
    )


def both_gradients(student, batch: tuple) -> list[tuple[Tensor, Tensor]]:
    """The student's gradients and the reference's: for each kind of scores, one pair."""
    mlm_logits, labels, nsp_logits, is_next = batch
    leaves = mlm_logits.clone().requires_grad_(), nsp_logits.clone().requires_grad_()
    expected = torch.autograd.grad(reference.pretraining_loss(leaves[0], labels, leaves[1], is_next), leaves)
    return list(zip(student.pretraining_loss.grads(*batch), expected, strict=True))


def assert_number(student, batch: tuple) -> None:
    """The student's loss is the reference's."""
    assert_same(student.pretraining_loss(*batch), reference.pretraining_loss(*batch))


@check(points=1, requires="pretrain-2")
def test_hidden_words(student, rng):
    """With as many positions asked in each text, the gradient of the scores of words is wrong: it is that of
    the mean, not of the sum, of the cross-entropy at the positions that are asked. The others have no
    gradient, and are not counted in what the sum is divided by."""
    for texts, length, size, count in ((3, 5, 7, 2), (4, 6, 5, 1), (2, 3, 11, 3)):
        batch = draw_batch(rng, texts, length, size, [count] * texts)
        assert_same(*both_gradients(student, batch)[0])


@check(points=1, requires="pretrain-3", after="test_hidden_words")
def test_each_position_counts_the_same(student, rng):
    """The gradient of the scores of words is right when the same number is asked in each text, and wrong when
    it is not: there is one mean over the batch, not a mean of the means of the texts. A text in which nothing
    is asked is no matter."""
    sizes = (3, 7, 5, [1, 6, 3]), (2, 5, 9, [5, 1]), (4, 6, 8, [2, 0, 6, 1]), (2, 4, 7, [0, 1])
    for texts, length, size, asked in sizes:
        batch = draw_batch(rng, texts, length, size, asked)
        assert_same(*both_gradients(student, batch)[0])


@check(points=1, requires="pretrain-4")
def test_next_sentence(student, rng):
    """The gradient of the scores of pairs is wrong: it is that of the mean over the texts of a cross-entropy
    of two classes. Is the class that is right where B is next the one that the statement names? Do both
    losses come in with the same weight?"""
    for texts, length, size in ((3, 5, 7), (5, 4, 6), (2, 3, 9)):
        batch = draw_batch(rng, texts, length, size, [2] * texts)
        assert_same(*both_gradients(student, batch)[1])


@check(points=1, requires="pretrain-1", after=("test_each_position_counts_the_same", "test_next_sentence"))
def test_sum(student, rng):
    """Both gradients are right, but the number is not: it is the sum of the two means, in nats, as a tensor
    without dimensions, also with scores of some hundreds."""
    for texts, length, size, asked in ((3, 7, 5, [1, 6, 3]), (2, 5, 9, [5, 1]), (4, 6, 8, [2, 0, 6, 1])):
        batch = draw_batch(rng, texts, length, size, asked)
        assert_number(student, batch)
        assert_number(student, (200 * batch[0], batch[1], 200 * batch[2], batch[3]))


@check(points=1, requires="pretrain-5")
def test_nothing_asked(student, rng):
    """When nothing is asked in the whole batch, the loss is wrong or no number at all, or the scores of words
    have a gradient that is not zero: a mean over no positions divides zero by zero. What remains is the loss
    of the pairs."""
    for texts, length, size in ((3, 5, 7), (2, 8, 4)):
        batch = draw_batch(rng, texts, length, size, [0] * texts)
        batch[2][:, 1] = batch[2][:, 0]  # both classes are as likely, so that their order is no matter here
        assert_number(student, batch)
        assert_same(*both_gradients(student, batch)[0])
