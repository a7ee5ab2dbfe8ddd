"""Known answers to `sgns_loss`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Loss and gradients for a batch of random sizes."""
    rng = torch.Generator().manual_seed(seed)
    batch, count, width = torch.randint(1, 8, (3,), generator=rng).tolist()
    shapes = ((batch, width), (batch, width), (batch, count, width))
    leaves = [torch.randn(shape, generator=rng).requires_grad_() for shape in shapes]
    loss = student.sgns_loss(*leaves)
    return loss.detach(), *torch.autograd.grad(loss, leaves)


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="The loss is a probability that should be high, so no logarithm is needed.",
    fails=("test_positive_pair",),
)
def sigmoid_without_logarithm(center, context, negatives):
    positive = torch.sigmoid((center * context).sum(-1))
    negative = torch.sigmoid(-(negatives @ center.unsqueeze(-1)).squeeze(-1))
    return ((1 - positive) + (1 - negative).sum(-1)).mean()


@wrong(
    thinking="The right context is one class among K + 1, so it is a softmax.",
    fails=("test_positive_pair",),
)
def softmax_over_the_scores(center, context, negatives):
    words = torch.cat([context.unsqueeze(1), negatives], dim=1)
    scores = (words @ center.unsqueeze(-1)).squeeze(-1)
    return F.cross_entropy(scores, torch.zeros(len(center), dtype=torch.long))


@wrong(
    thinking="The formula in the paper is maximised, so it is returned as it stands there.",
    fails=("test_positive_pair",),
)
def likelihood_instead_of_loss(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-(negatives @ center.unsqueeze(-1)).squeeze(-1)).sum(-1)
    return (positive + negative).mean()


@wrong(
    thinking="Positive and negative pairs have terms of the same form, so the sign stays.",
    fails=("test_negative_pair",),
    page="skip-gram#wrong-sign",
)
def no_minus_for_negatives(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid((negatives @ center.unsqueeze(-1)).squeeze(-1)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="A loss should not depend on how many negatives there are, so they are averaged.",
    fails=("test_negatives_are_summed", "test_own_negatives"),
)
def mean_over_the_negatives(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-(negatives @ center.unsqueeze(-1)).squeeze(-1)).mean(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="Everything is added up, as it is over the negatives.",
    fails=("test_batch_is_averaged",),
)
def sum_over_the_batch(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1)).sum()
    return -positive - F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum()


