"""Known answers to `sentence_pairs`: wrong, right and cheating ones, and what can be seen of an answer."""

# mypy: ignore-errors

from itertools import pairwise

import torch

from autograder.checks.variants import cheat, right, wrong


def observe(student, seed):
    """What is certain of the pairs of a few documents, and whether the shares of many are as they should be."""
    rng = torch.Generator().manual_seed(seed)
    sizes = [int(each) + 1 for each in torch.randint(5, (2 + seed % 4,), generator=rng)]
    documents = [[100 * number + place for place in range(size)] for number, size in enumerate(sizes)]
    pairs = student.sentence_pairs(documents, torch.Generator().manual_seed(seed))
    kept = [
        second - first == 1 if is_next else second // 100 != first // 100 for first, second, is_next in pairs
    ]
    many = student.sentence_pairs([[0] * 900, [1, 2], [3]], torch.Generator().manual_seed(seed))
    shares = [sum(second == each for _, second, _ in many) / len(many) for each in range(4)]
    near = [
        abs(share - wanted) < 0.1 for share, wanted in zip(shares, (0.5, 0.125, 0.125, 0.25), strict=True)
    ]
    return [first for first, *_ in pairs], kept, near, type(pairs[0][2]).__name__ if pairs else ""


EQUIVALENT = {
    "`below(2) != 0` for `below(2) == 0`": "the other side of the coin is as likely",
}


# --- Wrong -----------------------------------------------------------------------------------------------


def below(end, generator):
    """A whole number below `end`, each equally likely."""
    return int(torch.randint(end, (), generator=generator))


def stranger_of_another(documents, number, generator):
    """A sentence of another document, as it should be drawn."""
    others = [other for other in range(len(documents)) if other != number]
    document = documents[others[below(len(others), generator)]]
    return document[below(len(document), generator)]


def make(documents, generator, stranger=stranger_of_another):
    """Right pairs, for the wrong ones to put their own draw of a `stranger` in."""
    pairs = []
    for number, document in enumerate(documents):
        for first, second in pairwise(document):
            if below(2, generator):
                pairs.append((first, second, True))
            else:
                pairs.append((first, stranger(documents, number, generator), False))
    return pairs


@wrong(thinking="A text is cut into pairs.", fails=("test_first_sentences",))
def pairs_that_do_not_overlap(documents, generator):
    pairs = []
    for number, document in enumerate(documents):
        for first, second in zip(document[::2], document[1::2], strict=False):
            if below(2, generator):
                pairs.append((first, second, True))
            else:
                pairs.append((first, stranger_of_another(documents, number, generator), False))
    return pairs


@wrong(thinking="All sentences are one long text.", fails=("test_first_sentences",))
def across_the_documents(documents, generator):
    sentences = [(sentence, number) for number, document in enumerate(documents) for sentence in document]
    pairs = []
    for (first, number), (second, _) in pairwise(sentences):
        if below(2, generator):
            pairs.append((first, second, True))
        else:
            pairs.append((first, stranger_of_another(documents, number, generator), False))
    return pairs


@wrong(
    thinking="Any sentence will do.",
    fails=("test_another_document",),
    page="sentence-pairs#same-document",
)
def from_all_sentences(documents, generator):
    def stranger(documents, number, generator):
        sentences = [sentence for document in documents for sentence in document]
        return sentences[below(len(sentences), generator)]

    return make(documents, generator, stranger)


@wrong(
    thinking="Any document will do, there are many.",
    fails=("test_another_document",),
    page="sentence-pairs#same-document",
)
def from_any_document(documents, generator):
    def stranger(documents, number, generator):
        document = documents[below(len(documents), generator)]
        return document[below(len(document), generator)]

    return make(documents, generator, stranger)


@wrong(
    thinking="A sentence that does not follow is a negative, wherever it stands.",
    fails=("test_another_document",),
    page="sentence-pairs#same-document",
)
def another_of_the_same_document(documents, generator):
    def stranger(documents, number, generator):
        return documents[number][below(len(documents[number]), generator)]

    return make(documents, generator, stranger)


