"""GloVe as a task for the training loop: entries of the count table in random order, Adagrad, no autograd.

The clear form is `glove.glove_loss`.

Letters: `E` entries of the count table, `B` of them in a batch, `V` words in the vocabulary, `D` width of a vector.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from solutions.embeddings.corpus import Corpus
from solutions.embeddings.counting import fast_cooccurrence
from solutions.embeddings.rows import add_rows
from solutions.training.config import at_least

_START = 1e-4
"""Where Adagrad's sums of squares start."""


@dataclass(frozen=True)
class GloveConfig:
    """Settings of GloVe; window, width and the words left out are those of the other methods."""

    epochs: int = 15
    dimension: int = 100
    """Width of the vectors."""
    window: int = 5
    """Places to either side that count, at distance d by 1 / d."""
    maximum: float = 10.0
    """The count from which on an entry has weight 1; 10 in the published program's own run on a small corpus."""
    power: float = 0.75
    """How fast the weight grows below it."""
    lr: float = 0.05
    """Learning rate of Adagrad."""
    smallest_count: int = 5
    """Rarer words are left out of the texts."""
    batch: int = 65536
    """Entries in one step."""
    texts: int = 0
    """Texts of the corpus, from the first on; 0 for all."""

    def __post_init__(self) -> None:
        at_least(
            self,
            epochs=1,
            dimension=1,
            window=1,
            maximum=1,
            power=0,
            lr=0,
            smallest_count=1,
            batch=1,
            texts=0,
        )


def glove_gradient(
    word: Tensor, context: Tensor, counts: Tensor, *, maximum: float, power: float
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradient of the summed GloVe loss, vectors and biases in one.

    Args:
        word: (B, D + 2) float: the row word's vector, its bias, 1.
        context: (B, D + 2) float: the column word's vector, 1, its bias.
        counts: (B,) float, above 0.

    Returns:
        Gradients of both arguments (B, D + 2); those of the two ones are to be ignored. () the mean loss.
    """
    weights = (counts / maximum).clamp(max=1.0) ** power  # (B,)
    errors = (word * context).sum(dim=1) - counts.log()  # (B,)
    pull = (2 * weights * errors)[:, None]
    return pull * context, pull * word, (weights * errors**2).mean()


class GloveTask:
    """Training of word and context vectors on the logarithms of counts.

    Args:
        corpus: the texts.
        config: the settings.
        seed: of all random numbers.
        measure: metrics of word vectors (V, D), for the curve.
    """

    def __init__(
        self,
        corpus: Corpus,
        config: GloveConfig,
        *,
        seed: int,
        measure: Callable[[Tensor], dict[str, float]],
    ) -> None:
        self.epochs, self.words = config.epochs, corpus.running_words
        self.generator = torch.Generator().manual_seed(seed)
        self._config, self._measure = config, measure
        size, width = len(corpus.vocabulary), config.dimension
        self._counts = fast_cooccurrence(
            corpus.words, corpus.texts, vocabulary_size=size, window=config.window, flat=False
        )
        # Two more columns hold the biases: a product of rows is then word . context + both biases.
        self._tables = (torch.rand(2, size, width + 2, generator=self.generator) - 0.5) / width
        self._tables[0, :, width + 1] = 1.0
        self._tables[1, :, width] = 1.0
        self._squares = torch.ones_like(
            self._tables
        )  # Adagrad's sums start at 1, as in the published program
        self._fixed = (width + 1, width)

    def tensors(self) -> dict[str, Tensor]:
        """Both tables, and Adagrad's sums of squares."""
        return {"tables": self._tables, "squares": self._squares}

    def vectors(self) -> Tensor:
        """(V, D): word vector plus context vector, which the authors found a little better than either."""
        return self._tables[:, :, : self._config.dimension].sum(dim=0)

    def measure(self) -> dict[str, float]:
        """Metrics of the word vectors."""
        return self._measure(self.vectors())

    def batches(self) -> Sequence[Tensor]:
        """All entries in a new order: (B,) long each."""
        entries = len(self._counts.values)
        return torch.randperm(entries, generator=self.generator).split(self._config.batch)

    def update(self, batch: Tensor, done: float) -> float:
        """One step of Adagrad on a batch of entries, with the sum of their gradients."""
        config = self._config
        numbers = (self._counts.rows[batch], self._counts.columns[batch])
        word, context = (table[each] for table, each in zip(self._tables, numbers, strict=True))
        *gradients, loss = glove_gradient(
            word, context, self._counts.values[batch], maximum=config.maximum, power=config.power
        )
        for side, (each, gradient) in enumerate(zip(numbers, gradients, strict=True)):
            total = torch.zeros_like(self._tables[side])
            add_rows(total, each, gradient)
            total[:, self._fixed[side]] = 0
            self._squares[side].addcmul_(total, total)
            self._tables[side].addcdiv_(total, self._squares[side].sqrt(), value=-config.lr)
        return loss.item()
