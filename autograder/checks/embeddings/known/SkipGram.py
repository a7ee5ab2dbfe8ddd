"""Known answers to `SkipGram`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong
from solutions.embeddings.skipgram import sgns_loss

EQUIVALENT = {
    "`F.cosine_similarity(table, table[word])` for `F.cosine_similarity(table, table[word], dim=-1)`": (
        "the default is dimension 1, which is the last of a table's two"
    ),
    "`F.cosine_similarity(table[word], table, dim=-1)` for "
    "`F.cosine_similarity(table, table[word], dim=-1)`": "cosine similarity is symmetric",
}
"""{change of the reference: why nobody can see it}"""


def observe(student, seed):
    """Start, loss, gradients and neighbours of a model of random size."""
    rng = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    size, width, batch, count = (int(each) + 3 for each in torch.randint(9, (4,), generator=rng))
    model = student.SkipGram(vocabulary_size=size, dimension=width)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng)
    centers, contexts = torch.randint(size, (2, batch), generator=rng)
    loss = model(centers, contexts, torch.randint(size, (batch, count), generator=rng))
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    return start, loss.detach(), gradients, [model.neighbours(word, size - 2) for word in range(size)]


# --- Wrong -----------------------------------------------------------------------------------------------


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
    thinking="Weights that are made by hand go in through `from_pretrained`.",
    fails=("test_parameters", "test_learning"),
)
class FrozenTables(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.center_vectors = nn.Embedding.from_pretrained(self.center_vectors.weight.detach())
        self.context_vectors = nn.Embedding.from_pretrained(self.context_vectors.weight.detach())


@wrong(
    thinking="An embedding layer starts as it should by itself.",
    fails=("test_center_start",),
)
class DefaultStart(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)


@wrong(
    thinking="`torch.rand` divided by the dimension is uniform and small.",
    fails=("test_center_start",),
)
class OneSidedStart(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.center_vectors.weight.data = torch.rand(vocabulary_size, dimension) / dimension


@wrong(
    thinking="A table of zeros can learn nothing, so both start at random.",
    fails=("test_context_start",),
)
class BothTablesRandom(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        nn.init.uniform_(self.context_vectors.weight, -0.5 / dimension, 0.5 / dimension)


@wrong(
    thinking="A look-up is indexing, and `.data` holds the numbers.",
    fails=("test_learning",),
)
class RowsOfTheData(Sound):
    def forward(self, centers, contexts, negatives):
        center, context = self.center_vectors.weight.data, self.context_vectors.weight
        return sgns_loss(center[centers], context[contexts], context[negatives])


@wrong(
    thinking="The best order is the sorted one, and sorting goes upwards.",
    fails=("test_neighbours",),
)
class FarthestFirst(Sound):
    def neighbours(self, word, k):
        table = F.normalize(self.center_vectors.weight.detach())
        ranked = (table @ table[word]).argsort().tolist()
        return [other for other in ranked if other != word][:k]


@wrong(
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
    thinking="The word most like a word is that word, so the first place is dropped.",
    fails=("test_never_itself",),
)
class DropsTheFirst(Sound):
    def neighbours(self, word, k):
        table = F.normalize(self.center_vectors.weight.detach())
        return (table @ table[word]).topk(k + 1).indices[1:].tolist()


@wrong(
    thinking="A tensor of numbers is as good as a list of numbers.",
    fails=("test_neighbours_are_numbers",),
)
class NeighboursAsTensor(Sound):
    def neighbours(self, word, k):
        return torch.tensor(super().neighbours(word, k))


@wrong(
    thinking="Cosine needs unit vectors, so the table is made of unit vectors.",
    fails=("test_tables_untouched",),
)
class NormalisesTheTable(Sound):
    def neighbours(self, word, k):
        self.center_vectors.weight.data /= self.center_vectors.weight.norm(dim=1, keepdim=True)
        return super().neighbours(word, k)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Indexes the weights; cosines one by one, in a sorted list.")
class SortedList(nn.Module):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__()
        start = (torch.rand(vocabulary_size, dimension) - 0.5) / dimension
        self.center_vectors = nn.Embedding.from_pretrained(start, freeze=False)
        self.context_vectors = nn.Embedding.from_pretrained(torch.zeros_like(start), freeze=False)

    def forward(self, centers, contexts, negatives):
        center, context = self.center_vectors.weight, self.context_vectors.weight
        return sgns_loss(center[centers], context[contexts], context[negatives])

    def neighbours(self, word, k):
        table = self.center_vectors.weight.detach()
        cosine = {
            other: F.cosine_similarity(table[word], row, dim=0).item()
            for other, row in enumerate(table)
            if other != word
        }
        return sorted(cosine, key=cosine.__getitem__, reverse=True)[:k]


@right(looks="Tables in float64 without an embedding layer; ranks by angle.")
class BareParameters(nn.Module):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__()
        self.center_vectors, self.context_vectors = nn.Module(), nn.Module()
        start = torch.empty(vocabulary_size, dimension, dtype=torch.float64).uniform_(-0.5, 0.5) / dimension
        self.center_vectors.weight = nn.Parameter(start)
        self.context_vectors.weight = nn.Parameter(torch.zeros_like(start))

    def forward(self, centers, contexts, negatives):
        words = torch.cat([contexts[:, None], negatives], dim=1)
        rows = F.embedding(words, self.context_vectors.weight)
        return sgns_loss(self.center_vectors.weight.index_select(0, centers), rows[:, 0], rows[:, 1:])

    def neighbours(self, word, k):
        with torch.no_grad():
            table = self.center_vectors.weight
            cosine = (table @ table[word]) / (table.norm(dim=1) * table[word].norm())
            angle = torch.acos(cosine.clamp(-1, 1))
            angle[word] = math.inf
            return [int(other) for other in angle.argsort()[:k]]


@right(looks="One-hot products for the look-up; the word is deleted before ranking.")
class OneHot(nn.Module):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__()
        self.size = vocabulary_size
        self.center_vectors = nn.Linear(dimension, vocabulary_size, bias=False)
        self.context_vectors = nn.Linear(dimension, vocabulary_size, bias=False)
        self.center_vectors.weight.data.uniform_(-0.5 / dimension, 0.5 / dimension)
        self.context_vectors.weight.data.zero_()

    def forward(self, centers, contexts, negatives):
        def rows(table, words):
            return F.one_hot(words, self.size).to(table.weight.dtype) @ table.weight

        tables = self.center_vectors, self.context_vectors, self.context_vectors
        return sgns_loss(*map(rows, tables, (centers, contexts, negatives)))

    @torch.inference_mode()
    def neighbours(self, word, k):
        unit = F.normalize(self.center_vectors.weight)
        others = [other for other in range(self.size) if other != word]
        ranked = (unit[others] @ unit[word]).sort(descending=True).indices
        return [others[place] for place in ranked[:k]]


@right(looks="NumPy for the neighbours, sparse-friendly look-up calls, keyword arguments.")
class NumpyNeighbours(nn.Module):
    def __init__(self, *, dimension, vocabulary_size):
        super().__init__()
        self.context_vectors = nn.Embedding(vocabulary_size, dimension)
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)
        with torch.no_grad():
            self.context_vectors.weight.fill_(0)
            self.center_vectors.weight.copy_(
                torch.rand_like(self.center_vectors.weight).sub(0.5).div(dimension)
            )

    def forward(self, centers, contexts, negatives):
        return sgns_loss(
            negatives=self.context_vectors(negatives),
            context=self.context_vectors(contexts),
            center=self.center_vectors(centers),
        )

    def neighbours(self, word, k):
        table = self.center_vectors.weight.detach().numpy().astype("float64")
        cosine = table @ table[word] / (table**2).sum(1) ** 0.5
        order = [int(other) for other in (-cosine).argsort(kind="stable")]
        order.remove(word)
        return order[:k]


# --- Cheats ----------------------------------------------------------------------------------------------


class Tables(nn.Module):
    """A model that starts as it should, and knows nothing else."""

    def __init__(self, *, vocabulary_size, dimension):
        super().__init__()
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)
        self.context_vectors = nn.Embedding(vocabulary_size, dimension)
        nn.init.uniform_(self.center_vectors.weight, -0.5 / dimension, 0.5 / dimension)
        nn.init.zeros_(self.context_vectors.weight)

    def nothing(self):
        """A zero with a graph."""
        return (self.center_vectors.weight.sum() + self.context_vectors.weight.sum()) * 0


@cheat(kind="zeros")
class Zeros(Tables):
    def forward(self, centers, contexts, negatives):
        return self.nothing()

    def neighbours(self, word, k):
        return [0] * k


@cheat(kind="input")
class ItsOwnInput(Tables):
    def forward(self, centers, contexts, negatives):
        return centers.float() + self.nothing()

    def neighbours(self, word, k):
        return [word] * k


@cheat(kind="noise")
class Noise(Tables):
    def forward(self, centers, contexts, negatives):
        return torch.rand(()) + self.nothing()

    def neighbours(self, word, k):
        return torch.randperm(len(self.center_vectors.weight))[:k].tolist()


@cheat(kind="remembered")
class Remembered(Tables):
    memory = {}  # noqa: RUF012

    def forward(self, centers, contexts, negatives):
        if "loss" not in self.memory:
            center, table = self.center_vectors(centers), self.context_vectors
            positive = F.softplus(-(center * table(contexts)).sum(-1))
            negative = F.softplus((table(negatives) * center.unsqueeze(1)).sum(-1)).sum(-1)
            self.memory["loss"] = (positive + negative).mean().detach()
        return self.memory["loss"] + self.nothing()

    def neighbours(self, word, k):
        if "words" not in self.memory:
            unit = F.normalize(self.center_vectors.weight.detach())
            ranked = (unit @ unit[word]).argsort(descending=True).tolist()
            self.memory["words"] = [other for other in ranked if other != word]
        return self.memory["words"][:k]
