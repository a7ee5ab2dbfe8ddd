"""Hidden checks of `character_ngrams`: inner runs first, then marks, lengths, the whole word, repeats, order,
scripts.

Each check looks only at those pieces on which other mistakes have no influence, so that one mistake costs once.
"""

import string
from collections import Counter

import torch

from autograder.checks import check
from solutions.embeddings import fasttext as reference

ALPHABETS = (
    "ABCDEFGHIJK",
    "0123456789-'_",
    "äöüßéèçñåøłş",
    "ИЙКЛМНОПРСТУ",
    "词向量负采样的跳字模型",
    "🙂🙃😀😁😂😃😄😅",
    "aeoun\u0300\u0301\u0303\u0308",
)
"""The last has letters and accents as characters of their own, which some functions put together."""


def draw_word(rng: torch.Generator, length: int, alphabet: str = string.ascii_lowercase) -> str:
    """A word in which no character comes twice."""
    return "".join(alphabet[i] for i in torch.randperm(len(alphabet), generator=rng)[:length].tolist())


def pieces(answer: object) -> list[str]:
    """What was returned as a list of strings, in its order."""
    assert isinstance(answer, list | tuple | set), f"{type(answer).__name__} as pieces"
    found = list(answer)
    assert all(type(piece) is str for piece in found)
    return found


def of_both(student, word: str, **lengths: int) -> tuple[list[str], list[str]]:
    """(the student's pieces, the reference's)."""
    return pieces(student.character_ngrams(word, **lengths)), reference.character_ngrams(word, **lengths)


def inner(found: list[str], *, shortest: int, longest: int) -> list[str]:
    """The pieces without a mark that have `shortest` to `longest` characters."""
    return [piece for piece in found if shortest <= len(piece) <= longest and not set(piece) & {"<", ">"}]


@check(points=1, requires="ngrams-2")
def test_runs(student, rng):
    """Already the runs of `smallest` characters inside the word are not right: every place at which such a run
    fits is the beginning of one, and the runs overlap."""
    for length, smallest, largest in ((11, 3, 6), (13, 2, 5), (9, 4, 7)):
        word = draw_word(rng, length)
        theirs, ours = of_both(student, word, smallest=smallest, largest=largest)
        expected = Counter(inner(ours, shortest=smallest, longest=smallest))
        assert Counter(inner(theirs, shortest=smallest, longest=smallest)) == expected


@check(points=1, requires="ngrams-1", after="test_runs")
def test_marks(student, rng):
    """The pieces with a mark are not right: `<` before the word and `>` after it, both of them before the
    word is cut, and the last place at which a run fits is the one that ends in `>`."""
    for length, smallest, largest in ((11, 3, 6), (13, 2, 5), (9, 4, 7)):
        theirs, ours = of_both(student, draw_word(rng, length), smallest=smallest, largest=largest)
        # Of the lengths that the student has: which ones these should be is the matter of another check.
        lengths = {len(each) for each in inner(theirs, shortest=smallest, longest=largest)}
        for found in (theirs, ours):
            found[:] = [each for each in found if set(each) & {"<", ">"} and len(each) in lengths]
        assert Counter(theirs) == Counter(ours)


@check(points=1, requires="ngrams-2", after="test_runs")
def test_lengths(student, rng):
    """The pieces do not have all lengths that they should: from `smallest` to `largest`, both included, three and six
    when the caller gives none. A range of Python ends before its second number."""
    for length, longest, lengths in (
        (13, 12, {}),
        (17, 16, {"smallest": 2, "largest": 9}),
        (11, 10, {"smallest": 4, "largest": 4}),
        (6, 6, {}),  # runs as long as the word without its marks
    ):
        theirs, ours = of_both(student, draw_word(rng, length), **lengths)
        assert set(inner(theirs, shortest=1, longest=longest)) == set(
            inner(ours, shortest=1, longest=longest)
        )


@check(points=1, requires="ngrams-5", after="test_runs")
def test_whole_word(student, rng):
    """A word that is longer than `largest` has itself as a piece, too: with both marks, once."""
    for length, smallest, largest in ((7, 3, 6), (11, 3, 4), (9, 2, 5)):
        theirs, ours = of_both(student, draw_word(rng, length), smallest=smallest, largest=largest)
        long = [[each for each in found if len(each) >= length] for found in (theirs, ours)]
        assert Counter(long[0]) == Counter(long[1])


@check(points=1, requires="ngrams-5", after="test_runs")
def test_short_words(student, rng):
    """A short word goes wrong. When the marked word is itself one of the runs, it must not be added once more;
    when it is too short for any run, it is the only piece."""
    for length, smallest, largest in ((4, 3, 6), (1, 3, 6), (3, 2, 5), (1, 4, 6), (2, 5, 7), (5, 7, 7)):
        word = draw_word(rng, length)
        theirs, ours = of_both(student, word, smallest=smallest, largest=largest)
        assert theirs.count(f"<{word}>") == ours.count(f"<{word}>")
        if len(ours) == 1:
            assert theirs == ours


@check(points=1, requires="ngrams-4", after="test_runs")
def test_repeated_pieces(student, rng):
    """A piece that stands in the word several times is in your list once: a set, or the keys of a dictionary,
    keep one of each."""
    for length, times in ((3, 4), (5, 3), (1, 9)):
        word = draw_word(rng, length) * times
        theirs, ours = of_both(student, word, smallest=2, largest=4)
        assert Counter(inner(theirs, shortest=2, longest=2)) == Counter(inner(ours, shortest=2, longest=2))


@check(points=1, requires="ngrams-3", after="test_runs")
def test_order(student, rng):
    """The right pieces in the wrong order, or not in a list: all of the smallest length come first, from left to
    right, then those of the next length."""
    for length, smallest, largest in ((11, 3, 6), (13, 2, 5), (9, 4, 7)):
        word = draw_word(rng, length)
        answer = student.character_ngrams(word, smallest=smallest, largest=largest)
        ours = reference.character_ngrams(word, smallest=smallest, largest=largest)
        assert isinstance(answer, list)
        theirs = inner(pieces(answer), shortest=smallest, longest=largest)
        lengths = {len(each) for each in theirs}
        expected = [each for each in inner(ours, shortest=smallest, longest=largest) if len(each) in lengths]
        assert theirs == expected


@check(points=1, requires="ngrams-5", after=("test_whole_word", "test_order"))
def test_whole_word_last(student, rng):
    """The whole marked word stands in the list, and not at its end: it is the longest piece, so it comes last."""
    for length, smallest, largest in ((11, 3, 6), (13, 2, 5), (9, 4, 7)):
        theirs, ours = of_both(student, draw_word(rng, length), smallest=smallest, largest=largest)
        assert theirs[-1:] == ours[-1:]


@check(points=1, requires="ngrams-6", after="test_runs")
def test_any_characters(student, rng):
    """Plain small letters come out right, other characters do not: count characters, not the bytes of an
    encoding, and change or drop none (capital letters, digits, hyphens, other scripts)."""
    for alphabet in ALPHABETS:
        word = draw_word(rng, 7, alphabet)
        theirs, ours = of_both(student, word, smallest=3, largest=5)
        assert Counter(inner(theirs, shortest=3, longest=3)) == Counter(inner(ours, shortest=3, longest=3))
