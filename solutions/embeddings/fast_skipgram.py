"""Skip-gram and CBOW with negative sampling, fast: loss and gradient of whole tiles, as matrix products.

The clear form is `skipgram.sgns_loss`, one pair at a time. Here a tile's words share their noise words: each of the
`M` noise words of a tile counts `K / M` times for every pair of the tile, so that on average the loss is the same.

Letters: `n` tiles, `T` words of a tile, `S` places of its surroundings, `M` noise words of a tile, `K` negatives that a
pair stands for, `D` width of a vector.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class Step(NamedTuple):
    """Gradients of one block of tiles, and how many pairs pulled at each vector."""

    first: Tensor
    """Gradient for the table of center vectors' side; the shape of the vectors given."""
    second: Tensor
    """Gradient for the context vectors' side."""
    first_pairs: Tensor
    """How many pairs, real and noise, pulled at each vector of `first`; its shape without D."""
    second_pairs: Tensor
    """The same for `second`."""


def skipgram_block(
    centers: Tensor, others: Tensor, mask: Tensor, negatives: int, *, with_loss: bool
) -> tuple[Step, float | None]:
    """The loss of all pairs of some tiles, summed, and its gradients.

    Args:
        centers: (n, T, D) float, the vectors of the tiles' words.
        others: (n, S + M, D) float, context vectors: the surroundings', then the noise words'.
        mask: (n, T, S) float, 1 for each pair.
        negatives: K.
        with_loss: also compute the mean loss of a pair.

    Returns:
        The gradients, `first` for centers and `second` for others, of the sum over all pairs; the mean or None.
    """
    places = mask.shape[2]
    share = negatives / (others.shape[1] - places)
    noise = (share * mask.sum(dim=2, keepdim=True)).expand(-1, -1, others.shape[1] - places)  # (n, T, M)
    weight = torch.cat([mask, noise], dim=2)  # (n, T, S + M), how often each product of vectors counts
    scores = torch.bmm(centers, others.mT)  # (n, T, S + M)
    loss = _mean_loss(scores, weight, places, mask.sum()) if with_loss else None
    pull = torch.sigmoid(scores)
    pull[..., :places] -= 1
    pull *= weight  # the derivative of the loss by each score
    step = Step(torch.bmm(pull, others), torch.bmm(pull.mT, centers), weight.sum(dim=2), weight.sum(dim=1))
    return step, loss


def cbow_block(
    surroundings: Tensor, others: Tensor, mask: Tensor, negatives: int, *, with_loss: bool
) -> tuple[Step, float | None]:
    """The same for CBOW: the mean of a window's vectors predicts the word in its middle.

    As the published program does, every word of the window gets the mean's whole gradient, not its share of it.

    Args:
        surroundings: (n, S, D) float, the vectors of the surroundings.
        others: (n, T + M, D) float, output vectors: of the tiles' words, then of the noise words.
        mask: (n, T, S) float, 1 where a place is in the window of a word.
        negatives: K.
        with_loss: also compute the mean loss of a word.

    Returns:
        The gradients, `first` for surroundings and `second` for others, of the sum over all words; the mean or None.
    """
    size = mask.shape[1]
    count = mask.sum(dim=2, keepdim=True)  # (n, T, 1), words in each window
    has = (count > 0).float()
    mean = torch.bmm(mask / count.clamp(min=1), surroundings)  # (n, T, D)
    share = negatives / (others.shape[1] - size)
    weight = torch.cat(
        [torch.eye(size, dtype=mask.dtype) * has, (share * has).expand(-1, -1, others.shape[1] - size)], dim=2
    )
    scores = torch.bmm(mean, others.mT)  # (n, T, T + M); of the first T only the diagonal counts
    loss = _mean_loss(scores, weight, size, has.sum()) if with_loss else None
    pull = torch.sigmoid(scores)
    pull[..., :size] -= 1
    pull *= weight
    per_mean = torch.bmm(pull, others)  # (n, T, D), the gradient for each mean
    pairs = torch.bmm(mask.mT, weight.sum(dim=2, keepdim=True)).squeeze(2)  # (n, S)
    return Step(torch.bmm(mask.mT, per_mean), torch.bmm(pull.mT, mean), pairs, weight.sum(dim=1)), loss


def _mean_loss(scores: Tensor, weight: Tensor, positives: int, count: Tensor) -> float:
    signed = scores.clone()
    signed[..., :positives].neg_()
    return ((F.softplus(signed) * weight).sum() / count.clamp(min=1)).item()
