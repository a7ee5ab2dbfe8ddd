"""How word and sentence vectors are judged, on cases with a known answer."""

import pytest
import torch
import torch.nn.functional as F

from nlpcourse.data.probes import Kind
from nlpcourse.data.ratings import RatedPair
from nlpcourse.errors import CourseError
from solutions.embeddings import retrieval
from solutions.embeddings.evaluate import (
    chance,
    neighbour_rank,
    probe_scores,
    rating_correlation,
    spearman,
)
from solutions.embeddings.retrieval import Bags
from solutions.embeddings.vocabulary import Vocabulary
from solutions.embeddings.word_map import stochastic_neighbours, word_map

WORDS = ["file", "files", "list", "lists", "red", "blue", "socket"]
VOCABULARY = Vocabulary([[word] * (20 - i) for i, word in enumerate(WORDS)])
PLURAL = Kind("plural", "", (("file", "files"), ("list", "lists")), ())
COLOUR = Kind("colour", "", (), (("red", frozenset({"blue"})), ("socket", frozenset({"red", "blue"}))))


def table(**vectors: list[float]) -> torch.Tensor:
    """(8, 3), "<unk>" first; it lies exactly where an answer should not be found."""
    return torch.tensor([[9.0, 9.0, 0.0], *(vectors[word] for word in WORDS)])


VECTORS = table(
    file=[1, 0, 0], files=[1, 1, 0], list=[0.9, 0, 0.3], lists=[0.9, 1, 0.3],
    red=[0, 0, 1], blue=[0, 0.1, 1], socket=[0.5, 0, -1],
)  # fmt: skip


def test_analogies_and_neighbours() -> None:
    scores = probe_scores(VECTORS, VOCABULARY, [PLURAL, COLOUR])
    assert scores == {"plural": 1.0, "colour": 0.5, "probes": 0.75}


def test_the_words_of_the_question_and_unk_are_never_answers() -> None:
    same = torch.ones(8, 3)
    assert probe_scores(same, VOCABULARY, [PLURAL])["plural"] <= 1
    alone = Vocabulary([["file", "files", "list", "lists"]])
    forced = torch.randn(5, 3)  # one word is left: any vectors find it
    assert probe_scores(forced, alone, [PLURAL])["plural"] == 1.0


def test_chance_is_what_random_vectors_get() -> None:
    generator = torch.Generator().manual_seed(0)
    kinds = [PLURAL, COLOUR]
    runs = [probe_scores(torch.randn(8, 30, generator=generator), VOCABULARY, kinds) for _ in range(400)]
    expected = chance(VOCABULARY, kinds)
    assert expected["plural"] == pytest.approx(1 / 4)  # seven words less the three of the question
    assert expected["colour"] == pytest.approx((1 / 6 + 2 / 6) / 2)
    for name in ("colour", "probes"):
        assert sum(run[name] for run in runs) / 400 == pytest.approx(expected[name], abs=0.08)


def test_a_word_without_vector_is_named() -> None:
    with pytest.raises(CourseError, match="without a vector: reds"):
        probe_scores(VECTORS, VOCABULARY, [Kind("colour", "", (), (("red", frozenset({"reds"})),))])


def test_the_rank_of_the_best_answer() -> None:
    assert neighbour_rank(VECTORS, VOCABULARY, Kind("", "", (), COLOUR.near[:1])) == 1
    places = F.cosine_similarity(VECTORS[1:], VECTORS[7], dim=1).argsort(descending=True).tolist()
    best = min(places.index(i) for i in (4, 5))  # of red and blue; place 0 is the word itself
    assert neighbour_rank(VECTORS, VOCABULARY, Kind("", "", (), COLOUR.near[1:])) == best


def test_spearman() -> None:
    x = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    assert spearman(x, x.exp()) == pytest.approx(1)
    assert spearman(x, -x) == pytest.approx(-1)
    # 1 - 6 * sum of squared differences / (n (n^2 - 1)), with differences 0, 1, 1, 0, 0
    assert spearman(x, torch.tensor([1.0, 3.0, 2.0, 4.0, 5.0])) == pytest.approx(1 - 6 * 2 / (5 * 24))
    tied = spearman(torch.tensor([1.0, 2.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 3.0, 4.0]))
    assert tied == pytest.approx(4.5 / (4.5 * 5) ** 0.5)  # ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4