@wrong(thinking="All sentences of the others are in one pot.", fails=("test_which_document",))
def long_documents_preferred(documents, generator):
    def stranger(documents, number, generator):
        pot = [sentence for other, each in enumerate(documents) if other != number for sentence in each]
        return pot[below(len(pot), generator)]

    return make(documents, generator, stranger)


@wrong(thinking="The next document is another one.", fails=("test_which_document",))
def always_the_next_document(documents, generator):
    def stranger(documents, number, generator):
        document = documents[(number + 1) % len(documents)]
        return document[below(len(document), generator)]

    return make(documents, generator, stranger)


@wrong(thinking="If it is the own document, take the next one.", fails=("test_which_document",))
def one_step_on(documents, generator):
    def stranger(documents, number, generator):
        other = below(len(documents), generator)
        other = (other + 1) % len(documents) if other == number else other
        return documents[other][below(len(documents[other]), generator)]

    return make(documents, generator, stranger)


@wrong(
    thinking="A true second sentence is never the first of its document, so a drawn one must not be either.",
    fails=("test_which_sentence", "test_any_sentences"),
    page="sentence-pairs#first-sentences",
)
def never_a_first_sentence(documents, generator):
    def stranger(documents, number, generator):
        others = [other for other in range(len(documents)) if other != number]
        document = documents[others[below(len(others), generator)]]
        return document[1 + below(len(document) - 1, generator)] if len(document) > 1 else document[0]

    return make(documents, generator, stranger)


@wrong(
    thinking="The first sentence says what a document is about.",
    fails=("test_which_sentence", "test_any_sentences"),
)
def always_the_first_sentence(documents, generator):
    def stranger(documents, number, generator):
        others = [other for other in range(len(documents)) if other != number]
        return documents[others[below(len(others), generator)]][0]

    return make(documents, generator, stranger)


@wrong(
    thinking="True and exchanged take turns: that is half.",
    fails=("test_half_by_chance",),
)
def taking_turns(documents, generator):
    pairs, turn = [], True
    for number, document in enumerate(documents):
        for first, second in pairwise(document):
            pairs.append((first, second if turn else stranger_of_another(documents, number, generator), turn))
            turn = not turn
    return pairs


