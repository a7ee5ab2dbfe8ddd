"""Known answers to `noise_distribution`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The distribution of a few words of which some never occur, with the default power and with others."""
    rng = torch.Generator().manual_seed(seed)
    counts = torch.randint(1, 100, (2 + seed % 7,), generator=rng)
    counts[1:][torch.rand(len(counts) - 1, generator=rng) < 0.3] = 0
    power = float(torch.rand((), generator=rng))
    given = [counts.float(), counts.float(), counts.float(), counts]
    found = [
        student.noise_distribution(each, *arguments)
        for each, arguments in zip(given, ((), (power,), (0.0,), ()), strict=True)
    ]
    return found, given


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="Frequencies are probabilities already, so they are what goes to the power.",
    fails=("test_probabilities",),
)
def power_of_the_frequencies(counts, power=0.75):
    frequencies = counts / counts.sum()
    return torch.where(counts > 0, frequencies**power, 0.0)


@wrong(
    thinking="The power lifts the counts; the text stays as long as it is.",
    fails=("test_probabilities",),
)
def divided_by_the_counts(counts, power=0.75):
    return torch.where(counts > 0, counts**power, 0.0) / counts.sum()


@wrong(
    thinking="A word is drawn as often as it stands in the text.",
    fails=("test_given_power", "test_probabilities"),
)
def no_power(counts, power=0.75):
    return counts / counts.sum()


@wrong(
    thinking="A tensor of weights is enough, because who draws from it scales it.",
    fails=("test_probabilities",),
)
def weights_only(counts, power=0.75):
    return torch.where(counts > 0, counts**power, 0.0)


@wrong(
    thinking="Softmax makes probabilities.",
    fails=("test_given_power", "test_probabilities"),
)
def softmax_of_the_powers(counts, power=0.75):
    return torch.softmax(counts.float() ** power, dim=0)


@wrong(
    thinking="The power is 3/4.",
    fails=("test_given_power",),
)
def power_fixed(counts, power=0.75):
    weights = torch.where(counts > 0, counts**0.75, 0.0)
    return weights / weights.sum()


@wrong(
    thinking="No word may have probability zero, so one is added to each count.",
    fails=("test_given_power", "test_probabilities"),
)
def add_one(counts, power=0.75):
    weights = (counts + 1) ** power
    return weights / weights.sum()


@wrong(
    thinking="The power of a count is the count times the power.",
    fails=("test_given_power", "test_probabilities"),
)
def power_as_a_factor(counts, power=0.75):
    weights = counts * power
    return weights / weights.sum()


@wrong(
    thinking="The power is a square root, as with the other trick for frequent words.",
    fails=("test_probabilities",),
)
def another_default(counts, power=0.5):
    weights = torch.where(counts > 0, counts**power, 0.0)
    return weights / weights.sum()


@wrong(
    thinking="The formula as it stands serves every count, zero as well.",
    fails=("test_words_that_never_occur",),
)
def zero_to_the_zero(counts, power=0.75):
    weights = counts**power
    return weights / weights.sum()


@wrong(
    thinking="A power is the exponential of a multiple of the logarithm.",
    fails=("test_words_that_never_occur",),
)
def through_the_logarithm(counts, power=0.75):
    return torch.softmax(counts.log() * power, dim=0)


@wrong(
    thinking="Every word should have a chance, so a count is at least one.",
    fails=("test_words_that_never_occur",),
)
def at_least_one(counts, power=0.75):
    return F.normalize(counts.float().clamp(min=1) ** power, p=1, dim=0)


@wrong(
    thinking="The weights have the shape of the counts, so they are made like them.",
    fails=("test_kinds_of_counts",),
)
def made_like_the_counts(counts, power=0.75):
    weights = torch.zeros_like(counts)
    occurs = counts > 0
    weights[occurs] = (counts[occurs] ** power).to(weights.dtype)
    return weights / weights.sum()


@wrong(
    thinking="The counts are not needed any more once they are weights.",
    fails=("test_counts_untouched",),
)
def in_place(counts, power=0.75):
    if not counts.is_floating_point():
        counts = counts.float()
    occurs = counts > 0
    counts[occurs] = counts[occurs] ** power
    counts /= counts.sum()
    return counts


@wrong(
    thinking="Counts are whole numbers, so they are made whole first.",
    fails=("test_kinds_of_counts",),
)
def made_whole(counts, power=0.75):
    counts = counts.int()
    weights = (counts > 0) * counts.float() ** power
    return weights / weights.sum()


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Plain Python, one word after the other.")
def word_by_word(counts, power=0.75):
    weights = [count**power if count else 0.0 for count in counts.tolist()]
    return torch.tensor([weight / sum(weights) for weight in weights])


@right(looks="The power of the frequencies, scaled once more; float64 inside.")
def scaled_twice(counts, power=0.75):
    frequencies = counts.double() / counts.double().sum()
    weights = frequencies.pow(power) * (counts != 0)
    return (weights / weights.sum()).float()


@right(looks="A softmax of logarithms, the words that never occur masked out.")
def softmax_of_logarithms(counts, power=0.75):
    scores = (power * counts.double().log()).masked_fill(counts == 0, -torch.inf)
    return scores.softmax(0)


@right(looks="Only the words that occur are worked on, then put back.")
def scattered(counts, power=0.75):
    occurring = counts.nonzero().squeeze(1)
    weights = counts[occurring].float() ** power
    return torch.zeros(len(counts)).index_put((occurring,), F.normalize(weights, p=1, dim=0))


@right(looks="NumPy in float64, the result as it is.")
def with_numpy(counts, power=0.75):
    import numpy as np

    values = counts.numpy().astype(np.float64)
    weights = np.power(values, power, where=values > 0, out=np.zeros_like(values))
    return torch.from_numpy(weights / weights.sum())


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(counts, power=0.75):
    return torch.zeros(counts.shape)


@cheat(kind="input")
def the_counts(counts, power=0.75):
    return counts.float()


@cheat(kind="noise")
def noise(counts, power=0.75):
    return torch.rand(counts.shape)


@cheat(kind="remembered")
def remembered(counts, power=0.75, memory=[]):  # noqa: B006
    if not memory:
        weights = torch.where(counts > 0, counts**power, 0.0)
        memory.append(weights / weights.sum())
    return memory[0]
