"""The docstring corpus as BERT is trained on it: documents of sentences, as pieces of words.

A document is what the docstrings of one file say, in order. Its sentences are put together to segments of up to half a
text's length, of which sentence pairs are made. Letters: `N` tokens of a split, `S` segments, `B` texts, `T` positions.
"""

import re
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from nlpcourse.data import docstrings, words
from solutions.training.tokenizer import train_wordpiece
from solutions.training.tokens import Tokens, tokenized

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Tokens that are no text, with the numbers from 0 on."""
PAD, UNKNOWN, CLS, SEP, MASK = range(5)

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"'`(*:])")


def sentences(text: str) -> list[str]:
    """The sentences of a docstring, each on one line; lines without a letter or digit are left out.

    A paragraph ends a sentence, as does a full stop before what may begin another one.
    """
    lines = (line if re.search(r"\w", line) else "" for line in text.splitlines())
    found = []
    for paragraph in re.split(r"\n\s*\n", "\n".join(lines)):
        found += _SENTENCE_END.split(" ".join(paragraph.split()))
    return [sentence for sentence in found if sentence]


def documents(split: str, files: int = 0) -> list[list[str]]:
    """The sentences of each file of a split, in order.

    Args:
        split: `train`, `dev` or `test`.
        files: how many, from the first on; 0 for all.
    """
    of_file = groupby(docstrings.load().split(split), key=lambda record: record.module)
    found = ([each for record in records for each in sentences(record.docstring)] for _, records in of_file)
    return list(islice((document for document in found if document), files or None))


def tokenizer_of(texts: list[list[str]], vocabulary: int) -> Tokenizer:
    """WordPiece trained on documents."""
    flat = [sentence for document in texts for sentence in document]
    return train_wordpiece(flat, vocabulary=vocabulary, special=SPECIAL)


@dataclass(frozen=True)
class Segments:
    """Segments of documents, as stretches of one long row of tokens.

    Attributes:
        tokens: the N tokens of all documents.
        starts, lengths: (S,) long, on the device of the tokens.
        documents: for each document, the numbers of its segments in order.
        words: of all documents, as `nlpcourse.data.words` counts them.
    """

    tokens: Tokens
    starts: Tensor
    lengths: Tensor
    documents: list[list[int]]
    words: int

    @classmethod
    def of(
        cls, texts: list[list[str]], tokenizer: Tokenizer, longest: int, device: torch.device
    ) -> "Segments":
        """Put sentences together as long as they fit; a longer sentence is cut.

        Args:
            texts: the sentences of each document.
            tokenizer: cuts them.
            longest: tokens of a segment at most.
            device: of the tensors.
        """
        flat = [sentence for document in texts for sentence in document]
        tokens = tokenized("docstrings-wordpiece", flat, tokenizer).to(device)
        ends = iter(tokens.offsets[1:].tolist())
        start, borders, numbered = 0, [0], []
        for document in texts:
            first, stop = len(borders) - 1, start
            for end in (next(ends) for _ in document):
                if end - start > longest and stop > start:  # the segment is full without this sentence
                    borders.append(stop)
                    start = stop
                while end - start > longest:  # the sentence alone is too long
                    start += longest
                    borders.append(start)
                stop = end
            if stop > start:
                borders.append(stop)
                start = stop
            if len(borders) - 1 > first:
                numbered.append(list(range(first, len(borders) - 1)))
        places = torch.tensor(borders, device=device)
        return cls(
            tokens, places[:-1], places.diff(), numbered, sum(len(words(sentence)) for sentence in flat)
        )

    def texts(self, pairs: Tensor, length: int) -> tuple[Tensor, Tensor]:
        """Pairs of segments as the model reads them: `[CLS]` first `[SEP]` second `[SEP]`, without padding.

        The second goes on behind its segment until the text is full, into the next file where its own ends; behind the
        last file its last token is repeated.

        Args:
            pairs: (B, 2) long, numbers of segments, on the device of the tokens.
            length: T, at least both segments and the three special tokens.

        Returns:
            Tokens and types, (B, T) long each; type 1 behind the first `[SEP]`.
        """
        place = torch.arange(length, device=pairs.device)  # (T,)
        middle = self.lengths[pairs[:, :1]] + 1  # (B, 1), of the first `[SEP]`
        first, second = self.starts[pairs[:, :1]] + place - 1, self.starts[pairs[:, 1:]] + place - middle - 1
        origin = torch.where(place < middle, first, second)  # (B, T), where a token stands in the long row
        drawn = self.tokens.windows(origin.clamp(0, len(self.tokens) - 1).flatten(), 1)
        tokens = torch.where(place == middle, SEP, drawn.view_as(origin).to(pairs.device))
        tokens[:, 0], tokens[:, -1] = CLS, SEP
        return tokens, (place > middle).long()


def information(texts: dict[str, list[list[str]]]) -> dict[str, Any]:
    """Name, counts and hash, for the record; `texts` are the documents of each split."""
    source = docstrings.load().info
    counts = {f"{split} files": len(each) for split, each in texts.items()}
    return {"name": "docstrings", **counts, "sha256": source.sha256, "versions": source.versions}
