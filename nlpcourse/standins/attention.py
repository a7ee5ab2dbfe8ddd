"""Stand-ins for the exercises of `attention`: the results that are asked for, reached in another way."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Attention by torch's own kernel; the weights are what it gives when the values are the rows of an identity.

    Args:
        query: (..., T_q, D) float.
        key: (..., T_k, D) float.
        value: (..., T_k, D_v) float.
        mask: bool, broadcastable to (..., T_q, T_k), True where a query may look; None: everywhere.

    Returns:
        The output (..., T_q, D_v) and the weights (..., T_q, T_k).
    """
    ones = torch.eye(key.shape[-2], dtype=key.dtype).expand(*key.shape[:-1], -1)  # (..., T_k, T_k)
    weights = F.scaled_dot_product_attention(query, key, ones, attn_mask=mask)
    return torch.matmul(weights, value), weights


def causal_mask(length: int) -> Tensor:
    """(T, T) bool, by comparing places."""
    places = torch.arange(length)
    return places.unsqueeze(1) >= places


def padding_mask(tokens: Tensor, pad: int) -> Tensor:
    """(B, 1, 1, T) bool, False at padding."""
    return tokens.ne(pad).reshape(tokens.shape[0], 1, 1, tokens.shape[1])


class MultiHeadAttention(nn.Module):
    """Attention with several heads, one head after the other, each with its rows of the projections.

    Args:
        d_model: D, the width of the vectors.
        num_heads: H, a divisor of D.
    """

    def __init__(self, d_model: int, num_heads: int) -> None:
        super().__init__()
        if d_model % num_heads:
            raise ValueError(f"d_model is {d_model}, expected a multiple of num_heads, which is {num_heads}")
        self.num_heads = num_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """(B, T_q, D), from query (B, T_q, D), key and value (B, T_k, D); the mask broadcasts to (B, H, T_q, T_k)."""
        width = query.shape[-1] // self.num_heads
        allowed = torch.ones(1, self.num_heads, 1, 1, dtype=torch.bool)
        allowed = allowed if mask is None else allowed & mask  # (1 or B, H, 1 or T_q, 1 or T_k)
        found = []
        for head in range(self.num_heads):
            rows = slice(head * width, (head + 1) * width)
            q, k, v = (
                F.linear(x, layer.weight[rows], layer.bias[rows])
                for x, layer in ((query, self.q_proj), (key, self.k_proj), (value, self.v_proj))
            )
            found.append(F.scaled_dot_product_attention(q, k, v, attn_mask=allowed[:, head]))
        return self.out_proj(torch.cat(found, dim=-1))


class DecoderLayer(nn.Module):
    """A layer that writes: self-attention, cross-attention, feed-forward network.

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
        """(B, T, D), from x (B, T, D) and memory (B, S, D); masks are True where a place may look."""
        before, after = (True, False) if self.norm_first else (False, True)
        asking = self.norm_1(x) if before else x
        x = x + self.dropout(self.self_attention(asking, asking, asking, mask))
        x = self.norm_1(x) if after else x
        asking = self.norm_2(x) if before else x
        x = x + self.dropout(self.cross_attention(asking, memory, memory, memory_mask))
        x = self.norm_2(x) if after else x
        inner = self.linear_1(self.norm_3(x) if before else x).clamp(min=0)
        x = x + self.dropout(self.linear_2(inner))
        return self.norm_3(x) if after else x


def sinusoidal_positions(length: int, d_model: int) -> Tensor:
    """(T, D): the parts of powers of complex numbers of length one."""
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}, expected an even number: each wave has a sine and a cosine")
    speeds = torch.logspace(0, -4, d_model // 2 + 1, dtype=torch.float64)[:-1]  # from 1 to nearly 1 / 10000
    turned = torch.polar(torch.ones(()).double(), torch.outer(torch.arange(length).double(), speeds))
    return torch.stack((turned.imag, turned.real), 2).reshape(length, d_model).to(torch.float32)
