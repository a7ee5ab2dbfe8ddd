"""Sentence vectors by contrast as a task for the training loop: word vectors tuned by InfoNCE on (summary, body).

Letters: `V` words in the vocabulary, `D` width of a vector, `B` pairs in a batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from solutions.embeddings.counting import SvdConfig
from solutions.embeddings.retrieval import Bags, encode
from solutions.embeddings.sentences import info_nce
from solutions.training.config import at_least


@dataclass(frozen=True)
class SentenceConfig(SvdConfig):
    """Settings of the word vectors to begin with, and of what is done to them."""

    rounds: int = 8
    """How often InfoNCE goes over the training pairs."""
    pairs: int = 256
    """Pairs of a batch: each text has this many candidates less one to be told from."""
    temperature: float = 0.1
    """Of InfoNCE."""
    step: float = 0.01
    """Learning rate of Adam."""
    a: float = 1e-3
    """Of SIF's weights."""
    most_pairs: int = 0
    """Training pairs of a summary and a body, from the first on; 0 for all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, rounds=1, pairs=2, temperature=1e-6, step=0, a=1e-9, most_pairs=0)


class InfoNceTask:
    """Training of a table of word vectors so that a body's weighted sum finds that of its summary.

    Args:
        vectors: (V, D) float, to begin from; copied.
        weights: (V,) float, the weight of each word in a text.
        summaries, bodies: the training pairs.
        config: the settings.
        seed: of the order of the pairs.
        measure: metrics of word vectors (V, D), for the curve.
    """

    def __init__(
        self,
        vectors: Tensor,
        weights: Tensor,
        summaries: Bags,
        bodies: Bags,
        config: SentenceConfig,
        *,
        seed: int,
        measure: Callable[[Tensor], dict[str, float]],
    ) -> None:
        self.epochs, self.words = config.rounds, len(summaries.words) + len(bodies.words)
        self.generator = torch.Generator().manual_seed(seed)
        self._table = nn.Parameter(vectors.clone())
        self._optimizer = torch.optim.Adam([self._table], lr=config.step)
        self._table.grad = torch.zeros_like(self._table)
        self._optimizer.step()  # a step of nothing: the optimiser's state exists from the start, for the checkpoint
        self._weights, self._summaries, self._bodies = weights, summaries, bodies
        self._config, self._measure = config, measure

    def tensors(self) -> dict[str, Tensor]:
        """The table and Adam's state."""
        state = self._optimizer.state[self._table]
        return {
            "table": self._table.data,
            **{name: state[name] for name in ("step", "exp_avg", "exp_avg_sq")},
        }

    def vectors(self) -> Tensor:
        """(V, D), the word vectors as they are now."""
        return self._table.data

    def measure(self) -> dict[str, float]:
        """Metrics of the word vectors as sentence vectors."""
        return self._measure(self.vectors())

    def batches(self) -> Sequence[Tensor]:
        """The pairs in a new order: (B,) long each."""
        order = torch.randperm(len(self._summaries), generator=self.generator)
        return [each for each in order.split(self._config.pairs) if len(each) > 1]

    def update(self, batch: Tensor, done: float) -> float:
        """One step of Adam."""
        bodies = encode(self._bodies.take(batch), self._table, self._weights)
        summaries = encode(self._summaries.take(batch), self._table, self._weights)
        loss = info_nce(bodies, summaries, self._config.temperature)
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return loss.item()
