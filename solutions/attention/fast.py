"""The layers in their fast form: torch's fused attention kernels, one matrix product for query, key and value.

They compute what the clear forms of `multi_head.py` and `layers.py` compute, and a test holds the two together, values
and gradients. Their state has the same names, so that either form loads what the other has saved.

Letters: `B` batch, `H` heads, `T_q` places that ask, `T_k` places that are asked, `D` width of the model.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention.layers import DecoderLayer, EncoderLayer

_PROJECTIONS = ("q_proj", "k_proj", "v_proj")


class FastMultiHeadAttention(nn.Module):
    """`MultiHeadAttention` with the three projections in one, `in_proj`, whose rows are those of q, then k, then v.

    Args:
        d_model: D, the width of the vectors.
        num_heads: H, a divisor of D.

    Raises:
        ValueError: D is no multiple of H.
    """

    def __init__(self, d_model: int, num_heads: int) -> None:
        super().__init__()
        if d_model % num_heads:
            raise ValueError(f"d_model is {d_model}, expected a multiple of num_heads, which is {num_heads}")
        self.num_heads = num_heads
        self.in_proj = nn.Linear(d_model, 3 * d_model)
        self.out_proj = nn.Linear(d_model, d_model)
        self.register_state_dict_post_hook(_split)
        self.register_load_state_dict_pre_hook(_join)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
        """Let every place of `query` look at the places of `key`; arguments and result as in the clear form."""
        width = query.shape[-1]
        weight, bias = self.in_proj.weight, self.in_proj.bias
        if query is key and key is value:
            projected = self.in_proj(query).chunk(3, dim=-1)
        elif key is value:
            pair = F.linear(key, weight[width:], bias[width:]).chunk(2, dim=-1)
            projected = (F.linear(query, weight[:width], bias[:width]), *pair)
        else:
            parts = zip((query, key, value), weight.chunk(3), bias.chunk(3), strict=True)
            projected = tuple(F.linear(*part) for part in parts)
        q, k, v = (each.unflatten(-1, (self.num_heads, -1)).transpose(1, 2) for each in projected)
        output = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (B, H, T_q, D / H)
        return self.out_proj(output.transpose(1, 2).flatten(2))


def _split(module: nn.Module, state: dict[str, Any], prefix: str, _: Any) -> None:
    """The state speaks of three projections."""
    for kind in ("weight", "bias"):
        joined = state.pop(f"{prefix}in_proj.{kind}")
        state.update(
            {f"{prefix}{name}.{kind}": part for name, part in zip(_PROJECTIONS, joined.chunk(3), strict=True)}
        )


def _join(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Three projections of a state become one."""
    for kind in ("weight", "bias"):
        names = [f"{prefix}{name}.{kind}" for name in _PROJECTIONS]
        if all(name in state for name in names):
            state[f"{prefix}in_proj.{kind}"] = torch.cat([state.pop(name) for name in names])


class FastEncoderLayer(EncoderLayer):
    """`EncoderLayer` with fast attention; arguments, state and results are the same."""

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.0, norm_first: bool = False
    ) -> None:
        super().__init__(d_model, num_heads, d_ff, dropout, norm_first)
        self.self_attention = FastMultiHeadAttention(d_model, num_heads)  # type: ignore[assignment]


class FastDecoderLayer(DecoderLayer):
    """`DecoderLayer` with fast attention; arguments, state and results are the same."""

    def __init__(
        self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.0, norm_first: bool = False
    ) -> None:
        super().__init__(d_model, num_heads, d_ff, dropout, norm_first)
        self.self_attention = FastMultiHeadAttention(d_model, num_heads)  # type: ignore[assignment]
        self.cross_attention = FastMultiHeadAttention(d_model, num_heads)  # type: ignore[assignment]
