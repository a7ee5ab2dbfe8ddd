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
        for name in ("self_attention", "cross_attention"):
            self.add_module(name, MultiHeadAttention(d_model, num_heads))
        for number, (wide, narrow) in enumerate(((d_model, d_ff), (d_ff, d_model)), start=1):
            self.add_module(f"linear_{number}", nn.Linear(wide, narrow))
        for number in (1, 2, 3):
            self.add_module(f"norm_{number}", nn.LayerNorm(d_model))
        self.norm_first, self.share_dropped = norm_first, dropout

    def forward(
        self, x: Tensor, memory: Tensor, mask: Tensor | None = None, memory_mask: Tensor | None = None
    ) -> Tensor:
        """(B, T, D), from x (B, T, D) and memory (B, S, D); masks are True where a place may look."""
        for number in (1, 2, 3):
            norm = self.get_submodule(f"norm_{number}")
            asking = norm(x) if self.norm_first else x
            if number == 3:
                found = self.get_submodule("linear_2")(self.get_submodule("linear_1")(asking).clamp(min=0))
            elif number == 2:
                found = self.get_submodule("cross_attention")(asking, memory, memory, memory_mask)
            else:
                found = self.get_submodule("self_attention")(asking, asking, asking, mask)
            x = x + F.dropout(found, self.share_dropped, training=self.training)
            if not self.norm_first:
                x = norm(x)
        return x


def sinusoidal_positions(length: int, d_model: int) -> Tensor:
    """(T, D): the parts of powers of complex numbers of length one."""
    if d_model % 2:
        raise ValueError(f"d_model is {d_model}, expected an even number: each wave has a sine and a cosine")
    speeds = torch.logspace(0, -4, d_model // 2 + 1, dtype=torch.float64)[:-1]  # from 1 to nearly 1 / 10000
    turned = torch.polar(torch.ones(()).double(), torch.outer(torch.arange(length).double(), speeds))
    return torch.stack((turned.imag, turned.real), 2).reshape(length, d_model).to(torch.float32)
