"""Additive attention (Bahdanau et al., 2015), the first attention of a translation model.

Letters: `B` batch, `T` places of the source, `A` width of the hidden layer that scores a place.
"""

import torch
from torch import Tensor


def additive_attention(
    query: Tensor,
    keys: Tensor,
    values: Tensor,
    w_query: Tensor,
    w_key: Tensor,
    v: Tensor,
    mask: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """One query looks at T places; a small network with one hidden layer scores each.

    score of place t = v . tanh(w_query query + w_key keys[t]); weights = softmax of the scores

    When the mask allows no place, weights and context are zero, never `nan`.

    Args:
        query: (B, D_q) float, such as the state of a decoder.
        keys: (B, T, D_k) float, what is compared with the query.
        values: (B, T, D_v) float, what is averaged.
        w_query: (A, D_q) float.
        w_key: (A, D_k) float.
        v: (A,) float.
        mask: (B, T) bool, True where the query may look. None: everywhere.

    Returns:
        The context (B, D_v) and the weights (B, T).
    """
    if mask is None:
        mask = torch.ones(keys.shape[:2], dtype=torch.bool, device=keys.device)
    ### BEGIN SOLUTION
    hidden = torch.tanh((query @ w_query.T).unsqueeze(1) + keys @ w_key.T)  # (B, T, A)
    scores = hidden @ v  # (B, T)
    weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=1) * mask
    return torch.einsum("bt,btd->bd", weights, values), weights
    ### END SOLUTION
