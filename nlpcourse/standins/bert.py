"""Stand-ins for the exercises of `bert`: the results that are asked for, reached in another way."""

import torch
from torch import Tensor, nn


class BertLayer(nn.Module):
    """Self-attention, one head after the other, then a feed-forward network; the norms stand last.

    Args:
        d_model: D, the width of the model.
        num_heads: H, a divisor of D.
        d_ff: the width inside the feed-forward network.
        dropout: how likely an entry of a sub-layer's result is set to zero in training.
    """

    def __init__(self, d_model: int, num_heads: int, d_ff: int, dropout: float = 0.1) -> None:
        super().__init__()
        if d_model % num_heads:
            raise ValueError(f"d_model is {d_model}, expected a multiple of num_heads, which is {num_heads}")
        self.num_heads = num_heads
        self.query = nn.Linear(d_model, d_model)
        self.key = nn.Linear(d_model, d_model)
        self.value = nn.Linear(d_model, d_model)
        self.output = nn.Linear(d_model, d_model)
        self.attention_norm = nn.LayerNorm(d_model, eps=1e-12)
        self.inner = nn.Linear(d_model, d_ff)
        self.outer = nn.Linear(d_ff, d_model)
        self.output_norm = nn.LayerNorm(d_model, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, T, D), from x (B, T, D) and a mask (B, T), True at tokens, False at padding."""
        pieces = [layer(x).chunk(self.num_heads, dim=-1) for layer in (self.query, self.key, self.value)]
        found = []
        for asked, offered, given in zip(*pieces, strict=True):  # (B, T, D / H) each
            scores = asked @ offered.mT / offered.shape[-1] ** 0.5  # (B, T, T)
            found.append(
                scores.masked_fill(mask.logical_not().unsqueeze(1), float("-inf")).softmax(-1) @ given
            )
        attended = self.dropout(self.output(torch.cat(found, dim=-1)))
        middle = self.attention_norm(attended + x)
        wide = self.inner(middle)
        wide = torch.special.ndtr(wide) * wide  # the exact GELU
        return self.output_norm(self.dropout(self.outer(wide)) + middle)
