"""The references of `skipgram_pairs`, `noise_distribution` and `Vocabulary`, against counts made by hand."""

import pytest
import torch

from solutions.embeddings.pairs import noise_distribution, skipgram_pairs
from solutions.embeddings.vocabulary import Vocabulary


@pytest.mark.parametrize("window", [1, 2, 5, 30])
@pytest.mark.parametrize("length", [0, 1, 2, 7, 20])
def test_pairs_are_those_of_two_loops(length: int, window: int) -> None:
    text = torch.randint(4, (length,), generator=torch.Generator().manual_seed(length))
    expected = [
        [int(text[i]), int(text[j])]
        for i in range(length)
        for j in range(length)
        if i != j and abs(i - j) <= window
    ]
    pairs = skipgram_pairs(text, window)
    assert pairs.shape == (len(expected), 2)
    assert pairs.dtype == torch.long
    assert sorted(pairs.tolist()) == sorted(expected)


def test_noise_by_hand() -> None:
    counts = torch.tensor([16, 0, 81, 1])
    for given in (counts, counts.float(), counts.double()):
        noise = noise_distribution(given)
        assert noise.is_floating_point()
        assert noise.tolist() == pytest.approx([8 / 36, 0, 27 / 36, 1 / 36])
    assert noise_distribution(counts, 1.0).tolist() == pytest.approx([16 / 98, 0, 81 / 98, 1 / 98])
    assert noise_distribution(counts, 0.0).tolist() == pytest.approx([1 / 3, 0, 1 / 3, 1 / 3])


def test_vocabulary_by_hand() -> None:
    texts = [["b", "c", "b", "d"], [], ["a", "c", "b", "a", "e", "e", "f"]]
    vocabulary = Vocabulary((text for text in texts), smallest_count=2)
    assert vocabulary.words == ["<unk>", "b", "a", "c", "e"]
    assert vocabulary.counts == [2, 3, 2, 2, 2]
    assert len(vocabulary) == 5
    assert vocabulary.encode(["e", "d", "b", "never seen"]) == [4, 0, 1, 0]
    assert vocabulary.decode([4, 0, 1]) == ["e", "<unk>", "b"]
    for outside in (-1, 5):
        with pytest.raises(IndexError):
            vocabulary.decode([0, outside])
    assert Vocabulary(texts).counts[0] == 0
    assert (Vocabulary([]).words, Vocabulary([]).counts) == (["<unk>"], [0])
