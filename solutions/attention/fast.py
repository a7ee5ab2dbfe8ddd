"""The layers in their fast form: torch's fused attention kernels, one matrix product for query, key and value.

They compute what the clear forms of `multi_head.py` and `layers.py` compute, and a test holds the two together, values
and gradients. Their state has the same names, so that either form loads what the other has saved.

Letters: `B` batch, `H` heads, `T_q` places that ask, `T_k` places that are asked, `D` width of the model.
"""

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.attention.layers import DecoderLayer, EncoderLayer


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
        split_in_state(self, "in_proj", ("q_proj", "k_proj", "v_proj"))

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


def split_in_state(module: nn.Module, joined: str, parts: tuple[str, ...]) -> None:
    """Let a module's state speak of several linear maps of one size where the module has them in one.

    Args:
        module: with the linear map `joined`, whose rows are those of the parts, one after the other.
        joined: its name in the module.
        parts: the names that the state has instead.
    """
    module.register_state_dict_post_hook(partial(_split, joined, parts))
    module.register_load_state_dict_pre_hook(partial(_join, joined, parts))


def _split(
    joined: str, parts: tuple[str, ...], module: nn.Module, state: dict[str, Any], prefix: str, _: Any
) -> None:
    for kind in ("weight", "bias"):
        pieces = state.pop(f"{prefix}{joined}.{kind}").chunk(len(parts))
        state.update({f"{prefix}{name}.{kind}": piece for name, piece in zip(parts, pieces, strict=True)})


def _join(
    joined: str, parts: tuple[str, ...], module: nn.Module, state: dict[str, Any], prefix: str, *_: Any
) -> None:
    for kind in ("weight", "bias"):
        names = [f"{prefix}{name}.{kind}" for name in parts]
        if all(name in state for name in names):
            state[f"{prefix}{joined}.{kind}"] = torch.cat([state.pop(name) for name in names])


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
