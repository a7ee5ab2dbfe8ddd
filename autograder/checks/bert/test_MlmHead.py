"""Hidden checks of `MlmHead`: the formula, what is almost the same, one matrix for two, the bias, shapes,
gradients.

The head is given a state drawn here. In most checks GELU works where it is the identity, however it is
computed.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.modules import assert_gradients, assert_untouched
from solutions.bert import heads as reference

SIZES = ((11, 6), (5, 9))
"""(V, D); once there are more tokens than entries of a vector, once fewer."""

LARGE = (12.0, 60.0)
"""Between these GELU is the identity, however it is computed."""


def new_embedding(student, size, width):
    """Runs beside the student's code: a table for the head."""
    return torch.nn.Embedding(size, width)


def draw_state(rng: torch.Generator, sizes: tuple[int, int], *, bent: bool = False) -> dict[str, Tensor]:
    """Weights of a head; GELU gets numbers near zero when it is `bent`, else large ones, so far apart that the
    `eps` of a norm is not seen."""
    state = reference.MlmHead(torch.nn.Embedding(*sizes)).state_dict()
    for name, value in state.items():
        spread = value.shape[-1] ** -0.5 if value.ndim == 2 else 0.5
        value.normal_(float(name == "norm.weight"), spread, generator=rng)
    if not bent:
        state["transform.bias"].uniform_(*LARGE, generator=rng)
    return state


def make_heads(student, state: dict[str, Tensor]) -> tuple:
    """The student's head, the table that it was made with, and the reference's head; both heads hold `state`."""
    sizes = state["decoder.weight"].shape
    ours = reference.MlmHead(torch.nn.Embedding(*sizes)).requires_grad_(False)
    ours.load_state_dict(state)
    embedding = student.probe(new_embedding, *sizes)
    theirs = student.MlmHead(embedding)
    theirs.load_state(state)
    return theirs, embedding, ours


def draw(rng: torch.Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=rng) * 1.5 + 0.5


@check(points=1, requires="head-1")
def test_values(student, rng):
    """The logits are wrong: `transform`, a GELU, `norm` and `decoder` follow each other in this order, nothing
    is left out, and logits are not yet probabilities."""
    for sizes in SIZES:
        theirs, _, ours = make_heads(student, draw_state(rng, sizes, bent=True))
        hidden = draw(rng, 3, 4, sizes[1])
        # The tanh form of GELU moves these logits by less than 2e-2; it is the business of another check.
        assert_same(theirs(hidden), ours(hidden), relative=2e-2, absolute=2e-2)


@check(points=1, requires="head-2", after="test_values")
def test_almost_the_same(student, rng):
    """The logits are nearly right: GELU is the exact one, not its approximation by tanh or a sigmoid, and
    `norm` has the small `eps` of the published model. A norm of torch's own makes another one."""
    for sizes in SIZES:
        state = draw_state(rng, sizes, bent=True)
        hidden = draw(rng, 3, 4, sizes[1])
        state["transform.weight"].mul_(0.1)
        state["transform.bias"].uniform_(-3, -1.5, generator=rng)  # where forms of GELU differ by percents
        theirs, _, ours = make_heads(student, state)
        assert_same(theirs(hidden), ours(hidden), relative=1e-3, absolute=1e-3)
        state["transform.weight"].mul_(1e-2)
        state["transform.bias"].zero_()  # vectors so short that another eps is seen
        theirs, _, ours = make_heads(student, state)
        assert_same(theirs(hidden), ours(hidden), relative=1e-3, absolute=1e-3)


def logits_of_another_table(student, head, embedding, table, hidden):
    """Runs beside the student's code: the logits after the numbers of the embedding were changed."""
    with torch.no_grad():
        embedding.weight.copy_(table)
    return head(hidden)


@check(points=1, requires="head-3", after="test_values")
def test_tied(student, rng):
    """When the table of the embedding changes, the logits must change with it: `decoder` has no matrix of its
    own. A copy of the numbers is right until the first step of training."""
    for sizes in SIZES:
        theirs, embedding, ours = make_heads(student, draw_state(rng, sizes))
        table, hidden = draw(rng, *sizes), draw(rng, 3, 4, sizes[1])
        ours.decoder.weight.copy_(table)
        found = student.probe(logits_of_another_table, theirs, embedding, table, hidden)
        assert_same(found, ours(hidden))


def gradient_of_the_table(student, state, tokens, hidden, of_vectors, of_logits):
    """Runs beside the student's code: what the table of an embedding gets that is used for looking up and for
    guessing."""
    embedding = torch.nn.Embedding(*state["decoder.weight"].shape)
    with torch.no_grad():
        embedding.weight.copy_(state["decoder.weight"])
    table = embedding.weight
    head = student.MlmHead(embedding)
    head.load_state_dict({name: state[name] for name in state if name != "decoder.weight"}, strict=False)
    total = (embedding(tokens) * of_vectors).sum() + (head(hidden) * of_logits).sum()
    (found,) = torch.autograd.grad(total, table, allow_unused=True)
    return torch.zeros_like(table) if found is None else found


@check(points=1, requires="head-3", after="test_values")
def test_one_parameter(student, rng):
    """`decoder.weight` is not the very parameter that the embedding came with: its gradient is the sum of what
    looking up and guessing give. Neither copy nor detach it, do not take `.data`, and leave the embedding as it
    is."""
    for size, width in SIZES:
        arguments = (
            draw_state(rng, (size, width)),
            torch.randint(size, (3, 4), generator=rng),
            draw(rng, 2, 5, width),
            draw(rng, 3, 4, width),
            draw(rng, 2, 5, size),
        )
        expected = gradient_of_the_table(reference, *arguments)
        assert_same(student.probe(gradient_of_the_table, *arguments), expected)


@check(points=1, requires="head-4", after="test_values")
def test_bias(student, rng):
    """The bias of a new head does not start as zeros, one for each token: a new layer comes with random
    numbers, so a layer that you make anew has to be set to zeros again."""
    for sizes in SIZES:
        theirs = student.MlmHead(student.probe(new_embedding, *sizes))
        ours = reference.MlmHead(torch.nn.Embedding(*sizes)).requires_grad_(False)
        found = theirs.state()
        state = {name: found.get(name) for name in ours.state_dict()}
        assert_same(state["decoder.bias"], ours.decoder.bias)
        ours.load_state_dict(state)
        hidden = draw(rng, 3, 4, sizes[1])
        assert_same(theirs(hidden), ours(hidden), relative=2e-2, absolute=2e-2)


@check(points=1, requires="head-5", after="test_values")
def test_shapes(student, rng):
    """A batch of texts is right, other shapes are not: a single vector, or a list of those positions that are
    asked for, has other dimensions in front. Count from the end, or do not count at all."""
    for size, width in SIZES:
        theirs, _, ours = make_heads(student, draw_state(rng, (size, width)))
        for shape in ((width,), (7, width), (1, 1, width), (2, 1, 3, width)):
            hidden = draw(rng, *shape)
            assert_same(theirs(hidden), ours(hidden))


@check(points=1, requires="head-6", after="test_values")
def test_gradients(student, rng):
    """The logits are right, but gradients do not reach every parameter and `hidden` as they should (nothing may
    be detached), there are more parameters than the statement names, or `hidden` was changed."""
    for size, width in SIZES:
        theirs, _, ours = make_heads(student, draw_state(rng, (size, width)))
        hidden, weighing = draw(rng, 3, 4, width), draw(rng, 3, 4, size)
        assert_gradients(student, theirs, ours, weighing, hidden)
        assert_untouched(student, theirs, hidden)
