"""Scaled dot-product attention (Vaswani et al., 2017), the step that every Transformer repeats.

Letters: `B` batch, `H` heads, `T_q` places that ask, `T_k` places that are asked, `D` width of a query.
"""

import math

import torch
from torch import Tensor


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """For each query, the mean of the values, weighted by how well their keys match the query.

    weights = softmax over the T_k places of (query . key / sqrt(D)), where only places that the mask allows count

    A row of the mask without a single allowed place gives weights and output of zero, never `nan`.

    Args:
        query: (..., T_q, D) float.
        key: (..., T_k, D) float.
        value: (..., T_k, D_v) float.
        mask: bool, broadcastable to (..., T_q, T_k); True where a query may look. None: everywhere.

    Returns:
        The output (..., T_q, D_v) and the weights (..., T_q, T_k).
    """
    if mask is None:
        mask = torch.ones(query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device)
    ### BEGIN SOLUTION
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (..., T_q, T_k)
    weights = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(dim=-1) * mask
    return weights @ value, weights
    ### END SOLUTION
