"""Hidden checks of `BertEmbeddings`: its three tables one after the other, the norm, dropout, gradients.

The module is given a state drawn here. Tables of which a check says nothing hold zeros.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.comparing import assert_same
from autograder.checks.modules import assert_each_by_itself, assert_gradients, assert_untouched
from solutions.bert import embeddings as reference

SIZES = ((5, 6, 8), (11, 9, 7, 3))
"""(V, D, max_length) and, unless it is 2, num_types; once V is below max_length, once above."""

TABLES = ("token", "position", "token_type")


def make_modules(
    student,
    rng: torch.Generator,
    sizes: tuple[int, ...],
    *,
    only: tuple[str, ...] = TABLES,
    scale: float = 10.0,
) -> tuple:
    """The student's module and the reference's in evaluation mode, with the same weights, drawn here.

    Args:
        student: the student's side.
        rng: source of the weights.
        sizes: one of `SIZES`.
        only: the tables that are not zero.
        scale: the size of their entries; beside large ones the `eps` of a norm is not seen.
    """
    theirs, ours = student.BertEmbeddings(*sizes), reference.BertEmbeddings(*sizes).eval()
    state = ours.state_dict()
    for name, value in state.items():
        part, _, role = name.partition(".")
        value.normal_(float(part == "norm" and role == "weight"), 0.5, generator=rng)
        if part in TABLES:
            value.mul_(scale / 0.5 * (part in only))
    theirs.load_state(state)
    theirs.eval()
    return theirs, ours


def draw(rng: torch.Generator, ours, batch: int, length: int) -> tuple[Tensor, Tensor]:
    """Tokens and types (B, T) of any numbers; the last type of a text is not the first one."""
    tokens = torch.randint(ours.token.num_embeddings, (batch, length), generator=rng)
    kinds = ours.token_type.num_embeddings
    types = torch.randint(kinds, (batch, length), generator=rng)
    types[:, -1] = (types[:, 0] + 1) % kinds
    return tokens, types


def assert_same_vectors(student, rng: torch.Generator, **settings) -> None:
    """With the same weights the student's module gives what the reference gives."""
    for sizes in SIZES:
        theirs, ours = make_modules(student, rng, sizes, **settings)
        for batch, length in ((3, 4), (2, sizes[2]), (5, 5), (1, 1)):
            arguments = draw(rng, ours, batch, length)
            assert_same(theirs(*arguments), ours(*arguments))


@check(points=1, requires="embed-1")
def test_tokens(student, rng):
    """With zeros in the two other tables, the result is wrong: each number in `tokens` picks its row of
    `token`, and the norm comes next. Nothing else happens to the rows in evaluation mode."""
    assert_same_vectors(student, rng, only=("token",))


@check(points=1, requires="embed-2", after="test_tokens")
def test_positions(student, rng):
    """Tokens alone are right, but not with positions: the first position of every text has row zero of
    `position`, the next one the next row, whatever stands there. The rows are added before the norm."""
    assert_same_vectors(student, rng, only=("token", "position"))


@check(points=1, requires="embed-3", after="test_tokens")
def test_types(student, rng):
    """Tokens alone are right, but not with types: each position of each text has its own type in `types`, which
    picks a row of `token_type`. The rows are added before the norm."""
    assert_same_vectors(student, rng, only=("token", "token_type"))


@check(points=1, requires="embed-4", after=("test_positions", "test_types"))
def test_norm(student, rng):
    """The three tables are right, but not all together, or not where vectors are short: the sum of three is
    normalised once, by `norm`, which has the small `eps` of the published model. A norm of torch's own makes
    another one."""
    for scale in (10.0, 1e-3):
        assert_same_vectors(student, rng, scale=scale)


@check(points=1, requires="embed-5", after="test_tokens")
def test_dropout(student, rng):
    """In training mode each entry of the norm's result is kept or dropped by itself: dropout is the last step,
    and the only one of its kind. In evaluation mode there is none."""
    sizes = SIZES[0]
    for dropout in (0.5, 0.2):
        _, ours = make_modules(student, rng, sizes, only=("token",))
        ours.norm.weight.data.mul_(0.2)  # beside this, 3 is far from zero
        ours.norm.bias.data.abs_().add_(3)
        theirs = student.BertEmbeddings(*sizes, dropout=dropout)
        theirs.load_state(ours.state_dict())
        arguments = draw(rng, ours, 25, 6)
        theirs.train()
        trained, whole = theirs(*arguments), ours(*arguments)
        assert isinstance(trained, Tensor)
        assert trained.shape == whole.shape
        kept = (trained != 0).float()
        assert_same(trained, whole * kept / (1 - dropout))
        assert_each_by_itself(kept, 1 - dropout)
        theirs.eval()
        assert_same(theirs(*arguments), whole)


@check(points=1, requires="embed-6", after=("test_positions", "test_types"))
def test_gradients(student, rng):
    """The values are right, but gradients do not reach the three tables and the norm as they should (look rows
    up without `.data` and `.detach`), there are more parameters than given, or `tokens` or `types` were
    changed."""
    for sizes in SIZES:
        theirs, ours = make_modules(student, rng, sizes)
        arguments = draw(rng, ours, 3, 5)
        weighing = torch.randn(3, 5, sizes[1], generator=rng)
        assert_gradients(student, theirs, ours, weighing, *arguments)
        assert_untouched(student, theirs, *arguments)
