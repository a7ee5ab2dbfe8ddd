"""Known answers to `scaled_dot_product_attention`: wrong, right and cheating ones; what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {
    "`value` for `key` in `key.shape`": "there is one value for each key",
    "`key` for `query` in `query.shape` (2)": "a key is as wide as a query",
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """Output, weights and gradients for random sizes; with a mask in two of three, and a row that sees nothing."""
    rng = torch.Generator().manual_seed(seed)
    batch, asking, asked, width, value_width = (
        int(each) + 1 for each in torch.randint(7, (5,), generator=rng)
    )
    shapes = ((batch, asking, width), (batch, asked, width), (batch, asked, value_width))
    leaves = [(torch.randn(shape, generator=rng) * 2).requires_grad_() for shape in shapes]
    mask = torch.rand(batch, asking, asked, generator=rng) < 0.6 if seed % 3 else None
    output, weights = student.scaled_dot_product_attention(*leaves, mask)
    total = (output * torch.randn(output.shape, generator=rng)).sum() + weights.square().sum()
    return output.detach(), weights.detach(), *torch.autograd.grad(total, leaves, allow_unused=True)


# --- Wrong -----------------------------------------------------------------------------------------------


def attended(query, key, value, mask, scale):
    """Right but for the scale."""
    scores = query @ key.transpose(-2, -1) / scale
    if mask is None:
        return scores.softmax(-1) @ value, scores.softmax(-1)
    weights = scores.masked_fill(~mask, -1e30).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ value, weights


@wrong(
    thinking="Scores are dot products, and the softmax takes care of their size.",
    fails=("test_weights",),
    page="queries-keys-values#no-scale",
)
def without_a_scale(query, key, value, mask=None):
    return attended(query, key, value, mask, 1.0)


@wrong(thinking="The sum has D terms, so it is divided by D.", fails=("test_weights",))
def scaled_by_the_width(query, key, value, mask=None):
    return attended(query, key, value, mask, query.shape[-1])


@wrong(
    thinking="The root is that of the width of the keys, and that is the size of their second dimension.",
    fails=("test_weights",),
)
def scaled_by_the_places(query, key, value, mask=None):
    return attended(query, key, value, mask, math.sqrt(key.shape[-2]))


@wrong(
    thinking="The softmax goes over the places, and places come in the dimension before the last.",
    fails=("test_weights",),
    page="alignment#wrong-axis",
)
def softmax_over_the_queries(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e30)
    weights = scores.softmax(-2)
    return weights @ value, weights


@wrong(thinking="The weights come first, because they are computed first.", fails=("test_weights",))
def weights_come_first(query, key, value, mask=None):
    return attended(query, key, value, mask, math.sqrt(query.shape[-1]))[::-1]


@wrong(
    thinking="The mean is taken of what was compared.",
    fails=("test_output",),
    page="queries-keys-values#three-roles",
)
def mean_of_the_keys(query, key, value, mask=None):
    _, weights = attended(query, key, value, mask, math.sqrt(query.shape[-1]))
    mixed = weights @ key
    return F.pad(mixed, (0, value.shape[-1]))[..., : value.shape[-1]], weights


@wrong(
    thinking="`.T` transposes.",
    fails=("test_dimensions_in_front",),
)
def transposes_everything(query, key, value, mask=None):
    scores = query @ key.permute(*range(key.dim() - 1, -1, -1)) / math.sqrt(query.shape[-1])
    if mask is None:
        return scores.softmax(-1) @ value, scores.softmax(-1)
    weights = scores.masked_fill(~mask, -1e30).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ value, weights


@wrong(
    thinking="As in torch's `attn_mask` of MultiheadAttention, True means that a place is hidden.",
    fails=("test_mask", "test_gradients_with_a_mask"),
    page="masks#two-conventions",
)
def true_means_hidden(query, key, value, mask=None):
    return attended(query, key, value, None if mask is None else ~mask, math.sqrt(query.shape[-1]))


@wrong(
    thinking="A score of zero is no score.",
    fails=("test_mask", "test_gradients_with_a_mask"),
    page="masks#score-of-zero",
)
def scores_times_the_mask(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    weights = (scores if mask is None else scores * mask).softmax(-1)
    return weights @ value, weights


@wrong(
    thinking="Hidden places get weight zero after the softmax.",
    fails=("test_mask", "test_gradients_with_a_mask"),
    page="masks#zeros-after",
)
def masked_after_the_softmax(query, key, value, mask=None):
    weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(-1)
    weights = weights if mask is None else weights * mask
    return weights @ value, weights


@wrong(
    thinking="Minus infinity gives a weight of zero.",
    fails=("test_nothing_allowed", "test_gradients_with_a_mask"),
    page="masks#sees-nothing",
)
def minus_infinity(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    weights = scores.softmax(-1)
    return weights @ value, weights


@wrong(
    thinking="A very low number gives a weight of zero, also when all are low.",
    fails=("test_nothing_allowed", "test_gradients_with_a_mask"),
    page="masks#sees-nothing",
)
def very_low_number(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -1e9)
    weights = scores.softmax(-1)
    return weights @ value, weights


@wrong(
    thinking="Minus infinity is added where nothing may be seen, and a `nan` is replaced by zero.",
    fails=("test_gradients_with_a_mask",),
    page="masks#sees-nothing",
)
def replaces_the_nan(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores + torch.zeros(mask.shape).masked_fill(~mask, -math.inf)
    weights = torch.nan_to_num(scores.softmax(-1))
    return weights @ value, weights


@wrong(
    thinking="A softmax is an exponential divided by the sum of exponentials.",
    fails=("test_large_scores",),
)
def plain_exponentials(query, key, value, mask=None):
    powers = torch.exp(query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1]))
    powers = powers if mask is None else powers * mask
    weights = powers / powers.sum(-1, keepdim=True).clamp(min=1e-30)
    return weights @ value, weights


@wrong(
    thinking="Weights are only looked at, so they need no gradient.",
    fails=("test_gradients",),
)
def detached_weights(query, key, value, mask=None):
    output, weights = attended(query, key, value, mask, math.sqrt(query.shape[-1]))
    return output, weights.detach()


@wrong(
    thinking="The query is scaled where it stands, which saves memory.",
    fails=("test_inputs_untouched", "test_gradients"),
)
def scales_the_query_in_place(query, key, value, mask=None):
    query /= math.sqrt(query.shape[-1])
    return attended(query, key, value, mask, 1.0)


@wrong(thinking="No score is as low as a thousand below zero.", fails=("test_large_scores",))
def not_low_enough(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is None:
        return scores.softmax(-1) @ value, scores.softmax(-1)
    weights = scores.masked_fill(~mask, -1e3).softmax(-1).masked_fill(~mask, 0.0)
    return weights @ value, weights


@wrong(thinking="The mask is turned round where it stands.", fails=("test_inputs_untouched",))
def turns_the_mask_round_in_place(query, key, value, mask=None):
    if mask is not None:
        mask = ~mask.logical_not_()
        return attended(query, key, value, mask, math.sqrt(query.shape[-1]))
    return attended(query, key, value, None, math.sqrt(query.shape[-1]))


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="einsum, and a logarithm of the sum in float64.")
def einsum_in_float64(query, key, value, mask=None):
    scores = torch.einsum("...qd,...kd->...qk", query.double(), key.double()) / query.size(-1) ** 0.5
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask.expand(scores.shape)
    low = torch.where(allowed, scores, -1e300)
    weights = torch.where(allowed, torch.exp(low - low.logsumexp(-1, keepdim=True)), 0.0)
    return torch.einsum("...qk,...kd->...qd", weights, value.double()), weights


@right(
    looks="Query and key are both scaled by the fourth root; exponentials with the largest score taken off."
)
def exponentials_by_hand(query, key, value, mask=None):
    root = query.shape[-1] ** 0.25
    scores = torch.matmul(query / root, (key / root).mT)
    allowed = torch.tensor(1.0) if mask is None else mask.float()
    largest = scores.masked_fill(allowed == 0, -1e30).amax(-1, keepdim=True).detach()
    powers = torch.exp((scores - largest).clamp(max=0)) * allowed
    weights = powers / powers.sum(-1, keepdim=True).clamp(min=1e-20)
    return weights.matmul(value), weights


@right(looks="An additive mask of large negative numbers, and rows without hope multiplied by zero.")
def additive_mask(query, key, value, mask=None):
    scores = query.matmul(key.transpose(-1, -2)).div(math.sqrt(key.shape[-1]))
    if mask is None:
        weights = F.softmax(scores, dim=-1)
    else:
        bias = torch.zeros(mask.shape).masked_fill(mask.logical_not(), -1e30)
        weights = F.softmax(scores + bias, dim=-1) * mask.any(-1, keepdim=True)
    return torch.matmul(weights, value), weights


@right(
    looks="Minus infinity written over hidden scores, and the `nan` replaced: no gradient comes through there."
)
def writes_minus_infinity(query, key, value, mask=None):
    scores = query @ key.transpose(-2, -1) * query.shape[-1] ** -0.5
    scores = scores if mask is None else torch.where(mask, scores, -math.inf)
    weights = scores.softmax(-1).nan_to_num()
    return weights @ value, weights


@right(looks="Loops over the queries of each text.")
def loops(query, key, value, mask=None):
    front = query.shape[:-2]
    allowed = torch.ones(*front, query.shape[-2], key.shape[-2], dtype=torch.bool)
    allowed = allowed if mask is None else mask.expand(allowed.shape)
    outputs, shares = [], []
    for q, k, v, m in zip(
        query.flatten(0, -3) if front else query[None],
        key.flatten(0, -3) if front else key[None],
        value.flatten(0, -3) if front else value[None],
        allowed.flatten(0, -3) if front else allowed[None],
        strict=True,
    ):
        for row, seen in zip(q, m, strict=True):
            weights = torch.zeros(len(k)) + 0 * row.sum()
            if seen.any():
                weights = weights.masked_scatter(seen, torch.softmax(k[seen] @ row / len(row) ** 0.5, 0))
            shares.append(weights)
            outputs.append(weights @ v)
    shape = *front, query.shape[-2]
    return torch.stack(outputs).view(*shape, -1), torch.stack(shares).view(*shape, -1)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(query, key, value, mask=None):
    weights = (query @ key.transpose(-2, -1)) * 0
    return weights @ value, weights


@cheat(kind="input")
def its_own_input(query, key, value, mask=None):
    return value, query


@cheat(kind="noise")
def noise(query, key, value, mask=None):
    weights = torch.rand_like(query @ key.transpose(-2, -1))
    weights = weights / weights.sum(-1, keepdim=True)
    return weights @ value, weights


@cheat(kind="remembered")
def remembered(query, key, value, mask=None, memory=[]):  # noqa: B006
    if not memory:
        weights = (query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])).softmax(-1)
        memory.append((weights @ value, weights))
    return memory[0]