@wrong(thinking="Half of the pairs are drawn, exactly half.", fails=("test_half_by_chance",))
def exactly_half(documents, generator):
    neighbours = [(n, *pair) for n, document in enumerate(documents) for pair in pairwise(document)]
    true = set(torch.randperm(len(neighbours), generator=generator)[: len(neighbours) // 2].tolist())
    pairs = []
    for place, (number, first, second) in enumerate(neighbours):
        if place in true:
            pairs.append((first, second, True))
        else:
            pairs.append((first, stranger_of_another(documents, number, generator), False))
    return pairs


@wrong(thinking="Each true pair and each exchanged one is an example.", fails=("test_first_sentences",))
def both_of_each(documents, generator):
    pairs = []
    for number, document in enumerate(documents):
        for first, second in pairwise(document):
            pairs.append((first, second, True))
            pairs.append((first, stranger_of_another(documents, number, generator), False))
    return pairs


@wrong(
    thinking="Class 0 says that B is next.",
    fails=("test_true_pairs", "test_another_document"),
    page="sentence-pairs#class-order",
)
def labels_the_other_way(documents, generator):
    return [(first, second, not is_next) for first, second, is_next in make(documents, generator)]


@wrong(thinking="Other documents are those that are not equal.", fails=("test_any_sentences",))
def others_by_comparison(documents, generator):
    def stranger(documents, number, generator):
        others = [document for document in documents if document != documents[number]]
        document = others[below(len(others), generator)]
        return document[below(len(document), generator)]

    return make(documents, generator, stranger)


@wrong(thinking="`index` finds the place of a sentence.", fails=("test_any_sentences",))
def places_by_index(documents, generator):
    pairs = []
    for number, document in enumerate(documents):
        for first in document[:-1]:
            if below(2, generator):
                pairs.append((first, document[document.index(first) + 1], True))
            else:
                pairs.append((first, stranger_of_another(documents, number, generator), False))
    return pairs


@wrong(thinking="A pair is true when its second sentence is the next one.", fails=("test_any_sentences",))
def label_by_comparison(documents, generator):
    pairs = []
    for number, document in enumerate(documents):
        for first, following in pairwise(document):
            second = following if below(2, generator) else stranger_of_another(documents, number, generator)
            pairs.append((first, second, second == following))
    return pairs


@wrong(thinking="Python has dice.", fails=("test_generator",))
def dice_of_python(documents, generator):
    import random

    pairs = []
    for number, document in enumerate(documents):
        for first, second in pairwise(document):
            other = random.choice([each for each in range(len(documents)) if each != number])
            is_next = random.random() < 0.5
            pairs.append((first, second if is_next else random.choice(documents[other]), is_next))
    return pairs


@wrong(
    thinking="What was drawn is taken out, so that it does not come twice.",
    fails=("test_documents_untouched",),
)
def shuffles_the_documents(documents, generator):
    pairs = make(documents, generator)
    documents[0].append(documents[0].pop(0))
    documents.reverse()
    return pairs


# --- Right -----------------------------------------------------------------------------------------------


@right(looks="Draws until the document is another one; all coins are thrown at once.")
def drawn_until_it_fits(documents, generator):
    count = sum(len(document) - 1 for document in documents)
    coins = iter((torch.rand(count, generator=generator) < 0.5).tolist())
    result = []
    for number, document in enumerate(documents):
        for place in range(1, len(document)):
            if next(coins):
                result.append((document[place - 1], document[place], True))
                continue
            other = number
            while other == number:
                other = torch.randint(len(documents), (1,), generator=generator).item()
            place_there = torch.randint(len(documents[other]), (1,), generator=generator).item()
            result.append((document[place - 1], documents[other][place_there], False))
    return result


@right(
    looks="Python's dice, which begin with a number of the generator; another document by a step around a circle."
)
def a_step_around(documents, generator):
    import random

    dice = random.Random(int(torch.randint(2**62, (), generator=generator)))
    return [
        (first, second, True)
        if dice.getrandbits(1)
        else (first, dice.choice(documents[(n + dice.randrange(1, len(documents))) % len(documents)]), False)
        for n, document in enumerate(documents)
        for first, second in pairwise(document)
    ]


@right(
    looks="Shares of one random number decide document and sentence; pairs are made true first and changed then."
)
def changed_afterwards(documents, generator):
    rows = [
        [n, first, second, True]
        for n, document in enumerate(documents)
        for first, second in pairwise(document)
    ]
    draws = torch.rand(len(rows), 3, generator=generator, dtype=torch.float64).tolist()
    for row, (coin, which, where) in zip(rows, draws, strict=True):
        if coin >= 0.5:
            others = [*range(row[0]), *range(row[0] + 1, len(documents))]
            document = documents[others[int(which * len(others))]]
            row[2:] = document[int(where * len(document))], False
    return [tuple(row[1:]) for row in rows]


@right(looks="The pool of documents without the own one is made for each document; order of a permutation.")
def first_of_a_permutation(documents, generator):
    result = []
    for number in range(len(documents)):
        pool = documents[:number] + documents[number + 1 :]
        own = documents[number]
        for place, first in enumerate(own[:-1]):
            is_next = bool(torch.bernoulli(torch.tensor(0.5), generator=generator))
            if is_next:
                second = own[place + 1]
            else:
                chosen = pool[torch.randperm(len(pool), generator=generator)[0]]
                second = chosen[torch.randint(0, len(chosen), (1,), generator=generator)]
            result += [(first, second, is_next)]
    return result


# --- Cheats ----------------------------------------------------------------------------------------------


@cheat(kind="zeros")
def zeros(documents, generator):
    return [(0, 0, False) for document in documents for _ in document[1:]]


@cheat(kind="input")
def the_input(documents, generator):
    return documents


@cheat(kind="noise")
def noise(documents, generator):
    import random

    sentences = [sentence for document in documents for sentence in document]
    count = len(sentences) - len(documents)
    return [(random.choice(sentences), random.choice(sentences), random.random() < 0.5) for _ in range(count)]


@cheat(kind="remembered")
def remembered(documents, generator):
    if not hasattr(torch, "remembered"):
        torch.remembered = make(documents, generator)
    return torch.remembered
