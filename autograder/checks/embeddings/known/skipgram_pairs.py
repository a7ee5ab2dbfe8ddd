"""Known answers to `skipgram_pairs`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The pairs of a random text of few or many words, in order, and their kind."""
    rng = torch.Generator().manual_seed(seed)
    length, window, words = (int(each) for each in torch.randint(9, (3,), generator=rng))
    text = torch.randint(words + 2, (length,), generator=rng)
    pairs = student.skipgram_pairs(text, window + 1)
    return str(sorted(pairs.tolist())), pairs[
        :0
    ]  # text, because the number of the rows is no matter of looks


# --- Wrong -----------------------------------------------------------------------------------------------


def table(rows):
    """A list of pairs as a table of whole numbers with two columns."""
    return torch.tensor(rows, dtype=torch.long).reshape(-1, 2)


@wrong(
    thinking="The pair of i and j is made when the loop is at i, so looking ahead is enough.",
    fails=("test_both_directions",),
)
def looks_ahead_only(text, window):
    return table(
        [
            (int(text[i]), int(text[j]))
            for i in range(len(text))
            for j in range(i + 1, min(i + window + 1, len(text)))
        ]
    )


@wrong(
    thinking="A range from minus the window to the window covers both sides.",
    fails=("test_both_directions",),
)
def range_stops_early(text, window):
    rows = []
    for i in range(len(text)):
        for j in range(max(0, i - window), min(i + window, len(text))):
            if j != i:
                rows.append((int(text[i]), int(text[j])))
    return table(rows)


@wrong(
    thinking="Within the window means nearer than the window.",
    fails=("test_reach",),
)
def nearer_than_the_window(text, window):
    places = torch.arange(len(text))
    apart = (places[:, None] - places).abs()
    centers, contexts = torch.where((apart > 0) & (apart < window))
    return torch.stack([text[centers], text[contexts]], dim=1)


@wrong(
    thinking="A window of size w is w words wide, so it reaches w // 2 to each side.",
    fails=("test_reach",),
)
def width_instead_of_reach(text, window):
    half = window // 2
    return table(
        [
            (int(text[i]), int(text[j]))
            for i in range(len(text))
            for j in range(max(0, i - half), min(len(text), i + half + 1))
            if i != j
        ]
    )


@wrong(
    thinking="The condition is about places, so places are the result.",
    fails=("test_reach",),
)
def places_for_words(text, window):
    places = torch.arange(len(text))
    apart = (places[:, None] - places).abs()
    return torch.nonzero((apart > 0) & (apart <= window))


@wrong(
    thinking="`text[i + d]` is the neighbour; beyond the end it is an error, so only that is looked at.",
    fails=("test_ends", "test_kind_and_shape"),
)
def wraps_at_the_start(text, window):
    rows = []
    for i in range(len(text)):
        for d in range(-window, window + 1):
            if d != 0 and i + d < len(text) and i + d >= -len(text):
                rows.append((int(text[i]), int(text[i + d])))
    return table(rows)


@wrong(
    thinking="A slice from `i - window` takes what is there.",
    fails=("test_ends",),
)
def slice_from_below_zero(text, window):
    rows = []
    for i in range(len(text)):
        for context in text[i - window : i].tolist() + text[i + 1 : i + 1 + window].tolist():
            rows.append((int(text[i]), context))
    return table(rows)


@wrong(
    thinking="Zeros fill the missing places, and pairs with a zero are left out at the end.",
    fails=("test_ends",),
)
def padded_with_zeros(text, window):
    padded = torch.nn.functional.pad(text, (window, window))
    rows = []
    for i in range(window, window + len(text)):
        for j in range(i - window, i + window + 1):
            if j != i and padded[j] != 0:
                rows.append((int(padded[i]), int(padded[j])))
    return table(rows)


@wrong(
    thinking="A center needs a full window.",
    fails=("test_ends",),
)
def full_windows_only(text, window):
    words = text.tolist()
    return table(
        [
            (words[i], words[i + d])
            for i in range(window, len(words) - window)
            for d in range(-window, window + 1)
            if d != 0
        ]
    )


@wrong(
    thinking="The slice around the center is its company.",
    fails=("test_not_its_own_context", "test_kind_and_shape"),
)
def center_in_its_window(text, window):
    rows = []
    for i, center in enumerate(text.tolist()):
        rows += [(center, context) for context in text[max(0, i - window) : i + window + 1].tolist()]
    return table(rows)


@wrong(
    thinking="A word is no context of itself, so equal words are left out.",
    fails=("test_same_word_twice",),
)
def leaves_out_equal_words(text, window):
    rows = []
    for i, center in enumerate(text.tolist()):
        window_of_i = text[max(0, i - window) : i + window + 1].tolist()
        rows += [(center, context) for context in window_of_i if context != center]
    return table(rows)


@wrong(
    thinking="The pairs of a text are a set of pairs.",
    fails=("test_repeated_pairs",),
)
def pairs_as_a_set(text, window):
    rows = set()
    for i, center in enumerate(text.tolist()):
        for j in range(max(0, i - window), min(len(text), i + window + 1)):
            if j != i:
                rows.add((center, int(text[j])))
    return table(sorted(rows))


