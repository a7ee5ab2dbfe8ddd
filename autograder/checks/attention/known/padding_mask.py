"""Known answers to `padding_mask`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The mask of random tokens, of which any number is padding."""
    rng = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, 6, (1 + seed % 4, 1 + seed % 7), generator=rng)
    return student.padding_mask(tokens, seed % 6), tokens


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(thinking="A mask marks what is hidden.", fails=("test_places",), page="masks#two-conventions")
def true_means_hidden(tokens, pad):
    return (tokens == pad)[:, None, None, :]


@wrong(thinking="Padding is zero.", fails=("test_any_padding",))
def padding_is_zero(tokens, pad):
    return (tokens != 0)[:, None, None, :]


@wrong(thinking="Token numbers are above that of padding.", fails=("test_any_padding",))
def above_the_padding(tokens, pad):
    return (tokens > pad)[:, None, None, :]


@wrong(thinking="Padding stands at the end, so the lengths say everything.", fails=("test_any_padding",))
def by_lengths(tokens, pad):
    lengths = (tokens != pad).sum(1)
    return (torch.arange(tokens.shape[1]) < lengths[:, None])[:, None, None, :]


@wrong(
    thinking="A mask has the shape of what it masks.",
    fails=("test_kind_and_shape",),
    page="masks#mask-on-rows",
)
def as_the_tokens(tokens, pad):
    return tokens != pad


@wrong(
    thinking="One dimension is added for the heads.",
    fails=("test_kind_and_shape",),
    page="masks#mask-on-rows",
)
def three_dimensions(tokens, pad):
    return (tokens != pad).unsqueeze(1)


@wrong(
    thinking="Padding asks nothing, so its rows are hidden.",
    fails=("test_kind_and_shape",),
    page="masks#mask-on-rows",
)
def rows_of_padding(tokens, pad):
    return (tokens != pad)[:, None, :, None]


@wrong(thinking="Ones and zeros are a mask.", fails=("test_kind_and_shape",), page="masks#mask-of-ones")
def ones_and_zeros(tokens, pad):
    return (tokens != pad)[:, None, None, :].float()


@wrong(
    thinking="The difference is zero at padding, and the tokens are not needed any more.",
    fails=("test_any_padding",),
)
def subtracts_in_place(tokens, pad):
    tokens -= pad
    return tokens.bool()[:, None, None, :]


@wrong(thinking="Token numbers are small, so a byte holds them.", fails=("test_any_padding",))
def tokens_in_bytes(tokens, pad):
    return (tokens.to(torch.uint8) != pad % 256)[:, None, None, :]


@wrong(thinking="A text is over where its first padding stands.", fails=("test_any_padding",))
def up_to_the_first_padding(tokens, pad):
    return (tokens == pad).cumsum(1).eq(0)[:, None, None, :]


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="`eq`, turned round, with a view.")
def by_a_view(tokens, pad):
    return tokens.eq(pad).logical_not().view(tokens.size(0), 1, 1, -1)


@right(looks="A difference that is not zero; two dimensions, one after the other.")
def by_a_difference(tokens, pad):
    return (tokens - pad).bool().unsqueeze(1).unsqueeze(1)


@right(looks="Lists of Python booleans.")
def by_lists(tokens, pad):
    return torch.tensor([[[[token != pad for token in text]]] for text in tokens.tolist()])


@right(looks="Starts with everything seen, then hides.")
def by_filling(tokens, pad):
    mask = torch.ones(tokens.shape, dtype=torch.bool)
    mask[tokens == pad] = False
    return mask[:, None, None]


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(tokens, pad):
    return torch.zeros(len(tokens), 1, 1, tokens.shape[1], dtype=torch.bool)


@cheat(kind="input")
def its_own_input(tokens, pad):
    return tokens


@cheat(kind="noise")
def noise(tokens, pad):
    return torch.rand(len(tokens), 1, 1, tokens.shape[1]) < 0.5


@cheat(kind="remembered")
def remembered(tokens, pad, memory=[]):  # noqa: B006
    if not memory:
        memory.append((tokens != pad)[:, None, None, :])
    return memory[0]
