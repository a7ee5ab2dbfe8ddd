"""Next sentence prediction (Devlin et al., 2019): pairs of sentences that follow each other, and pairs that do not."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch


def sentence_pairs(
    documents: Sequence[Sequence[Any]], generator: torch.Generator
) -> list[tuple[Any, Any, bool]]:
    """One pair for every two neighbours of every document; in half of the pairs the second sentence is exchanged.

    Each pair is true or exchanged with probability 1/2, independently of the others. An exchanged second sentence comes
    from another document, each of them equally likely, and is one of its sentences, each equally likely.

    Args:
        documents: each a list of sentences in order, one at least; two documents at least. A sentence may be a text,
            its tokens or its number; two documents may hold the same one.
        generator: of all random numbers.

    Returns:
        (first, second, is_next) in the order of the text: a document of n sentences gives n - 1 pairs. `is_next` says
        that `second` truly follows `first` in its document.
    """
    ### BEGIN SOLUTION

    def below(end: int) -> int:
        return int(torch.randint(end, (), generator=generator))

    pairs = []
    for number, document in enumerate(documents):
        for first, second in pairwise(document):
            is_next = below(2) == 0
            if not is_next:
                other = below(len(documents) - 1)
                strange = documents[other + (other >= number)]  # all documents but this one
                second = strange[below(len(strange))]
            pairs.append((first, second, is_next))
    return pairs
    ### END SOLUTION