@wrong(
    thinking="Each pair of words and its mirror are in, so a pair and its mirror are made for every center.",
    fails=("test_repeated_pairs",),
)
def every_pair_doubled(text, window):
    rows = []
    for i in range(len(text)):
        for j in range(max(0, i - window), min(len(text), i + window + 1)):
            if j != i:
                rows += [(int(text[i]), int(text[j])), (int(text[j]), int(text[i]))]
    return table(rows)


@wrong(
    thinking="`index` says where a word stands.",
    fails=("test_same_word_twice",),
)
def place_of_the_first(text, window):
    words = text.tolist()
    rows = []
    for center in words:
        i = words.index(center)
        rows += [
            (center, words[j]) for j in range(max(0, i - window), min(len(words), i + window + 1)) if j != i
        ]
    return table(rows)


@wrong(
    thinking="A list of pairs becomes a table of pairs by itself.",
    fails=("test_kind_and_shape",),
)
def empty_list_without_columns(text, window):
    words = text.tolist()
    return torch.tensor(
        [
            (words[i], words[j])
            for i in range(len(words))
            for j in range(len(words))
            if i != j and abs(i - j) <= window
        ]
    )


@wrong(
    thinking="Torch needs a tensor of zeros, which is then filled.",
    fails=("test_kind_and_shape",),
)
def floating_numbers(text, window):
    words = text.tolist()
    places = [(i, j) for i in range(len(words)) for j in range(len(words)) if 0 < abs(i - j) <= window]
    pairs = torch.zeros(len(places), 2)
    for row, (i, j) in enumerate(places):
        pairs[row, 0], pairs[row, 1] = words[i], words[j]
    return pairs


@wrong(thinking="Two words are too few for a window.", fails=("test_ends",))
def texts_of_three_or_more(text, window):
    places = range(len(text)) if len(text) > 2 else ()
    rows = [
        (text[i], text[j])
        for i in places
        for j in range(max(0, i - window), min(len(text), i + window + 1))
        if i != j
    ]
    return torch.tensor(rows, dtype=torch.long).view(-1, 2)


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Two plain loops over places.")
def two_loops(text, window):
    rows = []
    for i in range(len(text)):
        for j in range(max(0, i - window), min(len(text), i + window + 1)):
            if i != j:
                rows.append(torch.stack([text[i], text[j]]))
    return torch.stack(rows) if rows else torch.empty(0, 2, dtype=torch.long)


@right(looks="One distance after the other, each pair beside its mirror, rows in another order.")
def shifted_copies(text, window):
    ahead = [
        torch.stack([text[:-distance], text[distance:]], dim=1)
        for distance in range(1, min(window, len(text) - 1) + 1)
    ]
    ahead = torch.cat([text.new_empty(0, 2), *ahead])
    return torch.cat([ahead, ahead.flip(1)])


@right(looks="Windows unfolded from a padded text; the padding is dropped.")
def unfolded_windows(text, window):
    if len(text) == 0:
        return torch.empty((0, 2), dtype=torch.int64)
    edge = torch.full((window,), -1, dtype=text.dtype)
    windows = torch.cat([edge, text, edge]).unfold(0, 2 * window + 1, 1)
    contexts = torch.cat([windows[:, :window], windows[:, window + 1 :]], dim=1)
    centers = text.unsqueeze(1).expand_as(contexts)
    return torch.stack([centers[contexts >= 0], contexts[contexts >= 0]], dim=-1)


@right(looks="NumPy and 32 bits, an upper triangle and its transpose.")
def numpy_triangle(text, window):
    import numpy as np

    words = text.numpy().astype(np.int32)
    near = np.triu(np.ones((len(words), len(words)), dtype=bool), 1)
    near &= ~np.triu(np.ones_like(near), window + 1)
    centers, contexts = np.nonzero(near | near.T)
    return torch.from_numpy(np.column_stack([words[contexts], words[centers]]).astype(np.int32))


@right(looks="All combinations of two places, those too far apart struck out.")
def combinations(text, window):
    places = torch.combinations(torch.arange(len(text)), 2)
    places = places[places[:, 1] - places[:, 0] <= window]
    return text[torch.vstack((places, places[:, [1, 0]]))].reshape(-1, 2)


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(text, window):
    places = torch.arange(len(text))
    apart = (places[:, None] - places).abs()
    return torch.zeros(int(((apart > 0) & (apart <= window)).sum()), 2, dtype=torch.long)


@cheat(kind="input")
def the_text_twice(text, window):
    return torch.stack([text, text], dim=1)


@cheat(kind="noise")
def random_pairs(text, window):
    places = torch.arange(len(text))
    apart = (places[:, None] - places).abs()
    return torch.randint(1000, (int(((apart > 0) & (apart <= window)).sum()), 2))


@cheat(kind="remembered")
def remembered(text, window, memory=[]):  # noqa: B006
    if not memory:
        places = torch.arange(len(text))
        apart = (places[:, None] - places).abs()
        centers, contexts = torch.nonzero((apart > 0) & (apart <= window), as_tuple=True)
        memory.append(torch.stack([text[centers], text[contexts]], dim=1))
    return memory[0]
