"""The docstring corpus as numbers: what every model of this topic is trained on.

Letters: `T` words of the whole corpus, `V` words in the vocabulary.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nlpcourse.data import docstrings, words
from solutions.embeddings.vocabulary import Vocabulary


@dataclass(frozen=True)
class Corpus:
    """The texts of the training split, rare words left out."""

    vocabulary: Vocabulary
    words: Tensor
    """(T,) long, the numbers of all words, text after text; never 0."""
    texts: Tensor
    """(T,) long, the number of the text in which each word stands."""
    running_words: int
    """Words of the texts, rare ones among them: what words per second count."""
    info: dict[str, Any]
    """Name, counts and hash, for the record."""

    @property
    def counts(self) -> Tensor:
        """(V,) long, how often each word stands in the texts; 0 for "<unk>", which no model is trained on."""
        return torch.tensor([0, *self.vocabulary.counts[1:]])


def load(*, smallest_count: int, texts: int = 0) -> Corpus:
    """The training split of the docstring corpus.

    Args:
        smallest_count: rarer words are left out, as if they did not stand in the text.
        texts: how many texts, from the first on; 0 for all.
    """
    source = docstrings.load()
    tokens = [words(text) for text in source.texts("train")[: texts or None]]
    info = {
        "name": "docstrings/train",
        "texts": len(tokens),
        "words": sum(map(len, tokens)),
        "sha256": source.info.sha256,
        "versions": source.info.versions,
    }
    return from_tokens(tokens, smallest_count=smallest_count, info=info)


def from_tokens(tokens: list[list[str]], *, smallest_count: int, info: dict[str, Any]) -> Corpus:
    """A corpus from texts that are lists of words."""
    vocabulary = Vocabulary(tokens, smallest_count=smallest_count)
    numbered = [[number for number in vocabulary.encode(text) if number] for text in tokens]
    lengths = torch.tensor([len(text) for text in numbered])
    return Corpus(
        vocabulary=vocabulary,
        words=torch.tensor([number for text in numbered for number in text]),
        texts=torch.repeat_interleave(torch.arange(len(numbered)), lengths),
        running_words=sum(map(len, tokens)),
        info={**info, "vocabulary": len(vocabulary)},
    )
