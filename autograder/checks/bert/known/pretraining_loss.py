"""Known answers to `pretraining_loss`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The loss of a random batch, and its gradients."""
    rng = torch.Generator().manual_seed(seed)
    texts, length, size = (int(each) + 2 for each in torch.randint(6, (3,), generator=rng))
    mlm_logits = torch.randn(texts, length, size, generator=rng).requires_grad_()
    nsp_logits = torch.randn(texts, 2, generator=rng).requires_grad_()
    labels = torch.randint(size, (texts, length), generator=rng)
    labels[torch.rand(texts, length, generator=rng) < (seed % 4) / 3] = -100
    is_next = torch.rand(texts, generator=rng) < 0.5
    loss = student.pretraining_loss(mlm_logits, labels, nsp_logits, is_next)
    return loss.detach(), *torch.autograd.grad(loss, (mlm_logits, nsp_logits))


# --- Wrong -----------------------------------------------------------------------------------------------


def words_loss(mlm_logits, labels):
    """The first part, as it should be."""
    losses = F.cross_entropy(mlm_logits.transpose(1, 2), labels, reduction="none")
    return losses.sum() / (labels != -100).sum().clamp(min=1)


def pairs_loss(nsp_logits, is_next):
    """The second part, as it should be."""
    return F.cross_entropy(nsp_logits, 1 - is_next.long())


@wrong(thinking="`cross_entropy` takes the mean by itself.", fails=("test_nothing_asked",))
def mean_over_nothing(mlm_logits, labels, nsp_logits, is_next):
    words = F.cross_entropy(mlm_logits.reshape(-1, mlm_logits.shape[-1]), labels.reshape(-1))
    return words + pairs_loss(nsp_logits, is_next)


@wrong(
    thinking="What is no number is a zero, so it can be replaced afterwards.", fails=("test_nothing_asked",)
)
def repaired_afterwards(mlm_logits, labels, nsp_logits, is_next):
    words = F.cross_entropy(mlm_logits.transpose(1, 2), labels)
    return torch.nan_to_num(words + pairs_loss(nsp_logits, is_next))


@wrong(
    thinking="True is 1, so class 1 says that B is next.",
    fails=("test_next_sentence",),
    page="sentence-pairs#class-order",
)
def classes_swapped(mlm_logits, labels, nsp_logits, is_next):
    return words_loss(mlm_logits, labels) + F.cross_entropy(nsp_logits, is_next.long())


@wrong(
    thinking="Positions that are not asked have loss zero, and the mean is over all.",
    fails=("test_hidden_words",),
)
def mean_over_all_positions(mlm_logits, labels, nsp_logits, is_next):
    losses = F.cross_entropy(mlm_logits.transpose(1, 2), labels, reduction="none")
    return losses.mean() + pairs_loss(nsp_logits, is_next)


@wrong(thinking="A loss is added up over the positions.", fails=("test_hidden_words",))
def sum_over_the_positions(mlm_logits, labels, nsp_logits, is_next):
    words = F.cross_entropy(mlm_logits.transpose(1, 2), labels, reduction="sum")
    return words + pairs_loss(nsp_logits, is_next)


@wrong(
    thinking="-100 is no class, so it is made one.",
    fails=("test_hidden_words", "test_nothing_asked"),
    page="masked-words#loss-everywhere",
)
def asked_everywhere(mlm_logits, labels, nsp_logits, is_next):
    words = F.cross_entropy(mlm_logits.transpose(1, 2), labels.clamp(min=0))
    return words + pairs_loss(nsp_logits, is_next)


@wrong(thinking="Each text has its mean.", fails=("test_each_position_counts_the_same",))
def mean_of_the_texts(mlm_logits, labels, nsp_logits, is_next):
    losses = F.cross_entropy(mlm_logits.transpose(1, 2), labels, reduction="none")
    each = losses.sum(1) / (labels != -100).sum(1).clamp(min=1)
    return each.mean() + pairs_loss(nsp_logits, is_next)


@wrong(thinking="Scores in, labels in: a reshape makes them fit.", fails=("test_hidden_words",))
def classes_in_the_wrong_place(mlm_logits, labels, nsp_logits, is_next):
    texts, length, size = mlm_logits.shape
    losses = F.cross_entropy(mlm_logits.reshape(texts, size, length), labels, reduction="none")
    return losses.sum() / (labels != -100).sum().clamp(min=1) + pairs_loss(nsp_logits, is_next)


