"""What skip-gram is trained on: pairs of words that stand near each other, and the distribution of its noise words.

Letters: `T` words of a text, `N` pairs, `V` words in the vocabulary.
"""

import torch
from torch import Tensor


def skipgram_pairs(text: Tensor, window: int) -> Tensor:
    """Every (center, context) pair of a text.

    Args:
        text: (T,) long, the numbers of the words of one text, in order.
        window: how many places the two words of a pair may be apart, at least 1.

    Returns:
        (N, 2) long, a row for every two places that are at most `window` apart, once in either direction, in any
        order of the rows. A place makes no pair with itself; two places make one also when their words are the same.
    """
    ### BEGIN SOLUTION
    places = torch.arange(len(text))
    apart = (places[:, None] - places).abs()  # (T, T)
    centers, contexts = torch.nonzero((apart > 0) & (apart <= window), as_tuple=True)  # (N,), (N,)
    return torch.stack([text[centers], text[contexts]], dim=1)
    ### END SOLUTION


def noise_distribution(counts: Tensor, power: float = 0.75) -> Tensor:
    """How likely each word is drawn as a negative: its count to the power of `power`, scaled to sum 1.

    Args:
        counts: (V,) long or float, how often each word stands in the corpus, whole numbers; at least one is
            above 0.
        power: from 0 (all words that occur alike) to 1 (as often as in the text).

    Returns:
        (V,) float, sum 1. A word that never occurs has probability 0, whatever the power.
    """
    ### BEGIN SOLUTION
    weights = torch.where(counts > 0, counts**power, 0.0)  # (V,)
    return weights / weights.sum()
    ### END SOLUTION
