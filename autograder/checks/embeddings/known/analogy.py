"""Known answers to `analogy`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong

EQUIVALENT = {
    "`F.normalize(table)` for `F.normalize(table, dim=-1)`": (
        "the default is dimension 1, which is the last of a table's two"
    ),
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """Answers on a table of random size: one and several words, different and repeated ones, and the table after."""
    rng = torch.Generator().manual_seed(seed)
    size, width = (int(each) + 5 for each in torch.randint(9, (2,), generator=rng))
    table = torch.randn(size, width, generator=rng)
    a, b, c = torch.randperm(size, generator=rng)[:3].tolist()
    answers = [student.analogy(table, a, b, c)]
    answers += [student.analogy(table, *words, size - 3) for words in ((a, b, c), (a, b, a), (c, c, b))]
    return answers, table


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="a is to b as c is to d, so d is what is left of a and c when b is taken away.",
    fails=("test_target",),
)
def subtracts_the_wrong_word(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[a] - unit[b] + unit[c])
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="Sorting goes upwards, and the first of a sorted list is the best.",
    fails=("test_ranking",),
)
def sorts_upwards(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    order = (unit @ (unit[b] - unit[a] + unit[c])).argsort().tolist()
    return [word for word in order if word not in (a, b, c)][:k]


@wrong(
    thinking="The three words of the question come out first, so the first three places are dropped.",
    fails=("test_all_three_left_out",),
    page="what-vectors-know#input-words",
)
def drops_three_places(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    return (unit @ (unit[b] - unit[a] + unit[c])).topk(k + 3).indices[3:].tolist()


@wrong(
    thinking="The answer is one word, the one with the highest similarity.",
    fails=("test_number_of_answers",),
)
def one_word_only(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = -torch.inf
    return [scores.argmax().item()]


@wrong(
    thinking="Lengths do not matter for a cosine, so the vectors are added as they are.",
    fails=("test_scaled_before_adding",),
)
def adds_raw_vectors(table, a, b, c, k=1):
    scores = F.cosine_similarity(table, table[b] - table[a] + table[c], dim=-1)
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="The target is made of unit vectors, so a dot product with it is a cosine.",
    fails=("test_ranked_by_angle",),
)
def ranks_by_dot_product(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = table @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="Sums and dot products of the vectors as they stand in the table.",
    fails=("test_scaled_before_adding", "test_ranked_by_angle"),
)
def scales_nothing(table, a, b, c, k=1):
    scores = table @ (table[b] - table[a] + table[c])
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="The target is another point than the three words, so none of them can be the nearest.",
    fails=("test_start_left_out",),
    page="what-vectors-know#input-words",
)
def leaves_nothing_out(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    return (unit @ (unit[b] - unit[a] + unit[c])).topk(k).indices.tolist()


@wrong(
    thinking="Only c is in the way, because the target is near to it.",
    fails=("test_all_three_left_out",),
    page="what-vectors-know#input-words",
)
def leaves_out_the_start_only(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[c] = -torch.inf
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="a is subtracted, so it is far from the target, and only b and c have to be left out.",
    fails=("test_all_three_left_out",),
    page="what-vectors-know#input-words",
)
def leaves_out_two(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[b, c]] = -torch.inf
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="A cosine of 0 means unrelated, so a word that gets 0 is out of the running.",
    fails=("test_all_three_left_out",),
)
def puts_them_at_zero(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = 0
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="No cosine is below -1, so a word that gets -1 is out of the running.",
    fails=("test_all_three_left_out",),
)
def puts_them_at_minus_one(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = -1
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="The words of the question are multiplied by 0, and then nobody asks for them.",
    fails=("test_all_three_left_out",),
)
def multiplies_them_away(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    others = torch.ones(len(table))
    others[[a, b, c]] = 0
    scores = F.cosine_similarity(unit, unit[b] - unit[a] + unit[c], dim=-1) * others
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="The words of the question come out first, so as many places are dropped as there are such words.",
    fails=("test_all_three_left_out",),
    page="what-vectors-know#input-words",
)
def drops_as_many_places(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    count = len({a, b, c})
    return (unit @ (unit[b] - unit[a] + unit[c])).topk(k + count).indices[count:].tolist()


@wrong(
    thinking="Each of the three words is removed from the sorted list, and then it is gone.",
    fails=("test_left_out_by_number",),
)
def removes_each_once(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    order = (unit @ (unit[b] - unit[a] + unit[c])).argsort(descending=True).tolist()
    for word in (a, b, c):
        order.remove(word)
    return order[:k]


@wrong(
    thinking="A word of the question is known by its vector: whatever is equal to it goes.",
    fails=("test_left_out_by_number",),
)
def leaves_out_equal_vectors(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    for word in (a, b, c):
        scores[unit @ unit[word] > 0.9999] = -torch.inf
    return scores.topk(k).indices.tolist()


@wrong(
    thinking="A tensor of word numbers is as good as a list.",
    fails=("test_list",),
)
def numbers_as_tensor(table, a, b, c, k=1):
    unit = F.normalize(table, dim=-1)
    scores = unit @ (unit[b] - unit[a] + unit[c])
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices


@wrong(
    thinking="The vectors must have length 1, so the table is made so.",
    fails=("test_table_untouched",),
)
def scales_the_table_itself(table, a, b, c, k=1):
    table /= table.norm(dim=1, keepdim=True)
    scores = table @ (table[b] - table[a] + table[c])
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices.tolist()


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Python numbers only, one word after the other, in a sorted list.")
def word_by_word(table, a, b, c, k=1):
    unit = []
    for row in table.tolist():
        length = math.sqrt(sum(value * value for value in row))
        unit.append([value / length for value in row])
    target = [y - x + z for x, y, z in zip(unit[a], unit[b], unit[c], strict=True)]
    score = {}
    for word, row in enumerate(unit):
        if word not in {a, b, c}:
            score[word] = sum(value * other for value, other in zip(row, target, strict=True))
    return sorted(score, key=score.get, reverse=True)[:k]


@right(
    looks="Distances instead of similarities: among vectors of length 1 the nearest has the highest cosine."
)
def nearest_point(table, a, b, c, k=1):
    unit = table / table.norm(dim=1, keepdim=True)
    target = unit[b] - unit[a] + unit[c]
    distance = torch.cdist(unit.double(), target.double().unsqueeze(0)).squeeze(1)
    distance[torch.tensor([a, b, c])] = float("inf")
    return distance.argsort()[:k].tolist()


@right(looks="No target at all: three cosines of every word are added; the words are deleted before ranking.")
def three_cosines(table, a, b, c, k=1):
    def cosine(word):
        return F.cosine_similarity(table, table[word].unsqueeze(0), dim=1)

    scores = cosine(b) - cosine(a) + cosine(c)
    candidates = [word for word in range(len(table)) if word != a and word != b and word != c]
    ranked = scores[candidates].sort(descending=True).indices
    return [candidates[place] for place in ranked[:k]]


@right(looks="NumPy in float64; takes enough places and skips the words of the question.")
def numpy_and_skip(table, a, b, c, k=1):
    rows = table.numpy().astype("float64")
    rows = rows / (rows**2).sum(axis=1, keepdims=True) ** 0.5
    order = (-(rows @ (rows[b] + rows[c] - rows[a]))).argsort(kind="stable")
    found = []
    for word in order:
        if int(word) in (a, b, c):
            continue
        found.append(int(word))
        if len(found) == k:
            break
    return found


@right(looks="einsum, a scaled target, and a mask.")
def einsum_and_mask(table, a, b, c, k=1):
    unit = torch.einsum("vd,v->vd", table, table.square().sum(dim=1).rsqrt())
    target = F.normalize(unit[b] - unit[a] + unit[c], dim=0)
    allowed = torch.ones(len(table), dtype=torch.bool)
    for word in (a, b, c):
        allowed[word] = False
    scores = torch.where(allowed, torch.einsum("vd,d->v", unit, target), torch.tensor(-2.0))
    return [int(word) for word in torch.topk(scores, k)[1]]


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(table, a, b, c, k=1):
    return [0] * k


@cheat(kind="input")
def its_own_input(table, a, b, c, k=1):
    return ([b, c, a] * k)[:k]


@cheat(kind="noise")
def noise(table, a, b, c, k=1):
    order = torch.randperm(len(table)).tolist()
    return [word for word in order if word not in (a, b, c)][:k]


@cheat(kind="remembered")
def remembered(table, a, b, c, k=1, memory=[]):  # noqa: B006
    if not memory:
        unit = F.normalize(table, dim=-1)
        order = (unit @ (unit[b] - unit[a] + unit[c])).argsort(descending=True).tolist()
        memory.extend(word for word in order if word not in (a, b, c))
    return memory[:k]