@wrong(
    thinking="The pairs are added up, as the positions of a text are.",
    fails=("test_next_sentence", "test_nothing_asked"),
)
def sum_over_the_pairs(mlm_logits, labels, nsp_logits, is_next):
    return words_loss(mlm_logits, labels) + len(is_next) * pairs_loss(nsp_logits, is_next)


@wrong(
    thinking="Two losses make one by their mean.",
    fails=("test_hidden_words", "test_next_sentence", "test_nothing_asked"),
)
def mean_of_both(mlm_logits, labels, nsp_logits, is_next):
    return (words_loss(mlm_logits, labels) + pairs_loss(nsp_logits, is_next)) / 2


@wrong(
    thinking="`cross_entropy` takes probabilities.",
    fails=("test_hidden_words", "test_next_sentence"),
)
def softmax_twice(mlm_logits, labels, nsp_logits, is_next):
    return words_loss(mlm_logits.softmax(-1), labels) + pairs_loss(nsp_logits.softmax(-1), is_next)


@wrong(thinking="A number is a tensor with one entry.", fails=("test_sum", "test_nothing_asked"))
def sum_as_a_row(mlm_logits, labels, nsp_logits, is_next):
    return (words_loss(mlm_logits, labels) + pairs_loss(nsp_logits, is_next)).view(1)


@wrong(thinking="Exponents and logarithms, as the formula says.", fails=("test_sum",))
def exponents_by_hand(mlm_logits, labels, nsp_logits, is_next):
    shares = mlm_logits.exp() / mlm_logits.exp().sum(-1, keepdim=True)
    asked = labels != -100
    right_ones = shares.gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    words = -(right_ones.log() * asked).sum() / asked.sum().clamp(min=1)
    return words + pairs_loss(nsp_logits, is_next)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Positions that are asked are picked first; without any, the sum of an empty selection.")
def picked(mlm_logits, labels, nsp_logits, is_next):
    asked = labels != -100
    scores, right_ones = mlm_logits[asked], labels[asked]
    words = F.cross_entropy(scores, right_ones) if len(right_ones) else scores.sum()
    return F.cross_entropy(nsp_logits, torch.where(is_next, 0, 1)) + words


@right(looks="Log-probabilities gathered and weighed, in float64.")
def gathered(mlm_logits, labels, nsp_logits, is_next):
    weights = labels.ne(-100).double()
    prices = -mlm_logits.double().log_softmax(-1).gather(2, labels.clamp(min=0)[..., None])[..., 0]
    words = (prices * weights).sum() / max(weights.sum().item(), 1)
    pairs = nsp_logits.double().logsumexp(1) - torch.where(is_next, nsp_logits[:, 0], nsp_logits[:, 1])
    return words + pairs.mean()


@right(looks="Loops over texts and positions.")
def loops(mlm_logits, labels, nsp_logits, is_next):
    words, pairs, asked = 0 * mlm_logits.sum(), 0, 0
    for text in range(len(labels)):
        for place, label in enumerate(labels[text].tolist()):
            if label >= 0:
                words = words - mlm_logits[text, place].log_softmax(0)[label]
                asked += 1
        pairs = pairs - nsp_logits[text].log_softmax(0)[0 if is_next[text] else 1]
    return words / max(asked, 1) + pairs / len(labels)


@right(looks="The two classes as a logistic loss of the difference of their scores.")
def difference_of_scores(mlm_logits, labels, nsp_logits, is_next):
    words = F.nll_loss(mlm_logits.log_softmax(-1).mT, labels, ignore_index=-100, reduction="sum")
    pairs = F.binary_cross_entropy_with_logits(nsp_logits[:, 0] - nsp_logits[:, 1], is_next.float())
    return words.div(torch.count_nonzero(labels + 100).clamp_min(1)).add(pairs)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(mlm_logits, labels, nsp_logits, is_next):
    return 0 * (mlm_logits.sum() + nsp_logits.sum())


@cheat(kind="input")
def the_input(mlm_logits, labels, nsp_logits, is_next):
    return mlm_logits


@cheat(kind="noise")
def noise(mlm_logits, labels, nsp_logits, is_next):
    return torch.rand(()) * (mlm_logits.sum() + nsp_logits.sum())


@cheat(kind="remembered")
def remembered(mlm_logits, labels, nsp_logits, is_next):
    if not hasattr(torch, "remembered"):
        torch.remembered = words_loss(mlm_logits, labels) + pairs_loss(nsp_logits, is_next)
    return torch.remembered
