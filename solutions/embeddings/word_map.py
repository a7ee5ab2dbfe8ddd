"""A small map of word vectors for a page to draw: places in the plane, and the true nearest neighbours.

Letters: `n` words of the map, `V` words in the vocabulary, `D` width of a vector.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.embeddings.vocabulary import Vocabulary

_NEIGHBOURS = 8
_PARTNERS = 2
"""Words that come onto the map with a word."""
_PART = 1000
"""Words whose cosines with all others are in memory at once."""


def word_map(vectors: Tensor, vocabulary: Vocabulary, *, words: int, seed: int) -> dict[str, Any]:
    """Frequent words and their partners, with their places and neighbours.

    Args:
        vectors: (V, D) float.
        vocabulary: of the V words.
        words: how many words, all of three letters or more; fewer when no more have a partner.
        seed: of the first places.

    Returns:
        `choice`: which words there are; `method`: how the places were found; `words`: for each its `word`, `count`,
        `x` and `y` (from -1 to 1) and `near`, its nearest neighbours of all V words with their cosines in the full
        space.
    """
    unit = F.normalize(vectors, dim=1)
    values, near = _nearest(unit)
    numbers = _with_partners(near.tolist(), vocabulary, words)
    values, near = values[numbers], near[numbers]
    places = stochastic_neighbours(unit[numbers], seed=seed)
    places = places / places.abs().max()
    return {
        "choice": "frequent words, each with words that it is near to and that are near to it",
        "method": "t-SNE on cosine distance, perplexity 15, started from the first two principal components",
        "words": [
            {
                "word": vocabulary.words[number],
                "count": vocabulary.counts[number],
                "x": round(x, 3),
                "y": round(y, 3),
                "near": [
                    [vocabulary.words[other], round(value, 3)]
                    for other, value in zip(near[row].tolist(), values[row].tolist(), strict=True)
                ],
            }
            for row, (number, (x, y)) in enumerate(zip(numbers, places.tolist(), strict=True))
        ],
    }


def _nearest(unit: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and numbers, both (V, 8), of the nearest words of every word; "<unk>" is nobody's."""
    found = []
    for first, part in enumerate(unit.split(_PART)):
        cosines = part @ unit.T  # (part, V)
        own = torch.arange(len(part))
        cosines[own, first * _PART + own] = -torch.inf
        cosines[:, 0] = -torch.inf
        found.append(cosines.topk(_NEIGHBOURS, dim=1))
    values, near = zip(*found, strict=True)
    return torch.cat(values), torch.cat(near)


def _with_partners(near: list[list[int]], vocabulary: Vocabulary, words: int) -> list[int]:
    """Numbers of at most `words` words, from the most frequent on, each with its partners.

    The partners of a word are the nearest words that have it among their own nearest. Without that condition, half of
    the most frequent words have no neighbour on their map: their nearest words are rare, and near to many.
    """
    chosen: dict[int, None] = {}
    for number in range(1, len(vocabulary)):
        group = [number, *(each for each in near[number] if number in near[each])]
        group = [each for each in group if len(vocabulary.words[each]) >= 3][: 1 + _PARTNERS]
        if group[:1] == [number] and len(group) > 1 and len(chosen.keys() | group) <= words:
            chosen.update(dict.fromkeys(group))
    return list(chosen)


def stochastic_neighbours(unit: Tensor, *, seed: int, perplexity: float = 15.0, steps: int = 600) -> Tensor:
    """Places in the plane by t-SNE (van der Maaten and Hinton, 2008): near vectors come to stand near each other.

    Args:
        unit: (n, D) float, vectors of length 1.
        seed: of a little noise on the first places, so that no two words stand on one point.
        perplexity: about how many neighbours each word looks at.
        steps: of gradient descent.

    Returns:
        (n, 2) float.
    """
    n = len(unit)
    distance = 2 - 2 * unit @ unit.T  # squared
    wanted = _conditional(distance, perplexity)
    wanted = ((wanted + wanted.T) / (2 * n)).clamp(min=1e-12)
    centred = unit - unit.mean(dim=0)
    components = torch.linalg.svd(centred, full_matrices=False).Vh[:2]  # (2, D)
    places = centred @ components.T
    places = 1e-2 * places / places.std()
    places += 1e-4 * torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    pace = n / 12  # Belkina et al. (2019): points over the early exaggeration
    velocity = torch.zeros_like(places)
    for step in range(steps):
        early = step < steps // 4
        inverse = 1 / (1 + torch.cdist(places, places).square())  # (n, n)
        inverse.fill_diagonal_(0)
        got = (inverse / inverse.sum()).clamp(min=1e-12)
        force = ((12.0 if early else 1.0) * wanted - got) * inverse  # (n, n)
        gradient = 4 * (force.sum(dim=1, keepdim=True) * places - force @ places)  # (n, 2)
        velocity = (0.5 if early else 0.8) * velocity - pace * gradient
        places = places + velocity
        places = places - places.mean(dim=0)
    return places


def _conditional(distance: Tensor, perplexity: float) -> Tensor:
    """(n, n), rows sum to 1: Gaussian neighbours, each row's width found by bisection to give the perplexity."""
    low, high = torch.full((len(distance), 1), 1e-3), torch.full((len(distance), 1), 1e4)
    off = distance.clone().fill_diagonal_(torch.inf)
    for _ in range(50):
        sharpness = (low * high).sqrt()
        share = torch.softmax(-off * sharpness, dim=1)
        entropy = -torch.xlogy(share, share).sum(dim=1, keepdim=True)
        wide = entropy > torch.tensor(perplexity).log()  # too many neighbours: sharpen
        low, high = torch.where(wide, sharpness, low), torch.where(wide, high, sharpness)
    return share
