"""Known answers to `causal_mask`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The mask of a few lengths."""
    return student.causal_mask(1 + seed % 17)


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="The future stands on the right, so the right upper triangle is kept.",
    fails=("test_past_and_future",),
)
def upper_triangle(length):
    return torch.ones(length, length, dtype=torch.bool).triu()


@wrong(
    thinking="A mask marks what is hidden, as in torch's own modules.",
    fails=("test_past_and_future",),
    page="masks#two-conventions",
)
def true_means_hidden(length):
    return torch.ones(length, length, dtype=torch.bool).triu(1)


@wrong(
    thinking="A place must not see its own token, which it is to predict.", fails=("test_past_and_future",)
)
def without_the_diagonal(length):
    return torch.ones(length, length, dtype=torch.bool).tril(-1)


@wrong(
    thinking="One step ahead is the token to be predicted, so it is still allowed.",
    fails=("test_past_and_future",),
)
def one_step_ahead(length):
    return torch.ones(length, length, dtype=torch.bool).tril(1)


@wrong(thinking="Each place sees itself and the one before.", fails=("test_past_and_future",))
def two_places(length):
    ones = torch.ones(length, length, dtype=torch.bool)
    return ones.tril() & ones.triu(-1)


@wrong(thinking="Ones and zeros are a mask.", fails=("test_boolean",), page="masks#mask-of-ones")
def ones_and_zeros(length):
    return torch.ones(length, length).tril()


@wrong(
    thinking="A mask is added to the scores, so it holds zero and minus infinity.",
    fails=("test_past_and_future",),
    page="masks#two-conventions",
)
def for_adding(length):
    return torch.full((length, length), float("-inf")).triu(1)


@wrong(thinking="Whole numbers are as good as booleans.", fails=("test_boolean",), page="masks#mask-of-ones")
def whole_numbers(length):
    return torch.tril(torch.ones((length, length), dtype=torch.long))


@wrong(thinking="Places are small numbers, so a byte holds them.", fails=("test_past_and_future",))
def places_in_bytes(length):
    places = torch.arange(length).to(torch.int8)
    return places[:, None] >= places


@wrong(thinking="A table that is long enough is cut to size.", fails=("test_past_and_future",))
def cut_from_a_table(length):
    return torch.ones(128, 128).tril().bool()[:length, :length]


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Compares a column of places with a row of places.")
def by_comparing(length):
    places = torch.arange(length)
    return places[None, :] <= places[:, None]


@right(looks="Lists of Python booleans.")
def by_lists(length):
    return torch.tensor([[seen <= place for seen in range(length)] for place in range(length)])


@right(looks="What stands above the diagonal is turned round.")
def by_turning_round(length):
    return ~torch.triu(torch.ones(length, length), diagonal=1).bool()


@right(looks="A running sum over an identity, row after row.")
def by_running_sum(length):
    return torch.eye(length).flip(1).cumsum(1).flip(1) > 0


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(length):
    return torch.zeros(length, length, dtype=torch.bool)


@cheat(kind="input")
def its_own_input(length):
    return length


@cheat(kind="noise")
def noise(length):
    return torch.rand(length, length) < 0.5


@cheat(kind="remembered")
def remembered(length, memory=[]):  # noqa: B006
    if not memory:
        memory.append(torch.ones(length, length, dtype=torch.bool).tril())
    return memory[0]
