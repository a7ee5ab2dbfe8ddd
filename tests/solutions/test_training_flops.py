"""FLOPs: the formulas against torch's own counter, on real modules."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from solutions.training import flops

B, T, S, D, F, V = 3, 11, 7, 16, 40, 50


def counted(run: Callable[[], Tensor], *, backward: bool = False) -> int:
    """FLOPs of the operators that are executed; the plain attention, because the counter does not know the CPU's."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        result = run()
        if backward:
            result.sum().backward()
    return counter.get_total_flops()


def sequence(positions: int) -> Tensor:
    return torch.randn(B, positions, D, requires_grad=True)


@pytest.mark.parametrize("heads", [1, 4])
def test_attention(heads: int) -> None:
    module = nn.MultiheadAttention(D, heads, batch_first=True)
    query, memory = sequence(T), sequence(S)
    assert counted(lambda: module(query, memory, memory)[0]) == flops.attention(B, T, S, D)


@pytest.mark.parametrize("backward", [False, True])
def test_layers(backward: bool) -> None:
    common = {"nhead": 4, "dim_feedforward": F, "batch_first": True, "dropout": 0.0}
    encoder, decoder = nn.TransformerEncoderLayer(D, **common), nn.TransformerDecoderLayer(D, **common)
    expected = flops.encoder_layer(B, T, D, F), flops.decoder_layer(B, T, S, D, F)
    x, memory = sequence(T), sequence(S)
    found = (
        counted(lambda: encoder(x), backward=backward),
        counted(lambda: decoder(x, memory), backward=backward),
    )
    assert found == (tuple(flops.training(each) for each in expected) if backward else expected)


def test_head() -> None:
    module = nn.Linear(D, V)
    x = sequence(T)
    assert counted(lambda: module(x)) == flops.vocabulary_head(B * T, D, V)


def test_no_peak_is_guessed() -> None:
    assert flops.peak("NVIDIA H200", "bf16") == flops.peak("NVIDIA H100 80GB HBM3", "bf16") == 989e12
    for device, precision in [
        ("cpu", "bf16"),
        ("NVIDIA H200", "fp32"),
        ("NVIDIA H100 80GB HBM3 MIG 3g.40gb", "bf16"),
        ("NVIDIA GeForce RTX 4090", "bf16"),
    ]:
        assert flops.peak(device, precision) is None
