"""Hidden checks of `additive_attention`: weights, context, several texts, masks, gradients, side effects.

Scores have a spread of about one: no softmax saturates. All sizes differ.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import additive as reference

SIZES = ((5, 4, 6, 3, 7), (9, 7, 3, 5, 4), (2, 3, 8, 6, 5))
"""(T, D_q, D_k, D_v, A)."""


def draw(rng: torch.Generator, sizes: tuple[int, ...], batch: int) -> tuple[Tensor, ...]:
    """The six arguments."""
    places, query_width, key_width, value_width, units = sizes
    return (
        torch.randn(batch, query_width, generator=rng),
        torch.randn(batch, places, key_width, generator=rng),
        torch.randn(batch, places, value_width, generator=rng),
        torch.randn(units, query_width, generator=rng) * query_width**-0.5,
        torch.randn(units, key_width, generator=rng) * key_width**-0.5,
        torch.randn(units, generator=rng) * 1.5,
    )


def draw_mask(rng: torch.Generator, batch: int, places: int) -> Tensor:
    """Half of the places are hidden; each text keeps the first and hides the last."""
    mask = torch.rand(batch, places, generator=rng) < 0.5
    mask[:, 0], mask[:, -1] = True, False
    return mask


def assert_both(student, *arguments: Tensor) -> None:
    """Context and weights are the reference's, hidden places exactly."""
    result = student.additive_attention(*arguments)
    assert isinstance(result, tuple | list)
    assert len(result) == 2
    for mine, expected in zip(result, reference.additive_attention(*arguments), strict=True):
        assert_same(mine, expected)
    if len(arguments) == 7:
        assert not result[1][~arguments[6]].any()


@check(points=1, requires="additive-1")
def test_weights(student, rng):
    """For one text the weights are wrong: map query and key, add them, take the tanh, and only then multiply
    with `v`; the softmax goes over the places."""
    for sizes in SIZES:
        arguments = draw(rng, sizes, 1)
        result = student.additive_attention(*arguments)
        assert isinstance(result, tuple | list)
        assert len(result) == 2
        assert_same(result[1], reference.additive_attention(*arguments)[1])


@check(points=1, requires="additive-1", after="test_weights")
def test_context(student, rng):
    """The weights are right, the context is not: it is the sum of the values, not of the keys, each times the
    weight of its place, and it comes first in the pair."""
    for sizes in SIZES:
        assert_both(student, *draw(rng, sizes, 1))


@check(points=1, requires="additive-2", after="test_context")
def test_texts_stay_apart(student, rng):
    """One text is right, several in a batch are not: each query meets the places of its own text, and the
    softmax does not go over the texts."""
    for sizes, batch in zip(SIZES, (3, 5, 4), strict=True):
        assert_both(student, *draw(rng, sizes, batch))


@check(points=1, requires="additive-3", after="test_context")
def test_mask(student, rng):
    """Hidden places still play a part, or seen ones do not: True means seen; a hidden place is left out before the
    softmax. What is written over its score must be far lower than any score, and nothing is added to the sum below the
    fraction line: the scores of the places that are seen may all be low."""
    for sizes in SIZES:
        mask = draw_mask(rng, 1, sizes[0])
        arguments = draw(rng, sizes, 1)
        assert_both(student, *arguments, mask)
        query, *_, w_query, _, v = arguments
        w_query[-1], v[-1] = (
            30 * query[0] / query.square().sum(),
            -40.0,
        )  # a unit that is 1 takes 40 off each score
        assert_both(student, *arguments, mask)


@check(points=1, requires="additive-4", after="test_mask")
def test_nothing_allowed(student, rng):
    """A text whose places are all hidden does not get zeros: a softmax over minus infinity is `nan`, and over
    a very low finite number it is the same weight for all."""
    for sizes in SIZES:
        for hidden in (False, True):
            mask = draw_mask(rng, 1, sizes[0])
            assert_both(student, *draw(rng, sizes, 1), mask & hidden)


def arguments_after_the_call(student, *arguments):
    """Runs beside the student's code: what the caller's own tensors hold afterwards."""
    context, _ = student.additive_attention(*arguments)
    return context, *arguments


@check(points=1, requires="additive-6", after="test_mask")
def test_inputs_untouched(student, rng):
    """The caller's tensors are not what they were: a method whose name ends in an underscore, or an operator
    such as `+=`, changes the argument itself."""
    for sizes in SIZES:
        arguments = *draw(rng, sizes, 1), draw_mask(rng, 1, sizes[0])
        context, *after = student.probe(arguments_after_the_call, *arguments)
        assert_same(context, reference.additive_attention(*arguments)[0])
        for tensor, wanted in zip(after, arguments, strict=True):
            assert_same(tensor, wanted, relative=0, absolute=0)


def assert_gradients(student, rng: torch.Generator, *arguments: Tensor) -> None:
    """The gradients of context and weights, weighed at random, are the reference's."""
    leaves = [argument.clone().requires_grad_() for argument in arguments[:6]]
    results = reference.additive_attention(*leaves, *arguments[6:])
    weighing = tuple(torch.randn(result.shape, generator=rng) for result in results)
    expected = torch.autograd.grad(results, leaves, weighing)
    gradients = student.additive_attention.grads(*arguments, cotangent=weighing)
    assert len(gradients) == len(expected)
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert_same(gradient, wanted)


@check(points=1, requires="additive-5", after="test_context")
def test_gradients(student, rng):
    """The values are right, the gradients are not: nothing may be detached, turned into numbers or computed
    under `no_grad`."""
    for sizes in SIZES:
        assert_gradients(student, rng, *draw(rng, sizes, 1))


@check(points=1, requires="additive-5", after="test_gradients")
def test_gradients_with_a_mask(student, rng):
    """With a mask the gradients are wrong or not finite. When an infinity is added to the scores, a `nan` that is
    replaced afterwards is still in the gradient: write a finite number over hidden scores."""
    for sizes in SIZES:
        mask = draw_mask(rng, 1, sizes[0])
        assert_gradients(student, rng, *draw(rng, sizes, 1), mask)
        assert_gradients(student, rng, *draw(rng, sizes, 1), mask & False)
