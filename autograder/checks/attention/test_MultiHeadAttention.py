"""Hidden checks of `MultiHeadAttention`: one head, several heads, several texts, masks, gradients.

The model is given a state drawn here, so that its values and gradients have one right answer each.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.attention.layers import draw_mask
from autograder.checks.comparing import assert_same
from solutions.attention import multi_head as reference


def make_models(student, rng: torch.Generator, width: int, heads: int) -> tuple:
    """The student's module and the reference's, with the same weights; scores have a spread of about one."""
    ours = reference.MultiHeadAttention(width, heads)
    for parameter in ours.parameters():
        parameter.data = torch.randn(parameter.shape, generator=rng) * 1.2 * width**-0.5
    theirs = student.MultiHeadAttention(width, heads)
    theirs.load_state(ours.state_dict())
    return theirs, ours


def draw(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=rng)


@check(points=1, requires="heads-1")
def test_one_head(student, rng):
    """Start with a single head and one text that looks at itself: project query, key and value, each with its
    own map, attend, and apply `out_proj` to the result. Is it the output that you go on with, not the
    weights?"""
    for places, width in ((5, 6), (3, 9), (7, 4)):
        theirs, ours = make_models(student, rng, width, 1)
        x = draw(rng, 1, places, width)
        assert_same(theirs(x, x, x), ours(x, x, x))


@check(points=1, requires="heads-2", after="test_one_head")
def test_heads(student, rng):
    """One head is right, several are not: head h has a run of neighbouring entries of each projected vector,
    it is scaled by the root of its own width, and the heads stand side by side in their order at the end.
    Move dimensions with `transpose`; a `view` alone mixes places and heads."""
    for places, width, heads in ((5, 6, 3), (3, 12, 2), (7, 12, 4), (1, 6, 6)):
        theirs, ours = make_models(student, rng, width, heads)
        x = draw(rng, 1, places, width)
        assert_same(theirs(x, x, x), ours(x, x, x))


@check(points=1, requires="heads-3", after="test_one_head")
def test_cross_attention(student, rng):
    """A text that looks at itself is right, one that looks at another is not: query, key and value may be
    three tensors, and the query may have another number of places. `q_proj` is for the query, `k_proj` for
    the key, `v_proj` for the value."""
    for asking, asked, width in ((5, 7, 6), (7, 2, 9), (1, 4, 4)):
        theirs, ours = make_models(student, rng, width, 1)
        arguments = draw(rng, 1, asking, width), draw(rng, 1, asked, width), draw(rng, 1, asked, width)
        assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="heads-2", after="test_heads")
def test_texts_stay_apart(student, rng):
    """One text alone is right, several in a batch are not: the dimension of the texts stays in front,
    whatever happens to places and heads."""
    for batch, places, width, heads in ((3, 5, 6, 3), (2, 3, 12, 2), (5, 2, 6, 2)):
        theirs, ours = make_models(student, rng, width, heads)
        x = draw(rng, batch, places, width)
        assert_same(theirs(x, x, x), ours(x, x, x))


@check(points=1, requires="heads-4", after="test_one_head")
def test_mask(student, rng):
    """Without a mask the result is right, with one it is not: is the mask given to the attention of the
    heads, as it is?"""
    for places, width in ((5, 6), (3, 9), (7, 4)):
        theirs, ours = make_models(student, rng, width, 1)
        x, mask = draw(rng, 1, places, width), draw_mask(rng, places, places)
        assert_same(theirs(x, x, x, mask), ours(x, x, x, mask))


@check(points=1, requires="heads-4", after="test_texts_stay_apart")
def test_masks_of_texts_and_heads(student, rng):
    """One mask for all is right, one for each text or each head is not: the scores have shape (B, H, T_q,
    T_k), and the mask must meet them in this order of dimensions."""
    for batch, asking, asked, width, heads in ((3, 5, 7, 6, 2), (2, 3, 4, 12, 3)):
        theirs, ours = make_models(student, rng, width, heads)
        query, memory = draw(rng, batch, asking, width), draw(rng, batch, asked, width)
        for shape in ((batch, 1, 1, asked), (1, heads, asking, asked), (batch, heads, asking, asked)):
            mask = draw_mask(rng, *shape)
            assert_same(theirs(query, memory, memory, mask), ours(query, memory, memory, mask))


def gradient_of_x(student, attention, x, weighing):
    """Runs beside the student's code: the gradient that reaches a text that looks at itself."""
    x.requires_grad_()
    return torch.autograd.grad(attention(x, x, x), x, weighing)[0]


@check(points=1, requires=("heads-1", "heads-5"), after="test_one_head")
def test_gradients(student, rng):
    """The values are right, the gradients are not: nothing may be detached or copied, on the way to the parameters
    or on that to query, key and value, and the parameters are those of the four maps and no others."""
    for places, width in ((5, 6), (3, 9)):
        theirs, ours = make_models(student, rng, width, 1)
        x, weighing = draw(rng, 1, places, width), draw(rng, 1, places, width)
        gradients = theirs.grads(x, x, x, cotangent=weighing)
        (ours(x, x, x) * weighing).sum().backward()
        expected = {name: parameter.grad for name, parameter in ours.named_parameters()}
        assert gradients.keys() == expected.keys()
        for name, wanted in expected.items():
            assert_same(gradients[name], wanted)
        reaching = student.probe(gradient_of_x, theirs, x, weighing)
        assert_same(reaching, gradient_of_x(None, ours, x.clone(), weighing))
