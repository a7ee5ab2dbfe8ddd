"""Hidden checks of `mask_tokens`: labels with rates that leave nothing to chance, then the shares, then the
rest.

With rate 1 every position that may be chosen is, with rate 0 none: labels are then known exactly. What is
drawn is held to the probabilities of the statement by `chance`, on a few thousand positions; there are fewer
than 70 comparisons. Vocabularies are small where it matters that a number is never drawn, and large where it
must not.
"""

import torch
from torch import Tensor

from autograder.checks import check
from autograder.checks.bert.chance import assert_each_by_itself, assert_share
from autograder.checks.comparing import assert_same
from solutions.bert import masking as reference

MASK = 4
SHAPES = ((3, 7), (1, 12), (40, 2), (6, 1))
"""Together so many positions that all of those that may be chosen show the mask once in some million times."""


def draw_texts(rng: torch.Generator, *shape: int, size: int = 90) -> tuple[Tensor, Tensor]:
    """Tokens from 5 to `size` - 1, and which positions are special: some, whatever stands there."""
    tokens = torch.randint(5, size, shape, generator=rng)
    special = torch.rand(shape, generator=rng) < 0.3
    special.view(-1)[0] = False
    return tokens, special


def draw_seed(rng: torch.Generator) -> int:
    """What a generator begins with."""
    return int(torch.randint(2**31, (), generator=rng))


def asked(
    student, rng, tokens: Tensor, special: Tensor, size: int, *rate: float, mask: int = MASK
) -> tuple[Tensor, Tensor]:
    """The student's inputs and labels, with a fresh generator; without a rate the usual one holds."""
    result = student.mask_tokens(tokens, special, mask, size, student.generator(draw_seed(rng)), *rate)
    inputs, labels = result
    for part in inputs, labels:
        assert_same(part * 0, tokens * 0)  # whole numbers, of this shape
    return inputs, labels


def expected(rng, tokens: Tensor, special: Tensor, size: int, rate: float) -> tuple[Tensor, Tensor]:
    """The reference's inputs and labels; labels are certain where `rate` is 0 or 1."""
    generator = torch.Generator().manual_seed(draw_seed(rng))
    return reference.mask_tokens(tokens, special, MASK, size, generator, rate)


def one_by_one(student, size, rate, seed):
    """Runs beside the student's code: inputs and labels, (150, 4) each, of as many calls with one text."""
    generator = torch.Generator().manual_seed(seed)
    tokens, special = torch.full((1, 4), 7), torch.zeros(1, 4, dtype=torch.bool)
    calls = [student.mask_tokens(tokens.clone(), special, 4, size, generator, rate) for _ in range(150)]
    return tuple(torch.cat(parts) for parts in zip(*calls, strict=True))


@check(points=0, requires="mask-3")
def test_labels(student, rng):
    """The labels are wrong where chance has no say: with rate one every position is chosen, with rate zero
    none is. A chosen position has its token as label, whatever it shows (was the text hidden before the
    labels were taken from it?), and all others have the one number that the statement names."""
    for shape in SHAPES:
        for rate in (1.0, 0.0):
            tokens, special = draw_texts(rng, *shape)
            _, labels = asked(student, rng, tokens, special, 90, rate)
            _, wanted = expected(rng, tokens, special, 90, rate)
            assert_same(labels[~special], wanted[~special], relative=0, absolute=0)


@check(points=1, requires="mask-3", after="test_labels")
def test_the_others_stay(student, rng):
    """A position that was not chosen shows another token than before, or one was asked for a token that never
    stood there: what is hidden must be the same positions that get a label."""
    for shape in ((9, 40), (40, 9)):
        tokens, _ = draw_texts(rng, *shape)
        special = torch.zeros(shape, dtype=torch.bool)
        inputs, labels = asked(student, rng, tokens, special, 90, 0.4)
        unasked = labels == -100
        assert_same(inputs[unasked], tokens[unasked], relative=0, absolute=0)
        assert_same(labels[~unasked], tokens[~unasked], relative=0, absolute=0)


@check(points=1, requires="mask-2", after="test_labels")
def test_special_positions(student, rng):
    """A special position was chosen or shows another token. Which positions are special is said by `special`
    alone, not by the numbers of the tokens."""
    for shape in ((5, 8), (1, 30), (12, 2)):
        for rate in (1.0, 0.5):
            tokens, special = draw_texts(rng, *shape)
            special[-1] |= shape[0] > 1  # a text with nothing to choose
            inputs, labels = asked(student, rng, tokens, special, 90, rate)
            _, wanted = expected(rng, tokens, special, 90, 1.0)
            assert_same(labels[special], wanted[special], relative=0, absolute=0)
            assert_same(inputs[special], tokens[special], relative=0, absolute=0)


