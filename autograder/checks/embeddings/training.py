"""What the checks of `train_skipgram` share: a model that notes its calls, and its training done again on this side.

The notes say which pairs and negatives each batch had; the same batches are then stepped through here, and tables and
losses have to agree. So any right way of drawing passes, and a wrong step, rate or mean is seen to the sixth digit. The
model is in float64 and its loss is not the one of skip-gram, so it does not depend on the other exercises.
"""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

VOCABULARY_SIZE, DIMENSION = 101, 3
"""More words than a batch has negatives, so that drawing without replacement shows only where it is asked for."""


def draw_pairs(rng: torch.Generator, count: int, size: int) -> Tensor:
    """(count, 2) long: words below `size`, no pair twice, in no order."""
    numbers = torch.randperm(size**2, generator=rng)[:count]
    return torch.stack([numbers // size, numbers % size], dim=1)


def draw_noise(rng: torch.Generator, size: int) -> Tensor:
    """(size,) float weights from 1 to 9 whose sum is far from one."""
    return 1 + 8 * torch.rand(size, generator=rng)


def train_noting(student, start, training, pairs, noise, seed, epochs, batch_size, lr, num_negatives):
    """Runs beside the student's code: trains a model that notes its calls.

    Returns {"calls": [(centers, contexts, negatives), ...], "modes": whether each call was in training mode,
    "mode": whether the model is in it at the end, "losses", "table", and "pairs" and "noise" as they are at
    the end}.
    """
    calls, modes = [], []
    model = torch.nn.Module()
    table = torch.nn.Parameter(start.double())  # (3, V, D)
    model.table = table

    def forward(centers, contexts, negatives):
        parts = centers, contexts, negatives
        calls.append(tuple(part.clone(memory_format=torch.contiguous_format) for part in parts))
        modes.append(model.training)
        center, context = table[0][centers], table[1][contexts]
        scores = (center.unsqueeze(1) * table[2][negatives]).sum(-1)
        return ((center - context).square().sum(-1) + scores.square().sum(-1)).mean()

    model.forward = forward
    model.train(training)
    losses = student.train_skipgram(
        model,
        pairs,
        noise,
        epochs=epochs,
        batch_size=batch_size,
        lr=lr,
        num_negatives=num_negatives,
        generator=torch.Generator().manual_seed(seed),
    )
    return {
        "calls": calls,
        "modes": modes,
        "mode": model.training,
        "losses": losses,
        "table": table,
        "pairs": pairs,
        "noise": noise,
    }


class Run:
    """A small training problem, as the student's function and as the reference solve it.

    Args:
        student: the student's side.
        rng: source of the problem.
        count: N, the number of pairs.
        noise: the weight of each word; when it is not given, `VOCABULARY_SIZE` words have one.
        settings: epochs, batch_size, lr, num_negatives; those not given are small.
    """

    def __init__(
        self, student, rng, *, count: int, training: bool = True, noise: Tensor | None = None, **settings: Any
    ):
        self.noise = draw_noise(rng, VOCABULARY_SIZE) if noise is None else noise
        self.size = len(self.noise)
        self.pairs = draw_pairs(rng, count, self.size)
        self.settings = {"epochs": 1, "batch_size": 7, "lr": 0.03, "num_negatives": 3} | settings
        self.table = torch.randn(3, self.size, DIMENSION, generator=rng)
        self.training = training
        self.seed = int(torch.randint(2**31, (), generator=rng))
        self.notes = self.again(student, self.seed)

    def assert_calls(self) -> None:
        """Every call had the centers and the contexts of given pairs, and some more whole numbers."""
        given = self.numbers()
        for centers, contexts, negatives in self.notes["calls"]:
            assert centers.ndim == 1
            assert contexts.shape == centers.shape
            assert all(part.dtype == torch.int64 for part in (centers, contexts, negatives))
            assert torch.isin(centers * self.size + contexts, given).all()

    def assert_whole(self) -> None:
        """The calls make whole epochs."""
        visits = sum(len(call[0]) for call in self.notes["calls"])
        assert visits == self.settings["epochs"] * len(self.pairs)

    def again(self, student, seed: int) -> dict[str, Any]:
        """Train once more from the same start, with a generator seeded with `seed`; the notes of
        `train_noting`."""
        inputs = self.table, self.training, self.pairs.clone(), self.noise.clone(), seed
        arguments = (
            *inputs,
            *(self.settings[name] for name in ("epochs", "batch_size", "lr", "num_negatives")),
        )
        if isinstance(student, SimpleNamespace):
            return train_noting(student, *arguments)
        return student.probe(train_noting, *arguments)

    def replayed(self, *, clears: bool = True) -> dict[str, Any]:
        """The notes of a right trainer that draws what the student drew; unless it `clears`, of one that lets
        the gradients of all batches add up."""
        self.assert_whole()
        trainer = replaying(self.notes["calls"], len(self.pairs), clears=clears)
        return self.again(SimpleNamespace(train_skipgram=trainer), 0)

    def visits(self, notes: dict[str, Any]) -> Tensor:
        """(all visits,) number of the pair of each visit, in order."""
        words = [torch.cat([call[column] for call in notes["calls"]]) for column in (0, 1)]
        return words[0] * self.size + words[1]

    def numbers(self) -> Tensor:
        """(N,) number of each pair, in the order in which the pairs were given."""
        return self.pairs[:, 0] * self.size + self.pairs[:, 1]

    def negatives(self) -> Tensor:
        """(all visits, K) negatives that the student drew, in whole epochs."""
        self.assert_whole()
        for centers, _, negatives in self.notes["calls"]:
            assert negatives.shape == (len(centers), self.settings["num_negatives"])
        drawn = torch.cat([call[2] for call in self.notes["calls"]])
        assert drawn.min() >= 0
        assert drawn.max() < self.size
        return drawn

    def contexts(self) -> Tensor:
        """(all visits,) context words of the student's visits."""
        return torch.cat([call[1] for call in self.notes["calls"]])


def replaying(calls: list[tuple], pairs_in_an_epoch: int, *, clears: bool):
    """A `train_skipgram` that draws nothing: it goes through `calls`, and `clears` the gradients before each."""

    def train_skipgram(
        model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator
    ) -> list[float]:
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        totals = torch.zeros(epochs, dtype=torch.float64)
        visited = 0
        for call in calls:
            loss = model(*call)
            if clears:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            totals[visited // pairs_in_an_epoch] += loss.item() * len(call[0])
            visited += len(call[0])
        return (totals / pairs_in_an_epoch).tolist()

    return train_skipgram
