"""The layers of a Transformer (Vaswani et al., 2017), with the norm after or before each sub-layer.

Letters: `B` batch, `H` heads, `T` places of the layer's own sequence, `S` places of the memory, `D` width of the model.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention.multi_head import MultiHeadAttention


class EncoderLayer(nn.Module):
    """Every place looks at all places, then thinks by itself: self-attention, then a feed-forward network.

    Each of the two is a sub-layer. Around it stand dropout, a residual connection and a layer norm:

        norm(x + dropout(sublayer(x)))        norm_first=False, as published
        x + dropout(sublayer(norm(x)))        norm_first=True, easier to train when there are many layers

    Parameters (the names are fixed): `self_attention`; `linear_1` (D to d_ff) and `linear_2` (d_ff to D) with a ReLU
    between them; `norm_1` for the attention and `norm_2` for the feed-forward network.

    Args:
        d_model: D, the width of the model.
        num_heads: H, a divisor of D.
        d_ff: the width inside the feed-forward network.
        dropout: how likely an entry of a sub-layer's result is set to zero in training.
        norm_first: where the norms stand.
    """

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.0, norm_first: bool = False
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, num_heads)
        self.linear_1 = nn.Linear(d_model, d_ff)
        self.linear_2 = nn.Linear(d_ff, d_model)
        self.norm_1 = nn.LayerNorm(d_model)
        self.norm_2 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def residual(self, x: Tensor, norm: nn.Module, sublayer: Callable[[Tensor], Tensor]) -> Tensor:
        """A sub-layer with what stands around it.

        Args:
            x: (B, T, D) float.
            norm: the norm of this sub-layer.
            sublayer: a function of one tensor (B, T, D); its result has the same shape.

        Returns:
            (B, T, D) float.
        """
        ### BEGIN SOLUTION
        if self.norm_first:
            return x + self.dropout(sublayer(norm(x)))
        return norm(x + self.dropout(sublayer(x)))
        ### END SOLUTION

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """One layer.

        Args:
            x: (B, T, D) float.
            mask: bool, broadcastable to (B, H, T, T); True where a place may look. None: everywhere.

        Returns:
            (B, T, D) float.
        """
        ### BEGIN SOLUTION
        x = self.residual(x, self.norm_1, lambda y: self.self_attention(y, y, y, mask))
        return self.residual(x, self.norm_2, lambda y: self.linear_2(F.relu(self.linear_1(y))))
        ### END SOLUTION


class DecoderLayer(nn.Module):
    """Self-attention, then a look at the encoder's result (the memory), then a feed-forward network.

    Around each of the three sub-layers stand dropout, a residual connection and a layer norm, as in an encoder layer.

    Parameters (the names are fixed): `self_attention` and `cross_attention`; `linear_1` (D to d_ff) and `linear_2`
    (d_ff to D) with a ReLU between them; `norm_1`, `norm_2` and `norm_3`, in the order of the sub-layers.

    Args:
        d_model: D, the width of the model.
        num_heads: H, a divisor of D.
        d_ff: the width inside the feed-forward network.
        dropout: how likely an entry of a sub-layer's result is set to zero in training.
        norm_first: whether a norm stands before its sub-layer; else it stands after the residual connection.
    """

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.0, norm_first: bool = False
    ) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.self_attention = MultiHeadAttention(d_model, num_heads)
        self.cross_attention = MultiHeadAttention(d_model, num_heads)
        self.linear_1 = nn.Linear(d_model, d_ff)
        self.linear_2 = nn.Linear(d_ff, d_model)
        self.norm_1 = nn.LayerNorm(d_model)
        self.norm_2 = nn.LayerNorm(d_model)
        self.norm_3 = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """One layer.

        Args:
            x: (B, T, D) float, what is being written.
            memory: (B, S, D) float, the encoder's result. It is not normalised here.
            mask: bool, broadcastable to (B, H, T, T); True where a place may look at another of `x`.
            memory_mask: bool, broadcastable to (B, H, T, S); True where a place may look at one of `memory`.

        Returns:
            (B, T, D) float.
        """
        ### BEGIN SOLUTION
        sublayers = [
            (self.norm_1, lambda y: self.self_attention(y, y, y, mask)),
            (self.norm_2, lambda y: self.cross_attention(y, memory, memory, memory_mask)),
            (self.norm_3, lambda y: self.linear_2(F.relu(self.linear_1(y)))),
        ]
        for norm, sublayer in sublayers:
            x = x + self.dropout(sublayer(norm(x) if self.norm_first else x))
            x = x if self.norm_first else norm(x)
        return x
        ### END SOLUTION
