"""SGNS, CBOW and FastText as tasks for the training loop: blocks of tiles, plain SGD, a falling learning rate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from solutions.embeddings import tiles
from solutions.embeddings.corpus import Corpus
from solutions.embeddings.fast_skipgram import Step, skipgram_block
from solutions.embeddings.pairs import noise_distribution
from solutions.embeddings.rows import NgramRows, WordRows
from solutions.training.config import at_least


@dataclass(frozen=True)
class WindowConfig:
    """Settings of SGNS and CBOW; where word2vec's published program has a default, it is the value here."""

    epochs: int = 10
    dimension: int = 100
    """Width of the vectors."""
    window: int = 5
    """Places to either side, at most; each word draws its own reach from 1 to this."""
    negatives: int = 5
    """Noise words that a pair stands against."""
    sample: float = 1e-3
    """The share of the corpus from which on a word is thinned out; 0 keeps all."""
    lr: float = 0.025
    """Learning rate at the start; it falls to nearly 0 in a straight line."""
    smallest_count: int = 5
    """Rarer words are left out of the texts."""
    tile: int = 16
    """Words of a tile; larger tiles score more products that no pair needs."""
    shared: int = 16
    """Noise words that a tile's pairs share."""
    block: int = 128
    """Tiles in one step; larger blocks are faster, and their vectors older."""
    limit: float = 128.0
    """Pairs of a block whose pull a vector may add up; the pull of more is scaled down to this."""
    texts: int = 0
    """Texts of the corpus, from the first on; 0 for all."""
    map_words: int = 0
    """Words of the map that is written beside the record of seed 0; 0 for none."""

    def __post_init__(self) -> None:
        at_least(self, epochs=1, dimension=1, window=1, negatives=1, sample=0, lr=0, smallest_count=1, tile=1)
        at_least(self, shared=1, block=1, limit=1, texts=0, map_words=0)


@dataclass(frozen=True)
class FastTextConfig(WindowConfig):
    """Settings of FastText: those of SGNS, and which pieces of a word have vectors."""

    smallest: int = 3
    """The fewest characters of a piece."""
    largest: int = 6
    """The most."""
    buckets: int = 100_000
    """Rows that all pieces share which are not whole words."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, smallest=2, largest=self.smallest, buckets=1)


class Table(Protocol):
    """`WordRows` or `NgramRows`."""

    table: Tensor

    def gather(self, words: Tensor) -> Tensor: ...

    def descend(self, words: Tensor, gradient: Tensor, pairs: Tensor, *, lr: float, limit: float) -> None: ...

    def vectors(self) -> Tensor: ...


class Block(NamedTuple):
    """Some tiles of an epoch, and their noise words."""

    tiles: tiles.Tiles
    which: Tensor
    """(n,) long."""
    noise: Tensor
    """(n, M) long."""
    with_loss: bool


class WindowTask:
    """Training of two tables by what stands in windows.

    Args:
        corpus: the texts.
        config: the settings.
        seed: of all random numbers.
        block: `skipgram_block` (SGNS, FastText) or `cbow_block`.
        measure: metrics of word vectors (V, D), for the curve.
    """

    _EVERY = 8
    """The loss is computed on one block of so many: it is only looked at, and costs as much as a tenth of a step."""

    def __init__(
        self,
        corpus: Corpus,
        config: WindowConfig,
        *,
        seed: int,
        block: Callable[..., tuple[Step, float | None]],
        measure: Callable[[Tensor], dict[str, float]],
    ) -> None:
        self.epochs, self.words = config.epochs, corpus.running_words
        self.generator = torch.Generator().manual_seed(seed)
        self._corpus, self._config, self._measure = corpus, config, measure
        self._block = block
        self._keep = tiles.keep_probability(corpus.counts, config.sample)
        self._noise = noise_distribution(corpus.counts)
        size = len(corpus.vocabulary)
        self._first: Table
        if isinstance(config, FastTextConfig):
            lengths = {"smallest": config.smallest, "largest": config.largest}
            self._first = NgramRows(corpus.vocabulary, self._start(size + config.buckets), **lengths)
        else:
            self._first = WordRows(self._start(size))
        self._second = WordRows(torch.zeros(size, config.dimension))

    def _start(self, rows: int) -> Tensor:
        uniform = torch.rand(rows, self._config.dimension, generator=self.generator)
        return (uniform - 0.5) / self._config.dimension

    def tensors(self) -> dict[str, Tensor]:
        """Both tables."""
        return {"first": self._first.table, "second": self._second.table}

    def vectors(self) -> Tensor:
        """(V, D), the word vectors as they are now."""
        return self._first.vectors()

    def measure(self) -> dict[str, float]:
        """Metrics of the word vectors."""
        return self._measure(self.vectors())

    def batches(self) -> Sequence[Block]:
        """The blocks of one epoch: all tiles in a new order, with fresh windows and noise words."""
        config, corpus = self._config, self._corpus
        cut = tiles.cut(
            corpus.words,
            corpus.texts,
            self._keep,
            window=config.window,
            size=config.tile,
            generator=self.generator,
        )
        draws = len(cut.centers) * config.shared
        noise = torch.multinomial(self._noise, draws, replacement=True, generator=self.generator)
        order = torch.randperm(len(cut.centers), generator=self.generator)
        noise = noise.view(-1, config.shared)
        return [
            Block(cut, which, noise[which], with_loss=number % self._EVERY == 0)
            for number, which in enumerate(order.split(config.block))
        ]

    def update(self, batch: Block, done: float) -> float | None:
        """One step of SGD on a block."""
        centers, surroundings = batch.tiles.centers[batch.which], batch.tiles.surroundings[batch.which]
        first, second = (centers, surroundings) if self._block is skipgram_block else (surroundings, centers)
        second = torch.cat([second, batch.noise], dim=1)
        step, loss = self._block(
            self._first.gather(first),
            self._second.gather(second),
            batch.tiles.mask(batch.which),
            self._config.negatives,
            with_loss=batch.with_loss,
        )
        pace = {"lr": self._config.lr * max(1 - done, 1e-4), "limit": self._config.limit}
        self._first.descend(first.flatten(), step.first.flatten(0, 1), step.first_pairs.flatten(), **pace)
        self._second.descend(second.flatten(), step.second.flatten(0, 1), step.second_pairs.flatten(), **pace)
        return loss
