"""Stand-ins for the exercises of `embeddings`: the results that are asked for, reached in another way."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def sgns_loss(center: Tensor, context: Tensor, negatives: Tensor) -> Tensor:
    """Skip-gram loss with negative sampling, as the cross-entropy of "is this pair real?".

    Args:
        center: (B, D) float.
        context: (B, D) float.
        negatives: (B, K, D) float.

    Returns:
        () float, the mean over the batch.
    """
    others = torch.cat([context.unsqueeze(1), negatives], dim=1)  # (B, 1 + K, D)
    scores = (others @ center.unsqueeze(2)).squeeze(2)  # (B, 1 + K)
    real = torch.zeros_like(scores)
    real[:, 0] = 1.0
    return F.binary_cross_entropy_with_logits(scores, real, reduction="sum") / len(center)


class SkipGram(nn.Module):
    """Skip-gram model whose look-up is a product with one-hot rows.

    Args:
        vocabulary_size: V, the number of words.
        dimension: D, the width of a vector.
    """

    def __init__(self, *, vocabulary_size: int, dimension: int) -> None:
        super().__init__()
        self.center_vectors = nn.Linear(dimension, vocabulary_size, bias=False)
        self.context_vectors = nn.Linear(dimension, vocabulary_size, bias=False)
        with torch.no_grad():
            self.center_vectors.weight.copy_((torch.rand(vocabulary_size, dimension) - 0.5) / dimension)
            self.context_vectors.weight.zero_()

    def forward(self, centers: Tensor, contexts: Tensor, negatives: Tensor) -> Tensor:
        """The loss, a () float, of words given by number: centers (B,), contexts (B,), negatives (B, K)."""
        center = _rows(self.center_vectors.weight, centers)  # (B, D)
        context = _rows(self.context_vectors.weight, contexts)  # (B, D)
        noise = _rows(self.context_vectors.weight, negatives)  # (B, K, D)
        return sgns_loss(center, context, noise)


def _rows(table: Tensor, numbers: Tensor) -> Tensor:
    """Rows of `table` (V, D) picked by `numbers` (...), as a product with one-hot rows: (..., D)."""
    return F.linear(F.one_hot(numbers, len(table)).to(table.dtype), table.T)
