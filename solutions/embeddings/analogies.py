"""Analogies by vector arithmetic (Mikolov et al., 2013): a is to b as c is to ...?

Letters: `V` words in the vocabulary, `D` width of a vector.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def analogy(table: Tensor, a: int, b: int, c: int, k: int = 1) -> list[int]:
    """The `k` words that are to `c` as `b` is to `a`: nearest to b - a + c by cosine, the three themselves left out.

    All vectors are scaled to length 1 before they are added.

    Args:
        table: (V, D) float, a vector a row, none of them all zeros.
        a, b, c: numbers of words.
        k: how many words, at most V - 3.

    Returns:
        k word numbers as Python integers, best first; never `a`, `b` or `c`.
    """
    ### BEGIN SOLUTION
    unit = F.normalize(table, dim=-1)  # (V, D)
    scores = unit @ (unit[b] - unit[a] + unit[c])  # (V,)
    scores[[a, b, c]] = -torch.inf
    return scores.topk(k).indices.tolist()
    ### END SOLUTION
