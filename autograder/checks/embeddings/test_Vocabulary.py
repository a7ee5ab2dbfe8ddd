"""Hidden checks of `Vocabulary`: the order of its words, its counts, both ways of reading it; then how it is made.

Only two checks look at the order of the words; the others ask for words by name, so that a wrong order costs its
own points and no more.
"""

from typing import Any

import torch

from autograder.checks import check
from solutions.embeddings import vocabulary as reference

LETTERS = "abcdefghijklmnopqrstuvwxyz"
COUNTS = (6, 13, 1, 9, 4, 2, 7)
"""No two alike, so that falling counts leave one order only."""

Texts = list[list[str]]


def draw_words(rng: torch.Generator, number: int) -> list[str]:
    """So many different words of three letters, in any order."""
    places = torch.randperm(len(LETTERS) ** 3, generator=rng)[:number].tolist()
    return [LETTERS[place // 676] + LETTERS[place // 26 % 26] + LETTERS[place % 26] for place in places]


def mixed_texts(rng: torch.Generator, words: list[str], counts: tuple[int, ...]) -> Texts:
    """Four texts that hold each word as often as its count says, mixed."""
    stream = [word for word, count in zip(words, counts, strict=True) for _ in range(count)]
    mixed = [stream[place] for place in torch.randperm(len(stream), generator=rng).tolist()]
    return [mixed[start::4] for start in range(4)]


def draw_texts(rng: torch.Generator, counts: tuple[int, ...] = COUNTS) -> Texts:
    """Four texts that hold one new word for each of `counts`, so many times, mixed."""
    return mixed_texts(rng, draw_words(rng, len(counts)), counts)


def made(student, texts, **settings):
    """Runs beside the student's code: the words and the counts of a new vocabulary, and its length."""
    vocabulary = student.Vocabulary(texts, **settings)
    return vocabulary.words, vocabulary.counts, len(vocabulary)


def by_word(words: Any, counts: Any) -> dict[str, int]:
    """The count of each word, "<unk>" among them."""
    assert isinstance(words, list)
    assert isinstance(counts, list)
    assert all(type(count) is int for count in counts)
    assert len(set(words)) == len(words)
    return dict(zip(words, counts, strict=True))


@check(points=1, requires="vocabulary-1")
def test_order(student, rng):
    """The words do not stand by falling count behind `<unk>`. Does a word come first because it is met first, or
    because of its letters?"""
    for _ in range(3):
        texts = draw_texts(rng)
        assert student.probe(made, texts, smallest_count=1)[0] == reference.Vocabulary(texts).words


@check(points=1, requires="vocabulary-1", after="test_order")
def test_equal_counts(student, rng):
    """Words of equal count are not in the order in which Python has strings: sorting by count alone leaves them as
    they were met, turning the whole order round turns the alphabet, too, and capital letters come before all small
    ones."""
    counts = (3, 5, 3, 5, 5, 3, 5, 3, 3)
    for capitals in (0, 0, 5):
        words = draw_words(rng, len(counts))
        words[:capitals] = [word.upper() for word in words[:capitals]]
        texts = mixed_texts(rng, words, counts)
        assert student.probe(made, texts, smallest_count=1)[0] == reference.Vocabulary(texts).words


@check(points=1, requires="vocabulary-2")
def test_smallest_count(student, rng):
    """Other words are in the vocabulary than should be. A word that stands exactly as often as `smallest_count`
    says is kept; when nothing is said, every word is; and `<unk>` is always there."""
    for least in (4, 6, 14):
        texts = draw_texts(rng)
        for settings in ({"smallest_count": least}, {}):
            words, _, length = student.probe(made, texts, **settings)
            expected = reference.Vocabulary(texts, **settings)
            assert isinstance(words, list)
            assert sorted(words) == sorted(expected.words)
            assert length == len(expected)


@check(points=1, requires="vocabulary-3")
def test_counts(student, rng):
    """The counts do not belong to the words beside them, or the count of `<unk>` is wrong. The latter counts
    places of the texts, not different words, and only of words that got no number."""
    for least in (3, 5, 8):  # none of the counts, so that "at least" and "more than" agree
        texts = draw_texts(rng)
        words, counts, _ = student.probe(made, texts, smallest_count=least)
        expected = reference.Vocabulary(texts, smallest_count=least)
        assert by_word(words, counts) == by_word(expected.words, expected.counts)


def encoded(student, texts, least, asked):
    """Runs beside the student's code: words and counts of a vocabulary, the numbers of the words of more texts, and
    the words and counts after that."""
    vocabulary = student.Vocabulary(texts, smallest_count=least)
    before = list(vocabulary.words), list(vocabulary.counts)
    numbers = [vocabulary.encode(text) for text in asked]
    return before, numbers, (list(vocabulary.words), list(vocabulary.counts))


def read_back(words: Any, numbers: Any) -> list[str]:
    """The words behind `numbers`."""
    assert isinstance(numbers, list)
    assert all(type(number) is int and 0 <= number < len(words) for number in numbers)
    return [words[number] for number in numbers]


@check(points=1, requires="vocabulary-4")
def test_encode(student, rng):
    """The numbers are not the places of the words in `words`. A word that is too rare, or that was never seen, is
    no error: it has the number of `<unk>`, every time it comes, and it neither gets a place nor is counted by being
    asked for."""
    for least in (3, 5, 8):
        texts = draw_texts(rng)
        strangers = [word.upper() for word in draw_words(rng, 3)]
        asked = [strangers + texts[0] + strangers, [], texts[1] + strangers]
        before, numbers, after = student.probe(encoded, texts, least, asked)
        expected = reference.Vocabulary(texts, smallest_count=least)
        assert isinstance(numbers, list)
        found = [read_back(before[0], each) for each in numbers]
        assert after == before
        assert found == [expected.decode(expected.encode(text)) for text in asked]


def decoded(student, texts, least, wanted):
    """Runs beside the student's code: the words at the places that `wanted` have there, and in other numbers
    the name of the error."""
    vocabulary = student.Vocabulary(texts, smallest_count=least)
    numbers = [vocabulary.words.index(word) for word in wanted]
    size = len(vocabulary.words)
    errors = []
    for outside in (-1, -size, size, size + 3, -size - 1):
        try:
            errors.append(vocabulary.decode([0, outside, 1]))
        except IndexError:
            errors.append("IndexError")
        except Exception as error:  # noqa: BLE001 - whatever it is, its name is the answer
            errors.append(type(error).__name__)
    return vocabulary.decode(numbers), errors


@check(points=1, requires="vocabulary-5")
def test_decode(student, rng):
    """The words of the numbers are wrong, or a number outside the vocabulary is taken. A negative number is no
    word, although a list has something to give for it; and no number is left out in silence."""
    for least in (3, 5, 8):
        texts = draw_texts(rng)
        expected = reference.Vocabulary(texts, smallest_count=least)
        text = expected.decode(expected.encode([*texts[0], *texts[1], "a stranger"]))
        assert student.probe(decoded, texts, least, text) == (text, ["IndexError"] * 5)


def made_in_one_pass(student, texts, least):
    """Runs beside the student's code: words and counts of a vocabulary whose texts can be visited once."""
    vocabulary = student.Vocabulary((text for text in texts), smallest_count=least)
    return vocabulary.words, vocabulary.counts


@check(points=1, requires="vocabulary-6")
def test_texts_in_one_pass(student, rng):
    """A generator of texts gives another vocabulary than a list of them, or an error: it has no length, no
    places, and after the first loop over it nothing is left for a second one."""
    for least in (3, 5, 8):
        texts = draw_texts(rng)
        words, counts = student.probe(made_in_one_pass, texts, least)
        expected = reference.Vocabulary(texts, smallest_count=least)
        found, wanted = by_word(words, counts), by_word(expected.words, expected.counts)
        of_unknown = found.pop(
            "<unk>", None
        )  # that it is right is another check's matter; here it must not change
        wanted.pop("<unk>")
        assert found == wanted
        assert of_unknown == by_word(*student.probe(made, texts, smallest_count=least)[:2]).get("<unk>")


def made_beside_another(student, texts, others, asked):
    """Runs beside the student's code: a vocabulary's words and numbers after another one was made."""
    vocabulary = student.Vocabulary(texts, smallest_count=1)
    student.Vocabulary(others, smallest_count=1)
    return vocabulary.words, vocabulary.encode(asked)


@check(points=1, requires="vocabulary-7")
def test_each_its_own(student, rng):
    """A second vocabulary changes the first one: a list or a dictionary that stands in the body of the class, or
    as a default value, is one and the same for all vocabularies. Make it in `__init__`, on `self`."""
    for _ in range(3):
        known = draw_words(rng, len(COUNTS) + 1)
        texts = mixed_texts(rng, known[1:], COUNTS)
        others = mixed_texts(
            rng, known, (3, *COUNTS[1:], COUNTS[0])
        )  # a new word, other numbers for the rest
        asked = texts[0] + texts[1]
        words, numbers = student.probe(made_beside_another, texts, others, asked)
        expected = reference.Vocabulary(texts)
        assert isinstance(words, list)
        assert sorted(words) == sorted(expected.words)
        assert read_back(words, numbers) == expected.decode(expected.encode(asked))
