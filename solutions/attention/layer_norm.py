"""Layer normalisation (Ba et al., 2016)."""

import torch
from torch import Tensor, nn


class LayerNorm(nn.Module):
    """Each vector by itself is brought to mean 0 and variance 1, then scaled and shifted entry by entry.

    output = weight * (x - mean) / sqrt(variance + eps) + bias

    Mean and variance are those of the D entries of one vector; the variance divides by D, not by D - 1.

    Parameters (the names are fixed): `weight` (D,), which starts as ones, and `bias` (D,), which starts as zeros.

    Args:
        d_model: D, the width of a vector.
        eps: added to the variance, so that a vector of equal entries gives no division by zero.
    """

    def __init__(self, d_model: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension.

        Args:
            x: (..., D) float.

        Returns:
            (..., D) float.
        """
        ### BEGIN SOLUTION
        centred = x - x.mean(dim=-1, keepdim=True)
        variance = centred.square().mean(dim=-1, keepdim=True)  # (..., 1)
        return self.weight * centred / torch.sqrt(variance + self.eps) + self.bias
        ### END SOLUTION
