"""Windows by the thousand: a corpus cut into tiles, so that all scores of a tile are one matrix product.

A tile is a run of `T` words in a row, together with the `W` words before and after it. Word `i` of the tile may meet
the `T + 2W` words of its surroundings; a mask says which of them lie in its window and in its text.

Letters: `N` words of the corpus, `n` tiles, `T` words of a tile, `W` the largest window, `S = T + 2W`, `V` words in
the vocabulary.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Tiles:
    """The words of one epoch as tiles."""

    centers: Tensor
    """(n, T) long, the words of each tile; 0 after the end of the corpus."""
    surroundings: Tensor
    """(n, S) long, the same words with W more on either side."""
    left: Tensor
    """(n, T) long, how many places to the left a word's window reaches; 0 after the end."""
    right: Tensor
    """(n, T) long, how many to the right."""
    window: int
    """W."""

    def mask(self, which: Tensor) -> Tensor:
        """(b, T, S) float: 1 where word i of a tile makes a pair with place j of its surroundings.

        Args:
            which: (b,) long, the tiles wanted.
        """
        size = self.centers.shape[1]
        # apart[i, j]: how far place j of the surroundings lies to the right of word i
        apart = torch.arange(size + 2 * self.window) - self.window - torch.arange(size)[:, None]  # (T, S)
        left, right = self.left[which, :, None], self.right[which, :, None]  # (b, T, 1)
        return ((apart >= -left) & (apart <= right) & (apart != 0)).float()


def keep_probability(counts: Tensor, sample: float) -> Tensor:
    """How likely each word is kept when frequent words are thinned out, as the published word2vec program does it.

    With f the share of a word in the corpus it is min(1, sqrt(sample / f) + sample / f).

    Args:
        counts: (V,) long.
        sample: the share from which on words are thinned out, about; 0 keeps all.

    Returns:
        (V,) float.
    """
    if sample == 0:
        return torch.ones(len(counts))
    ratio = sample * counts.sum() / counts  # (V,), infinite for a word that never occurs
    return (ratio.sqrt() + ratio).clamp(max=1.0)


def cut(
    words: Tensor, texts: Tensor, keep: Tensor, *, window: int, size: int, generator: torch.Generator
) -> Tiles:
    """The tiles of one epoch: words thinned out anew, and a window of 1 to W places drawn for each word.

    Args:
        words: (N,) long, the corpus.
        texts: (N,) long, the number of the text in which each word stands, never falling.
        keep: (V,) float, how likely each word is kept.
        window: W.
        size: T.
        generator: of the randomness.
    """
    kept = torch.rand(len(words), generator=generator) < keep[words]
    words, texts = words[kept], texts[kept]
    place = torch.arange(len(words))
    begins = torch.ones(len(words), dtype=torch.bool)
    begins[1:] = texts[1:] != texts[:-1]
    ends = torch.ones(len(words), dtype=torch.bool)
    ends[:-1] = begins[1:]
    first = torch.where(begins, place, 0).cummax(0).values  # of the text in which a word stands
    last = torch.where(ends, place, len(words)).flip(0).cummin(0).values.flip(0)
    reach = torch.randint(1, window + 1, (len(words),), generator=generator)
    padding = -len(words) % size
    return Tiles(
        centers=F.pad(words, (0, padding)).view(-1, size),
        surroundings=F.pad(words, (window, window + padding)).unfold(0, size + 2 * window, size),
        left=F.pad(torch.minimum(reach, place - first), (0, padding)).view(-1, size),
        right=F.pad(torch.minimum(reach, last - place), (0, padding)).view(-1, size),
        window=window,
    )
