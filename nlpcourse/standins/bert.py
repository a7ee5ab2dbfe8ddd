"""Stand-ins for the exercises of `bert`: the results that are asked for, reached in another way."""

import torch
from torch import Tensor


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
