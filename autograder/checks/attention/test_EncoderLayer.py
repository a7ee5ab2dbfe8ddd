"""Hidden checks of `EncoderLayer`: its sub-layers one at a time, both orders of the norm, masks, dropout,
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

SIZES = ((2, 5, 6, 2, 11), (1, 3, 12, 3, 5))
"""(B, T, D, H, d_ff)."""

MANY_TEXTS = ((25, 6, 4, 2, 11), (34, 4, 4, 4, 5))
"""The same, for counting what is kept: few places and a small D, of which each choice of entries is tried."""


def draw(rng: torch.Generator, sizes: tuple[int, ...]) -> tuple[Tensor, ...]:
    """x; vectors whose mean is not zero and whose spread is not one."""
    batch, places, width, _, _ = sizes
    return (torch.randn(batch, places, width, generator=rng) * 1.5 + 0.5,)


@check(points=1, requires=("encoder-1", "encoder-3"))
def test_self_attention(student, rng):
    """With the rest of the layer silent, the first sub-layer is wrong: x is query, key and value; what comes
    out is added to x; then comes `norm_1`. The other sub-layer adds nothing here, but its norm is there."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.EncoderLayer, sizes, only="self")
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-2")
def test_feed_forward(student, rng):
    """With the rest of the layer silent, the last sub-layer is wrong: `linear_1`, a ReLU, `linear_2`; the
    result is added to its input; then comes `norm_2`."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.EncoderLayer, sizes, only="thinking")
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires=("encoder-2", "encoder-3"), after="test_self_attention")
def test_norm_last(student, rng):
    """Each sub-layer alone is right, all together are not: each begins with the result of the one before,
    norm included, and it is that result which is added; each has a norm of its own."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.EncoderLayer, sizes)
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-4")
def test_norm_first(student, rng):
    """With `norm_first=True` the layer is wrong: the norm falls on what goes into a sub-layer, x itself is
    added without a norm, and none stands at the end."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.EncoderLayer, sizes, norm_first=True)
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-1", after="test_self_attention")
def test_mask(student, rng):
    """Without a mask the layer is right, with one it is not: is `mask` given to the attention?"""
    for sizes in SIZES:
        batch, places, *_ = sizes
        theirs, ours = make_layers(student, rng, reference.EncoderLayer, sizes, only="self")
        (x,) = draw(rng, sizes)
        for mask in (draw_mask(rng, places, places), draw_mask(rng, batch, 1, 1, places)):
            assert_same(theirs(x, mask), ours(x, mask))


@check(points=1, requires="encoder-5", after="test_norm_first")
def test_dropout(student, rng):
    """With the norm first, dropout is not where it should be in training mode: it falls on the result of each
    sub-layer, before it is added, not on x, not on the sum, and not inside a sub-layer. In evaluation mode
    there is none."""
    for sizes, dropout in zip(MANY_TEXTS, (0.5, 0.2), strict=True):
        assert_dropout_norm_first(student, reference.EncoderLayer, sizes, dropout, *draw(rng, sizes))


@check(points=1, requires="encoder-5", after="test_norm_last")
def test_dropout_norm_last(student, rng):
    """With the norm last, dropout is not where it should be in training mode: it falls on the result of each
    sub-layer, before it is added, not on the sum, not behind the norm, and not inside a sub-layer. In
    evaluation mode there is none."""
    for sizes, dropout in zip(MANY_TEXTS, (0.5, 0.2), strict=True):
        assert_dropout_norm_last(student, rng, reference.EncoderLayer, sizes, dropout, *draw(rng, sizes))


@check(points=1, requires="encoder-6", after="test_norm_first")
def test_gradients(student, rng):
    """The values are right, but gradients do not reach every parameter and every argument as they should (nothing
    may be detached), there are more parameters than given, or the caller's tensors were changed: add with `+`, not
    with `+=`."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, reference.EncoderLayer, sizes, norm_first=True)
        arguments = draw(rng, sizes)
        weighing = torch.randn(arguments[0].shape, generator=rng)
        assert_gradients(student, theirs, ours, weighing, *arguments)
        norm_last, _ = make_layers(student, rng, reference.EncoderLayer, sizes)
        for layer in (theirs, norm_last):
            assert_untouched(student, layer, *arguments)
