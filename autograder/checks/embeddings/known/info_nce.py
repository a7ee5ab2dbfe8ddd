"""Known answers to `info_nce`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Loss with a temperature and with the default one, and gradients, for a batch of random size."""
    rng = torch.Generator().manual_seed(seed)
    batch, width = torch.randint(1, 8, (2,), generator=rng).tolist()
    leaves = [torch.randn(batch, width, generator=rng).requires_grad_() for _ in range(2)]
    loss = student.info_nce(*leaves, 0.5)
    return loss.detach(), student.info_nce(*leaves).detach(), *torch.autograd.grad(loss, leaves)


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="The own key is the right answer, so below the line stand the negatives only.",
    fails=("test_plain_batch",),
)
def own_key_not_below_the_line(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    own = torch.eye(len(scores), dtype=torch.bool)
    negatives = scores.masked_fill(own, -torch.inf)
    return (negatives.logsumexp(dim=1) - scores.diagonal()).mean()


@wrong(
    thinking="The right class is the first one, as in skip-gram with its negatives behind it.",
    fails=("test_plain_batch",),
)
def first_key_is_right(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    return F.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long))


@wrong(
    thinking="Each pair of a query and a key is real or not: a yes or no for each, as in skip-gram.",
    fails=("test_plain_batch",),
)
def yes_or_no_for_each(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    return F.binary_cross_entropy_with_logits(scores, torch.eye(len(scores)))


@wrong(
    thinking="Near means a small distance, so the scores are minus the distances.",
    fails=("test_plain_batch",),
)
def distances_as_scores(queries, keys, temperature=0.05):
    scores = -torch.cdist(F.normalize(queries, dim=-1), F.normalize(keys, dim=-1)) / temperature
    return F.cross_entropy(scores, torch.arange(len(scores)))


@wrong(
    thinking="The table of scores is keys times queries, and the softmax goes over the last dimension.",
    fails=("test_queries_choose",),
)
def keys_choose(queries, keys, temperature=0.05):
    scores = F.normalize(keys, dim=-1) @ F.normalize(queries, dim=-1).T / temperature
    return F.cross_entropy(scores, torch.arange(len(scores)))


@wrong(
    thinking="The softmax of a table is taken over dimension 0, which comes first.",
    fails=("test_queries_choose",),
)
def softmax_over_dimension_zero(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    return -torch.log_softmax(scores, dim=0).diagonal().mean()


@wrong(
    thinking="Each query has its loss, and who trains takes the mean.",
    fails=("test_one_number",),
)
def a_loss_for_each_query(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    return scores.logsumexp(dim=1) - scores.diagonal()


@wrong(
    thinking="As in CLIP, both directions count, and their mean is taken.",
    fails=("test_queries_choose",),
)
def both_choose(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    own = torch.arange(len(scores))
    return (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2


@wrong(
    thinking="Similarity is the dot product, as in skip-gram.",
    fails=("test_lengths",),
)
def dot_products(queries, keys, temperature=0.05):
    scores = queries @ keys.T / temperature
    return F.cross_entropy(scores, torch.arange(len(scores)))


@wrong(
    thinking="A query's own length is the same for all keys, so only the keys are scaled.",
    fails=("test_lengths",),
)
def only_keys_scaled(queries, keys, temperature=0.05):
    scores = queries @ F.normalize(keys, dim=-1).T / temperature
    return F.cross_entropy(scores, torch.arange(len(scores)))


@wrong(
    thinking="A low temperature makes things cool, so scores are multiplied by it.",
    fails=("test_temperature",),
    page="sentences#temperature",
)
def multiplies_by_the_temperature(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T * temperature
    return F.cross_entropy(scores, torch.arange(len(scores)))


@wrong(
    thinking="The temperature is a factor of the loss.",
    fails=("test_temperature",),
    page="sentences#temperature",
)
def divides_the_loss(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T
    return F.cross_entropy(scores, torch.arange(len(scores))) / temperature


@wrong(
    thinking="The losses of all queries are added.",
    fails=("test_mean",),
)
def sum_over_the_batch(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    return F.cross_entropy(scores, torch.arange(len(scores)), reduction="sum")


@wrong(
    thinking="`squeeze` tidies up the dimensions of size 1.",
    fails=("test_mean",),
)
def squeezes_a_single_pair(queries, keys, temperature=0.05):
    scores = F.cosine_similarity(queries.unsqueeze(1), keys.unsqueeze(0), dim=-1).squeeze() / temperature
    return F.cross_entropy(scores, torch.arange(len(queries)))


@wrong(
    thinking="The formula says log of a quotient, so first the softmax, then the logarithm.",
    fails=("test_small_temperature",),
    page="skip-gram#overflow",
)
def log_of_the_softmax(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    return -torch.log(torch.softmax(scores, dim=1).diagonal()).mean()


@wrong(
    thinking="Infinity is avoided by adding something tiny before the logarithm.",
    fails=("test_small_temperature",),
    page="skip-gram#overflow",
)
def tiny_number_before_the_logarithm(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
    return -torch.log(torch.softmax(scores, dim=1).diagonal() + 1e-9).mean()


@wrong(
    thinking="e to the power of a number that is too large is avoided with float64.",
    fails=("test_small_temperature",),
    page="skip-gram#overflow",
)
def float64_to_the_letter(queries, keys, temperature=0.05):
    scores = F.normalize(queries.double(), dim=-1) @ F.normalize(keys.double(), dim=-1).T / temperature
    powers = torch.exp(scores)
    return -torch.log(powers.diagonal() / powers.sum(dim=1)).mean()


@wrong(
    thinking="The keys are what should be found, so they stay where they are.",
    fails=("test_gradients",),
)
def keys_detached(queries, keys, temperature=0.05):
    scores = F.normalize(queries, dim=-1) @ F.normalize(keys.detach(), dim=-1).T / temperature
    return F.cross_entropy(scores, torch.arange(len(scores)))


@wrong(
    thinking="The arguments are scaled where they stand.",
    fails=("test_gradients", "test_inputs_untouched"),
)
def scales_in_place(queries, keys, temperature=0.05):
    queries /= queries.norm(dim=1, keepdim=True)
    keys /= keys.norm(dim=1, keepdim=True)
    return F.cross_entropy(queries @ keys.T / temperature, torch.arange(len(queries)))


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Plain loops over queries and keys, and the largest score taken out by hand.")
def loops(queries, keys, temperature=0.05):
    total = torch.zeros(())
    for i, query in enumerate(queries):
        scores = []
        for key in keys:
            scores.append(torch.dot(query, key) / (query.norm() * key.norm()) / temperature)
        largest = max(score.item() for score in scores)
        below = sum(torch.exp(score - largest) for score in scores)
        total = total + torch.log(below) + largest - scores[i]
    return total / len(queries)


@right(looks="einsum in float64, then logsumexp minus the diagonal.")
def einsum_in_float64(queries, keys, temperature=0.05):
    q, k = (each.double() / each.double().norm(dim=1, keepdim=True) for each in (queries, keys))
    scores = torch.einsum("id,jd->ij", q, k) / temperature
    return (torch.logsumexp(scores, dim=1) - torch.einsum("ii->i", scores)).mean()


@right(looks="Squared distances: among vectors of length 1 they are 2 minus two cosines.")
def squared_distances(queries, keys, temperature=0.05):
    q, k = F.normalize(queries), F.normalize(keys)
    scores = -(q.unsqueeze(1) - k.unsqueeze(0)).square().sum(dim=-1) / (2 * temperature)
    return -F.log_softmax(scores, dim=-1).diagonal().mean()


@right(looks="Keys times queries, softmax down the columns, and the lengths divided out afterwards.")
def down_the_columns(queries, keys, temperature=0.05):
    scores = (keys @ queries.T) / torch.outer(keys.norm(dim=1), queries.norm(dim=1)) / temperature
    said = torch.log_softmax(scores, dim=0)
    return -torch.trace(said) / said.shape[0]


@right(looks="Differences to the own score; its own difference is the 0 in logsumexp.")
def differences(queries, keys, temperature=0.05):
    scores = F.cosine_similarity(queries[:, None], keys[None], dim=-1).div(temperature)
    return (scores - scores.diagonal().unsqueeze(1)).logsumexp(1).sum() / scores.size(0)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zero(queries, keys, temperature=0.05):
    return (queries.sum() + keys.sum()) * 0


@cheat(kind="input")
def its_own_input(queries, keys, temperature=0.05):
    return queries


@cheat(kind="noise")
def noise(queries, keys, temperature=0.05):
    return torch.rand(()) + (queries.sum() + keys.sum()) * 0


@cheat(kind="remembered")
def remembered(queries, keys, temperature=0.05, memory=[]):  # noqa: B006
    if not memory:
        scores = F.normalize(queries, dim=-1) @ F.normalize(keys, dim=-1).T / temperature
        memory.append((scores.logsumexp(dim=1) - scores.diagonal()).mean().detach())
    return memory[0] + (queries.sum() + keys.sum()) * 0
