"""A small BERT for the tests, and texts for it."""

import torch
from torch import Tensor, nn

from solutions.bert.config import BertConfig

B, T, D, H, D_FF, V, L = 3, 7, 12, 2, 20, 31, 3
SMALL = BertConfig(
    vocabulary_size=V, d_model=D, num_heads=H, d_ff=D_FF, num_layers=L, max_length=9, dropout=0.0
)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    """Float, normally distributed."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def texts() -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, types and mask, (B, T) each; two of the three texts end in padding."""
    tokens = torch.randint(V, (B, T), generator=torch.Generator().manual_seed(0))
    types = (torch.arange(T) >= torch.tensor([[3], [2], [4]])).long()
    return tokens, types, torch.arange(T) < torch.tensor([[7], [5], [6]])


def randomise(module: nn.Module) -> None:
    """Move every parameter away from where it starts, so that each norm and each bias counts."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.3)