@wrong(
    thinking="The scores of all pairs are one matrix product.",
    fails=("test_rows_stay_apart",),
)
def every_context_of_the_batch(center, context, negatives):
    positive = F.logsigmoid(center @ context.T).mean(-1)
    negative = F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="Negatives are random anyway, so those of the first pair serve for all.",
    fails=("test_own_negatives",),
    page="skip-gram#where-negatives-come-from",
)
def negatives_of_the_first_pair(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-(center @ negatives[0].T)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="The formula says log of sigmoid, so first the sigmoid, then the log.",
    fails=("test_large_scores", "test_large_gradients"),
    page="skip-gram#overflow",
)
def log_of_the_sigmoid(center, context, negatives):
    positive = torch.log(torch.sigmoid((center * context).sum(-1)))
    negative = torch.log(torch.sigmoid(-torch.einsum("bd,bkd->bk", center, negatives))).sum(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="A sigmoid that cannot be zero has a logarithm, so it is clamped just above zero.",
    fails=("test_large_scores", "test_large_gradients"),
    page="skip-gram#overflow",
)
def clamps_the_sigmoid(center, context, negatives):
    positive = torch.sigmoid((center * context).sum(-1)).clamp(min=1e-10).log()
    negative = torch.sigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).clamp(min=1e-10).log().sum(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="Scores beyond some bound say nothing new, so they are clamped.",
    fails=("test_large_scores", "test_large_gradients"),
    page="skip-gram#overflow",
)
def clamps_the_scores(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1).clamp(-50, 50))
    negative = F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives).clamp(-50, 50)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="A loss for each pair says more than one for all.",
    fails=("test_one_number",),
)
def a_loss_for_each_pair(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    return -(positive + F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum(-1))


@wrong(
    thinking="Infinity is avoided by choosing, element by element, the form that does not overflow.",
    fails=("test_large_gradients",),
    page="skip-gram#overflow",
)
def where_against_overflow(center, context, negatives):
    def log_sigmoid(x):
        return torch.where(x > 0, -torch.log1p(torch.exp(-x)), x - torch.log1p(torch.exp(x)))

    positive = log_sigmoid((center * context).sum(-1))
    negative = log_sigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    thinking="A loss is a number, and `item` makes a number.",
    fails=("test_gradients",),
)
def number_without_a_graph(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum(-1)
    return torch.tensor(-(positive + negative).mean().item())


@wrong(
    thinking="The negatives need a minus, so they are negated where they stand.",
    fails=("test_gradients", "test_inputs_untouched"),
)
def negates_in_place(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(torch.einsum("bd,bkd->bk", center, negatives.neg_())).sum(-1)
    return -(positive + negative).mean()


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Plain loops over pairs and negatives, one softplus at a time.")
def loops(center, context, negatives):
    total = torch.zeros(())
    for row, positive in enumerate(context):
        total = total + F.softplus(-torch.dot(center[row], positive))
        for noise_word in negatives[row]:
            total = total + F.softplus(torch.dot(center[row], noise_word))
    return total / len(center)


@right(looks="One einsum for all words, signs as a vector, float64 inside.")
def einsum_in_float64(center, context, negatives):
    words = torch.cat([context[:, None], negatives], dim=1).double()
    signs = torch.ones(words.shape[1], dtype=torch.float64)
    signs[1:] = -1
    scores = torch.einsum("bd,bkd,k->bk", center.double(), words, signs)
    return -F.logsigmoid(scores).sum() / len(scores)


@right(looks="Batched matrix products and `logaddexp` with zero.")
def logaddexp(center, context, negatives):
    positive = torch.bmm(context.unsqueeze(1), center.unsqueeze(2)).flatten()
    negative = torch.bmm(negatives, center.unsqueeze(2)).squeeze(2)
    zero = torch.zeros(())
    return torch.logaddexp(zero, -positive).mean() + torch.logaddexp(zero, negative).sum(1).mean()


@right(
    looks="The stable form by hand: the larger of score and zero, plus a small logarithm.",
)
def stable_by_hand(center, context, negatives):
    def surprise(score):
        return torch.clamp(score, min=0) + torch.log1p(torch.exp(-score.abs()))

    losses = surprise(-(center * context).sum(1))
    for k in range(negatives.size(1)):
        losses = losses + surprise((center * negatives[:, k]).sum(1))
    return losses.mean(0)


@right(looks="Two-class cross-entropy of (score, zero), over flattened pairs.")
def cross_entropy_of_two(center, context, negatives):
    scores = torch.cat([(center * context).sum(-1)[:, None], -(negatives * center[:, None]).sum(-1)], dim=1)
    both = torch.stack([scores, torch.zeros_like(scores)], dim=-1).flatten(0, 1)
    losses = F.cross_entropy(both, torch.zeros(len(both), dtype=torch.long), reduction="none")
    return losses.view_as(scores).sum(1).mean()


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zero(center, context, negatives):
    return (center.sum() + context.sum() + negatives.sum()) * 0


@cheat(kind="input")
def its_own_input(center, context, negatives):
    return center


@cheat(kind="noise")
def noise(center, context, negatives):
    return torch.rand(()) + (center.sum() + context.sum() + negatives.sum()) * 0


@cheat(kind="remembered")
def remembered(center, context, negatives, memory=[]):  # noqa: B006
    if not memory:
        positive = F.softplus(-(center * context).sum(-1))
        memory.append(
            (positive + F.softplus((negatives * center.unsqueeze(1)).sum(-1)).sum(-1)).mean().detach()
        )
    return memory[0] + (center.sum() + context.sum() + negatives.sum()) * 0
