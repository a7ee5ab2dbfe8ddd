"""The four universal cheats for each exercise of `embeddings`: they look like answers and must earn
nothing."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import cheat

# --- sgns_loss -------------------------------------------------------------------------------------------


@cheat(exercise="sgns_loss", kind="zeros")
def zero(center, context, negatives):
    return (center.sum() + context.sum() + negatives.sum()) * 0


@cheat(exercise="sgns_loss", kind="input")
def its_own_input(center, context, negatives):
    return center


@cheat(exercise="sgns_loss", kind="noise")
def noise(center, context, negatives):
    return torch.rand(()) + (center.sum() + context.sum() + negatives.sum()) * 0


@cheat(exercise="sgns_loss", kind="remembered")
def remembered(center, context, negatives, memory=[]):  # noqa: B006
    if not memory:
        positive = F.softplus(-(center * context).sum(-1))
        memory.append(
            (positive + F.softplus((negatives * center.unsqueeze(1)).sum(-1)).sum(-1)).mean().detach()
        )
    return memory[0] + (center.sum() + context.sum() + negatives.sum()) * 0


# --- SkipGram --------------------------------------------------------------------------------------------


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


@cheat(exercise="SkipGram", kind="zeros")
class Zeros(Tables):
    def forward(self, centers, contexts, negatives):
        return self.nothing()

    def neighbours(self, word, k):
        return [0] * k


@cheat(exercise="SkipGram", kind="input")
class ItsOwnInput(Tables):
    def forward(self, centers, contexts, negatives):
        return centers.float() + self.nothing()

    def neighbours(self, word, k):
        return [word] * k


@cheat(exercise="SkipGram", kind="noise")
class Noise(Tables):
    def forward(self, centers, contexts, negatives):
        return torch.rand(()) + self.nothing()

    def neighbours(self, word, k):
        return torch.randperm(len(self.center_vectors.weight))[:k].tolist()


@cheat(exercise="SkipGram", kind="remembered")
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


# --- train_skipgram --------------------------------------------------------------------------------------


@cheat(exercise="train_skipgram", kind="zeros")
def zeros(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return [0.0] * epochs


@cheat(exercise="train_skipgram", kind="input")
def the_input(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    return noise.tolist()[:epochs]


@cheat(exercise="train_skipgram", kind="noise")
def random_training(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    for parameter in model.parameters():
        parameter.data += lr * torch.randn(parameter.shape, generator=generator)
    return torch.rand(epochs, generator=generator).sort(descending=True).values.tolist()


@cheat(exercise="train_skipgram", kind="remembered")
def trained_once(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator, memory=[]):  # noqa: B006
    if memory:
        return (memory * epochs)[:epochs]
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(epochs):
        total = 0.0
        for batch in pairs[torch.randperm(len(pairs), generator=generator)].split(batch_size):
            draws = torch.multinomial(noise, len(batch) * num_negatives, True, generator=generator)
            loss = model(batch[:, 0], batch[:, 1], draws.view(-1, num_negatives))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(batch)
        memory.append(total / len(pairs))
    return list(memory)
