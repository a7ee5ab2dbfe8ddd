"""Hidden checks of `DecoderLayer`: its sub-layers one at a time, both orders of the norm, masks, dropout,
gradients.

The layer is given a state drawn here.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.attention.layers import (
    assert_dropout_norm_first,
    assert_dropout_norm_last,
    assert_gradients,
    assert_untouched,
    draw_mask,
    make_layers,
)
from autograder.checks.comparing import assert_same
from solutions.attention import layers as reference

SIZES = ((2, 5, 7, 6, 2, 11), (1, 4, 4, 12, 3, 5))
"""(B, T, S, D, H, d_ff); the last ones have as many places in x as in the memory."""

MANY_TEXTS = ((25, 6, 3, 4, 2, 11), (34, 4, 5, 4, 4, 5))
"""The same, for counting what is kept: few places and a small D, of which each choice of entries is tried."""


def draw(rng: torch.Generator, sizes: tuple[int, ...]) -> tuple[Tensor, ...]:
    """x, memory; vectors whose mean is not zero and whose spread is not one."""
    batch, places, source, width, _, _ = sizes
    return tuple(torch.randn(batch, length, width, generator=rng) * 1.5 + 0.5 for length in (places, source))


@check(points=1, requires=("decoder-1", "decoder-4"))
def test_self_attention(student, rng):
    """With the rest of the layer silent, the first sub-layer is wrong: x is query, key and value; what comes
    out is added to x; then comes `norm_1`. The other sub-layers add nothing here, but their norms are there."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes, only="self")
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="decoder-2")
def test_cross_attention(student, rng):
    """With the rest of the layer silent, the second sub-layer is wrong: queries come from x, keys and values
    from the memory, which passes no norm; the result is added to x; then comes `norm_2`."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes, only="cross")
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="decoder-3")
def test_feed_forward(student, rng):
    """With the rest of the layer silent, the last sub-layer is wrong: `linear_1`, a ReLU, `linear_2`; the
    result is added to its input; then comes `norm_3`."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes, only="thinking")
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires=("decoder-3", "decoder-4"), after="test_self_attention")
def test_norm_last(student, rng):
    """Each sub-layer alone is right, all together are not: each begins with the result of the one before,
    norm included, and it is that result which is added; each has a norm of its own."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes)
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="decoder-5")
def test_norm_first(student, rng):
    """With `norm_first=True` the layer is wrong: the norm falls on what goes into a sub-layer, x itself is
    added without a norm, and none stands at the end."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes, norm_first=True)
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="decoder-1", after="test_self_attention")
def test_mask(student, rng):
    """Without masks the layer is right, with `mask` it is not: it belongs to the self-attention, in both
    orders of the norm."""
    for sizes in SIZES:
        batch, places, *_ = sizes
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes, only="self")
        x, memory = draw(rng, sizes)
        for mask in (draw_mask(rng, places, places), draw_mask(rng, batch, 1, places, places)):
            assert_same(theirs(x, memory, mask), ours(x, memory, mask))


@check(points=1, requires="decoder-2", after="test_cross_attention")
def test_memory_mask(student, rng):
    """Without masks the layer is right, with `memory_mask` it is not: it belongs to the cross-attention alone."""
    for sizes in SIZES:
        batch, places, source, *_ = sizes
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes, only="cross")
        x, memory = draw(rng, sizes)
        for own, mask in (
            (None, draw_mask(rng, batch, 1, 1, source)),
            (draw_mask(rng, places, places), draw_mask(rng, batch, 1, places, source)),
        ):
            assert_same(theirs(x, memory, own, mask), ours(x, memory, own, mask))


@check(points=1, requires="decoder-6", after="test_norm_first")
def test_dropout(student, rng):
    """With the norm first, dropout is not where it should be in training mode: it falls on the result of each
    sub-layer, before it is added, not on x, not on the sum, and not inside a sub-layer. In evaluation mode
    there is none."""
    for sizes, dropout in zip(MANY_TEXTS, (0.5, 0.2), strict=True):
        assert_dropout_norm_first(student, reference.DecoderLayer, sizes, dropout, *draw(rng, sizes))


@check(points=1, requires="decoder-6", after="test_norm_last")
def test_dropout_norm_last(student, rng):
    """With the norm last, dropout is not where it should be in training mode: it falls on the result of each
    sub-layer, before it is added, not on the sum, not behind the norm, and not inside a sub-layer. In
    evaluation mode there is none."""
    for sizes, dropout in zip(MANY_TEXTS, (0.5, 0.2), strict=True):
        assert_dropout_norm_last(student, rng, reference.DecoderLayer, sizes, dropout, *draw(rng, sizes))


@check(points=1, requires="decoder-7", after="test_norm_first")
def test_gradients(student, rng):
    """The values are right, but gradients do not reach every parameter and every argument as they should (nothing
    may be detached), there are more parameters than given, or the caller's tensors were changed: add with `+`, not
    with `+=`."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.DecoderLayer, sizes, norm_first=True)
        arguments = draw(rng, sizes)
        weighing = torch.randn(arguments[0].shape, generator=rng)
        assert_gradients(student, theirs, ours, weighing, *arguments)
        norm_last, _ = make_layers(student, rng, reference.DecoderLayer, sizes)
        for layer in (theirs, norm_last):
            assert_untouched(student, layer, *arguments)
