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

LAYERS = ((6, 2, 11), (12, 3, 5))
"""(D, H, d_ff)."""

TEXTS = ((2, 5), (1, 3))
"""(B, T)."""

LAYER_FOR_COUNTING, MANY_TEXTS = (4, 2, 11), (25, 6)
"""The same, for dropout: a D so small that each choice of entries that are kept can be tried."""


def draw(rng: torch.Generator, texts: tuple[int, int], width: int) -> tuple[Tensor, ...]:
    """x; vectors whose mean is not zero and whose spread is not one."""
    return (torch.randn(*texts, width, generator=rng) * 1.5 + 0.5,)


def assert_same_layer(student, rng: torch.Generator, sizes: tuple[int, int, int], **settings) -> None:
    """With the same weights the student's layer gives what the reference gives."""
    theirs, ours = make_layers(student, rng, reference.EncoderLayer, sizes, **settings)
    for texts in TEXTS:
        arguments = draw(rng, texts, sizes[0])
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires=("encoder-1", "encoder-3"))
def test_self_attention(student, rng):
    """With the rest of the layer silent, the first sub-layer is wrong: x is query, key and value; what comes
    out is added to x; then comes `norm_1`. The other sub-layer adds nothing here, but its norm is there."""
    assert_same_layer(student, rng, LAYERS[0], only="self")


@check(points=1, requires="encoder-2")
def test_feed_forward(student, rng):
    """With the rest of the layer silent, the last sub-layer is wrong: `linear_1`, a ReLU, `linear_2`; the
    result is added to its input; then comes `norm_2`."""
    assert_same_layer(student, rng, LAYERS[1], only="thinking")


@check(points=1, requires=("encoder-2", "encoder-3"), after="test_self_attention")
def test_norm_last(student, rng):
    """Each sub-layer alone is right, all together are not: each begins with the result of the one before,
    norm included, and it is that result which is added; each has a norm of its own."""
    assert_same_layer(student, rng, LAYERS[1])


@check(points=1, requires="encoder-4")
def test_norm_first(student, rng):
    """With `norm_first=True` the layer is wrong: the norm falls on what goes into a sub-layer, x itself is
    added without a norm, and none stands at the end."""
    assert_same_layer(student, rng, LAYERS[0], norm_first=True)


@check(points=1, requires="encoder-1", after="test_self_attention")
def test_mask(student, rng):
    """Without a mask the layer is right, with one it is not: is `mask` given to the attention?"""
    theirs, ours = make_layers(student, rng, reference.EncoderLayer, LAYERS[1], only="self")
    for batch, places in TEXTS:
        (x,) = draw(rng, (batch, places), LAYERS[1][0])
        for mask in (draw_mask(rng, places, places), draw_mask(rng, batch, 1, 1, places)):
            assert_same(theirs(x, mask), ours(x, mask))


@check(points=1, requires="encoder-5", after="test_norm_first")
def test_dropout(student, rng):
    """With the norm first, dropout is not where it should be in training mode: it falls on the result of each
    sub-layer, before it is added, not on x, not on the sum, and not inside a sub-layer. In evaluation mode
    there is none."""
    for dropout in (0.5, 0.2):
        arguments = draw(rng, MANY_TEXTS, LAYER_FOR_COUNTING[0])
        assert_dropout_norm_first(student, reference.EncoderLayer, LAYER_FOR_COUNTING, dropout, *arguments)


@check(points=1, requires="encoder-5", after="test_norm_last")
def test_dropout_norm_last(student, rng):
    """With the norm last, dropout is not where it should be in training mode: it falls on the result of each
    sub-layer, before it is added, not on the sum, not behind the norm, and not inside a sub-layer. In
    evaluation mode there is none."""
    arguments = draw(rng, MANY_TEXTS, LAYER_FOR_COUNTING[0])
    assert_dropout_norm_last(student, rng, reference.EncoderLayer, LAYER_FOR_COUNTING, 0.3, *arguments)


@check(points=1, requires="encoder-6", after="test_norm_first")
def test_gradients(student, rng):
    """The values are right, but gradients do not reach every parameter and every argument as they should (nothing
    may be detached), there are more parameters than given, or the caller's tensors were changed: add with `+`, not
    with `+=`."""
    theirs, ours = make_layers(student, rng, reference.EncoderLayer, LAYERS[1], norm_first=True)
    arguments = draw(rng, TEXTS[0], LAYERS[1][0])
    weighing = torch.randn(arguments[0].shape, generator=rng)
    assert_gradients(student, theirs, ours, weighing, *arguments)
    norm_last, _ = make_layers(student, rng, reference.EncoderLayer, LAYERS[1])
    for layer in (theirs, norm_last):
        assert_untouched(student, layer, *arguments)
