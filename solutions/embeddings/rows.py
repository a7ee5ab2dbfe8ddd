"""Where vectors are kept, and how a block of gradients changes them: plain SGD on the rows that were used.

Letters: `R` rows of a table, `V` words in the vocabulary, `B` vectors of a block, `D` width of a vector.
"""

import zlib

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.embeddings.fasttext import character_ngrams
from solutions.embeddings.vocabulary import Vocabulary


def add_rows(table: Tensor, rows: Tensor, changes: Tensor) -> None:
    """table[rows] += changes, in place; a row that stands several times gets all its changes.

    Args:
        table: (R, D) float.
        rows: (B,) long.
        changes: (B, D) float.
    """
    # With an expanded index torch adds whole rows: more than twice as fast as index_add_ on two cores.
    table.scatter_add_(0, rows[:, None].expand(-1, table.shape[1]), changes)


class WordRows:
    """A table with a vector for each word."""

    def __init__(self, table: Tensor) -> None:
        """Args: table: (V, D) float, changed in place."""
        self.table = table

    def gather(self, words: Tensor) -> Tensor:
        """The vectors of words of any shape: (*words.shape, D)."""
        return F.embedding(words, self.table)

    def descend(self, words: Tensor, gradient: Tensor, pairs: Tensor, *, lr: float, limit: float) -> None:
        """One step against the gradient.

        Many pairs of one block may pull at the same vector. All of them see it where it was before the block, so
        together they may throw it too far. A vector with more than `limit` pairs moves as if it had so many.

        Args:
            words: (B,) long.
            gradient: (B, D) float, overwritten.
            pairs: (B,) float, how many pairs pulled at each.
            lr: learning rate.
            limit: see above.
        """
        crowd = torch.zeros(len(self.table)).index_add_(0, words, pairs)  # (R,), by row
        scale = -lr / (crowd / limit).clamp_(min=1.0)
        add_rows(self.table, words, gradient.mul_(scale[words, None]))

    def vectors(self) -> Tensor:
        """(V, D), the vector of each word."""
        return self.table


class NgramRows:
    """FastText's table: a word's vector is the mean of the vectors of its pieces, and words with like pieces are alike.

    A piece that is a whole word has a row of its own; the others share `buckets` rows, chosen by a checksum.

    Args:
        vocabulary: of the words.
        table: (V + buckets, D) float, changed in place.
        smallest: the fewest characters of a piece.
        largest: the most.
    """

    def __init__(self, vocabulary: Vocabulary, table: Tensor, *, smallest: int, largest: int) -> None:
        self.table = table
        self._words = len(vocabulary)
        self._lengths = (smallest, largest)
        pieces = [
            [0],
            *(self._pieces(word, number) for number, word in enumerate(vocabulary.words[1:], start=1)),
        ]
        self._count = torch.tensor([len(each) for each in pieces])  # (V,), pieces of each word
        self._start = self._count.cumsum(0) - self._count  # (V,)
        self._rows = torch.tensor([row for each in pieces for row in each])

    def gather(self, words: Tensor) -> Tensor:
        """The vectors of words of any shape: (*words.shape, D)."""
        unique, place = words.unique(return_inverse=True)
        rows, starts, _ = self._spread(unique)
        return F.embedding(place, F.embedding_bag(rows, self.table, starts, mode="mean"))

    def descend(self, words: Tensor, gradient: Tensor, pairs: Tensor, *, lr: float, limit: float) -> None:
        """As `WordRows.descend`; as in the published program, each piece moves by the word's whole step."""
        unique, place = words.unique(return_inverse=True)
        steps = torch.zeros(len(unique), gradient.shape[1])
        add_rows(steps, place, gradient)
        crowd = torch.zeros(len(unique)).index_add_(0, place, pairs)
        rows, _, owner = self._spread(unique)
        # A piece is pulled by all words that have it.
        by_row = torch.zeros(len(self.table)).index_add_(0, rows, crowd[owner])
        scale = -lr / (by_row[rows] / limit).clamp_(min=1.0)
        add_rows(self.table, rows, F.embedding(owner, steps).mul_(scale[:, None]))

    def vectors(self) -> Tensor:
        """(V, D), the vector of each word."""
        return self.gather(torch.arange(self._words))

    def _pieces(self, word: str, number: int) -> list[int]:
        smallest, largest = self._lengths
        whole, buckets = f"<{word}>", len(self.table) - self._words
        pieces = [
            piece for piece in character_ngrams(word, smallest=smallest, largest=largest) if piece != whole
        ]
        rows = [self._words + zlib.crc32(piece.encode()) % buckets for piece in pieces]
        return [*rows, number]

    def _spread(self, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The rows of all pieces of some words; where each word's begin; which word each row is of."""
        count = self._count[words]
        starts = count.cumsum(0) - count
        owner = torch.repeat_interleave(torch.arange(len(words)), count)
        within = torch.arange(len(owner)) - starts[owner]
        return self._rows[self._start[words][owner] + within], starts, owner
