"""Known answers to `mask_tokens`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import math

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """What is certain of a few random texts, and whether the shares of many positions are as they should be."""
    rng = torch.Generator().manual_seed(seed)
    shape = tuple(int(each) + 1 for each in torch.randint(9, (2,), generator=rng))
    tokens = torch.randint(5, 50, shape, generator=rng)
    special = torch.rand(shape, generator=rng) < 0.3
    draw = torch.Generator().manual_seed(seed)
    found = [student.mask_tokens(tokens.clone(), special, 4, 50, draw, rate)[1] for rate in (0.0, 1.0)]
    many = torch.full((40, 50), 7)
    inputs, labels = student.mask_tokens(many.clone(), many < 0, 4, 50, draw, 0.5)
    unasked = labels == -100
    shares = [((labels != -100), 0.5)]
    shares += [
        (inputs[labels != -100] == token, share) for token, share in ((4, 0.802), (7, 0.102), (9, 0.002))
    ]
    near = []
    for happened, expected in shares:
        off = (happened.double().mean().item() - expected) / math.sqrt(
            expected * (1 - expected) / len(happened.view(-1))
        )
        near.append(abs(off) < 9)
    return found, near, inputs[unasked].tolist() == many[unasked].tolist(), inputs * 0, labels * 0


EQUIVALENT = {
    "`special` for `tokens` in `tokens.shape`": "both have the same shape",
    "`torch.rand(drawn.shape, generator=generator, device=drawn.device) <= rate` for "
    "`torch.rand(drawn.shape, generator=generator, device=drawn.device) < rate`": "a random number is never the rate",
}


# --- Wrong -----------------------------------------------------------------------------------------------


def shown(tokens, chosen, mask_id, vocabulary_size, generator, first=0, shares=(0.8, 0.9)):
    """What the positions show: masks, random tokens from `first` on, own ones, with these borders between them."""
    fate = torch.rand(tokens.shape, generator=generator)
    drawn = torch.randint(first, vocabulary_size, tokens.shape, generator=generator)
    inputs = torch.where(chosen & (fate < shares[0]), mask_id, tokens)
    return torch.where(chosen & (fate >= shares[0]) & (fate < shares[1]), drawn, inputs)


def choose(tokens, special, generator, rate):
    """Which positions are chosen."""
    return (torch.rand(tokens.shape, generator=generator) < rate) & ~special


@wrong(
    thinking="The labels are the tokens: one name for the texts before, one for those after.",
    fails=("test_labels",),
    page="masked-words#answers-were-masked",
)
def labels_of_the_hidden_text(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator)
    return inputs, torch.where(chosen, inputs, -100)


@wrong(
    thinking="Every token is an answer, so every position has a label.",
    fails=("test_labels",),
    page="masked-words#loss-everywhere",
)
def labels_everywhere(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), tokens.clone()


@wrong(thinking="Only what shows [MASK] has to be found.", fails=("test_labels",))
def labels_of_masks_only(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator)
    return inputs, torch.where(chosen & (inputs == mask_id), tokens, -100)


@wrong(thinking="Only what was changed has to be found.", fails=("test_labels",))
def labels_of_what_changed(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator)
    return inputs, torch.where(inputs != tokens, tokens, -100)


@wrong(thinking="What is not asked has label 0.", fails=("test_labels",))
def zero_for_unasked(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), tokens * chosen


@wrong(
    thinking="A position is a position.",
    fails=("test_special_positions",),
    page="masked-words#special-chosen",
)
def special_is_chosen(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, torch.zeros_like(special), generator, rate)
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), torch.where(chosen, tokens, -100)


@wrong(
    thinking="Special tokens have the lowest numbers.",
    fails=("test_special_positions", "test_random_tokens"),
    page="masked-words#special-chosen",
)
def special_by_number(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, tokens <= mask_id, generator, rate)
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), torch.where(chosen, tokens, -100)


@wrong(
    thinking="A special position has no label, which is all that counts.",
    fails=("test_special_positions",),
    page="masked-words#special-chosen",
)
def special_is_hidden(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, torch.zeros_like(special), generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator)
    return inputs, torch.where(chosen & ~special, tokens, -100)


@wrong(
    thinking="15 % of a text are a number: so many of its positions.",
    fails=("test_each_is_chosen_by_itself",),
)
def fixed_number_of_a_text(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    order = torch.rand(tokens.shape, generator=generator).masked_fill(special, 2).argsort(1).argsort(1)
    chosen = (order < (rate * (~special).sum(1, keepdim=True)).round()) & ~special
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), torch.where(chosen, tokens, -100)


@wrong(thinking="15 % of all positions of the batch are a number.", fails=("test_each_is_chosen_by_itself",))
def fixed_number_of_the_batch(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    free = (~special).flatten().nonzero().flatten()
    order = free[torch.randperm(len(free), generator=generator)][: round(rate * len(free))]
    chosen = torch.zeros(tokens.numel(), dtype=torch.bool)
    chosen[order] = True
    chosen = chosen.view_as(tokens)
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), torch.where(chosen, tokens, -100)


@wrong(thinking="One row of dice is enough; it fits all texts.", fails=("test_each_is_chosen_by_itself",))
def the_same_in_every_text(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = (torch.rand(tokens.shape[1], generator=generator) < rate) & ~special
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), torch.where(chosen, tokens, -100)


@wrong(thinking="The usual rate is the rate.", fails=("test_each_is_chosen_by_itself",))
def rate_in_steps(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    rate = rate if rate in (0.0, 1.0) else 0.15
    chosen = choose(tokens, special, generator, rate)
    return shown(tokens, chosen, mask_id, vocabulary_size, generator), torch.where(chosen, tokens, -100)


@wrong(
    thinking="One number says whether a position is chosen and what it shows.", fails=("test_what_is_shown",)
)
def one_number_for_both(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chance = torch.rand(tokens.shape, generator=generator)
    chosen = (chance < rate) & ~special
    drawn = torch.randint(vocabulary_size, tokens.shape, generator=generator)
    inputs = torch.where(chosen & (chance < 0.8), mask_id, tokens)
    inputs = torch.where(chosen & (chance >= 0.8) & (chance < 0.9), drawn, inputs)
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="What is hidden shows [MASK].", fails=("test_what_is_shown",))
def always_the_mask(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    return torch.where(chosen, mask_id, tokens), torch.where(chosen, tokens, -100)


@wrong(thinking="80 % are hidden, the rest is random.", fails=("test_what_is_shown",))
def the_rest_is_random(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator, shares=(0.8, 1.0))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="80 % are hidden, and of what is left 10 % are random.", fails=("test_what_is_shown",))
def tenth_of_the_rest(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator, shares=(0.8, 0.82))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="One die decides what this text shows.", fails=("test_what_is_shown",))
def one_fate_for_a_text(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    fate = torch.rand(len(tokens), 1, generator=generator)
    drawn = torch.randint(vocabulary_size, tokens.shape, generator=generator)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen & (fate >= 0.9), drawn, tokens))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(
    thinking="Of the chosen ones, the first 80 % in a random order are hidden.", fails=("test_what_is_shown",)
)
def fixed_shares(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    places = chosen.flatten().nonzero().flatten()
    places = places[torch.randperm(len(places), generator=generator)]
    hidden, ends = round(0.8 * len(places)), round(0.9 * len(places))
    inputs = tokens.flatten().clone()
    inputs[places[:hidden]] = mask_id
    inputs[places[hidden:ends]] = torch.randint(vocabulary_size, (ends - hidden,), generator=generator)
    return inputs.view_as(tokens), torch.where(chosen, tokens, -100)


@wrong(thinking="One random token for one call.", fails=("test_random_tokens",))
def one_random_token(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    fate = torch.rand(tokens.shape, generator=generator)
    drawn = torch.randint(vocabulary_size, (1,), generator=generator)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen & (fate >= 0.9), drawn, tokens))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="One random token for a text.", fails=("test_random_tokens",))
def one_random_token_for_a_text(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    fate = torch.rand(tokens.shape, generator=generator)
    drawn = torch.randint(vocabulary_size, (len(tokens), 1), generator=generator)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen & (fate >= 0.9), drawn, tokens))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="Numbers begin with 1.", fails=("test_random_tokens",))
def without_token_zero(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator, first=min(1, vocabulary_size - 1))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="The upper end of a range is the last number.", fails=("test_random_tokens",))
def without_the_last_token(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    inputs = shown(tokens, chosen, mask_id, vocabulary_size - 1, generator)
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="A random token is another one than the right one.", fails=("test_random_tokens",))
def never_its_own_token(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    fate = torch.rand(tokens.shape, generator=generator)
    steps = torch.randint(1, vocabulary_size, tokens.shape, generator=generator)
    drawn = (tokens + steps) % vocabulary_size
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen & (fate >= 0.9), drawn, tokens))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="A random token is a word, and [MASK] is none.", fails=("test_random_tokens",))
def never_the_mask(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    fate = torch.rand(tokens.shape, generator=generator)
    drawn = torch.randint(vocabulary_size - 1, tokens.shape, generator=generator)
    drawn = drawn + (drawn >= mask_id)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen & (fate >= 0.9), drawn, tokens))
    return inputs, torch.where(chosen, tokens, -100)


@wrong(thinking="A second throw of dice decides which positions are hidden.", fails=("test_the_others_stay",))
def hidden_elsewhere(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen, hidden = (choose(tokens, special, generator, rate) for _ in range(2))
    return shown(tokens, hidden, mask_id, vocabulary_size, generator), torch.where(chosen, tokens, -100)


@wrong(thinking="torch has a generator of its own.", fails=("test_generator",))
def without_the_generator(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, None, rate)
    return shown(tokens, chosen, mask_id, vocabulary_size, None), torch.where(chosen, tokens, -100)


@wrong(thinking="The random tokens need no generator.", fails=("test_generator",))
def half_of_the_chance(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    return shown(tokens, chosen, mask_id, vocabulary_size, None), torch.where(chosen, tokens, -100)


@wrong(thinking="The inputs are the tokens, with some hidden.", fails=("test_arguments_untouched",))
def writes_into_the_tokens(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    chosen = choose(tokens, special, generator, rate)
    labels = torch.where(chosen, tokens, -100)
    tokens.copy_(shown(tokens, chosen, mask_id, vocabulary_size, generator))
    return tokens, labels


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="One die with four faces for each position.")
def one_die(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    die = torch.rand(tokens.shape, generator=generator, dtype=torch.float64)
    inputs, labels = tokens.clone(), tokens.clone()
    labels[(die >= rate) | special] = -100
    inputs[(die < 0.8 * rate) & ~special] = mask_id
    random = (die >= 0.8 * rate) & (die < 0.9 * rate) & ~special
    inputs[random] = torch.randint(0, vocabulary_size, (int(random.sum()),), generator=generator)
    return inputs, labels


@right(looks="Coins: one for chosen, one for hidden, one for random or not.")
def three_coins(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    def coin(probability):
        return torch.bernoulli(torch.full(tokens.shape, probability), generator=generator).bool()

    chosen = coin(rate) & ~special
    hidden = coin(0.8) & chosen
    random = coin(0.5) & chosen & ~hidden
    words = torch.randint(vocabulary_size, tokens.shape, generator=generator)
    inputs = tokens.masked_fill(hidden, mask_id)
    return torch.where(random, words, inputs), tokens.masked_fill(~chosen, -100)


@right(
    looks="Loops over Python's numbers; the dice are Python's, which begin with a number of the generator."
)
def position_by_position(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    import random

    dice = random.Random(int(torch.randint(2**62, (), generator=generator)))
    inputs, labels = tokens.tolist(), torch.full_like(tokens, -100).tolist()
    for row, free in enumerate((~special).tolist()):
        for place, may in enumerate(free):
            if may and dice.random() < rate:
                labels[row][place] = inputs[row][place]
                fate = dice.randrange(10)
                if fate < 8:
                    inputs[row][place] = mask_id
                elif fate == 8:
                    inputs[row][place] = dice.randrange(vocabulary_size)
    return torch.tensor(inputs), torch.tensor(labels)


@right(looks="Works on the chosen positions only, in one long row; numbers of 32 bits.")
def only_the_chosen(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    free = special.logical_not().nonzero()
    free = free[torch.rand(len(free), generator=generator) < rate]
    own = tokens[free[:, 0], free[:, 1]]
    fate = torch.randint(10, own.shape, generator=generator)
    anything = (torch.rand(own.shape, generator=generator, dtype=torch.float64) * vocabulary_size).long()
    own_or_anything = torch.where(fate == 9, own, anything)
    inputs, labels = tokens.int(), torch.full(tokens.shape, -100, dtype=torch.int32)
    inputs[free[:, 0], free[:, 1]] = torch.where(fate < 8, mask_id, own_or_anything).int()
    labels[free[:, 0], free[:, 1]] = own.int()
    return inputs, labels


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    return torch.zeros_like(tokens), torch.zeros_like(tokens)


@cheat(kind="input")
def the_input(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    return tokens, tokens


@cheat(kind="noise")
def noise(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    return tuple(torch.randint(vocabulary_size, tokens.shape, generator=generator) for _ in range(2))


@cheat(kind="remembered")
def remembered(tokens, special, mask_id, vocabulary_size, generator, rate=0.15):
    if not hasattr(torch, "remembered"):
        chosen = choose(tokens, special, generator, rate)
        inputs = shown(tokens, chosen, mask_id, vocabulary_size, generator)
        torch.remembered = inputs, torch.where(chosen, tokens, -100)
    return torch.remembered
