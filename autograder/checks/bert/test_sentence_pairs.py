"""Hidden checks of `sentence_pairs`: the frame of the result, then what a coin decides, then where strangers
come from.

Sentences are numbers of which none comes twice, so that each tells its document and its place, unless a check
is about sentences that do. What is drawn is held to the probabilities of the statement by `chance`, in fewer
than 60 comparisons.
"""

from itertools import pairwise
from typing import Any

import torch

from autograder.checks import check
from autograder.checks.bert.chance import assert_each_by_itself, assert_share
from solutions.bert import pairs as reference

SIZES = ((4, 1, 7, 2), (1, 6), (3, 2, 5))

Documents = list[list[Any]]


def draw_documents(rng: torch.Generator, sizes: tuple[int, ...]) -> Documents:
    """Documents of these sizes; the sentences are unlike numbers, in no order."""
    numbers = iter((torch.randperm(9 * sum(sizes), generator=rng) + 100).tolist())
    return [[next(numbers) for _ in range(size)] for size in sizes]


def draw_seed(rng: torch.Generator) -> int:
    """What a generator begins with."""
    return int(torch.randint(2**31, (), generator=rng))


def made(student, rng, documents: Documents) -> list[tuple[Any, Any, bool]]:
    """The student's pairs, each a list or tuple of three, with a coin that is True or False."""
    pairs = student.sentence_pairs(documents, student.generator(draw_seed(rng)))
    assert isinstance(pairs, list | tuple)
    for pair in pairs:
        assert isinstance(pair, list | tuple)
        assert len(pair) == 3
        assert isinstance(pair[2], bool)
    return [tuple(pair) for pair in pairs]


def expected(rng, documents: Documents) -> list[tuple[Any, Any, bool]]:
    """The reference's pairs, with coins of its own."""
    return reference.sentence_pairs(documents, torch.Generator().manual_seed(draw_seed(rng)))


def followers(documents: Documents) -> dict[int, int]:
    """The sentence that follows each."""
    return {first: second for document in documents for first, second in pairwise(document)}


@check(points=0, requires="pairs-1")
def test_first_sentences(student, rng):
    """The first sentences of the pairs are wrong: in the order of the text, each sentence of each document
    but its last. Neighbours overlap, a document of one sentence has no pair, and no pair reaches from one
    document into the next. A pair has three parts, of which the last is Python's own True or False."""
    for sizes in SIZES:
        documents = draw_documents(rng, sizes)
        found = made(student, rng, documents)
        assert [pair[0] for pair in found] == [pair[0] for pair in expected(rng, documents)]


@check(points=1, requires="pairs-3", after="test_first_sentences")
def test_true_pairs(student, rng):
    """A pair that is called true does not hold two neighbours, or no pair is called so: what follows is the
    next sentence of the same document."""
    documents = draw_documents(rng, (40, 1, 9, 30))
    after = followers(documents)
    true = [(first, second) for first, second, is_next in made(student, rng, documents) if is_next]
    assert true
    assert all(after[first] == second for first, second in true)


def many_coins(student, seed):
    """Runs beside the student's code: how many of two pairs are true, 150 times, with one generator."""
    generator = torch.Generator().manual_seed(seed)
    calls = [student.sentence_pairs([["a", "b", "c"], ["d"]], generator) for _ in range(150)]
    return [sum(bool(pair[2]) for pair in pairs) for pairs in calls]


@check(points=1, requires="pairs-2", after="test_true_pairs")
def test_half_by_chance(student, rng):
    """The share of true pairs is not one half, or the pairs are not independent: each has a coin of its own,
    and no number of true pairs is fixed, not even half of them."""
    pairs = made(student, rng, draw_documents(rng, (1000, 3, 500)))
    assert_each_by_itself(torch.tensor([pair[2] for pair in pairs]), 0.5)
    true = torch.tensor(student.probe(many_coins, draw_seed(rng)))
    for number, probability in enumerate((0.25, 0.5, 0.25)):
        assert_share(true == number, probability)


@check(points=1, requires="pairs-4", after="test_first_sentences")
def test_another_document(student, rng):
    """A pair that is not called true has a second sentence from its own document, or one that stands in none,
    or no pair is called so: an exchanged sentence always comes from another document."""
    for sizes in ((150, 2, 3), (2, 150), (1, 1, 100)):
        documents = draw_documents(rng, sizes)
        home = {sentence: number for number, document in enumerate(documents) for sentence in document}
        exchanged = [
            (first, second) for first, second, is_next in made(student, rng, documents) if not is_next
        ]
        assert exchanged
        assert all(home.get(second, home[first]) != home[first] for first, second in exchanged)


