"""Masks: which place may look at which. Boolean, True where looking is allowed.

Letters: `B` batch, `H` heads, `T` places. Every mask here broadcasts to (B, H, T_q, T_k), and two masks together are
`one & other`.
"""

import torch
from torch import Tensor


def causal_mask(length: int) -> Tensor:
    """Each place sees itself and what came before it.

    Args:
        length: T, the number of places.

    Returns:
        (T, T) bool; entry (i, j) says whether place i may look at place j.
    """
    ### BEGIN SOLUTION
    return torch.ones(length, length, dtype=torch.bool).tril()
    ### END SOLUTION


def padding_mask(tokens: Tensor, pad: int) -> Tensor:
    """Nobody looks at padding.

    Args:
        tokens: (B, T) long, token numbers.
        pad: the number that stands for padding.

    Returns:
        (B, 1, 1, T) bool, False where `tokens` holds padding.
    """
    ### BEGIN SOLUTION
    return (tokens != pad)[:, None, None, :]
    ### END SOLUTION
