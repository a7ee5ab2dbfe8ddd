"""Hidden checks of `scaled_dot_product_attention`: weights, output, masks; then gradients and large scores.

Scores have spread one or two: no softmax saturates, and each misreading moves the weights. All sizes differ.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.attention.layers import draw_mask
from autograder.checks.comparing import ABSOLUTE, RELATIVE, assert_same
from solutions.attention import dot_product as reference

SIZES = ((5, 7, 9, 3), (3, 11, 5, 7), (7, 2, 17, 4))
"""(T_q, T_k, D, D_v)."""

Arguments = tuple[Tensor, ...]


def draw(rng: torch.Generator, sizes: tuple[int, ...], *front: int) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value with the dimensions `front` before the last two."""
    asking, asked, width, value_width = sizes
    return (
        torch.randn(*front, asking, width, generator=rng) * 1.5,
        torch.randn(*front, asked, width, generator=rng),
        torch.randn(*front, asked, value_width, generator=rng),
    )


def assert_both(student, *arguments: Tensor, relative: float = RELATIVE, absolute: float = ABSOLUTE) -> None:
    """Output and weights are the reference's, hidden places exactly."""
    result = student.scaled_dot_product_attention(*arguments)
    assert isinstance(result, tuple | list)
    assert len(result) == 2
    for mine, expected in zip(result, reference.scaled_dot_product_attention(*arguments), strict=True):
        assert_same(mine, expected, relative=relative, absolute=absolute)
    if len(arguments) == 4:
        assert not result[1][~arguments[3].expand_as(result[1])].any()


def assert_gradients(student, rng: torch.Generator, *arguments: Tensor) -> None:
    """The gradients of output and weights, weighed at random, are the reference's."""
    leaves = [argument.clone().requires_grad_() for argument in arguments[:3]]
    results = reference.scaled_dot_product_attention(*leaves, *arguments[3:])
    weighing = tuple(torch.randn(result.shape, generator=rng) for result in results)
    expected = torch.autograd.grad(results, leaves, weighing)
    gradients = student.scaled_dot_product_attention.grads(*arguments, cotangent=weighing)
    assert len(gradients) == 3
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert_same(gradient, wanted)


@check(points=1, requires="sdpa-1")
def test_weights(student, rng):
    """The weights are not the softmax of the scaled scores: is the dot product divided by the root of the
    width of the query (not by the width, and not by a number of places), and does the softmax go over the
    keys?"""
    for sizes in SIZES:
        arguments = draw(rng, sizes)
        result = student.scaled_dot_product_attention(*arguments)
        assert isinstance(result, tuple | list)
        assert len(result) == 2
        assert_same(result[1], reference.scaled_dot_product_attention(*arguments)[1])


@check(points=1, requires="sdpa-1", after="test_weights")
def test_output(student, rng):
    """The weights are right, the output is not: it is the sum of the values, each times the weight of its
    place, and it comes first in the pair."""
    for sizes in SIZES:
        assert_both(student, *draw(rng, sizes))


@check(points=1, requires="sdpa-1", after="test_output")
def test_dimensions_in_front(student, rng):
    """One text alone is right, several at once are not: transpose the last two dimensions only, and count
    dimensions from the end."""
    for sizes, front in zip(SIZES, ((4,), (2, 3), (3, 1, 2)), strict=True):
        assert_both(student, *draw(rng, sizes, *front))


@check(points=1, requires="sdpa-2", after="test_output")
def test_mask(student, rng):
    """Hidden places still play a part, or seen ones do not: True means seen; a hidden place is left out before the
    softmax, so that the weights of the others sum to one."""
    for sizes in SIZES:
        query, key, value = draw(rng, sizes)
        mask = draw_mask(rng, *sizes[:2])
        assert_both(student, query, key, value, mask)
        hidden_by_all = ~mask.any(dim=0)
        assert hidden_by_all[-1]
        key[hidden_by_all], value[hidden_by_all] = 9.0, -9.0
        assert_both(student, query, key, value, mask)


@check(points=1, requires="sdpa-2", after="test_mask")
def test_mask_of_each_text(student, rng):
    """One mask for all is right, a mask with dimensions of size one is not: let it broadcast to the scores as
    it is."""
    for sizes in SIZES:
        asking, asked = sizes[:2]
        for shape in ((2, 1, 1, asked), (2, 3, asking, asked), (3, 1, asked)):
            assert_both(student, *draw(rng, sizes, 2, 3), draw_mask(rng, *shape))


@check(points=1, requires="sdpa-3", after="test_mask")
def test_nothing_allowed(student, rng):
    """A query that may look nowhere does not get zeros: with a softmax over minus infinity it gets `nan`, and
    over a very low finite number it gets the mean of everything."""
    for sizes in SIZES:
        mask = draw_mask(rng, *sizes[:2])
        mask[1] = False
        assert_both(student, *draw(rng, sizes, 2), mask)


@check(points=1, requires="sdpa-4", after="test_mask")
def test_large_scores(student, rng):
    """Small scores are right, large ones are not: an exponential of a large score is infinite, and one of a score far
    below zero is nothing. Take the largest score of the row off first, or use a softmax of torch. And what is written
    over a hidden score must be far lower than any score can be."""
    for sizes in SIZES:
        query, key, value = draw(rng, sizes)
        mask = draw_mask(rng, *sizes[:2])
        # A score of 1000 is known to 1e-3 or so, depending on where it is scaled.
        near = {"relative": 1e-2, "absolute": 3e-3}
        for size in (30.0, 300.0):
            scores = query @ key.T
            assert_both(student, query * size / scores.abs().max() * sizes[2] ** 0.5, key, value, **near)
        for shift in (-1000.0, 1000.0):  # the same for all keys, so that it changes no weight
            query[:, -1], key[:, -1] = sizes[2] ** 0.5, shift
            for hidden in ((), (mask,)):
                assert_both(student, query, key, value, *hidden, **near)


def arguments_after_the_call(student, query, key, value, mask):
    """Runs beside the student's code: what the caller's own tensors hold afterwards."""
    output, _ = student.scaled_dot_product_attention(query, key, value, mask)
    return output, query, key, value, mask


@check(points=1, requires="sdpa-6", after="test_mask")
def test_inputs_untouched(student, rng):
    """The caller's tensors are not what they were: a method whose name ends in an underscore, or an operator
    such as `/=`, changes the argument itself."""
    for sizes in SIZES:
        arguments = *draw(rng, sizes), draw_mask(rng, *sizes[:2])
        output, *after = student.probe(arguments_after_the_call, *arguments)
        assert_same(output, reference.scaled_dot_product_attention(*arguments)[0])
        for tensor, wanted in zip(after, arguments, strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)


@check(points=1, requires="sdpa-5", after="test_output")
def test_gradients(student, rng):
    """The values are right, the gradients are not: nothing may be detached, turned into numbers or computed under
    `no_grad` on its way to output and weights."""
    for sizes in SIZES:
        assert_gradients(student, rng, *draw(rng, sizes, 2))


@check(points=1, requires="sdpa-5", after="test_gradients")
def test_gradients_with_a_mask(student, rng):
    """With a mask the gradients are wrong or not finite. When an infinity is added to the scores, a `nan` that is
    replaced afterwards is gone from the result, but not from the gradient: write a finite number over hidden scores.
    """
    for sizes in SIZES:
        mask = draw_mask(rng, 2, *sizes[:2])
        assert_gradients(student, rng, *draw(rng, sizes, 2), mask)
        mask[1, 1] = False
        assert_gradients(student, rng, *draw(rng, sizes, 2), mask)
