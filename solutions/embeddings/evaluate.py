"""What word vectors know, as numbers: the probe set of the course, and rank correlation with people's ratings.

Letters: `V` words in the vocabulary, `D` width of a vector, `Q` questions.
"""

from collections.abc import Iterable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from nlpcourse.data import probes
from nlpcourse.data.ratings import RatedPair
from nlpcourse.errors import CourseError
from solutions.embeddings.vocabulary import Vocabulary


def probe_scores(
    vectors: Tensor, vocabulary: Vocabulary, kinds: Sequence[probes.Kind] | None = None
) -> dict[str, float]:
    """The share of right first answers in each kind of the probe set, and their mean as `probes`.

    Analogies are answered by 3CosAdd, the three words of the question left out; a question of neighbourhood by the
    nearest word. Number 0, "<unk>", is never an answer.

    Args:
        vectors: (V, D) float.
        vocabulary: of the V words.
        kinds: the questions; by default the course's.

    Raises:
        CourseError: a word of a question has no vector.
    """
    unit = F.normalize(vectors, dim=1)
    scores = {}
    for kind in kinds if kinds is not None else probes.load():
        numbers = _numbers(kind, vocabulary)
        right = _analogies(unit, kind, numbers) if kind.pairs else _neighbours(unit, kind, numbers)
        scores[kind.name] = right.double().mean().item()
    return {**scores, "probes": sum(scores.values()) / len(scores)}


def chance(vocabulary: Vocabulary, kinds: Sequence[probes.Kind] | None = None) -> dict[str, float]:
    """What `probe_scores` gives on average for answers drawn at random from the words that may be answers."""
    words = len(vocabulary) - 1  # without "<unk>"
    scores = {}
    for kind in kinds if kinds is not None else probes.load():
        accepted = [len(answers) / (words - 1) for _, answers in kind.near]
        scores[kind.name] = 1 / (words - 3) if kind.pairs else sum(accepted) / len(accepted)
    return {**scores, "probes": sum(scores.values()) / len(scores)}


def neighbour_rank(vectors: Tensor, vocabulary: Vocabulary, kind: probes.Kind) -> float:
    """The median place, from 1, of the best accepted answer among all neighbours; lower is better."""
    unit, numbers = F.normalize(vectors, dim=1), _numbers(kind, vocabulary)
    places = []
    for word, answers in kind.near:
        cosines = unit @ unit[numbers[word]]  # (V,)
        cosines[[0, numbers[word]]] = -torch.inf
        best = cosines[[numbers[answer] for answer in answers]].max()
        places.append((cosines >= best).sum())
    return torch.stack(places).double().median().item()


def rating_correlation(
    vectors: Tensor, vocabulary: Vocabulary, pairs: Iterable[RatedPair]
) -> tuple[float, int]:
    """Spearman's rank correlation of cosines with ratings, over the pairs whose two words have vectors.

    Returns:
        The correlation (nan for fewer than 3 pairs), and how many pairs it was computed from.
    """
    unit = F.normalize(vectors, dim=1)
    known = [(vocabulary.encode([pair.first, pair.second]), pair.rating) for pair in pairs]
    known = [(numbers, rating) for numbers, rating in known if 0 not in numbers]
    if len(known) < 3:
        return float("nan"), len(known)
    first, second = torch.tensor([numbers for numbers, _ in known]).unbind(dim=1)
    ratings = torch.tensor([rating for _, rating in known])
    return spearman((unit[first] * unit[second]).sum(dim=1), ratings), len(known)


def spearman(one: Tensor, other: Tensor) -> float:
    """Spearman's rank correlation: Pearson's of the ranks; equal values share the mean of their ranks.

    Args:
        one, other: (n,) float.
    """
    return torch.corrcoef(torch.stack([_ranks(one), _ranks(other)]))[0, 1].item()


def _ranks(values: Tensor) -> Tensor:
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0).double()
    return (last - (count - 1) / 2)[place]


def _numbers(kind: probes.Kind, vocabulary: Vocabulary) -> dict[str, int]:
    words = sorted(kind.words)
    numbers = dict(zip(words, vocabulary.encode(words), strict=True))
    if missing := [word for word, number in numbers.items() if number == 0]:
        raise CourseError(
            f"the probe set asks for words without a vector: {', '.join(missing)}; use more texts"
        )
    return numbers


def _analogies(unit: Tensor, kind: probes.Kind, numbers: dict[str, int]) -> Tensor:
    """(Q,) bool: which questions are answered right."""
    pairs = torch.tensor([[numbers[word] for word in pair] for pair in kind.pairs])  # (P, 2)
    one, other = torch.nonzero(~torch.eye(len(pairs), dtype=torch.bool), as_tuple=True)  # (Q,), (Q,)
    (a, b), (c, d) = pairs[one].unbind(1), pairs[other].unbind(1)
    scores = (unit[b] - unit[a] + unit[c]) @ unit.T  # (Q, V)
    questions = torch.arange(len(scores))
    for given in (a, b, c):
        scores[questions, given] = -torch.inf
    scores[:, 0] = -torch.inf
    return scores.argmax(dim=1) == d


def _neighbours(unit: Tensor, kind: probes.Kind, numbers: dict[str, int]) -> Tensor:
    """(Q,) bool."""
    asked = torch.tensor([numbers[word] for word, _ in kind.near])  # (Q,)
    scores = unit[asked] @ unit.T  # (Q, V)
    scores[torch.arange(len(asked)), asked] = -torch.inf
    scores[:, 0] = -torch.inf
    nearest = scores.argmax(dim=1).tolist()
    accepted = [{numbers[word] for word in words} for _, words in kind.near]
    return torch.tensor([answer in each for answer, each in zip(nearest, accepted, strict=True)])
