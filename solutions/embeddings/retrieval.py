"""Finding the summary that belongs to a body of documentation: sentence vectors and how they are judged.

Letters: `N` texts, `V` words in the vocabulary, `D` width of a vector.
"""

import math
from collections import Counter
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nlpcourse.data import docstrings, words
from solutions.embeddings.vocabulary import Vocabulary

_SMALLEST_SUMMARY, _SMALLEST_BODY = 4, 20


def text_pairs(split: str) -> list[tuple[list[str], list[str]]]:
    """(summary, body) of the docstrings of a split as lists of words; short ones left out, each summary once."""
    found: dict[tuple[str, ...], tuple[list[str], list[str]]] = {}
    for each in docstrings.load().split(split):
        summary, body = words(each.summary), words(each.body)
        if len(summary) >= _SMALLEST_SUMMARY and len(body) >= _SMALLEST_BODY:
            found.setdefault(tuple(summary), (summary, body))
    return list(found.values())


@dataclass(frozen=True)
class Bags:
    """Texts as bags of word numbers, laid end to end."""

    words: Tensor
    """(total,) long."""
    starts: Tensor
    """(N,) long, where each text begins."""

    def __len__(self) -> int:
        return len(self.starts)

    @classmethod
    def of(cls, texts: list[list[str]], vocabulary: Vocabulary) -> "Bags":
        """Bags of texts; words without a vector are left out, and a text without any word is one "<unk>"."""
        numbered = [[number for number in vocabulary.encode(text) if number] or [0] for text in texts]
        sizes = torch.tensor([len(text) for text in numbered])
        return cls(torch.tensor([number for text in numbered for number in text]), sizes.cumsum(0) - sizes)

    def take(self, which: Tensor) -> "Bags":
        """Some of the texts; `which` is (n,) long."""
        ends = torch.cat([self.starts[1:], torch.tensor([len(self.words)])])
        sizes = (ends - self.starts)[which]
        starts = sizes.cumsum(0) - sizes
        within = torch.arange(int(sizes.sum())) - torch.repeat_interleave(starts, sizes)
        return Bags(self.words[torch.repeat_interleave(self.starts[which], sizes) + within], starts)


def encode(bags: Bags, vectors: Tensor, weights: Tensor) -> Tensor:
    """(N, D): the sum of each text's word vectors, each times its weight. Gradients flow to `vectors` (V, D).

    A text's length does not matter to a cosine, so that the sum stands for the mean.
    """
    weight = weights[bags.words]
    return F.embedding_bag(bags.words, vectors, bags.starts, mode="sum", per_sample_weights=weight)


def sif_weights(counts: Tensor, a: float) -> Tensor:
    """(V,): a / (a + share of the word), the weights of SIF (Arora et al., 2017)."""
    return a / (a + counts / counts.sum())


def without_common_direction(texts: Tensor, others: Tensor) -> Tensor:
    """`texts` (N, D) without their part along the first singular vector of `others` (n, D)."""
    direction = torch.linalg.svd(others, full_matrices=False).Vh[0]  # (D,)
    return texts - torch.outer(texts @ direction, direction)


def retrieval(bodies: Tensor, summaries: Tensor) -> dict[str, float]:
    """Recall@1 and mean reciprocal rank when each body looks for its own summary by cosine.

    Args:
        bodies, summaries: (N, D) float; row i of both belong together.
    """
    return ranking(F.normalize(bodies, dim=1) @ F.normalize(summaries, dim=1).T)


def ranking(scores: Tensor) -> dict[str, float]:
    """The same from a table (N, N) of scores, bodies by summaries; a tie counts as lost."""
    place = (scores >= scores.diagonal()[:, None]).sum(dim=1).double()  # (N,), from 1
    return {"recall@1": (place == 1).double().mean().item(), "mrr": (1 / place).mean().item()}


def tfidf_scores(
    pairs: list[tuple[list[str], list[str]]], training: list[tuple[list[str], list[str]]]
) -> Tensor:
    """Cosines (N, N) of bodies and summaries as TF-IDF vectors, with all words; document counts from `training`."""
    containing = Counter(word for summary, body in training for word in {*summary, *body})
    columns = {word: column for column, word in enumerate(sorted({w for s, _ in pairs for w in s}))}

    def table(texts: list[list[str]]) -> Tensor:
        rows = torch.zeros(len(texts), len(columns))
        for row, text in zip(rows, texts, strict=True):
            weights = {
                word: (1 + math.log(times)) * math.log((1 + len(training)) / (1 + containing[word]))
                for word, times in Counter(text).items()
            }
            length = math.hypot(*weights.values()) or 1.0
            for word in weights.keys() & columns.keys():
                row[columns[word]] = weights[word] / length
        return rows

    summaries, bodies = zip(*pairs, strict=True)
    return table(list(bodies)) @ table(list(summaries)).T
