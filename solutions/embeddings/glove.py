"""GloVe (Pennington et al., 2014): weighted co-occurrence counts, and the loss that fits their logarithms.

Letters: `T` words of a text, `V` words in the vocabulary, `B` entries of the table in a batch, `D` width of a vector.
"""

import torch
from torch import Tensor


def cooccurrence(text: Tensor, *, vocabulary_size: int, window: int) -> Tensor:
    """How often two words stand near each other; two words that are `d` places apart count 1 / d.

    Args:
        text: (T,) long, the numbers of the words of one text, in order.
        vocabulary_size: V.
        window: how many places two words may be apart, at least 1.

    Returns:
        (V, V) float, symmetric: entry (i, j) is the sum of 1 / d over all places of i and all places of j that are d
        apart, 1 <= d <= window, to the left and to the right.
    """
    ### BEGIN SOLUTION
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]  # (T - apart,), (T - apart,)
        weight = torch.full((len(left),), 1 / apart)
        counts.index_put_((left, right), weight, accumulate=True)
        counts.index_put_((right, left), weight, accumulate=True)
    return counts
    ### END SOLUTION


def glove_loss(
    word: Tensor,
    context: Tensor,
    word_bias: Tensor,
    context_bias: Tensor,
    counts: Tensor,
    *,
    maximum: float = 100.0,
    power: float = 0.75,
) -> Tensor:
    """Mean weighted squared error of a batch of entries of the co-occurrence table.

    loss = mean over B of f(x) * (word . context + word_bias + context_bias - log x)^2
    f(x) = min(1, x / maximum)^power

    Args:
        word: (B, D) float, the vectors of the row words.
        context: (B, D) float, the vectors of the column words.
        word_bias: (B,) float, one number of each row word.
        context_bias: (B,) float, one number of each column word.
        counts: (B,) float, the entries x, 0 or more; an entry of 0 has weight 0.
        maximum: the count from which on the weight is 1.
        power: how fast the weight grows below it.

    Returns:
        () float, the mean over the B entries, those of 0 among them. Gradients flow to the first four arguments.
    """
    ### BEGIN SOLUTION
    weights = (counts / maximum).clamp(max=1.0) ** power  # (B,)
    scores = (word * context).sum(dim=-1) + word_bias + context_bias  # (B,)
    errors = scores - torch.where(counts > 0, counts, 1.0).log()  # (B,)
    return (weights * errors**2).mean()
    ### END SOLUTION
