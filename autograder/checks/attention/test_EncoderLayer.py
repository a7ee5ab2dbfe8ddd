"""Hidden checks of `EncoderLayer`: its sub-layers one at a time, both orders of the norm, masks, dropout,
gradients.

The layer is given a state drawn here. To look at one sub-layer, the maps with which the others end are set to
zero.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import layers as reference

SIZES = ((2, 5, 6, 2, 11), (3, 3, 12, 3, 5), (1, 7, 8, 4, 9))
"""(B, T, D, H, d_ff)."""

ENDS = {"self": "self_attention.out_proj", "thinking": "linear_2"}
"""The map with which each sub-layer ends."""

ALMOST_NEVER = 6.5
"""Standard deviations: a count of some thousand trials lies further out with probability below 1e-9."""


def make_layers(
    student, rng: torch.Generator, sizes: tuple[int, ...], *, only: str = "", **settings
) -> tuple:
    """The student's layer and the reference's in evaluation mode, with the same weights; of the sub-layers,
    `only` one gives something."""
    width, heads, inner = sizes[-3:]
    ours = reference.EncoderLayer(width, heads, inner, **settings)
    for name, parameter in ours.named_parameters():
        matrix = parameter.ndim == 2
        start = torch.randn(parameter.shape, generator=rng) * (width**-0.5 if matrix else 0.5)
        parameter.data = start + 1 if name.startswith("norm") and name.endswith("weight") else start
    state = ours.state_dict()
    for part, end in ENDS.items():
        if only and part != only:
            state[f"{end}.weight"].zero_()
            state[f"{end}.bias"].zero_()
    theirs = student.EncoderLayer(width, heads, inner, **settings)
    theirs.load_state(state)
    theirs.eval()
    return theirs, ours.eval()


def draw(rng: torch.Generator, sizes: tuple[int, ...]) -> tuple[Tensor, ...]:
    """x; vectors whose mean is not zero and whose spread is not one."""
    batch, places, width, _, _ = sizes
    return (torch.randn(batch, places, width, generator=rng) * 1.5 + 0.5,)


def draw_mask(rng: torch.Generator, *shape: int) -> Tensor:
    """Half of the places are hidden; each row keeps one that is seen and hides one."""
    mask = torch.rand(*shape, generator=rng) < 0.5
    mask[..., 0], mask[..., -1] = True, False
    return mask


@check(points=1, requires=("encoder-1", "encoder-3"))
def test_self_attention(student, rng):
    """With the rest of the layer silent, the first sub-layer is wrong: x is query, key and value; what comes
    out is added to x; then comes `norm_1`. The other sub-layer adds nothing here, but its norm is there."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, sizes, only="self")
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-2")
def test_feed_forward(student, rng):
    """With the rest of the layer silent, the last sub-layer is wrong: `linear_1`, a ReLU, `linear_2`; the
    result is added to its input; then comes `norm_2`."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, sizes, only="thinking")
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires=("encoder-2", "encoder-3"), after="test_self_attention")
def test_norm_last(student, rng):
    """Each sub-layer alone is right, all together are not: each begins with the result of the one before,
    norm included, and it is that result which is added."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, sizes)
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-4")
def test_norm_first(student, rng):
    """With `norm_first=True` the layer is wrong: the norm falls on what goes into a sub-layer, x itself is
    added without a norm, and none stands at the end."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, sizes, norm_first=True)
        arguments = draw(rng, sizes)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-1", after="test_self_attention")
def test_mask(student, rng):
    """Without a mask the layer is right, with one it is not: is `mask` given to the attention?"""
    for sizes in SIZES:
        batch, places, *_ = sizes
        theirs, ours = make_layers(student, rng, sizes, only="self")
        (x,) = draw(rng, sizes)
        for mask in (draw_mask(rng, places, places), draw_mask(rng, batch, 1, 1, places)):
            assert_same(theirs(x, mask), ours(x, mask))


def steady(student, width: int, heads: int, inner: int, values: tuple[float, ...], dropout: float):
    """A layer with the norm first whose sub-layers give `values`, whatever goes in: in the feed-forward
    network, every unit gives its share, so that dropout inside it would be seen."""
    ours = reference.EncoderLayer(width, heads, inner, norm_first=True)
    state = ours.state_dict()
    for (part, end), value in zip(ENDS.items(), values, strict=True):
        state[f"{end}.weight"].fill_(value / inner if part == "thinking" else 0.0)
        state[f"{end}.bias"].fill_(0.0 if part == "thinking" else value)
    state["linear_1.weight"].zero_()
    state["linear_1.bias"].fill_(1.0)
    theirs = student.EncoderLayer(width, heads, inner, dropout=dropout, norm_first=True)
    theirs.load_state(state)
    return theirs


@check(points=1, requires="encoder-5", after="test_norm_first")
def test_dropout(student, rng):
    """In training mode dropout is not where it should be: it falls on the result of each sub-layer, before it
    is added, not on x, not on the sum, and not inside a sub-layer. In evaluation mode there is none."""
    values = (1.0, 2.0)
    for sizes, dropout in zip(((4, 50, 6, 2, 11), (3, 30, 12, 3, 5)), (0.5, 0.2), strict=True):
        theirs = steady(student, *sizes[-3:], values, dropout)
        arguments = draw(rng, sizes)
        theirs.train()
        added = (theirs(*arguments) - arguments[0]).double() * (1 - dropout)
        sums = added.round()
        assert_same(added, sums, absolute=1e-3)
        assert sums.min() >= 0
        assert sums.max() <= sum(values)
        for value in values:
            kept = (sums.long() // int(value) % 2).sum().item()
            spread = (sums.numel() * dropout * (1 - dropout)) ** 0.5
            assert abs(kept - sums.numel() * (1 - dropout)) <= ALMOST_NEVER * spread
        theirs.eval()
        assert_same(theirs(*arguments), arguments[0] + sum(values))


def arguments_after_the_call(student, layer, *arguments):
    """Runs beside the student's code: what the caller's own tensors hold afterwards."""
    return layer(*arguments), *arguments


@check(points=1, requires="encoder-6", after="test_norm_first")
def test_gradients(student, rng):
    """The values are right, but gradients do not reach every parameter as they should, there are more
    parameters than given, or the caller's tensors were changed: add with `+`, not with `+=`."""
    for sizes in SIZES:
        theirs, ours = make_layers(student, rng, sizes, norm_first=True)
        arguments = draw(rng, sizes)
        weighing = torch.randn(arguments[0].shape, generator=rng)
        gradients = theirs.grads(*arguments, cotangent=weighing)
        (ours(*arguments) * weighing).sum().backward()
        expected = {name: parameter.grad for name, parameter in ours.named_parameters()}
        assert gradients.keys() == expected.keys()
        for name, wanted in expected.items():
            assert_same(gradients[name], wanted)
        _, *after = student.probe(arguments_after_the_call, theirs, *arguments)
        for tensor, wanted in zip(after, arguments, strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)
