"""Sentence vectors by contrast: the InfoNCE loss (van den Oord et al., 2018) with the batch as negatives.

Letters: `B` sentences in a batch, `D` width of a vector.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def info_nce(queries: Tensor, keys: Tensor, temperature: float = 0.05) -> Tensor:
    """Mean loss of finding each query's own key among the keys of the batch.

    loss = mean over i of -log [exp(cos(q_i, k_i) / temperature) / sum over j of exp(cos(q_i, k_j) / temperature)]

    Args:
        queries: (B, D) float, one sentence vector a row.
        keys: (B, D) float; row i belongs to query i, the other rows are its negatives.
        temperature: above 0; small values look at the hardest negatives only.

    Returns:
        () float, the mean over the batch. Gradients flow to queries and keys.
    """
    ### BEGIN SOLUTION
    scores = F.normalize(queries) @ F.normalize(keys).T / temperature  # (B, B) cosines, a query a row
    return F.cross_entropy(scores, torch.arange(len(scores)))
    ### END SOLUTION
