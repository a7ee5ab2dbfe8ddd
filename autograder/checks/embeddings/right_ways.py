"""Right answers to the exercises of `embeddings` that do not look like the reference: all of them earn full
marks."""

# mypy: ignore-errors

import math

import torch
import torch.nn.functional as F
from torch import nn

from autograder.checks.variants import right
from solutions.embeddings.skipgram import sgns_loss

# --- sgns_loss ---------------------------------------------------------------------------------------------


@right(exercise="sgns_loss", looks="Plain loops over pairs and negatives, one softplus at a time.")
def loops(center, context, negatives):
    total = torch.zeros(())
    for row, positive in enumerate(context):
        total = total + F.softplus(-torch.dot(center[row], positive))
        for noise_word in negatives[row]:
            total = total + F.softplus(torch.dot(center[row], noise_word))
    return total / len(center)


@right(exercise="sgns_loss", looks="One einsum for all words, signs as a vector, float64 inside.")
def einsum_in_float64(center, context, negatives):
    words = torch.cat([context[:, None], negatives], dim=1).double()
    signs = torch.ones(words.shape[1], dtype=torch.float64)
    signs[1:] = -1
    scores = torch.einsum("bd,bkd,k->bk", center.double(), words, signs)
    return -F.logsigmoid(scores).sum() / len(scores)


@right(exercise="sgns_loss", looks="Batched matrix products and `logaddexp` with zero.")
def logaddexp(center, context, negatives):
    positive = torch.bmm(context.unsqueeze(1), center.unsqueeze(2)).flatten()
    negative = torch.bmm(negatives, center.unsqueeze(2)).squeeze(2)
    zero = torch.zeros(())
    return torch.logaddexp(zero, -positive).mean() + torch.logaddexp(zero, negative).sum(1).mean()


@right(
    exercise="sgns_loss",
    looks="The stable form by hand: the larger of score and zero, plus a small logarithm.",
)
def stable_by_hand(center, context, negatives):
    def surprise(score):
        return torch.clamp(score, min=0) + torch.log1p(torch.exp(-score.abs()))

    losses = surprise(-(center * context).sum(1))
    for k in range(negatives.size(1)):
        losses = losses + surprise((center * negatives[:, k]).sum(1))
    return losses.mean(0)


@right(exercise="sgns_loss", looks="Two-class cross-entropy of (score, zero), over flattened pairs.")
def cross_entropy_of_two(center, context, negatives):
    scores = torch.cat([(center * context).sum(-1)[:, None], -(negatives * center[:, None]).sum(-1)], dim=1)
    both = torch.stack([scores, torch.zeros_like(scores)], dim=-1).flatten(0, 1)
    losses = F.cross_entropy(both, torch.zeros(len(both), dtype=torch.long), reduction="none")
    return losses.view_as(scores).sum(1).mean()


# --- SkipGram ----------------------------------------------------------------------------------------------


@right(exercise="SkipGram", looks="Indexes the weights; cosines one by one, in a sorted list.")
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


@right(exercise="SkipGram", looks="Tables in float64 without an embedding layer; ranks by angle.")
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


@right(exercise="SkipGram", looks="One-hot products for the look-up; the word is deleted before ranking.")
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


@right(
    exercise="SkipGram", looks="NumPy for the neighbours, sparse-friendly look-up calls, keyword arguments."
)
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


# --- train_skipgram ----------------------------------------------------------------------------------------


@right(
    exercise="train_skipgram",
    looks="torch's DataLoader shuffles; negatives by inverting the cumulative weights.",
)
def data_loader(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    mode = model.training
    model.train(True)
    steps = noise.double().cumsum(0)
    loader = torch.utils.data.DataLoader(pairs, batch_size, shuffle=True, generator=generator)
    optimizer = torch.optim.Adam(model.parameters(), lr)
    losses = []
    for _ in range(epochs):
        seen = []
        for batch in loader:
            places = (
                torch.rand(len(batch), num_negatives, generator=generator, dtype=torch.float64) * steps[-1]
            )
            words = torch.searchsorted(steps, places, right=True).clamp(max=int(noise.nonzero().max()))
            loss = model(*batch.T, words)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)
            seen += [loss.item()] * len(batch)
        losses.append(math.fsum(seen) / len(seen))
    model.train(mode)
    return losses


@right(
    exercise="train_skipgram", looks="All negatives of an epoch at once; the order by sorting random numbers."
)
def epoch_at_once(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    optimizer = torch.optim.Adam(list(model.parameters()), lr=lr, foreach=True)
    before, history = model.training, []
    try:
        for _ in range(epochs):
            model.train()
            order = torch.rand(len(pairs), generator=generator).argsort()
            chances = (noise / noise.sum()).repeat(len(pairs), 1)
            words = torch.multinomial(chances, num_negatives, replacement=True, generator=generator)
            total, first = torch.zeros((), dtype=torch.float64), 0
            while first < len(pairs):
                rows = order[first : first + batch_size]
                optimizer.zero_grad()
                loss = model(pairs[rows, 0], pairs[rows, 1], words[first : first + batch_size])
                loss.backward()
                optimizer.step()
                total += loss.detach() * rows.numel()
                first += batch_size
            history.append(float(total / len(pairs)))
    finally:
        model.train(before)
    return history


@right(exercise="train_skipgram", looks="Adam written out by hand.")
def adam_by_hand(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    was = model.training
    model.train()
    parameters = [each for each in model.parameters() if each.requires_grad]
    first, second = ([torch.zeros_like(each) for each in parameters] for _ in range(2))
    history, count = [], 0
    for _ in range(epochs):
        total = 0.0
        for rows in torch.randperm(pairs.shape[0], generator=generator).split(batch_size):
            batch = pairs[rows]
            words = torch.multinomial(noise, batch.shape[0] * num_negatives, True, generator=generator)
            loss = model(batch[:, 0], batch[:, 1], words.reshape(-1, num_negatives))
            count += 1
            for value, grad, m, v in zip(
                parameters, torch.autograd.grad(loss, parameters), first, second, strict=True
            ):
                m.mul_(0.9).add_(grad, alpha=0.1)
                v.mul_(0.999).add_(grad.square(), alpha=0.001)
                rate = lr / (1 - 0.9**count)
                value.data -= rate * m / ((v / (1 - 0.999**count)).sqrt() + 1e-8)
            total += loss.item() * batch.shape[0]
        history.append(total / pairs.shape[0])
    model.train(was)
    return history


@right(exercise="train_skipgram", looks="NumPy draws order and negatives, seeded once from the generator.")
def numpy_draws(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    import numpy as np

    random = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    chances = noise.double().numpy() / noise.double().sum().item()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    flag = model.training
    model.train()
    losses = []
    for _ in range(epochs):
        order = random.permutation(len(pairs))
        weighted = []
        for part in range(math.ceil(len(pairs) / batch_size)):
            rows = order[part * batch_size : (part + 1) * batch_size]
            batch = pairs[torch.from_numpy(rows)]
            words = torch.from_numpy(random.choice(len(chances), (len(rows), num_negatives), p=chances))
            for parameter in model.parameters():
                parameter.grad = None
            value = model(batch[:, 0].contiguous(), batch[:, 1].contiguous(), words)
            value.backward()
            optimizer.step()
            weighted.append(value.item() * len(rows) / len(pairs))
        losses.append(sum(weighted))
    if not flag:
        model.eval()
    return losses
