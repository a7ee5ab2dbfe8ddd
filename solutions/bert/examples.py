"""Examples of fine-tunings as BERT reads them: framed, cut, with labels.

Letters: `N` examples, `B` of them in a batch, `T` positions.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from nlpcourse.data.published import Tagged
from solutions.bert.tagging import align_labels
from solutions.bert.tasks import Asked, Classified
from solutions.training.batches import padded


@dataclass(frozen=True)
class Examples:
    """Texts as the model reads them, with labels."""

    tokens: list[Tensor]
    """Each (T,) long, from `[CLS]` to `[SEP]`."""
    types: list[Tensor]
    """Each (T,) long."""
    labels: list[Tensor]
    """Each long: (1,) a class; (2,) where a span starts and ends; (T,) a class at each position, or -100."""
    words: list[list[str]] = field(default_factory=list)
    """Of tagged texts, the words that have a label."""

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def lengths(self) -> Tensor:
        """(N,) long."""
        return torch.tensor([len(each) for each in self.tokens])

    def batch(self, rows: Tensor, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Tokens, types and mask, (B, T) each, and labels, filled up with -100."""
        chosen = rows.tolist()
        length = torch.tensor([len(self.tokens[each]) for each in chosen])
        tokens = padded([self.tokens[each] for each in chosen], 0).to(device)
        types = padded([self.types[each] for each in chosen], 0).to(device)
        mask = (torch.arange(tokens.shape[1]) < length[:, None]).to(device)
        return tokens, types, mask, padded([self.labels[each] for each in chosen], -100).to(device)


def some(examples: Sequence[Any], most: int) -> list[Any]:
    """At most so many, drawn once, in order; 0 for all."""
    if not most or len(examples) <= most:
        return list(examples)
    chosen = sorted(random.Random("examples").sample(range(len(examples)), most))
    return [examples[number] for number in chosen]


def classified(examples: Sequence[Classified], tokenizer: Tokenizer, length: int) -> Examples:
    """Texts, or pairs of texts, with a class; of a pair the longer text is cut first."""
    found = Examples([], [], [])
    sides = [_encoded([each[side] for each in examples], tokenizer) for side in (0, 1)]
    for example, first, second in zip(examples, *sides, strict=True):
        if example.second:
            room = length - 3
            size = max(room - len(second.ids), min(len(first.ids), (room + 1) // 2))
            one, other = first.ids[:size], second.ids
            other = other[: room - len(one)]
        else:
            one, other = first.ids[: length - 2], []
        _add(found, one, other, torch.tensor([example.label]), tokenizer)
    return found


def asked(examples: Sequence[Asked], tokenizer: Tokenizer, length: int) -> Examples:
    """Questions with windows of their texts that hold the answer; where it stands there is drawn once.

    An example whose question and answer together are longer than the model reads is left out.
    """
    found = Examples([], [], [])
    sides = [_encoded([each[side] for each in examples], tokenizer) for side in (0, 1)]
    for example, question, text in zip(examples, *sides, strict=True):
        room = length - 3 - len(question.ids)
        inside = [n for n, (a, b) in enumerate(text.offsets) if a < example.end and b > example.start]
        first, last = inside[0], inside[-1]
        if last - first >= room:
            continue
        lowest, highest = max(0, last + 1 - room), min(first, max(0, len(text.ids) - room))
        begin = random.Random(f"{example.question} {example.start} {example.text}").randint(lowest, highest)
        shift = len(question.ids) + 2 - begin
        span = torch.tensor([first + shift, last + shift])
        _add(found, question.ids, text.ids[begin : begin + room], span, tokenizer)
    return found


def tagged(examples: Sequence[Tagged], tags: Sequence[str], tokenizer: Tokenizer, length: int) -> Examples:
    """Words with tags; the tag of a word stands at its first piece, and words that do not fit are left out."""
    found, numbers = Examples([], [], []), {tag: number for number, tag in enumerate(tags)}
    encodings = _encoded([list(each.tokens) for each in examples], tokenizer, pretokenized=True)
    for example, encoding in zip(examples, encodings, strict=True):
        ids, word_ids = encoding.ids[: length - 2], encoding.word_ids[: length - 2]
        labels = align_labels([numbers[tag] for tag in example.tags], [None, *word_ids, None])
        _add(found, ids, [], torch.tensor(labels), tokenizer)
        found.words.append([example.tokens[word] for word in dict.fromkeys(word_ids)])
    return found


def _encoded(texts: Sequence[Any], tokenizer: Tokenizer, *, pretokenized: bool = False) -> list[Any]:
    return tokenizer.encode_batch(texts, add_special_tokens=False, is_pretokenized=pretokenized)


def _add(found: Examples, first: list[int], second: list[int], label: Tensor, tokenizer: Tokenizer) -> None:
    """Frame one text or two: `[CLS]` first `[SEP]` second `[SEP]`."""
    cls, sep = (tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    behind = [*second, sep] if second else []
    found.tokens.append(torch.tensor([cls, *first, sep, *behind]))
    found.types.append(torch.tensor([0] * (len(first) + 2) + [1] * len(behind)))
    found.labels.append(label)
