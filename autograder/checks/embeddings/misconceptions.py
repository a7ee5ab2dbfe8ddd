"""Wrong answers to the exercises of `embeddings`, each with the thinking behind it and the checks it must
fail."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import wrong
from solutions.embeddings.skipgram import sgns_loss

# --- sgns_loss ---------------------------------------------------------------------------------------------


@wrong(
    exercise="sgns_loss",
    thinking="The loss is a probability that should be high, so no logarithm is needed.",
    fails=("test_positive_pair",),
)
def sigmoid_without_logarithm(center, context, negatives):
    positive = torch.sigmoid((center * context).sum(-1))
    negative = torch.sigmoid(-(negatives @ center.unsqueeze(-1)).squeeze(-1))
    return ((1 - positive) + (1 - negative).sum(-1)).mean()


@wrong(
    exercise="sgns_loss",
    thinking="The right context is one class among K + 1, so it is a softmax.",
    fails=("test_positive_pair",),
)
def softmax_over_the_scores(center, context, negatives):
    words = torch.cat([context.unsqueeze(1), negatives], dim=1)
    scores = (words @ center.unsqueeze(-1)).squeeze(-1)
    return F.cross_entropy(scores, torch.zeros(len(center), dtype=torch.long))


@wrong(
    exercise="sgns_loss",
    thinking="The formula in the paper is maximised, so it is returned as it stands there.",
    fails=("test_positive_pair",),
)
def likelihood_instead_of_loss(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-(negatives @ center.unsqueeze(-1)).squeeze(-1)).sum(-1)
    return (positive + negative).mean()


@wrong(
    exercise="sgns_loss",
    thinking="Positive and negative pairs have terms of the same form, so the sign stays.",
    fails=("test_negative_pair",),
    page="skip-gram#wrong-sign",
)
def no_minus_for_negatives(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid((negatives @ center.unsqueeze(-1)).squeeze(-1)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    exercise="sgns_loss",
    thinking="A loss should not depend on how many negatives there are, so they are averaged.",
    fails=("test_negatives_are_summed", "test_own_negatives"),
)
def mean_over_the_negatives(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-(negatives @ center.unsqueeze(-1)).squeeze(-1)).mean(-1)
    return -(positive + negative).mean()


@wrong(
    exercise="sgns_loss",
    thinking="Everything is added up, as it is over the negatives.",
    fails=("test_batch_is_averaged",),
)
def sum_over_the_batch(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1)).sum()
    return -positive - F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum()


@wrong(
    exercise="sgns_loss",
    thinking="The scores of all pairs are one matrix product.",
    fails=("test_rows_stay_apart",),
)
def every_context_of_the_batch(center, context, negatives):
    positive = F.logsigmoid(center @ context.T).mean(-1)
    negative = F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    exercise="sgns_loss",
    thinking="Negatives are random anyway, so those of the first pair serve for all.",
    fails=("test_own_negatives",),
    page="skip-gram#where-negatives-come-from",
)
def negatives_of_the_first_pair(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-(center @ negatives[0].T)).sum(-1)
    return -(positive + negative).mean()


@wrong(
    exercise="sgns_loss",
    thinking="The formula says log of sigmoid, so first the sigmoid, then the log.",
    fails=("test_large_scores", "test_large_gradients"),
    page="skip-gram#overflow",
)
def log_of_the_sigmoid(center, context, negatives):
    positive = torch.log(torch.sigmoid((center * context).sum(-1)))
    negative = torch.log(torch.sigmoid(-torch.einsum("bd,bkd->bk", center, negatives))).sum(-1)
    return -(positive + negative).mean()


@wrong(
    exercise="sgns_loss",
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
    exercise="sgns_loss",
    thinking="A loss is a number, and `item` makes a number.",
    fails=("test_gradients",),
)
def number_without_a_graph(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(-torch.einsum("bd,bkd->bk", center, negatives)).sum(-1)
    return torch.tensor(-(positive + negative).mean().item())


@wrong(
    exercise="sgns_loss",
    thinking="The negatives need a minus, so they are negated where they stand.",
    fails=("test_gradients", "test_inputs_untouched"),
)
def negates_in_place(center, context, negatives):
    positive = F.logsigmoid((center * context).sum(-1))
    negative = F.logsigmoid(torch.einsum("bd,bkd->bk", center, negatives.neg_())).sum(-1)
    return -(positive + negative).mean()


# --- SkipGram ----------------------------------------------------------------------------------------------


class Sound(nn.Module):
    """A right model; each of the wrong ones below differs in one method."""

    def __init__(self, *, vocabulary_size, dimension):
        super().__init__()
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)
        self.context_vectors = nn.Embedding(vocabulary_size, dimension)
        nn.init.uniform_(self.center_vectors.weight, -0.5 / dimension, 0.5 / dimension)
        nn.init.zeros_(self.context_vectors.weight)

    def forward(self, centers, contexts, negatives):
        return sgns_loss(
            self.center_vectors(centers), self.context_vectors(contexts), self.context_vectors(negatives)
        )

    def neighbours(self, word, k):
        table = self.center_vectors.weight.detach()
        similarity = F.cosine_similarity(table, table[word].unsqueeze(0))
        similarity[word] = -2
        return similarity.topk(k).indices.tolist()


@wrong(
    exercise="SkipGram",
    thinking="The context is given and the center is predicted, so the tables change places.",
    fails=("test_pair_rows",),
    page="skip-gram#two-tables",
)
class TablesSwapped(Sound):
    def forward(self, centers, contexts, negatives):
        return sgns_loss(
            self.context_vectors(centers), self.center_vectors(contexts), self.center_vectors(negatives)
        )


@wrong(
    exercise="SkipGram",
    thinking="Every word also has a bias, as in other linear models.",
    fails=("test_pair_rows", "test_neighbours"),
)
class BiasForEveryWord(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))

    def forward(self, centers, contexts, negatives):
        return super().forward(centers, contexts, negatives) + self.bias[contexts].mean()


@wrong(
    exercise="SkipGram",
    thinking="Negatives are no contexts, so they are looked up among the center vectors.",
    fails=("test_negative_rows",),
    page="skip-gram#two-tables",
)
class NegativesFromTheCenterTable(Sound):
    def forward(self, centers, contexts, negatives):
        return sgns_loss(
            self.center_vectors(centers), self.context_vectors(contexts), self.center_vectors(negatives)
        )


@wrong(
    exercise="SkipGram",
    thinking="Weights that are made by hand go in through `from_pretrained`.",
    fails=("test_parameters", "test_learning"),
)
class FrozenTables(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.center_vectors = nn.Embedding.from_pretrained(self.center_vectors.weight.detach())
        self.context_vectors = nn.Embedding.from_pretrained(self.context_vectors.weight.detach())


@wrong(
    exercise="SkipGram",
    thinking="An embedding layer starts as it should by itself.",
    fails=("test_center_start",),
)
class DefaultStart(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)


@wrong(
    exercise="SkipGram",
    thinking="`torch.rand` divided by the dimension is uniform and small.",
    fails=("test_center_start",),
)
class OneSidedStart(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.center_vectors.weight.data = torch.rand(vocabulary_size, dimension) / dimension


@wrong(
    exercise="SkipGram",
    thinking="A table of zeros can learn nothing, so both start at random.",
    fails=("test_context_start",),
)
class BothTablesRandom(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        nn.init.uniform_(self.context_vectors.weight, -0.5 / dimension, 0.5 / dimension)


@wrong(
    exercise="SkipGram",
    thinking="A look-up is indexing, and `.data` holds the numbers.",
    fails=("test_learning",),
)
class RowsOfTheData(Sound):
    def forward(self, centers, contexts, negatives):
        center, context = self.center_vectors.weight.data, self.context_vectors.weight
        return sgns_loss(center[centers], context[contexts], context[negatives])


@wrong(
    exercise="SkipGram",
    thinking="The best order is the sorted one, and sorting goes upwards.",
    fails=("test_neighbours",),
)
class FarthestFirst(Sound):
    def neighbours(self, word, k):
        table = F.normalize(self.center_vectors.weight.detach())
        ranked = (table @ table[word]).argsort().tolist()
        return [other for other in ranked if other != word][:k]


@wrong(
    exercise="SkipGram",
    thinking="Words that are predicted alike are alike, so context vectors are compared.",
    fails=("test_neighbours",),
    page="skip-gram#two-tables",
)
class NeighboursByContext(Sound):
    def neighbours(self, word, k):
        table = self.context_vectors.weight.detach()
        similarity = F.cosine_similarity(table, table[word].unsqueeze(0))
        similarity[word] = -2
        return similarity.topk(k).indices.tolist()


@wrong(
    exercise="SkipGram",
    thinking="The model scores pairs with a dot product, so likeness is a dot product too.",
    fails=("test_neighbours_by_angle",),
)
class NeighboursByDotProduct(Sound):
    def neighbours(self, word, k):
        table = self.center_vectors.weight.detach()
        similarity = table @ table[word]
        similarity[word] = -torch.inf
        return similarity.topk(k).indices.tolist()


@wrong(
    exercise="SkipGram",
    thinking="The word most like a word is that word, so the first place is dropped.",
    fails=("test_never_itself",),
)
class DropsTheFirst(Sound):
    def neighbours(self, word, k):
        table = F.normalize(self.center_vectors.weight.detach())
        return (table @ table[word]).topk(k + 1).indices[1:].tolist()


@wrong(
    exercise="SkipGram",
    thinking="A tensor of numbers is as good as a list of numbers.",
    fails=("test_neighbours_are_numbers",),
)
class NeighboursAsTensor(Sound):
    def neighbours(self, word, k):
        return torch.tensor(super().neighbours(word, k))


@wrong(
    exercise="SkipGram",
    thinking="Cosine needs unit vectors, so the table is made of unit vectors.",
    fails=("test_tables_untouched",),
)
class NormalisesTheTable(Sound):
    def neighbours(self, word, k):
        self.center_vectors.weight.data /= self.center_vectors.weight.norm(dim=1, keepdim=True)
        return super().neighbours(word, k)
