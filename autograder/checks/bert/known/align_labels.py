"""Known answers to `align_labels`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """Labels of a random text, and the arguments afterwards; as text, because `None` is a value too."""
    rng = torch.Generator().manual_seed(seed)
    words = 1 + seed % 6
    labels = torch.randint(4, (words,), generator=rng).tolist()
    counts = torch.randint(4, (words,), generator=rng)
    word_ids = torch.arange(words).repeat_interleave(counts).tolist()
    if seed % 3:
        word_ids = [None, *word_ids, None, None]
    return str(student.align_labels(labels, word_ids)), str(labels), str(word_ids)


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="A word has its label, so all its pieces have it.",
    fails=("test_further_pieces",),
    page="four-fine-tunings#tag-on-every-piece",
)
def on_every_piece(labels, word_ids):
    return [-100 if word is None else labels[word] for word in word_ids]


@wrong(
    thinking="The labels follow each other as the pieces do.",
    fails=("test_further_pieces", "test_words_without_pieces"),
    page="four-fine-tunings#tags-without-alignment",
)
def one_after_the_other(labels, word_ids):
    waiting = iter(labels)
    return [-100 if word is None else next(waiting, -100) for word in word_ids]


@wrong(
    thinking="Each first piece takes the next label.",
    fails=("test_words_without_pieces",),
    page="four-fine-tunings#tags-without-alignment",
)
def next_label_for_each_first_piece(labels, word_ids):
    aligned, count, previous = [], 0, None
    for word in word_ids:
        if word is None or word == previous:
            aligned.append(-100)
        else:
            aligned.append(labels[count])
            count += 1
        previous = word
    return aligned


@wrong(thinking="`None` is false, and a number is true.", fails=("test_whole_words",))
def word_zero_is_false(labels, word_ids):
    aligned, previous = [], None
    for word in word_ids:
        aligned.append(labels[word] if word and word != previous else -100)
        previous = word
    return aligned


@wrong(thinking="A word begins where the label changes.", fails=("test_whole_words",))
def compares_labels(labels, word_ids):
    aligned, previous = [], None
    for word in word_ids:
        label = -100 if word is None else labels[word]
        aligned.append(-100 if label == previous else label)
        previous = label
    return aligned


@wrong(
    thinking="The model knows a word when it has read its last piece.",
    fails=("test_further_pieces",),
)
def at_the_last_piece(labels, word_ids):
    following = [*word_ids[1:], None]
    return [
        -100 if word is None or word == after else labels[word]
        for word, after in zip(word_ids, following, strict=False)
    ]


@wrong(
    thinking="What is no name has the label 0, and so have further pieces.",
    fails=("test_further_pieces",),
)
def zero_at_further_pieces(labels, word_ids):
    aligned, previous = [], None
    for word in word_ids:
        aligned.append(-100 if word is None else 0 if word == previous else labels[word])
        previous = word
    return aligned


@wrong(thinking="Special tokens are outside of every name, which is 0.", fails=("test_whole_words",))
def zero_at_special_tokens(labels, word_ids):
    aligned, previous = [], None
    for word in word_ids:
        aligned.append(0 if word is None else -100 if word == previous else labels[word])
        previous = word
    return aligned


@wrong(thinking="Special tokens have no label, so they are left out.", fails=("test_whole_words",))
def without_special_tokens(labels, word_ids):
    pieces = [word for word in word_ids if word is not None]
    return [-100 if n and word == pieces[n - 1] else labels[word] for n, word in enumerate(pieces)]


@wrong(
    thinking="The piece before the first one has the number -1.",
    fails=("test_without_special_tokens",),
)
def looks_round_the_corner(labels, word_ids):
    return [
        -100 if word is None or word == word_ids[n - 1] else labels[word] for n, word in enumerate(word_ids)
    ]


@wrong(thinking="Every text begins and ends with a special token.", fails=("test_without_special_tokens",))
def special_tokens_around(labels, word_ids):
    aligned = [-100] * len(word_ids)
    for n in range(1, len(word_ids) - 1):
        if word_ids[n] is not None and word_ids[n] != word_ids[n - 1]:
            aligned[n] = labels[word_ids[n]]
    return aligned


@wrong(
    thinking="A label that is laid down is used up.",
    fails=("test_words_without_pieces", "test_left_as_it_came"),
)
def uses_labels_up(labels, word_ids):
    aligned, previous = [], None
    for word in word_ids:
        aligned.append(-100 if word is None or word == previous else labels.pop(0))
        previous = word
    return aligned


@wrong(
    thinking="The list of words is as long as the result, so it becomes it.", fails=("test_left_as_it_came",)
)
def writes_into_the_argument(labels, word_ids):
    previous = None
    for n, word in enumerate(word_ids):
        word_ids[n] = -100 if word is None or word == previous else labels[word]
        previous = word
    return word_ids


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="A set of the words that have been met.")
def words_that_were_met(labels, word_ids):
    met, aligned = {None}, []
    for word in word_ids:
        aligned.append(-100 if word in met else labels[word])
        met.add(word)
    return aligned


@right(looks="Fills a list with -100, and writes the labels at the first place of each word.")
def word_by_word(labels, word_ids):
    aligned = [-100] * len(word_ids)
    for word, label in enumerate(labels):
        if word in word_ids:
            aligned[word_ids.index(word)] = label
    return aligned


@right(looks="Runs of the same word, from itertools.")
def runs(labels, word_ids):
    from itertools import groupby

    aligned = []
    for word, pieces in groupby(word_ids):
        count = len(list(pieces))
        aligned += [-100] * count if word is None else [labels[word]] + [-100] * (count - 1)
    return aligned


@right(looks="Pairs of a piece and the one before it.")
def with_the_piece_before(labels, word_ids):
    before = [None, *word_ids]
    return [labels[b] if b is not None and a != b else -100 for a, b in zip(before, word_ids, strict=False)]


@right(looks="A dictionary whose labels are taken out once.")
def dictionary(labels, word_ids):
    left = dict(enumerate(labels))
    return [left.pop(word, -100) for word in word_ids]


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(labels, word_ids):
    return [0] * len(word_ids)


@cheat(kind="input")
def its_own_input(labels, word_ids):
    return word_ids


@cheat(kind="noise")
def noise(labels, word_ids):
    return torch.randint(4, (len(word_ids),)).tolist()


@cheat(kind="remembered")
def remembered(labels, word_ids, memory=[]):  # noqa: B006
    if not memory:
        memory.append(runs(labels, word_ids))
    return memory[0]
