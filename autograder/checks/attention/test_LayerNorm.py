"""Hidden checks of `LayerNorm`: plain vectors, the variance, scale and shift, more dimensions, gradients, modes.

The layer is given a state drawn here, with entries that all differ.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from solutions.attention import layer_norm as reference

SHAPES = ((5, 7), (3, 4), (8, 3))
"""(vectors, D)."""


def make_layers(student, width: int, state: dict[str, Tensor] | None = None, **settings) -> tuple:
    """The student's layer and the reference's, both holding `state`, or ones and zeros."""
    ours, theirs = reference.LayerNorm(width, **settings), student.LayerNorm(width, **settings)
    if state is not None:
        ours.load_state_dict(state)
        theirs.load_state(state)
    return theirs, ours


def draw_state(rng: torch.Generator, width: int) -> dict[str, Tensor]:
    return {
        "weight": 1 + 0.5 * torch.randn(width, generator=rng),
        "bias": torch.randn(width, generator=rng),
    }


def draw(rng: torch.Generator, *shape: int) -> Tensor:
    """Vectors whose entries lie apart: `eps` is too small to be seen beside their variance."""
    return (
        torch.rand(shape, generator=rng).argsort(dim=-1) * 2.0 + 0.5 * torch.randn(shape, generator=rng) - 1
    )


@check(points=1, requires="norm-1")
def test_each_vector(student, rng):
    """A new layer does not bring each vector to mean zero and one size: mean and spread are those of the entries
    of one vector, not of a column or of the whole tensor, and the variance divides by D."""
    for count, width in SHAPES:
        theirs, ours = make_layers(student, width)
        x = draw(rng, count, width) * (1 + torch.rand(count, 1, generator=rng))
        assert_same(theirs(x), ours(x))


@check(points=1, requires="norm-2", after="test_each_vector")
def test_small_spread(student, rng):
    """Vectors of nearly equal entries are wrong: `eps` is the one that was given, and it is added to the
    variance, under the root. A vector of equal entries gives `bias`, never `nan`. Take the mean off before you square:
    the difference of two large squares keeps few digits."""
    for (count, width), eps in zip(SHAPES, (0.1, 1e-3, 1e-5), strict=True):
        theirs, ours = make_layers(student, width, draw_state(rng, width), eps=eps)
        x = torch.randn(count, width, generator=rng) * eps**0.5
        x[0] = 0.25
        assert_same(theirs(x), ours(x))
        # In 32 bits 100 is known to 8e-6 and its square to 1e-3, and the spread is 0.1.
        x = 100 + draw(rng, count, width) * 0.05
        assert_same(theirs(x), ours(x), relative=3e-3, absolute=3e-3)


@check(points=1, requires="norm-3", after="test_each_vector")
def test_weight_and_bias(student, rng):
    """A new layer is right, one that has learnt is not: every entry has a factor in `weight` and a summand in
    `bias` of its own, and they come after the normalisation."""
    for count, width in SHAPES:
        theirs, ours = make_layers(student, width, draw_state(rng, width))
        x = draw(rng, count, width)
        assert_same(theirs(x), ours(x))


@check(points=1, requires="norm-1", after="test_each_vector")
def test_dimensions_in_front(student, rng):
    """A list of vectors is right, a batch of texts or a single vector is not: count the dimension from the end."""
    for shape in ((2, 3, 5), (7,), (2, 1, 3, 4)):
        theirs, ours = make_layers(student, shape[-1])
        x = draw(rng, *shape)
        assert_same(theirs(x), ours(x))


def input_after_the_call(student, layer, x):
    """Runs beside the student's code: the result, and what the caller's own tensor holds afterwards."""
    return layer(x), x


@check(points=1, requires="norm-5", after="test_each_vector")
def test_modes(student, rng):
    """The result is not the same in both modes, or the caller's tensor was changed: nothing is remembered
    from call to call, and `-=` changes x itself."""
    for count, width in SHAPES:
        theirs, ours = make_layers(student, width)
        for switch in (theirs.train, theirs.eval):
            switch()
            x = draw(rng, count, width)
            result, after = student.probe(input_after_the_call, theirs, x)
            assert_same(result, ours(x))
            assert_same(after, x, relative=0, absolute=0)


def gradient_of_x(student, layer, x, weighing):
    """Runs beside the student's code: the gradient that reaches the input."""
    x.requires_grad_()
    (found,) = torch.autograd.grad(layer(x), x, weighing)
    return found


@check(points=1, requires="norm-4", after="test_each_vector")
def test_gradients(student, rng):
    """The values are right, the gradients are not: `weight` and `bias` are the only parameters, and mean and
    variance depend on x too, so nothing may be detached."""
    for count, width in ((5, 16), (3, 11)):
        theirs, ours = make_layers(student, width)
        x, weighing = draw(rng, count, width), torch.randn(count, width, generator=rng)
        gradients = theirs.grads(x, cotangent=weighing)
        leaf = x.clone().requires_grad_()
        (ours(leaf) * weighing).sum().backward()
        assert set(gradients) == {"weight", "bias"}
        assert_same(gradients["weight"], ours.weight.grad)
        assert_same(gradients["bias"], ours.bias.grad)
        (expected,) = torch.autograd.grad(ours(leaf), leaf, weighing)
        assert_same(student.probe(gradient_of_x, theirs, x, weighing), expected)
