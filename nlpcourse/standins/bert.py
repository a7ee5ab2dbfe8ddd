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


def mask_tokens(
    tokens: Tensor,
    special: Tensor,
    mask_id: int,
    vocabulary_size: int,
    generator: torch.Generator,
    rate: float = 0.15,
) -> tuple[Tensor, Tensor]:
    """Inputs and labels, (B, T) long each: one die with four faces is thrown for each position.

    Args:
        tokens: (B, T) long.
        special: (B, T) bool, True where a token is never chosen.
        mask_id: the number of `[MASK]`.
        vocabulary_size: V.
        generator: of all random numbers.
        rate: from 0 to 1.

    Returns:
        What the model sees, and what it has to find; -100 where it is not asked.
    """
    faces = torch.tensor([1 - rate, 0.8 * rate, 0.1 * rate, 0.1 * rate])  # stays unasked, mask, random, stays
    thrown = faces.multinomial(tokens.numel(), replacement=True, generator=generator).view_as(tokens)
    thrown = thrown.masked_fill(special, 0)
    inputs = tokens.masked_fill(thrown == 1, mask_id)
    anything = torch.randint(0, vocabulary_size, (int((thrown == 2).sum()),), generator=generator)
    return inputs.masked_scatter(thrown == 2, anything), tokens.masked_fill(thrown == 0, -100)
