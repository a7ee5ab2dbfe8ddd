"""Comparing what a student returned with what the reference computed on this side of the wall."""

from typing import Any

import torch
from torch import Tensor

RELATIVE, ABSOLUTE = 1e-4, 1e-5
"""float32 sums of a few hundred terms of size one differ by about 1e-6, whichever order they are taken in,
and by 1e-5 after a division; a misreading moves every value that is compared here by 1e-2 or more."""


def assert_same(
    actual: Any, expected: Tensor | float, *, relative: float = RELATIVE, absolute: float = ABSOLUTE
) -> None:
    """Hold when `actual` has the kind, the shape and, up to the tolerances, the values of `expected`.

    The width of the numbers (float32 or float64, int32 or int64) is free; their kind (floating, integer) is
    not.

    Args:
        actual: what came from the student's side: anything at all.
        expected: what the reference computed: a tensor of any shape, or a number (a tensor of shape ()).

    Raises:
        AssertionError: they differ. The message is for the grader's own log; students read the check's hint.
    """
    wanted = torch.as_tensor(expected)
    assert isinstance(actual, Tensor), f"expected a tensor, got {type(actual).__name__}"
    assert actual.dtype.is_floating_point == wanted.dtype.is_floating_point, f"wrong kind: {actual.dtype}"
    assert actual.dtype.is_complex == wanted.dtype.is_complex, f"wrong kind: {actual.dtype}"
    assert actual.shape == wanted.shape, f"shape {tuple(actual.shape)} is not {tuple(wanted.shape)}"
    torch.testing.assert_close(
        actual.double(), wanted.double(), rtol=relative, atol=absolute, check_device=False
    )
