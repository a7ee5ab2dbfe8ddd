"""Known answers to `character_ngrams`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """The pieces, in one string, of a random word of one to nine characters, some of them equal."""
    rng = torch.Generator().manual_seed(seed)
    length, smallest, more = (int(each) for each in torch.randint(9, (3,), generator=rng))
    word = "".join("aabcdeéФ词"[i] for i in torch.randint(9, (length + 1,), generator=rng).tolist())
    lengths = {} if seed % 2 else {"smallest": smallest + 2, "largest": smallest + 2 + more}
    found = student.character_ngrams(word, **lengths)
    # How many pieces there are belongs to what they are, not to their kind: a list of strings.
    return ["|".join(found)] if isinstance(found, list) else found


def all_runs(marked, smallest, largest):
    """The runs of a marked word, in the right order; the whole word only if it is one of them."""
    return [marked[i : i + n] for n in range(smallest, largest + 1) for i in range(len(marked) - n + 1)]


# --- Wrong -----------------------------------------------------------------------------------------------


@wrong(
    thinking="The marks only make words longer.",
    fails=("test_marks",),
    page="fasttext#no-marks",
)
def no_marks(word, *, smallest=3, largest=6):
    return [*all_runs(word, smallest, largest), f"<{word}>"]


@wrong(
    thinking="A mark shows where a word begins; where it ends, the next one will show.",
    fails=("test_marks", "test_whole_word", "test_short_words"),
)
def mark_at_the_beginning(word, *, smallest=3, largest=6):
    pieces = all_runs("<" + word, smallest, largest)
    return pieces if "<" + word in pieces else [*pieces, "<" + word]


@wrong(
    thinking="A run of n characters begins at each place before `len(word) - n`.",
    fails=("test_marks",),
)
def last_run_missing(word, *, smallest=3, largest=6):
    marked, pieces = f"<{word}>", []
    for n in range(smallest, largest + 1):
        for i in range(len(marked) - n):
            pieces.append(marked[i : i + n])
    return [*pieces, marked]


@wrong(
    thinking="`range(smallest, largest)` goes through the lengths.",
    fails=("test_lengths",),
)
def largest_missing(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    pieces = all_runs(marked, smallest, largest - 1)
    return pieces if marked in pieces else [*pieces, marked]


@wrong(
    thinking="FastText is trigrams.",
    fails=("test_lengths",),
)
def one_length(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    pieces = all_runs(marked, smallest, smallest)
    return pieces if marked in pieces else [*pieces, marked]


@wrong(
    thinking="A slice that goes past the end is cut, so every place begins a run.",
    fails=("test_marks", "test_short_words"),
)
def runs_past_the_end(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    pieces = [marked[i : i + n] for n in range(smallest, largest + 1) for i in range(len(marked))]
    return pieces if marked in pieces else [*pieces, marked]


@wrong(
    thinking="The pieces are the runs, and a word is not a piece of itself.",
    fails=("test_whole_word", "test_short_words"),
)
def no_whole_word(word, *, smallest=3, largest=6):
    return all_runs(f"<{word}>", smallest, largest)


@wrong(
    thinking="The word itself is added, and the marks are no part of it.",
    fails=("test_whole_word", "test_short_words"),
)
def whole_word_without_marks(word, *, smallest=3, largest=6):
    return [*all_runs(f"<{word}>", smallest, largest), word]


@wrong(
    thinking="The whole word is added at the end, always.",
    fails=("test_short_words",),
)
def whole_word_twice(word, *, smallest=3, largest=6):
    return [*all_runs(f"<{word}>", smallest, largest), f"<{word}>"]


@wrong(
    thinking="A word that is too short for the smallest run has no pieces.",
    fails=("test_short_words",),
)
def nothing_for_short_words(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    pieces = all_runs(marked, smallest, largest)
    return [*pieces, marked] if pieces and marked not in pieces else pieces


@wrong(
    thinking="The paper speaks of the set of n-grams.",
    fails=("test_repeated_pieces",),
)
def each_piece_once(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    return list(dict.fromkeys([*all_runs(marked, smallest, largest), marked]))


@wrong(
    thinking="A set has no order, so it is sorted.",
    fails=("test_repeated_pieces", "test_order"),
)
def sorted_set(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    return sorted({*all_runs(marked, smallest, largest), marked})


@wrong(
    thinking="At each place the shorter pieces come first.",
    fails=("test_order",),
)
def place_by_place(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    pieces = [
        marked[i : i + n]
        for i in range(len(marked))
        for n in range(smallest, min(largest, len(marked) - i) + 1)
        if marked[i : i + n] != marked
    ]
    return [*pieces, marked]


@wrong(
    thinking="The whole word is the most important piece, so it is the first.",
    fails=("test_whole_word_last",),
)
def whole_word_first(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    return [marked, *(piece for piece in all_runs(marked, smallest, largest) if piece != marked)]


@wrong(
    thinking="The released program works on bytes.",
    fails=("test_any_characters",),
)
def runs_of_bytes(word, *, smallest=3, largest=6):
    marked = f"<{word}>".encode()
    pieces = all_runs(marked, smallest, largest)
    pieces = pieces if marked in pieces else [*pieces, marked]
    return [piece.decode("utf-8", "replace") for piece in pieces]


@wrong(
    thinking="Words are compared in small letters.",
    fails=("test_any_characters",),
)
def small_letters(word, *, smallest=3, largest=6):
    marked = f"<{word.lower()}>"
    pieces = all_runs(marked, smallest, largest)
    return pieces if marked in pieces else [*pieces, marked]


@wrong(thinking="A run must be shorter than the word.", fails=("test_lengths",))
def runs_shorter_than_the_word(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    lengths = range(smallest, min(largest, len(word) - 1) + 1)
    found = [marked[i : i + n] for n in lengths for i in range(len(marked) - n + 1)]
    return found if marked in found else [*found, marked]


@wrong(thinking="A letter and its accent are one character.", fails=("test_any_characters",))
def accents_put_on_letters(word, *, smallest=3, largest=6):
    import unicodedata

    marked = f"<{unicodedata.normalize('NFC', word)}>"
    lengths = range(smallest, largest + 1)
    found = [marked[i : i + n] for n in lengths for i in range(len(marked) - n + 1)]
    return found if marked in found else [*found, marked]


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Loops with `append`; the whole word is kept out of the runs and added last.")
def appended(word, *, smallest=3, largest=6):
    marked = "<" + word + ">"
    result = []
    for n in range(smallest, largest + 1):
        if n >= len(marked):
            break
        for end in range(n, len(marked) + 1):
            result.append(marked[end - n : end])
    result.append(marked)
    return result


@right(looks="Shifted copies of the word, zipped.")
def zipped(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    result = []
    for n in range(smallest, min(largest, len(word) + 1) + 1):
        result += map("".join, zip(*(marked[shift:] for shift in range(n)), strict=False))
    return [*result, marked]


@right(looks="Place by place, then a stable sort by length.")
def sorted_by_length(word, *, smallest=3, largest=6):
    marked = f"<{word}>"
    every = [marked[i:j] for i in range(len(marked)) for j in range(i + 1, len(marked) + 1)]
    chosen = [each for each in every if smallest <= len(each) <= largest or each == marked]
    return sorted(chosen, key=len)


@right(looks="A regular expression that looks ahead, so that matches overlap.")
def look_ahead(word, *, smallest=3, largest=6):
    import re

    marked, result = f"<{word}>", []
    for n in range(smallest, largest + 1):
        result.extend(re.findall(f"(?s)(?=(.{{{n}}}))", marked))
    if len(marked) < smallest or len(marked) > largest:
        result.append(marked)
    return result


@right(looks="A window that slides over a list of characters, recursive in the length.")
def recursive(word, *, smallest=3, largest=6):
    letters = ["<", *word, ">"]

    def runs(n):
        if n > largest or n > len(letters):
            return []
        found, window = [], []
        for letter in letters:
            window = [*window, letter][-n:]
            if len(window) == n:
                found.append("".join(window))
        return found + runs(n + 1)

    result = runs(smallest)
    if not result or len(result[-1]) != len(letters):
        result.append("".join(letters))
    return result


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def no_pieces(word, *, smallest=3, largest=6):
    return ["0" * n for n in range(smallest, largest + 1)]


@cheat(kind="input")
def the_word(word, *, smallest=3, largest=6):
    return [f"<{word}>"]


@cheat(kind="noise")
def random_pieces(word, *, smallest=3, largest=6):
    import random

    lengths = [n for n in range(smallest, largest + 1) for _ in range(max(0, len(word) + 3 - n))]
    return ["".join(random.choices("<>" + word, k=n)) for n in lengths]


@cheat(kind="remembered")
def remembered(word, *, smallest=3, largest=6, memory={}):  # noqa: B006
    if "word" not in memory:
        memory["word"] = word
    marked = f"<{memory['word']}>"
    return [*all_runs(marked, smallest, largest), marked]
