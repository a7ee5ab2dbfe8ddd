"""Known answers to `glove_loss`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {
    "`2.0` for `1.0` (2)": "the logarithm taken for a count of 0 has weight 0, as long as it is finite",
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """Loss and gradients for a batch of random size, with small, large and zero counts."""
    rng = torch.Generator().manual_seed(seed)
    batch, width = (torch.randint(1, 8, (2,), generator=rng)).tolist()
    vectors = [torch.randn(batch, width, generator=rng) for _ in range(2)]
    biases = [torch.randn(batch, generator=rng) for _ in range(2)]
    leaves = [each.requires_grad_() for each in (*vectors, *biases)]
    counts = 10 ** (4 * torch.rand(batch, generator=rng) - 1)  # from 0.1 to 1000
    counts[torch.rand(batch, generator=rng) < 0.3] = 0
    loss = student.glove_loss(*leaves, counts, **({"maximum": 30.0, "power": 0.6} if seed % 2 else {}))
    return loss.detach(), *torch.autograd.grad(loss, leaves)


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="The logarithm of 0 is avoided by adding 1 to every count.",
    fails=("test_one_entry",),
    page="glove#glove-log-of-zero",
)
def log_of_one_more(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.log1p(counts)
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="`log` is the logarithm to the base 10, as on a calculator.",
    fails=("test_one_entry",),
)
def log_to_base_ten(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    logs = torch.where(counts > 0, counts, 1.0).log10()
    errors = (word * context).sum(-1) + word_bias + context_bias - logs
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="An error is how far off the model is, so its size is taken.",
    fails=("test_one_entry",),
)
def absolute_error(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    logs = torch.where(counts > 0, counts, 1.0).log()
    errors = (word * context).sum(-1) + word_bias + context_bias - logs
    return ((counts / maximum).clamp(max=1) ** power * errors.abs()).mean()


@wrong(
    thinking="The dot product should be the logarithm of the count.",
    fails=("test_biases",),
)
def no_biases(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) - torch.where(counts > 0, counts, 1.0).log()
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="A linear model has one bias.",
    fails=("test_biases",),
)
def one_bias(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias - torch.where(counts > 0, counts, 1.0).log()
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="It is least squares; the weights only make it faster.",
    fails=("test_weight", "test_zero_counts", "test_zero_gradients"),
    page="glove#why-weights",
)
def no_weights(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    return (errors**2).mean()


@wrong(
    thinking="The weight is the count, divided and raised to the power.",
    fails=("test_weight",),
    page="glove#why-weights",
)
def weight_without_a_bound(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    return ((counts / maximum) ** power * errors**2).mean()


@wrong(
    thinking="The authors use 100 and 3/4, so these are the numbers.",
    fails=("test_weight",),
    page="glove#x-max",
)
def numbers_of_the_paper(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    return ((counts / 100).clamp(max=1) ** 0.75 * errors**2).mean()


@wrong(
    thinking="A weighted mean is divided by the sum of its weights.",
    fails=("test_weight", "test_zero_counts"),
)
def weighted_mean(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    weights = (counts / maximum).clamp(max=1) ** power
    return (weights * errors**2).sum() / weights.sum()


@wrong(
    thinking="The paper adds up over the table.",
    fails=("test_batch",),
)
def sum_over_the_batch(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    return ((counts / maximum).clamp(max=1) ** power * errors**2).sum()


@wrong(
    thinking="The scores of a batch are one matrix product.",
    fails=("test_batch",),
)
def every_word_with_every_context(
    word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75
):
    errors = word @ context.T + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="A bound at 1 keeps the logarithm from going wrong.",
    fails=("test_small_counts",),
    page="glove#glove-log-of-zero",
)
def no_count_below_one(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - counts.clamp(min=1).log()
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="The weight of a zero is zero, so its logarithm does not matter.",
    fails=("test_zero_counts", "test_zero_gradients"),
    page="glove#glove-log-of-zero",
)
def zero_times_infinity(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - counts.log()
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="A tiny number inside the logarithm keeps it finite, and it changes nothing else.",
    fails=("test_small_counts",),
    page="glove#glove-log-of-zero",
)
def half_inside_the_logarithm(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (
        (word * context).sum(-1)
        + word_bias
        + context_bias
        - torch.where(counts < 1, counts + 0.5, counts).log()
    )
    return ((counts / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="Each entry has its loss, and who trains takes the mean.",
    fails=("test_one_number",),
)
def a_loss_for_each_entry(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    return (counts / maximum).clamp(max=1) ** power * errors**2


@wrong(
    thinking="The sum of the paper runs over the entries that are not zero, so only these are averaged.",
    fails=("test_zero_counts",),
)
def mean_over_the_others(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    seen = counts > 0
    said = (word * context).sum(-1) + word_bias + context_bias
    errors = said[seen] - counts[seen].log()
    return ((counts[seen] / maximum).clamp(max=1) ** power * errors**2).mean()


@wrong(
    thinking="What is not a number is replaced by 0 at the end.",
    fails=("test_zero_gradients",),
    page="glove#glove-log-of-zero",
)
def repaired_at_the_end(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - counts.log()
    costs = (counts / maximum).clamp(max=1) ** power * errors**2
    return torch.where(counts > 0, costs, 0.0).mean()


@wrong(
    thinking="A loss is a number, and `item` makes a number.",
    fails=("test_gradients",),
)
def number_without_a_graph(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    errors = (word * context).sum(-1) + word_bias + context_bias - torch.where(counts > 0, counts, 1.0).log()
    return torch.tensor(((counts / maximum).clamp(max=1) ** power * errors**2).mean().item())


@wrong(
    thinking="The zeros are replaced where they stand, after the weights are known.",
    fails=("test_inputs_untouched",),
)
def zeros_replaced_in_place(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    weights = (counts / maximum).clamp(max=1) ** power
    counts[counts == 0] = 1
    errors = (word * context).sum(-1) + word_bias + context_bias - counts.log()
    return (weights * errors**2).mean()


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="A Python loop over the entries that are not zero.")
def loops(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    total = (word.sum() + context.sum() + word_bias.sum() + context_bias.sum()) * 0
    for b, x in enumerate(counts.tolist()):
        if x > 0:
            said = torch.dot(word[b], context[b]) + word_bias[b] + context_bias[b]
            total = total + min(1.0, x / maximum) ** power * (said - math.log(x)) ** 2
    return total / len(counts)


@right(looks="einsum in float64; the bound after the power; a tiny bound inside the logarithm.")
def einsum_in_float64(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    x = counts.double()
    said = torch.einsum("bd,bd->b", word.double(), context.double()) + word_bias + context_bias
    weights = torch.minimum(torch.ones(()), (x / maximum).pow(power))
    return torch.dot(weights, (said - torch.log(x.clamp(min=1e-12))).square()) / x.numel()


@right(
    looks="The infinity is replaced right after the logarithm, before any error; `mse_loss` without a mean."
)
def infinity_replaced_at_once(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    logs = torch.log(counts).nan_to_num(neginf=0.0)
    said = torch.linalg.vecdot(word, context).add(word_bias).add(context_bias)
    costs = F.mse_loss(said, logs, reduction="none")
    return torch.mean(costs * torch.where(counts < maximum, (counts / maximum) ** power, 1.0))


@right(looks="Only the entries that are not zero, summed and divided by all.")
def chosen_entries(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    seen = counts.nonzero().squeeze(1)
    pairs = torch.bmm(word[seen].unsqueeze(1), context[seen].unsqueeze(2)).flatten()
    errors = (word_bias + context_bias)[seen] + pairs - counts[seen].log()
    weights = (power * (counts[seen].log() - math.log(maximum))).clamp(max=0).exp()
    return (weights * errors * errors).sum() / counts.shape[0]


@right(looks="The root of the weight goes into the error; a masked fill on a copy.")
def root_of_the_weight(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    x = counts.clone().masked_fill_(counts == 0, math.e)
    root = torch.clamp_max(counts / maximum, 1) ** (power / 2)
    parts = nn.functional.cosine_similarity(word, context) * word.norm(dim=1) * context.norm(dim=1)
    return (((parts + word_bias + context_bias - x.log()) * root) ** 2).mean(dim=0)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zero(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    return (word.sum() + context.sum() + word_bias.sum() + context_bias.sum()) * 0


@cheat(kind="input")
def its_own_input(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    return word_bias


@cheat(kind="noise")
def noise(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75):
    return torch.rand(()) + (word.sum() + context.sum() + word_bias.sum() + context_bias.sum()) * 0


@cheat(kind="remembered")
def remembered(word, context, word_bias, context_bias, counts, *, maximum=100.0, power=0.75, memory=[]):  # noqa: B006
    if not memory:
        errors = (word * context).sum(-1) + word_bias + context_bias
        errors = errors - torch.where(counts > 0, counts, 1.0).log()
        memory.append(((counts / maximum).clamp(max=1) ** power * errors**2).mean().detach())
    return memory[0] + (word.sum() + context.sum() + word_bias.sum() + context_bias.sum()) * 0
