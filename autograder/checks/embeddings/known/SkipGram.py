"""Known answers to `SkipGram`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat, right, wrong
from solutions.embeddings.skipgram import sgns_loss


def observe(student, seed):
    """Start, loss and gradients of a model of random size."""
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
    return start, loss.detach(), gradients


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
    fails=("test_no_more_tables",),
)
class BiasForEveryWord(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))

    def forward(self, centers, contexts, negatives):
        return super().forward(centers, contexts, negatives) + self.bias[contexts].mean()


@wrong(
    thinking="A column for each word, as in the lesson's picture of a layer.",
    fails=("test_tables",),
)
class TablesOnTheirSide(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        for table in (self.center_vectors, self.context_vectors):
            table.weight = nn.Parameter(table.weight.detach().T.contiguous())

    def forward(self, centers, contexts, negatives):
        center, context = self.center_vectors.weight.T, self.context_vectors.weight.T
        return sgns_loss(center[centers], context[contexts], context[negatives])


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
    fails=("test_learning",),
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
    thinking="Vectors should have length one, so the table is scaled before rows are looked up.",
    fails=("test_pair_rows",),
)
class NormalisesTheTables(Sound):
    def forward(self, centers, contexts, negatives):
        with torch.no_grad():
            for table in (self.center_vectors.weight, self.context_vectors.weight):
                table.copy_(F.normalize(table, dim=1))
        return super().forward(centers, contexts, negatives)


@wrong(
    thinking="Vectors must not grow too long, so they are clipped once the loss is known.",
    fails=("test_learning", "test_tables_untouched"),
)
class ClipsTheTables(Sound):
    def forward(self, centers, contexts, negatives):
        loss = super().forward(centers, contexts, negatives)
        for parameter in self.parameters():
            parameter.data.clamp_(-0.5, 0.5)
        return loss


@wrong(
    thinking="`forward` is what matters, and an embedding layer has a start of its own.",
    fails=("test_center_start", "test_context_start"),
)
class NoStart(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        nn.Module.__init__(self)
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)
        self.context_vectors = nn.Embedding(vocabulary_size, dimension)


@wrong(
    thinking="First the start, then the rest; there was no time for the rest.",
    fails=("test_pair_rows",),
)
class StartOnly(Sound):
    def forward(self, centers, contexts, negatives):
        raise NotImplementedError()


@wrong(
    thinking="Zero favours no word, so both tables start with it.",
    fails=("test_center_start", "test_context_start"),
)
class BothTablesZero(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)
        nn.init.zeros_(self.center_vectors.weight)


@wrong(thinking="A seed makes the start repeatable.", fails=("test_center_start",))
class SeedInside(Sound):
    def __init__(self, *, vocabulary_size, dimension):
        torch.manual_seed(0)
        super().__init__(vocabulary_size=vocabulary_size, dimension=dimension)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Indexes the weights of tables made from tensors.")
class FromTensors(nn.Module):
    def __init__(self, *, vocabulary_size, dimension):
        super().__init__()
        start = (torch.rand(vocabulary_size, dimension) - 0.5) / dimension
        self.center_vectors = nn.Embedding.from_pretrained(start, freeze=False)
        self.context_vectors = nn.Embedding.from_pretrained(torch.zeros_like(start), freeze=False)

    def forward(self, centers, contexts, negatives):
        center, context = self.center_vectors.weight, self.context_vectors.weight
        return sgns_loss(center[centers], context[contexts], context[negatives])


@right(looks="Tables in float64 without an embedding layer; one look-up for contexts and negatives.")
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


@right(looks="One-hot products for the look-up.")
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


@right(looks="Starts under `no_grad`, with the tables in the other order; keyword arguments.")
class KeywordArguments(nn.Module):
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


# --- Cheats ----------------------------------------------------------------------------------------------


class Filled(nn.Module):
    """A model whose tables hold whatever `fill` gives."""

    def __init__(self, *, vocabulary_size, dimension):
        super().__init__()
        self.center_vectors = nn.Embedding(vocabulary_size, dimension)
        self.context_vectors = nn.Embedding(vocabulary_size, dimension)
        for table in (self.center_vectors, self.context_vectors):
            table.weight.data = self.fill(vocabulary_size, dimension)

    def nothing(self):
        """A zero with a graph."""
        return (self.center_vectors.weight.sum() + self.context_vectors.weight.sum()) * 0


@cheat(kind="zeros")
class Zeros(Filled):
    def fill(self, vocabulary_size, dimension):
        return torch.zeros(vocabulary_size, dimension)

    def forward(self, centers, contexts, negatives):
        return self.nothing()


@cheat(kind="input")
class ItsOwnInput(Filled):
    def fill(self, vocabulary_size, dimension):
        return torch.full((vocabulary_size, dimension), float(dimension))

    def forward(self, centers, contexts, negatives):
        return centers.float() + self.nothing()


@cheat(kind="noise")
class Noise(Filled):
    def fill(self, vocabulary_size, dimension):
        return torch.rand(vocabulary_size, dimension)

    def forward(self, centers, contexts, negatives):
        return torch.rand(()) + self.nothing()


@cheat(kind="remembered")
class Remembered(Filled):
    memory = {}  # noqa: RUF012

    def fill(self, vocabulary_size, dimension):
        if "table" not in self.memory:
            self.memory["table"] = (torch.rand(vocabulary_size, dimension) - 0.5) / dimension
        return self.memory["table"].clone()

    def forward(self, centers, contexts, negatives):
        if "loss" not in self.memory:
            center, table = self.center_vectors(centers), self.context_vectors
            positive = F.softplus(-(center * table(contexts)).sum(-1))
            negative = F.softplus((table(negatives) * center.unsqueeze(1)).sum(-1)).sum(-1)
            self.memory["loss"] = (positive + negative).mean().detach()
        return self.memory["loss"] + self.nothing()
