"""`sentence_pairs`: true pairs by looking them up, exchanged ones by their statistics.

Shares are held to Hoeffding's bound, t = sqrt(ln(2 / 1e-8) / (2 n)): one comparison fails a right function with a
probability below 1e-8, and a test makes fewer than 20 of them.
"""

import math
from collections import Counter

import torch

from solutions.bert.pairs import sentence_pairs

DOCUMENTS = [
    [f"{name}{place}" for place in range(size)] for name, size in zip("abcde", (3, 1, 6, 2, 4), strict=True)
]
FIRSTS = [sentence for document in DOCUMENTS for sentence in document[:-1]]


def within(n: int) -> float:
    return math.sqrt(math.log(2 / 1e-8) / (2 * n))


def many(calls: int, seed: int = 1) -> list[tuple[str, str, bool]]:
    generator = torch.Generator().manual_seed(seed)
    return [pair for _ in range(calls) for pair in sentence_pairs(DOCUMENTS, generator)]


def test_every_neighbour_gives_one_pair_in_order() -> None:
    found = many(1)
    assert [first for first, _, _ in found] == FIRSTS
    assert all(isinstance(is_next, bool) for _, _, is_next in found)


def test_true_pairs_follow_each_other_and_exchanged_ones_are_of_two_documents() -> None:
    for first, second, is_next in many(200):
        if is_next:
            assert second == f"{first[0]}{int(first[1]) + 1}"
        else:
            assert second[0] != first[0]


def test_half_are_exchanged_each_by_itself() -> None:
    found = many(3000)
    truth = torch.tensor([is_next for *_, is_next in found]).view(3000, len(FIRSTS)).double()
    assert abs(truth.mean().item() - 0.5) < within(truth.numel())
    for place in range(0, len(FIRSTS) - 1, 2):  # two that stand beside each other, and one at two times
        assert abs((truth[:, place] * truth[:, place + 1]).mean().item() - 0.25) < within(3000)
    assert abs((truth[0::2] * truth[1::2]).mean().item() - 0.25) < within(truth.numel() // 2)


def test_another_document_is_drawn_first_then_its_sentence() -> None:
    """From a document of 2 sentences each is drawn three times as often as from one of 6."""
    seconds = Counter(second for first, second, is_next in many(8000) if first[0] == "a" and not is_next)
    total = seconds.total()
    for document in DOCUMENTS[1:]:
        for sentence in document:
            assert (
                abs(seconds[sentence] / total - 0.25 / len(document)) < within(total) < 0.25 / len(document)
            )


def test_documents_stay_and_a_seed_gives_the_same_pairs() -> None:
    before = [list(document) for document in DOCUMENTS]
    assert many(1, seed=5) == many(1, seed=5) != many(1, seed=6)
    assert before == DOCUMENTS
    generator = torch.Generator().manual_seed(1)
    assert sentence_pairs([["alone"], ["too"]], generator) == []
