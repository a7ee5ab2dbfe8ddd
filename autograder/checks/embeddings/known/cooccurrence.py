"""Known answers to `cooccurrence`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch
import torch.nn.functional as F

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The table of a short text with random words, size and window."""
    rng = torch.Generator().manual_seed(seed)
    size, length, window = (int(each) + 1 for each in torch.randint(12, (3,), generator=rng))
    text = torch.randint(size, (length,), generator=rng)
    return student.cooccurrence(text, vocabulary_size=size, window=window)


def accumulated(size, meetings):
    """(V, V) table of (word, word, weight) meetings; the right ones, unless `meetings` is wrong."""
    counts = torch.zeros(size, size)
    for one, other, weight in meetings:
        counts[one, other] += weight
    return counts


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="`+=` adds, so it adds for every index that is named.",
    fails=("test_repeated_pairs",),
)
def adds_once_for_each_pair(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        counts[text[:-apart], text[apart:]] += 1 / apart
        counts[text[apart:], text[:-apart]] += 1 / apart
    return counts


@wrong(
    thinking="A word and the words after it make all pairs there are.",
    fails=("test_both_ways",),
)
def one_direction(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]
        counts.index_put_((left, right), torch.full((len(left),), 1 / apart), accumulate=True)
    return counts


@wrong(
    thinking="A co-occurrence count is a count, so every meeting counts 1.",
    fails=("test_weight",),
)
def every_meeting_counts_one(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]
        counts.index_put_((left, right), torch.ones(len(left)), accumulate=True)
    return counts + counts.T


@wrong(
    thinking="The weight falls in a straight line from 1 to the edge of the window.",
    fails=("test_weight",),
)
def linear_weights(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]
        weight = torch.full((len(left),), (window - apart + 1) / window)
        counts.index_put_((left, right), weight, accumulate=True)
    return counts + counts.T


@wrong(
    thinking="The distance begins at 0, so 1 is added before dividing.",
    fails=("test_neighbours",),
)
def one_over_distance_plus_one(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]
        counts.index_put_((left, right), torch.full((len(left),), 1 / (apart + 1)), accumulate=True)
    return counts + counts.T


@wrong(
    thinking="`range(1, window)` goes through the distances of the window.",
    fails=("test_reach",),
)
def window_too_short(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window):
        left, right = text[:-apart], text[apart:]
        counts.index_put_((left, right), torch.full((len(left),), 1 / apart), accumulate=True)
    return counts + counts.T


@wrong(
    thinking="A window of w words to each side is a slice that reaches one further.",
    fails=("test_reach",),
)
def window_too_long(text, *, vocabulary_size, window):
    words, meetings = text.tolist(), []
    for place, word in enumerate(words):
        for apart, other in enumerate(words[place + 1 : place + window + 2], start=1):
            meetings += [(word, other, 1 / apart), (other, word, 1 / apart)]
    return accumulated(vocabulary_size, meetings)


@wrong(
    thinking="A word is not its own company, so the diagonal is cleared.",
    fails=("test_same_word",),
)
def no_diagonal(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]
        counts.index_put_((left, right), torch.full((len(left),), 1 / apart), accumulate=True)
    return (counts + counts.T).fill_diagonal_(0)


@wrong(
    thinking="Adding the transpose counts the diagonal twice, so it is taken away once.",
    fails=("test_same_word",),
)
def diagonal_once(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]
        counts.index_put_((left, right), torch.full((len(left),), 1 / apart), accumulate=True)
    return counts + counts.T - torch.diag(counts.diagonal())


@wrong(
    thinking="The window reaches from `window` words before to `window` words after, and the word is in it.",
    fails=("test_same_word",),
)
def place_meets_itself(text, *, vocabulary_size, window):
    words, meetings = text.tolist(), []
    for place, word in enumerate(words):
        for other in range(max(0, place - window), min(len(words), place + window + 1)):
            meetings.append((word, words[other], 1 / max(1, abs(place - other))))
    return accumulated(vocabulary_size, meetings)


@wrong(
    thinking="`roll` shifts the text by d places, so each word lies over its partner.",
    fails=("test_meetings",),
)
def text_as_a_ring(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        weight = torch.full((len(text),), 1 / apart)
        counts.index_put_((text, text.roll(apart)), weight, accumulate=True)
        counts.index_put_((text.roll(apart), text), weight, accumulate=True)
    return counts


@wrong(
    thinking="`unfold` gives all stretches of d + 1 words; each has a first and a last one.",
    fails=("test_short_text",),
)
def stretches_of_the_text(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for apart in range(1, window + 1):
        stretches = text.unfold(0, apart + 1, 1)
        weight = torch.full((len(stretches),), 1 / apart)
        counts.index_put_((stretches[:, 0], stretches[:, -1]), weight, accumulate=True)
    return counts + counts.T


@wrong(
    thinking="A row for every place of the text, so the table is as large as the text.",
    fails=("test_table",),
)
def places_instead_of_words(text, *, vocabulary_size, window):
    places = torch.arange(len(text))
    apart = (places - places[:, None]).abs()
    return torch.where((apart > 0) & (apart <= window), 1 / apart.clamp(min=1).double(), 0)


@wrong(
    thinking="Counts are whole numbers.",
    fails=("test_table",),
)
def table_of_whole_numbers(text, *, vocabulary_size, window):
    counts = torch.zeros(vocabulary_size, vocabulary_size, dtype=torch.long)
    for apart in range(1, window + 1):
        for one, other in zip(text[:-apart].tolist(), text[apart:].tolist(), strict=True):
            counts[one, other] += 1
            counts[other, one] += 1
    return counts


@wrong(
    thinking="The largest number of the text says how large the table is.",
    fails=("test_unseen_words",),
)
def as_large_as_the_text(text, *, vocabulary_size, window):
    size = int(text.max()) + 1
    counts = torch.zeros(size, size)
    for apart in range(1, window + 1):
        left, right = text[:-apart], text[apart:]
        counts.index_put_((left, right), torch.full((len(left),), 1 / apart), accumulate=True)
    return counts + counts.T


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Plain loops over places, one entry at a time.")
def loops(text, *, vocabulary_size, window):
    counts = torch.zeros((vocabulary_size, vocabulary_size), dtype=torch.float64)
    for i in range(len(text)):
        for j in range(len(text)):
            if 0 < abs(i - j) <= window:
                counts[text[i], text[j]] += 1 / abs(i - j)
    return counts


@right(looks="A band of nearness between places, between two one-hot tables.")
def matrix_product(text, *, vocabulary_size, window):
    rows = F.one_hot(text, vocabulary_size).double()
    places = torch.arange(len(text))
    apart = (places - places[:, None]).abs()
    nearness = torch.where((apart > 0) & (apart <= window), 1 / apart.clamp(min=1).double(), 0)
    return (rows.T @ nearness @ rows).float()


@right(looks="Pairs numbered from 0 to V * V - 1, counted by `bincount` with weights.")
def numbered_pairs(text, *, vocabulary_size, window):
    flat = torch.zeros(vocabulary_size**2, dtype=torch.float64)
    for apart in range(1, min(window, len(text) - 1) + 1):
        numbers = text[apart:] * vocabulary_size + text[: len(text) - apart]
        flat += torch.bincount(numbers, minlength=len(flat)) / apart
    table = flat.view(vocabulary_size, vocabulary_size)
    return table + table.T


@right(looks="NumPy's unbuffered addition, one side and then the transpose.")
def numpy_add_at(text, *, vocabulary_size, window):
    import numpy as np

    words = text.numpy()
    table = np.zeros((vocabulary_size, vocabulary_size), dtype=np.float32)
    for apart in range(1, window + 1):
        np.add.at(table, (words[:-apart], words[apart:]), np.float32(1 / apart))
    return torch.from_numpy(table + table.T)


@right(looks="A dictionary of meetings, in whole parts of one common fraction, then a sparse tensor.")
def dictionary(text, *, vocabulary_size, window):
    from collections import Counter
    from fractions import Fraction

    words, met = text.tolist(), Counter()
    for place, word in enumerate(words):
        for apart, other in enumerate(reversed(words[max(0, place - window) : place]), start=1):
            met[word, other] += Fraction(1, apart)
            met[other, word] += Fraction(1, apart)
    table = torch.zeros(vocabulary_size, vocabulary_size)
    for pair, value in met.items():
        table[pair] = float(value)
    return table


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def empty_table(text, *, vocabulary_size, window):
    return torch.zeros(vocabulary_size, vocabulary_size)


@cheat(kind="input")
def the_text(text, *, vocabulary_size, window):
    return text


@cheat(kind="noise")
def random_table(text, *, vocabulary_size, window):
    table = torch.rand(vocabulary_size, vocabulary_size)
    return table + table.T


@cheat(kind="remembered")
def remembered(text, *, vocabulary_size, window, memory=[]):  # noqa: B006
    if not memory:
        for apart in range(1, window + 1):
            memory.append((text[:-apart], text[apart:], 1 / apart))
    counts = torch.zeros(vocabulary_size, vocabulary_size)
    for words, others, weight in memory:
        pairs = words % vocabulary_size, others % vocabulary_size
        counts.index_put_(pairs, torch.full((len(words),), weight), accumulate=True)
    return counts + counts.T
