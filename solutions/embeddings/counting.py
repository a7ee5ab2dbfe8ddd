"""Counts of company, kept sparse, and vectors from them: PPMI and a truncated SVD.

The clear form of the counts is `glove.cooccurrence`, a full table of one text.

Letters: `N` words of the corpus, `V` words in the vocabulary, `E` entries of the table that are not 0, `D` width.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.training.config import at_least


@dataclass(frozen=True)
class SvdConfig:
    """Settings of PPMI and a truncated SVD."""

    dimension: int = 100
    """Width of the vectors."""
    window: int = 5
    """Places to either side that count, all alike."""
    power: float = 0.75
    """Context counts are raised to it."""
    smallest_count: int = 5
    """Rarer words are left out of the texts."""
    texts: int = 0
    """Texts of the corpus, from the first on; 0 for all."""

    def __post_init__(self) -> None:
        at_least(self, dimension=1, window=1, power=0, smallest_count=1, texts=0)


class Counts(NamedTuple):
    """The entries of a symmetric table (V, V) that are not 0."""

    rows: Tensor
    """(E,) long."""
    columns: Tensor
    """(E,) long."""
    values: Tensor
    """(E,) float."""
    size: int
    """V."""


def fast_cooccurrence(
    words: Tensor, texts: Tensor, *, vocabulary_size: int, window: int, flat: bool
) -> Counts:
    """How often two words stand near each other within a text, over a whole corpus.

    Args:
        words: (N,) long, the corpus.
        texts: (N,) long, the number of the text in which each word stands.
        vocabulary_size: V.
        window: how many places two words may be apart.
        flat: count 1 at every distance; else 1 / d at distance d.
    """
    keys, weights = [], []
    for apart in range(1, window + 1):
        together = texts[:-apart] == texts[apart:]
        left, right = words[:-apart][together], words[apart:][together]
        keys += [left * vocabulary_size + right, right * vocabulary_size + left]
        weights.append(torch.full((2 * len(left),), 1.0 if flat else 1 / apart))
    entries, place = torch.cat(keys).unique(return_inverse=True)
    values = torch.zeros(len(entries), dtype=torch.float64).index_add_(0, place, torch.cat(weights).double())
    rows, columns = entries // vocabulary_size, entries % vocabulary_size
    return Counts(rows, columns, values.float(), vocabulary_size)


def ppmi_vectors(counts: Counts, *, dimension: int, power: float, generator: torch.Generator) -> Tensor:
    """Word vectors from a truncated SVD of positive pointwise mutual information (Levy et al., 2015).

    Args:
        counts: of company.
        dimension: D.
        power: context counts are raised to it, so that PPMI favours rare contexts less; 1 changes nothing.
        generator: the fast SVD starts from random numbers.

    Returns:
        (V, D) float: the left singular vectors, each times the square root of its singular value.
    """
    zeros = torch.zeros(counts.size)
    row_sums = zeros.index_add(0, counts.rows, counts.values)  # (V,)
    column_sums = zeros.index_add(0, counts.columns, counts.values) ** power
    expected = row_sums[counts.rows] * (column_sums / column_sums.sum())[counts.columns]  # (E,)
    ppmi = (counts.values / expected).log().clamp(min=0)
    keep = ppmi > 0
    table = Sparse.of(counts.rows[keep], counts.columns[keep], ppmi[keep], counts.size)
    transposed = Sparse.of(counts.columns[keep], counts.rows[keep], ppmi[keep], counts.size)
    return left_vectors(table, transposed, dimension=dimension, generator=generator)


class Sparse(NamedTuple):
    """A sparse matrix (V, V) by rows; torch's own sparse layouts are in beta."""

    columns: Tensor
    """(E,) long, row after row."""
    starts: Tensor
    """(V,) long, where each row begins."""
    values: Tensor
    """(E,) float."""

    @classmethod
    def of(cls, rows: Tensor, columns: Tensor, values: Tensor, size: int) -> "Sparse":
        """From entries in any order."""
        order = rows.argsort(stable=True)
        starts = torch.searchsorted(rows[order], torch.arange(size))
        return cls(columns[order], starts, values[order])

    def times(self, dense: Tensor) -> Tensor:
        """The product with a dense matrix (V, n): (V, n)."""
        return F.embedding_bag(self.columns, dense, self.starts, mode="sum", per_sample_weights=self.values)


def left_vectors(
    table: Sparse, transposed: Sparse, *, dimension: int, generator: torch.Generator, rounds: int = 4
) -> Tensor:
    """Left singular vectors (V, D), each times the root of its singular value, by random projection (Halko et al.,
    2011).

    Args:
        table: the matrix M.
        transposed: M with rows and columns exchanged.
        dimension: D.
        generator: of the projection.
        rounds: of M times its transpose; more of them separate close singular values better.
    """
    extra = dimension + 8  # a few more than wanted make the wanted ones accurate
    noise = torch.randn(len(table.starts), extra, generator=generator)
    basis = torch.linalg.qr(table.times(noise)).Q
    for _ in range(rounds):
        basis = torch.linalg.qr(table.times(torch.linalg.qr(transposed.times(basis)).Q)).Q  # (V, D + 8)
    left, sigma, _ = torch.linalg.svd(transposed.times(basis).T, full_matrices=False)
    return (basis @ left)[:, :dimension] * sigma[:dimension].sqrt()
