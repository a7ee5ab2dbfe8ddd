"""Hidden checks of `padding_mask`: which places, then kind and shape, other numbers for padding, side effects."""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import masks as reference

SIZES = ((3, 7), (5, 4), (1, 9))
"""(B, T)."""


def draw_texts(rng: torch.Generator, batch: int, length: int, pad: int) -> Tensor:
    """(B, T) long: at least one token each, then padding."""
    tokens = torch.randint(pad + 1, pad + 50, (batch, length), generator=rng)
    ends = torch.randint(1, length, (batch, 1), generator=rng)
    return torch.where(torch.arange(length) < ends, tokens, pad)


@check(points=1, requires="padding-1")
def test_places(student, rng):
    """Not the right places are hidden: each place of each text that holds padding is False, every other one
    is True."""
    for batch, length in SIZES:
        tokens = draw_texts(rng, batch, length, 0)
        mask = student.padding_mask(tokens, 0)
        assert isinstance(mask, Tensor)
        assert mask.numel() == tokens.numel()
        assert_same(
            mask.double().view(batch, length), reference.padding_mask(tokens, 0).double().view(batch, length)
        )


@check(points=1, requires="padding-2", after="test_places")
def test_kind_and_shape(student, rng):
    """The places are right, the shape or the kind is not: the mask is boolean, and its dimensions of size one
    stand where the scores have heads and places that ask."""
    for batch, length in SIZES:
        tokens = draw_texts(rng, batch, length, 0)
        mask = student.padding_mask(tokens, 0)
        assert mask.dtype == torch.bool
        assert_same(mask, reference.padding_mask(tokens, 0))


def tokens_after_the_call(student, tokens, pad):
    """Runs beside the student's code: the mask, and what the caller's tensor holds afterwards."""
    return student.padding_mask(tokens, pad), tokens


@check(points=1, requires=("padding-1", "padding-3"), after="test_places")
def test_any_padding(student, rng):
    """With another number for padding, or with padding in the middle of a text, the mask is wrong, or `tokens` was
    changed: compare each token with `pad`, and nothing else."""
    for batch, length in SIZES:
        for pad in (7, 3, -100):
            tokens = torch.randint(0, 10, (batch, length), generator=rng)
            # A number below 0, and one that is the same as `pad` in 8 bits, are tokens like any other.
            tokens[0, length // 2], tokens[0, 0], tokens[0, 1] = pad, 0, pad + 256
            mask, after = student.probe(tokens_after_the_call, tokens, pad)
            assert_same(
                mask.double().view(batch, length),
                reference.padding_mask(tokens, pad).double().view(batch, length),
            )
            assert_same(after, tokens, relative=0, absolute=0)