def test_ratings_of_known_words() -> None:
    pairs = [RatedPair("file", "files", 9), RatedPair("red", "blue", 10), RatedPair("red", "socket", 0),
             RatedPair("red", "unheard", 5)]  # fmt: skip
    value, used = rating_correlation(VECTORS, VOCABULARY, pairs)
    assert (used, value) == (3, pytest.approx(1))
    value, used = rating_correlation(VECTORS, VOCABULARY, pairs[2:])
    assert used == 1 and value != value


def test_bags_are_sums_of_their_words() -> None:
    bags = Bags.of([["file", "list", "unheard"], ["unheard"], ["red", "red"]], VOCABULARY)
    weights = torch.arange(8.0)
    sums = retrieval.encode(bags, VECTORS, weights)
    (file, lst, red) = VOCABULARY.encode(["file", "list", "red"])
    torch.testing.assert_close(sums[0], file * VECTORS[file] + lst * VECTORS[lst])
    torch.testing.assert_close(sums[1], torch.zeros(3))
    torch.testing.assert_close(sums[2], 2.0 * red * VECTORS[red])
    taken = retrieval.encode(bags.take(torch.tensor([2, 0, 2])), VECTORS, weights)
    torch.testing.assert_close(taken, sums[[2, 0, 2]])


def test_a_tie_is_lost() -> None:
    assert retrieval.ranking(torch.ones(4, 4)) == {"recall@1": 0.0, "mrr": 0.25}
    scores = retrieval.ranking(torch.tensor([[0.9, 0.1], [0.8, 0.7]]))
    assert scores == {"recall@1": 0.5, "mrr": 0.75}


def test_the_common_direction_is_gone() -> None:
    others = torch.tensor([[3.0, 1.0], [3.0, -1.0], [3.0, 0.0]])
    left = retrieval.without_common_direction(others, others)
    torch.testing.assert_close(left, torch.tensor([[0.0, 1.0], [0.0, -1.0], [0.0, 0.0]]), atol=1e-6, rtol=0)


def test_tfidf_counts_rare_shared_words() -> None:
    training = [(["the", "file"], ["the", "a"]), (["the", "list"], ["the", "b"]), (["the", "c"], ["the"])]
    pairs = [(["the", "file"], ["the", "file", "x"]), (["the", "list"], ["the", "list", "y"])]
    scores = retrieval.tfidf_scores(pairs, training)
    assert scores.argmax(dim=1).tolist() == [0, 1]
    assert scores[0, 1] == pytest.approx(0)  # "the" stands in every text: its weight is 0


def test_the_plane_keeps_near_words_near() -> None:
    generator = torch.Generator().manual_seed(0)
    centres = torch.eye(3, 20).repeat_interleave(25, dim=0)
    unit = F.normalize(centres + 0.1 * torch.randn(75, 20, generator=generator), dim=1)
    places = stochastic_neighbours(unit, seed=0, steps=200)
    nearest = (torch.cdist(places, places) + 1e9 * torch.eye(75)).argmin(dim=1)
    assert torch.equal(nearest // 25, torch.arange(75) // 25)


def test_the_map_names_true_neighbours() -> None:
    vocabulary = Vocabulary([[f"word{chr(97 + i)}"] * (40 - i) for i in range(26)] + [["to"] * 50])
    vectors = torch.randn(28, 6, generator=torch.Generator().manual_seed(0))
    found = word_map(vectors, vocabulary, words=20, seed=0)
    words = {each["word"]: [word for word, _ in each["near"]] for each in found["words"]}
    assert len(words) == len(found["words"]) == 20
    assert "to" not in words, "short words are left out"
    for word, near in words.items():
        (number,) = vocabulary.encode([word])
        cosines = F.cosine_similarity(vectors, vectors[number], dim=1)
        cosines[[0, number]] = -2
        assert near == [vocabulary.words[each] for each in cosines.topk(8).indices]


def test_every_word_of_the_map_has_a_neighbour_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frequent word beside a hub, which is near to all: the hub's own nearest are others, so it is no partner."""
    monkeypatch.setattr("solutions.embeddings.word_map._PART", 50)
    vocabulary = Vocabulary([[f"w{i:03}"] * (200 - i) for i in range(120)])
    vectors = torch.randn(121, 5, generator=torch.Generator().manual_seed(1))
    vectors[100:] = vectors.mean(dim=0) + 0.3 * torch.randn(21, 5, generator=torch.Generator().manual_seed(2))
    found = word_map(vectors, vocabulary, words=30, seed=0)["words"]
    names = {each["word"] for each in found}
    assert 28 <= len(names) <= 30
    for each in found:
        assert names & {word for word, _ in each["near"]}, each["word"]