@check(points=1, requires="mask-1", after="test_labels")
def test_each_is_chosen_by_itself(student, rng):
    """Too many or too few of the positions that are not special are chosen, or they are not chosen
    independently: each needs a random number of its own, which is compared with the rate that was given. No
    number of them is fixed, not in a text and not in the batch, and no text is hidden like the one before."""
    tokens, special = draw_texts(rng, 60, 100)
    for rate in ((), (0.4,), (0.75,)):
        _, labels = asked(student, rng, tokens, special, 90, *rate)
        assert_share(labels[~special] != -100, *(rate or (0.15,)))
    for shape in ((1500, 4), (4, 1500)):
        tokens = torch.full(shape, 7)
        _, labels = asked(student, rng, tokens, tokens < 0, 90, 0.4)
        assert_each_by_itself(labels != -100, 0.4)
    _, labels = student.probe(one_by_one, 90, 0.5, draw_seed(rng))
    assert_share((labels != -100).sum(dim=1) == 2, 6 / 16)  # of four


@check(points=1, requires="mask-4")
def test_what_is_shown(student, rng):
    """The positions that are chosen do not show what they should: mask, random token and own token have the
    shares of the statement, of all that are chosen and whatever the rate is. A draw that decides twice, or
    that is made only for what the first one left, has other shares. And each position has a draw of its own,
    not each text or each call."""
    size = 30_000
    tokens = torch.randint(5, size, (75, 80), generator=rng)
    inputs, _ = asked(student, rng, tokens, tokens < 0, size, 1.0)
    assert_share(inputs == MASK, 0.8 + 0.1 / size)
    assert_share(inputs == tokens, 0.1 + 0.1 / size)
    inputs, _ = asked(student, rng, tokens, tokens < 0, size, 0.5)
    assert_share(inputs[inputs != tokens] == MASK, (0.8 + 0.1 / size) / (0.9 - 0.1 / size))
    for shape in ((1500, 4), (4, 1500)):
        tokens = torch.full(shape, 7)
        inputs, _ = asked(student, rng, tokens, tokens < 0, size, 1.0)
        assert_each_by_itself(inputs == MASK, 0.8 + 0.1 / size)
    inputs, _ = student.probe(one_by_one, size, 1.0, draw_seed(rng))
    assert_share((inputs == MASK).sum(dim=1) == 3, 4 * (0.8 + 0.1 / size) ** 3 * (0.2 - 0.1 / size))


@check(points=1, requires="mask-5", after="test_what_is_shown")
def test_random_tokens(student, rng):
    """The random tokens are not drawn as they should be: from zero up to the last number of the vocabulary
    (does a range stop too early, or too late?), none of them left out, not the mask either and not the token
    that stood there. And each position draws its own."""
    for size, mask, own, count in ((12, 4, 7, 120), (6, 0, 5, 120), (2, 1, 0, 240)):
        tokens = torch.full((count, 50), own)
        inputs, _ = asked(student, rng, tokens, tokens < 0, size, 1.0, mask=mask)
        assert inputs.min() >= 0
        assert inputs.max() < size
        for token in range(size):
            certain = 0.8 * (token == mask) + 0.1 * (token == own)
            assert_share(inputs == token, certain + 0.1 / size)
    tokens = torch.full((75, 80), 7)
    inputs, _ = asked(student, rng, tokens, tokens < 0, 5000, 1.0)
    for way in inputs, inputs.T:
        drawn = way[(way != MASK) & (way != 7)]
        assert_share(drawn[: len(drawn) // 2 * 2 : 2] == drawn[1::2], 1 / 5000)


def drawn_again(student, tokens, special, seeds):
    """Runs beside the student's code: for each seed, the results of two calls with the same generator."""
    found = []
    for seed in seeds:
        generator = torch.Generator().manual_seed(seed)
        calls = [student.mask_tokens(tokens.clone(), special, 4, 90, generator, 0.5) for _ in range(2)]
        found.append(tuple(part.clone() for call in calls for part in call))
    return found


@check(points=1, requires="mask-6", after="test_each_is_chosen_by_itself")
def test_generator(student, rng):
    """The same generator in the same state gives another result, or another state gives the same: every
    function that draws must get the generator of the caller, and must not begin it anew."""
    tokens, special = torch.full((20, 30), 7), torch.zeros(20, 30, dtype=torch.bool)
    seed = draw_seed(rng)
    first, again, other = student.probe(drawn_again, tokens, special, (seed, seed, seed + 1))
    for one, two in zip(first, again, strict=True):
        assert_same(one, two, relative=0, absolute=0)
    for labels in first[3], other[1]:  # two draws of 600 positions are the same with probability 2 ** -600
        assert not torch.equal(labels, first[1])
        assert_share(labels != -100, 0.5)


def arguments_after_the_call(student, tokens, special, seed):
    """Runs beside the student's code: the labels, and what the caller's own tensors hold after the call."""
    _, labels = student.mask_tokens(tokens, special, 4, 90, torch.Generator().manual_seed(seed), 1.0)
    return labels, tokens, special


@check(points=1, requires="mask-7", after="test_labels")
def test_arguments_untouched(student, rng):
    """The tokens of the caller were hidden, or `special` was changed: a tensor that is assigned to another
    name is still the same tensor, and an index on the left side of an assignment writes into it."""
    for shape in SHAPES:
        tokens, special = draw_texts(rng, *shape)
        labels, *after = student.probe(arguments_after_the_call, tokens, special, draw_seed(rng))
        _, wanted = expected(rng, tokens, special, 90, 1.0)
        assert_same(labels[~special], wanted[~special], relative=0, absolute=0)
        assert_same(after[0], tokens, relative=0, absolute=0)
        assert torch.equal(after[1], special)
