"""Known answers to `sgns_gradient`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {"`context` for `center` in `len(center)`": "there are as many contexts as centers"}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """The three gradients for a batch of random sizes."""
    rng = torch.Generator().manual_seed(seed)
    batch, count, width = torch.randint(1, 8, (3,), generator=rng).tolist()
    shapes = ((batch, width), (batch, width), (batch, count, width))
    return tuple(student.sgns_gradient(*(torch.randn(shape, generator=rng) for shape in shapes)))


# --- Wrong -----------------------------------------------------------------------------------------------


def scores(center, context, negatives):
    """(B,) scores of the real pairs, (B, K) scores of the negatives."""
    return (center * context).sum(-1), (negatives * center[:, None]).sum(-1)


def gradients(center, context, negatives, positive, negative):
    """The three gradients from the slopes of the loss at the scores, `positive` (B,) and `negative` (B, K)."""
    for_center = positive[:, None] * context + (negative[..., None] * negatives).sum(1)
    return for_center, positive[:, None] * center, negative[..., None] * center[:, None]


@wrong(
    thinking="Every pair has its own gradient, and they are added up.",
    fails=("test_mean_over_pairs",),
)
def without_the_mean(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    return gradients(center, context, negatives, torch.sigmoid(positive) - 1, torch.sigmoid(negative))


@wrong(
    thinking="The negatives together weigh as much as the context, so they are averaged.",
    fails=("test_negatives", "test_center"),
)
def mean_over_the_negatives(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    size, count = negative.shape
    slopes = (torch.sigmoid(positive) - 1) / size, torch.sigmoid(negative) / size / count
    return gradients(center, context, negatives, *slopes)


@wrong(
    thinking="A context is pulled nearer, so its gradient has a plus.",
    fails=("test_context", "test_center"),
)
def pull_with_a_plus(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = (1 - torch.sigmoid(positive)) / len(center), torch.sigmoid(negative) / len(center)
    return gradients(center, context, negatives, *slopes)


@wrong(
    thinking="The gradient is what is added to the vectors.",
    fails=("test_context", "test_negatives", "test_center"),
    page="gradients#wrong-direction",
)
def the_step_itself(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = (1 - torch.sigmoid(positive)) / len(center), -torch.sigmoid(negative) / len(center)
    return gradients(center, context, negatives, *slopes)


@wrong(
    thinking="Negatives stand in the loss with a minus, so the sigmoid has one here, too.",
    fails=("test_negatives", "test_center"),
)
def minus_inside_the_sigmoid(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = (torch.sigmoid(positive) - 1) / len(center), torch.sigmoid(-negative) / len(center)
    return gradients(center, context, negatives, *slopes)


@wrong(
    thinking="The derivative of a sigmoid is sigmoid times one minus sigmoid.",
    fails=("test_context", "test_negatives", "test_center"),
)
def slope_of_the_sigmoid(center, context, negatives):
    positive, negative = (torch.sigmoid(each) for each in scores(center, context, negatives))
    slopes = -positive * (1 - positive) / len(center), negative * (1 - negative) / len(center)
    return gradients(center, context, negatives, *slopes)


@wrong(
    thinking="The center is pulled by its context; the negatives only move themselves.",
    fails=("test_center",),
)
def center_without_negatives(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = (torch.sigmoid(positive) - 1) / len(center), torch.sigmoid(negative) / len(center)
    _, for_context, for_negatives = gradients(center, context, negatives, *slopes)
    return slopes[0][:, None] * context, for_context, for_negatives


@wrong(
    thinking="The center comes first in the arguments, so the part along the center comes first.",
    fails=("test_context", "test_center"),
)
def center_and_context_swapped(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = (torch.sigmoid(positive) - 1) / len(center), torch.sigmoid(negative) / len(center)
    for_center, for_context, for_negatives = gradients(center, context, negatives, *slopes)
    return for_context, for_center, for_negatives


@wrong(
    thinking="Negatives are random anyway, so those of the first pair serve for all.",
    fails=("test_center_of_each_pair", "test_negatives_of_each_pair"),
    page="skip-gram#where-negatives-come-from",
)
def negatives_of_the_first_pair(center, context, negatives):
    same = negatives[:1].expand_as(negatives)
    positive, negative = scores(center, context, same)
    slopes = (torch.sigmoid(positive) - 1) / len(center), torch.sigmoid(negative) / len(center)
    return gradients(center, context, same, *slopes)


@wrong(
    thinking="A word that is drawn twice gets one gradient, the sum over its places.",
    fails=("test_shapes", "test_negatives"),
)
def negatives_added_up(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = (torch.sigmoid(positive) - 1) / len(center), torch.sigmoid(negative) / len(center)
    for_center, for_context, for_negatives = gradients(center, context, negatives, *slopes)
    return for_center, for_context, for_negatives.sum(1)


@wrong(
    thinking="All gradients in one tensor are easier to add to the vectors.",
    fails=("test_three_tensors",),
)
def one_tensor(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = (torch.sigmoid(positive) - 1) / len(center), torch.sigmoid(negative) / len(center)
    for_center, for_context, for_negatives = gradients(center, context, negatives, *slopes)
    return torch.cat([for_center[:, None], for_context[:, None], for_negatives], dim=1)


@wrong(
    thinking="The sigmoid is written as in the formula with the exponential on top.",
    fails=("test_large_scores",),
    page="skip-gram#overflow",
)
def exponential_on_top(center, context, negatives):
    positive, negative = (each.exp() / (1 + each.exp()) for each in scores(center, context, negatives))
    return gradients(center, context, negatives, (positive - 1) / len(center), negative / len(center))


@wrong(
    thinking="The vectors are needed only once, so they may be scaled where they stand.",
    fails=("test_inputs_untouched",),
)
def scales_in_place(center, context, negatives):
    positive, negative = scores(center, context, negatives)
    slopes = torch.sigmoid(positive) - 1, torch.sigmoid(negative)
    for_center, _, _ = gradients(center, context, negatives, *(each / len(center) for each in slopes))
    center /= len(center)
    _, for_context, for_negatives = gradients(center, context, negatives, *slopes)
    center *= 2
    return for_center, for_context, for_negatives


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Loops over pairs and negatives, a number at a time.")
def loops(center, context, negatives):
    size = len(center)
    for_center, for_context, for_negatives = (torch.zeros_like(each) for each in (center, context, negatives))
    for b in range(size):
        slope = (torch.sigmoid(center[b] @ context[b]) - 1) / size
        for_center[b] += slope * context[b]
        for_context[b] = slope * center[b]
        for k, word in enumerate(negatives[b]):
            slope = torch.sigmoid(center[b] @ word) / size
            for_center[b] += slope * word
            for_negatives[b, k] = slope * center[b]
    return for_center, for_context, for_negatives


@right(looks="One table of words with labels: said minus true, in float64.")
def said_minus_true(center, context, negatives):
    words = torch.cat([context[:, None], negatives], dim=1).double()
    true = torch.zeros(words.shape[:2], dtype=torch.float64)
    true[:, 0] = 1
    wrong_by = (torch.sigmoid(torch.einsum("bd,bkd->bk", center.double(), words)) - true) / len(center)
    for_words = torch.einsum("bk,bd->bkd", wrong_by, center.double())
    return torch.einsum("bk,bkd->bd", wrong_by, words), for_words[:, 0], for_words[:, 1:]


@right(looks="Batched matrix products, the sigmoid as a hyperbolic tangent; a list.")
def by_tanh(center, context, negatives):
    def sigmoid(x):
        return (1 + torch.tanh(x / 2)) / 2

    column = center.unsqueeze(2)
    pull = -sigmoid(-torch.bmm(context.unsqueeze(1), column)).squeeze(2)
    push = sigmoid(torch.bmm(negatives, column))
    for_center = pull * context + torch.bmm(push.transpose(1, 2), negatives).squeeze(1)
    return [each / center.size(0) for each in (for_center, pull * center, push * center.unsqueeze(1))]


@right(looks="NumPy, with the sigmoid by its stable side.")
def in_numpy(center, context, negatives):
    import numpy as np

    def sigmoid(x):
        small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, small) / (1 + small)

    v, u, n = (each.numpy().astype("float64") for each in (center, context, negatives))
    grad = (sigmoid((v * u).sum(1)) - 1)[:, None] / len(v)
    others = sigmoid(np.einsum("bd,bkd->bk", v, n))[..., None] / len(v)
    found = grad * u + (others * n).sum(1), grad * v, others * v[:, None]
    return tuple(torch.from_numpy(each) for each in found)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(center, context, negatives):
    return torch.zeros_like(center), torch.zeros_like(context), torch.zeros_like(negatives)


@cheat(kind="input")
def the_input(center, context, negatives):
    return center, context, negatives


@cheat(kind="noise")
def noise(center, context, negatives):
    return torch.randn_like(center), torch.randn_like(context), torch.randn_like(negatives)


@cheat(kind="remembered")
def remembered(center, context, negatives, memory=[]):  # noqa: B006
    if not memory:
        positive, negative = scores(center, context, negatives)
        slopes = (torch.sigmoid(positive) - 1) / len(center), torch.sigmoid(negative) / len(center)
        memory.append(gradients(center, context, negatives, *slopes))
    return memory[0]
