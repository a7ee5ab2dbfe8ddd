"""What a trained Transformer looks at while it writes: the weights of its cross-attention.

Letters: `L` decoder layers, `H` heads, `S` places of the source, `T` of the target.
"""

from typing import Any

import torch
from torch import Tensor, nn

from solutions.attention.dot_product import scaled_dot_product_attention
from solutions.attention.masks import causal_mask, padding_mask
from solutions.attention.multi_head import MultiHeadAttention
from solutions.attention.transformer import Transformer


@torch.no_grad()
def cross_attention_maps(model: Transformer, source: Tensor, inputs: Tensor) -> Tensor:
    """Weights of every head, computed again from what went into it.

    Args:
        model: with clear layers, in evaluation mode.
        source: (1, S) long.
        inputs: (1, T) long, the target without its last token.

    Returns:
        (L, H, T, S) float; the weights of a place add up to 1.
    """
    found: list[Tensor] = []

    def look(attention: nn.Module, arguments: tuple[Any, ...], _: Any) -> None:
        assert isinstance(attention, MultiHeadAttention)
        query, key, value, mask = arguments
        projected = attention.q_proj(query), attention.k_proj(key), attention.v_proj(value)
        q, k, v = (each.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2) for each in projected)
        found.append(scaled_dot_product_attention(q, k, v, mask)[1][0])  # (H, T, S)

    hooks = [layer.get_submodule("cross_attention").register_forward_hook(look) for layer in model.decoder]
    try:
        model(source, inputs, padding_mask(source, model.config.pad), causal_mask(inputs.shape[1]))
    finally:
        for hook in hooks:
            hook.remove()
    return torch.stack(found)
