"""A trained Transformer for a page that computes with it: its weights in eight bits, and an example to show.

Letters: `L` decoder layers, `H` heads, `S` places of the source, `T` of the target.
"""

import base64
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from nlpcourse.data import dates
from solutions.attention.decoding import greedy
from solutions.attention.maps import cross_attention_maps
from solutions.attention.transformer import Transformer

_EXAMPLE = "3 May 1998"
_ROWS = 500
"""Texts that are written at once."""


def eight_bits(tensor: Tensor) -> dict[str, Any]:
    """A tensor as whole numbers from -127 to 127, each row with a scale of its own.

    Args:
        tensor: float; a vector is one row, and all dimensions but the last count the rows.

    Returns:
        `shape`; `scales`, one a row; `values`: the numbers as signed bytes in base64, row after row.
    """
    rows = tensor.detach().float().reshape(-1, tensor.shape[-1])
    scales = [float(f"{scale:.5e}") for scale in (rows.abs().amax(dim=1) / 127).tolist()]
    divisors = torch.tensor(scales).clamp(min=torch.finfo(torch.float32).tiny).unsqueeze(1)
    numbers = (rows / divisors).round().clamp(-127, 127).to(torch.int8)
    values = base64.b64encode(numbers.numpy().tobytes()).decode()
    return {"shape": list(tensor.shape), "scales": scales, "values": values}


def from_eight_bits(packed: dict[str, Any]) -> Tensor:
    """The float32 tensor that `eight_bits` rounded."""
    numbers = torch.frombuffer(bytearray(base64.b64decode(packed["values"])), dtype=torch.int8)
    rows = numbers.float().view(len(packed["scales"]), -1) * torch.tensor(packed["scales"]).unsqueeze(1)
    return rows.view(packed["shape"])


def pack(model: Transformer, texts: Sequence[tuple[str, str]], *, longest: int) -> dict[str, Any]:
    """What a page needs to compute with a model that writes dates.

    Args:
        model: with clear layers, tied embeddings, sinusoidal positions and the norms before the sub-layers; its weights
            are rounded in place, so that what is measured is what the page computes.
        texts: the test set, texts and dates.
        longest: characters of the longest text in training.

    Returns:
        `num_heads`, `characters` (the first has number 3), `longest`, `target_length`, `tested` and `exact match` on
        the test set, `parameters`, `example` (a text, what is written, the weights (L, H, T, S) of cross-attention)
        and `weights` by name in eight bits.
    """
    model.eval()
    own = dict(model.named_parameters())  # tied ones once
    weights = [{"name": name, **eight_bits(tensor)} for name, tensor in own.items()]
    with torch.no_grad():
        for packed in weights:
            own[packed["name"]].copy_(from_eight_bits(packed))
    written = [
        each
        for first in range(0, len(texts), _ROWS)
        for each in _write(model, [text for text, _ in texts[first : first + _ROWS]])
    ]
    right = sum(dates.decode(found) == date for found, (_, date) in zip(written, texts, strict=True))
    (example,) = _write(model, [_EXAMPLE])
    inputs = torch.tensor([[dates.START, *example[:-1]]])
    maps = cross_attention_maps(model, dates.encode([_EXAMPLE]), inputs)
    return {
        "num_heads": model.config.num_heads,
        "characters": dates.characters(),
        "longest": longest,
        "target_length": dates.TARGET_LENGTH,
        "tested": len(texts),
        "exact match": right / len(texts),
        "parameters": sum(each.numel() for each in own.values()),
        "example": {
            "text": _EXAMPLE,
            "written": dates.decode(example),
            "weights": [
                [[[round(value, 3) for value in row] for row in head] for head in layer]
                for layer in maps.tolist()
            ],
        },
        "weights": weights,
    }


def _write(model: Transformer, texts: list[str]) -> list[list[int]]:
    return greedy(
        model, dates.encode(texts), start=dates.START, end=dates.END, max_length=dates.TARGET_LENGTH
    )
