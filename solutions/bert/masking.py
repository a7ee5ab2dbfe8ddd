"""Masked language modelling (Devlin et al., 2019): which tokens are asked, and what stands in their place.

Letters: `B` texts, `T` positions, `V` tokens in the vocabulary.
"""

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
    """Choose the tokens that the model has to find, and hide them.

    Every position that is not special is chosen with probability `rate`, independently of all others. What a chosen
    position shows is drawn for each anew: with probability 0.8 the mask, with 0.1 a token drawn from the whole
    vocabulary, each equally likely, and with 0.1 what stood there. Nothing else changes, and `tokens` does not either.
    Another call draws other positions (dynamic masking).

    Args:
        tokens: (B, T) long.
        special: (B, T) bool, True where a token is never chosen, such as `[CLS]`, `[SEP]` and padding.
        mask_id: the number of `[MASK]`.
        vocabulary_size: V.
        generator: of all random numbers, on the device of `tokens`.
        rate: from 0 to 1.

    Returns:
        Inputs and labels, (B, T) long each. A label is the token that stood at a chosen position, and -100 elsewhere.
    """
    drawn = torch.randint(vocabulary_size, tokens.shape, generator=generator, device=tokens.device)  # (B, T)
    # What the model sees, and what it has to find
    ### BEGIN SOLUTION
    chosen = (torch.rand(drawn.shape, generator=generator, device=drawn.device) < rate) & ~special
    fate = torch.randint(10, drawn.shape, generator=generator, device=drawn.device)
    shown = torch.where(fate < 8, mask_id, torch.where(fate < 9, drawn, tokens))  # eight of ten, and one
    return torch.where(chosen, shown, tokens), torch.where(chosen, tokens, -100)
    ### END SOLUTION