@check(points=1, requires="pairs-4", after="test_another_document")
def test_which_document(student, rng):
    """Some documents are drawn too often or not at all. A draw from all sentences, or one that is repeated
    until it suits, prefers long documents or neighbours: first draw a document, each of the others equally
    likely, however long it is, also the first and the last one."""
    for large, length in ((2, 2400), (0, 300), (4, 300)):
        sizes = [2, 30, 1, 9, 4]
        sizes[large] = length
        documents = draw_documents(rng, tuple(sizes))
        home = {sentence: number for number, document in enumerate(documents) for sentence in document}
        exchanged = [pair for pair in made(student, rng, documents) if not pair[2]]
        drawn = torch.tensor([home[second] for first, second, _ in exchanged if home[first] == large])
        for number in {*range(5)} - {large}:
            assert_share(drawn == number, 1 / 4)


@check(points=1, requires="pairs-4", after="test_another_document")
def test_which_sentence(student, rng):
    """Within the document that was drawn, some sentences are drawn too often or not at all: each is equally
    likely, the first and the last one too."""
    for sizes in ((700, 5), (3, 700)):
        documents = draw_documents(rng, sizes)
        small = min(documents, key=len)
        pairs = made(student, rng, documents)
        drawn = torch.tensor([second for _, second, is_next in pairs if not is_next and second in small])
        for sentence in small:
            assert_share(drawn == sentence, 1 / len(small))


@check(points=1, requires="pairs-5", after=("test_true_pairs", "test_another_document"))
def test_any_sentences(student, rng):
    """With sentences that are lists, that stand twice in a document, or that two documents share, a pair is
    wrong. Tell documents by their numbers and sentences by their places: a comparison cannot tell equal ones
    apart, `index` finds the first of them, and a list is no key of a dictionary. Whether a pair is true is
    known from the coin, not from the look of it."""
    for sizes in ((200, 2), (5, 3, 100)):
        documents = [[[number] for number in document] for document in draw_documents(rng, sizes)]
        after = followers([[sentence[0] for sentence in document] for document in documents])
        for first, second, is_next in made(student, rng, documents):
            assert isinstance(second, list)
            assert (after[first[0]] == second[0]) == is_next
    # All documents hold the same. What is exchanged may then look true, and half of what is drawn is a 1.
    alike: Documents = [[1, 2, 1, 3] for _ in range(400)]
    pairs = made(student, rng, alike)
    followed = zip(pairs, expected(rng, alike), [2, 1, 3] * 400, strict=True)
    for (first, second, is_next), (wanted, *_), follower in followed:
        assert first == wanted
        assert second == follower or not is_next
    assert_share(torch.tensor([is_next for *_, is_next in pairs]), 0.5)
    drawn = torch.tensor([second for _, second, is_next in pairs if not is_next])
    for sentence, probability in ((1, 0.5), (2, 0.25), (3, 0.25)):
        assert_share(drawn == sentence, probability)


def made_again(student, documents, seeds):
    """Runs beside the student's code: for each seed, the pairs of two calls with the same generator."""
    found = []
    for seed in seeds:
        generator, calls = torch.Generator().manual_seed(seed), []
        for _ in range(2):
            pairs = student.sentence_pairs([list(document) for document in documents], generator)
            calls.append([tuple(pair) for pair in pairs])
        found.append(calls)
    return found


@check(points=1, requires="pairs-6", after=("test_half_by_chance", "test_another_document"))
def test_generator(student, rng):
    """The same generator in the same state gives other pairs, or another state gives the same: coins,
    documents and sentences are all drawn from the generator of the caller, which is not begun anew."""
    documents, seed = draw_documents(rng, (100, 7, 30)), draw_seed(rng)
    first, again, other = student.probe(made_again, documents, (seed, seed, seed + 1))
    assert first == again
    assert first[0] != first[1]  # the coins of 134 pairs are the same with a probability of 2 ** -134
    assert first[0] != other[0]
    assert [pair[0] for pair in first[1]] == [pair[0] for pair in expected(rng, documents)]


def documents_after_the_call(student, documents, seed):
    """Runs beside the student's code: the pairs, and what the caller's documents hold after the call."""
    pairs = student.sentence_pairs(documents, torch.Generator().manual_seed(seed))
    return [tuple(pair) for pair in pairs], documents


@check(points=1, requires="pairs-7", after=("test_true_pairs", "test_another_document"))
def test_documents_untouched(student, rng):
    """The caller's documents were changed: `pop`, `remove`, `shuffle` and an assignment to a place work on
    the list that was given."""
    for sizes in SIZES:
        documents = draw_documents(rng, sizes)
        pairs, after = student.probe(documents_after_the_call, documents, draw_seed(rng))
        assert [pair[0] for pair in pairs] == [pair[0] for pair in expected(rng, documents)]
        assert after == documents
