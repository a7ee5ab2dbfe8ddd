"""Known answers to `additive_attention`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {
    "`values` for `keys` in `keys.shape`": "there is one value for each key",
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """Context, weights and gradients for random sizes; with a mask in two of three."""
    rng = torch.Generator().manual_seed(seed)
    batch, places, *widths = (int(each) + 1 for each in torch.randint(6, (6,), generator=rng))
    a, b, c, units = widths
    shapes = ((batch, a), (batch, places, b), (batch, places, c), (units, a), (units, b), (units,))
    leaves = [torch.randn(shape, generator=rng).requires_grad_() for shape in shapes]
    mask = torch.rand(batch, places, generator=rng) < 0.6 if seed % 3 else None
    context, weights = student.additive_attention(*leaves, mask)
    total = (context * torch.randn(context.shape, generator=rng)).sum() + weights.square().sum()
    gradients = torch.autograd.grad(total, leaves, allow_unused=True)
    return context.detach(), weights.detach(), *gradients


# --- Wrong -----------------------------------------------------------------------------------------------


def attended(scores, values, mask):
    """Right, once there are scores (B, T)."""
    if mask is None:
        weights = scores.softmax(1)
    else:
        weights = scores.masked_fill(~mask, -1e30).softmax(1).masked_fill(~mask, 0.0)
    return (weights.unsqueeze(2) * values).sum(1), weights


def scored(query, keys, w_query, w_key, v):
    """Right: the scores (B, T)."""
    return torch.tanh((query @ w_query.T)[:, None] + keys @ w_key.T) @ v


@wrong(thinking="The network is linear: map, add, multiply.", fails=("test_weights",))
def without_tanh(query, keys, values, w_query, w_key, v, mask=None):
    return attended(((query @ w_query.T)[:, None] + keys @ w_key.T) @ v, values, mask)


@wrong(thinking="Mapped query and mapped key are multiplied.", fails=("test_weights",))
def multiplicative(query, keys, values, w_query, w_key, v, mask=None):
    return attended(torch.tanh((query @ w_query.T)[:, None] * (keys @ w_key.T)) @ v, values, mask)


@wrong(thinking="Each part has its tanh.", fails=("test_weights",))
def tanh_of_each(query, keys, values, w_query, w_key, v, mask=None):
    return attended((torch.tanh(query @ w_query.T)[:, None] + torch.tanh(keys @ w_key.T)) @ v, values, mask)


@wrong(thinking="Scores are scaled by the root of the width.", fails=("test_weights",))
def scaled(query, keys, values, w_query, w_key, v, mask=None):
    return attended(scored(query, keys, w_query, w_key, v) / math.sqrt(len(v)), values, mask)


@wrong(thinking="The weights come first.", fails=("test_weights",))
def weights_come_first(query, keys, values, w_query, w_key, v, mask=None):
    return attended(scored(query, keys, w_query, w_key, v), values, mask)[::-1]


@wrong(
    thinking="The places stand in the first dimension.", fails=("test_weights",), page="alignment#wrong-axis"
)
def softmax_over_the_texts(query, keys, values, w_query, w_key, v, mask=None):
    weights = scored(query, keys, w_query, w_key, v).softmax(0)
    return (weights.unsqueeze(2) * values).sum(1), weights


@wrong(
    thinking="The mean is taken of what was compared.",
    fails=("test_context",),
    page="queries-keys-values#three-roles",
)
def mean_of_the_keys(query, keys, values, w_query, w_key, v, mask=None):
    width = values.shape[2]
    return attended(scored(query, keys, w_query, w_key, v), F.pad(keys, (0, width))[..., :width], mask)


@wrong(thinking="The first query asks for all.", fails=("test_texts_stay_apart",))
def one_query_for_all(query, keys, values, w_query, w_key, v, mask=None):
    return attended(scored(query[:1], keys, w_query, w_key, v), values, mask)


@wrong(
    thinking="True means hidden.",
    fails=("test_mask", "test_gradients_with_a_mask"),
    page="masks#two-conventions",
)
def true_means_hidden(query, keys, values, w_query, w_key, v, mask=None):
    return attended(scored(query, keys, w_query, w_key, v), values, None if mask is None else ~mask)


@wrong(
    thinking="Hidden places get weight zero after the softmax.",
    fails=("test_mask", "test_gradients_with_a_mask"),
    page="masks#zeros-after",
)
def masked_after_the_softmax(query, keys, values, w_query, w_key, v, mask=None):
    weights = scored(query, keys, w_query, w_key, v).softmax(1)
    weights = weights if mask is None else weights * mask
    return (weights.unsqueeze(2) * values).sum(1), weights


@wrong(
    thinking="Minus infinity gives weight zero.",
    fails=("test_nothing_allowed", "test_gradients_with_a_mask"),
    page="masks#sees-nothing",
)
def minus_infinity(query, keys, values, w_query, w_key, v, mask=None):
    scores = scored(query, keys, w_query, w_key, v)
    weights = (scores if mask is None else scores.masked_fill(~mask, -math.inf)).softmax(1)
    return (weights.unsqueeze(2) * values).sum(1), weights


@wrong(
    thinking="Minus infinity is added, and a `nan` is replaced.",
    fails=("test_gradients_with_a_mask",),
    page="masks#sees-nothing",
)
def replaces_the_nan(query, keys, values, w_query, w_key, v, mask=None):
    scores = scored(query, keys, w_query, w_key, v)
    if mask is not None:
        scores = scores + torch.zeros(mask.shape).masked_fill(~mask, -math.inf)
    weights = scores.softmax(1).nan_to_num()
    return (weights.unsqueeze(2) * values).sum(1), weights


@wrong(thinking="Weights are only looked at.", fails=("test_gradients",))
def detached_weights(query, keys, values, w_query, w_key, v, mask=None):
    context, weights = attended(scored(query, keys, w_query, w_key, v), values, mask)
    return context, weights.detach()


@wrong(
    thinking="Hidden keys are set to zero first.",
    fails=("test_inputs_untouched", "test_gradients_with_a_mask"),
)
def clears_hidden_keys(query, keys, values, w_query, w_key, v, mask=None):
    if mask is not None:
        with torch.no_grad():
            keys[~mask] = 0.0
            values[~mask] = 0.0
    if mask is not None and query.requires_grad:
        query = query * 1.5
    return attended(scored(query, keys, w_query, w_key, v), values, mask)


@wrong(thinking="A score of minus twenty is low.", fails=("test_mask",))
def not_low_enough(query, keys, values, w_query, w_key, v, mask=None):
    scores = torch.tanh((query @ w_query.T)[:, None] + keys @ w_key.T) @ v
    if mask is None:
        weights = scores.softmax(-1)
    else:
        weights = scores.masked_fill(~mask, -20.0).softmax(-1).masked_fill(~mask, 0.0)
    return (weights[..., None] * values).sum(1), weights


@wrong(thinking="A small number below the fraction line forbids a division by zero.", fails=("test_mask",))
def small_number_in_the_denominator(query, keys, values, w_query, w_key, v, mask=None):
    powers = torch.exp(torch.tanh((query @ w_query.T)[:, None] + keys @ w_key.T) @ v)
    powers = powers if mask is None else powers * mask
    weights = powers / (powers.sum(-1, keepdim=True) + 1e-9)
    return (weights[..., None] * values).sum(1), weights


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="einsum in float64, and a logarithm of the sum.")
def einsum_in_float64(query, keys, values, w_query, w_key, v, mask=None):
    hidden = torch.einsum("bq,aq->ba", query.double(), w_query.double()).unsqueeze(1)
    hidden = hidden + torch.einsum("btk,ak->bta", keys.double(), w_key.double())
    scores = torch.einsum("bta,a->bt", hidden.tanh(), v.double())
    allowed = torch.ones_like(scores, dtype=torch.bool) if mask is None else mask
    low = torch.where(allowed, scores, -1e300)
    weights = torch.where(allowed, torch.exp(low - low.logsumexp(1, keepdim=True)), 0.0)
    return torch.einsum("bt,btd->bd", weights, values.double()), weights


@right(looks="Linear layers by function, a batched matrix product at the end.")
def linear_layers(query, keys, values, w_query, w_key, v, mask=None):
    hidden = torch.tanh(F.linear(keys, w_key).add(F.linear(query, w_query).unsqueeze(1)))
    scores = F.linear(hidden, v[None]).squeeze(-1)
    if mask is not None:
        scores = scores.where(mask, torch.full((), -1e9))
    weights = F.softmax(scores, dim=-1) * (1.0 if mask is None else mask.float())
    return torch.bmm(weights[:, None], values)[:, 0], weights


@right(looks="One text after the other, hidden places left out.")
def loops(query, keys, values, w_query, w_key, v, mask=None):
    contexts, shares = [], []
    for row in range(len(query)):
        seen = torch.ones(keys.shape[1], dtype=torch.bool) if mask is None else mask[row]
        energies = torch.tanh(w_query @ query[row] + keys[row] @ w_key.T) @ v
        powers = torch.exp(energies - energies.max().detach()) * seen
        total = powers.sum()
        share = powers / total if seen.any() else powers * 0
        shares.append(share)
        contexts.append(share @ values[row])
    return torch.stack(contexts), torch.stack(shares)


@right(looks="Query and key in one vector, with one matrix.")
def one_matrix(query, keys, values, w_query, w_key, v, mask=None):
    both = torch.cat([query.unsqueeze(1).expand(-1, keys.shape[1], -1), keys], dim=2)
    scores = (both @ torch.cat([w_query, w_key], dim=1).T).tanh().mul(v).sum(2)
    weights = scores.softmax(1) if mask is None else (scores + (mask.float() - 1) * 1e9).softmax(1) * mask
    return weights.unsqueeze(1).matmul(values).squeeze(1), weights


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(query, keys, values, w_query, w_key, v, mask=None):
    context, weights = attended(scored(query, keys, w_query, w_key, v), values, mask)
    return context * 0, weights * 0


@cheat(kind="input")
def its_own_input(query, keys, values, w_query, w_key, v, mask=None):
    return query, keys


@cheat(kind="noise")
def noise(query, keys, values, w_query, w_key, v, mask=None):
    return attended(torch.randn(keys.shape[:2]), values, mask)


@cheat(kind="remembered")
def remembered(query, keys, values, w_query, w_key, v, mask=None, memory=[]):  # noqa: B006
    if not memory:
        memory.append(attended(scored(query, keys, w_query, w_key, v), values, mask))
    return memory[0]
