"""Hidden checks of `BertEncoder`: what it is made of, one layer, several, padding, dropout, gradients.

The encoder is given a state drawn here.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.modules import assert_gradients, assert_untouched
from solutions.bert import encoder as reference

SIZES = ((6, 2, 7, 3), (12, 3, 5, 2))
"""(D, H, d_ff, layers)."""

TEXTS = ((2, 5), (1, 3))
"""(B, T)."""


def make_encoders(student, rng: torch.Generator, sizes: tuple[int, int, int, int], **settings) -> tuple:
    """The student's encoder and the reference's in evaluation mode, with the same weights, drawn here."""
    theirs = student.BertEncoder(*sizes, **settings)
    ours = reference.BertEncoder(*sizes, **settings).eval().requires_grad_(False)
    state = ours.state_dict()
    for name, value in state.items():
        spread = value.shape[-1] ** -0.5 if value.ndim == 2 else 0.5
        value.normal_(float(name.endswith("norm.weight")), spread, generator=rng)
    theirs.load_state(state)
    theirs.eval()
    return theirs, ours


def draw(rng: torch.Generator, texts: tuple[int, int], width: int) -> tuple[Tensor, Tensor]:
    """x, vectors whose mean is not zero and whose spread is not one, and a mask without padding."""
    return torch.randn(*texts, width, generator=rng) * 1.5 + 0.5, torch.ones(texts, dtype=torch.bool)


def shapes_of_parameters(student, encoder):
    """Runs beside the student's code: every name of a parameter, also a second one of the same, with its shape."""
    return {name: list(each.shape) for name, each in encoder.named_parameters(remove_duplicate=False)}


@check(points=0, requires="encoder-1")
def test_layers(student, rng):
    """The encoder does not have the parameters of `num_layers` layers under `layers`, and no others. A plain
    list hides its layers from the module: they must stand in an `nn.ModuleList`."""
    for sizes in SIZES:
        found = student.probe(shapes_of_parameters, student.BertEncoder(*sizes))
        assert found == shapes_of_parameters(reference, reference.BertEncoder(*sizes))


@check(points=1, requires="encoder-3", after="test_layers")
def test_one_layer(student, rng):
    """With a single layer the result is not that of this layer: the encoder adds nothing, drops nothing in
    evaluation mode and has no norm of its own at the end."""
    for width, heads, inner, _ in SIZES:
        theirs, ours = make_encoders(student, rng, (width, heads, inner, 1))
        for texts in TEXTS:
            arguments = draw(rng, texts, width)
            assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-3", after="test_one_layer")
def test_several_layers(student, rng):
    """One layer is right, several are not: they are applied in the order of the list, each to the result of the
    one before, each once."""
    for sizes in SIZES:
        theirs, ours = make_encoders(student, rng, sizes)
        for texts in TEXTS:
            arguments = draw(rng, texts, sizes[0])
            assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-2", after="test_one_layer")
def test_own_parameters(student, rng):
    """The layers are one layer under several names, or copies of one: multiplying a list repeats the same
    object. Make each layer anew, so that it starts with random numbers of its own."""
    for sizes in SIZES:
        theirs, ours = make_encoders(student, rng, sizes)
        arguments = draw(rng, TEXTS[0], sizes[0])
        assert theirs.grads(*arguments, cotangent=arguments[0]).keys() == ours.state_dict().keys()
        start = student.BertEncoder(*sizes).state()
        for name, value in ours.layers[0].state_dict().items():
            if value.ndim == 2:  # norms start alike
                first, second = start[f"layers.0.{name}"], start[f"layers.1.{name}"]
                assert not torch.equal(first, second)


@check(points=1, requires="encoder-4", after="test_several_layers")
def test_padding(student, rng):
    """Without padding the result is right, with padding it is not: every layer needs the mask, also the later
    ones."""
    for sizes in SIZES:
        theirs, ours = make_encoders(student, rng, sizes)
        x, mask = draw(rng, (3, 5), sizes[0])
        mask[0, 1:] = False
        mask[1, 3:] = False
        found, expected = theirs(x, mask), ours(x, mask)
        assert_same(found * 0, expected * 0)
        assert_same(found[mask], expected[mask])


@check(points=1, requires="encoder-5", after="test_several_layers")
def test_dropout(student, rng):
    """`dropout` does not reach every layer, or there is more of it: in training mode each layer drops with the
    probability that the encoder was made with, and the encoder itself drops nothing. In evaluation mode there
    is none."""
    for sizes in SIZES:
        for dropout in (1.0, 0.0):  # all is dropped, or nothing: no chance is left
            theirs, ours = make_encoders(student, rng, sizes, dropout=dropout)
            theirs.train()
            ours.train()
            arguments = draw(rng, TEXTS[0], sizes[0])
            assert_same(theirs(*arguments), ours(*arguments))
            theirs.eval()
            ours.eval()
            assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="encoder-6", after="test_several_layers")
def test_gradients(student, rng):
    """The values are right, but gradients do not reach the parameters of every layer and x as they should
    (nothing may be detached), or the caller's tensors were changed."""
    for sizes in SIZES:
        theirs, ours = make_encoders(student, rng, sizes)
        x, mask = draw(rng, TEXTS[0], sizes[0])
        weighing = torch.randn(x.shape, generator=rng)
        assert_gradients(student, theirs, ours, weighing, x, mask)
        mask[0, 3:] = False
        assert_untouched(student, theirs, x, mask)
