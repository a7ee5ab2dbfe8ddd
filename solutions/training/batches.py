"""Batches that waste little on padding: sequences of like length together, or several in one row."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from nlpcourse.errors import CourseError


def by_length(lengths: Tensor, *, tokens: int, generator: torch.Generator) -> list[Tensor]:
    """Cut the examples into batches of like length, within a budget of tokens.

    The examples are sorted by length, equal ones in a new order each time, and cut where the next one would not fit.
    The batches come in a new order, too.

    Args:
        lengths: (N,) long; or (N, K) where an example has K sequences, such as source and target.
        tokens: the most positions of a batch, padding counted: B times the longest, summed over the K.
        generator: of the orders.

    Returns:
        Batches of (B,) long, indices of examples; each example is in one of them.

    Raises:
        CourseError: one example alone is over the budget.
    """
    sizes = lengths if lengths.ndim == 2 else lengths.unsqueeze(1)  # (N, K)
    if len(sizes) and (longest := int(sizes.sum(1).max())) > tokens:
        raise CourseError(f"an example has {longest} tokens, the batch {tokens}; raise the batch or cut it")
    order = torch.randperm(len(sizes), generator=generator)
    for column in range(
        sizes.shape[1]
    ):  # the last is the first criterion: a sort keeps the order of equal ones
        order = order[sizes[order, column].argsort(stable=True)]
    batches, start = [], 0
    widest = [0] * sizes.shape[1]
    for place, size in enumerate(sizes[order].tolist()):
        wider = [max(pair) for pair in zip(widest, size, strict=True)]
        if (place + 1 - start) * sum(wider) > tokens:
            batches.append(order[start:place])
            start, wider = place, size
        widest = wider
    if len(order):
        batches.append(order[start:])
    return [batches[number] for number in torch.randperm(len(batches), generator=generator)]


def padding(batches: Sequence[Tensor], lengths: Tensor) -> float:
    """The share of positions that are padding when each batch is filled up to its longest example."""
    sizes = lengths if lengths.ndim == 2 else lengths.unsqueeze(1)
    positions = sum(len(batch) * int(sizes[batch].amax(0).sum()) for batch in batches)
    return 1 - int(sizes[torch.cat(list(batches))].sum()) / positions


def padded(sequences: Sequence[Tensor], fill: int) -> Tensor:
    """(B, T) long: sequences of (length,) long, filled up at the end to the longest."""
    return torch.nn.utils.rnn.pad_sequence(list(sequences), batch_first=True, padding_value=fill)


class Packed(NamedTuple):
    """Rows with several sequences one after the other; `R` rows of `T` positions."""

    tokens: Tensor
    """(R, T) long."""
    documents: Tensor
    """(R, T) long, the number of the sequence in its row from 0; -1 where nothing is."""
    positions: Tensor
    """(R, T) long, the position in the sequence from 0; 0 where nothing is."""


def first_fit(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Put each sequence into the first row that has room for it (first-fit bin packing).

    Args:
        lengths: of the sequences, in the order in which they are put.
        size: positions of a row.

    Returns:
        For each row, the numbers of its sequences.

    Raises:
        CourseError: a sequence is longer than a row.
    """
    if (longest := max(lengths, default=0)) > size:
        raise CourseError(
            f"a sequence has {longest} tokens, a row {size}; cut the sequence or take longer rows"
        )
    leaves = 1 << max(len(lengths) - 1, 0).bit_length()
    room = [size] * (
        2 * leaves
    )  # a heap-shaped tree: node n has the largest room of its children 2n and 2n + 1
    rows: list[list[int]] = []
    for number, length in enumerate(lengths):
        node = 1
        while node < leaves:  # down to the leftmost leaf with enough room
            node = 2 * node if room[2 * node] >= length else 2 * node + 1
        if node - leaves == len(rows):
            rows.append([])
        rows[node - leaves].append(number)
        room[node] -= length
        while node > 1:
            node //= 2
            room[node] = max(room[2 * node], room[2 * node + 1])
    return rows


def pack(sequences: Sequence[Tensor], *, size: int, fill: int) -> Packed:
    """Put sequences of (length,) long into rows of `size` positions, as `first_fit` says.

    A sequence must not see its neighbours: `document_mask` says who may attend to whom.

    Raises:
        CourseError: a sequence is longer than a row.
    """
    rows = first_fit([len(each) for each in sequences], size)
    tokens = torch.full((len(rows), size), fill)
    documents = torch.full((len(rows), size), -1)
    positions = torch.zeros(len(rows), size, dtype=torch.long)
    for row, numbers in enumerate(rows):
        start = 0
        for document, number in enumerate(numbers):
            end = start + len(sequences[number])
            tokens[row, start:end] = sequences[number]
            documents[row, start:end] = document
            positions[row, start:end] = torch.arange(end - start)
            start = end
    return Packed(tokens, documents, positions)


def document_mask(documents: Tensor) -> Tensor:
    """(R, 1, T, T) bool from (R, T) long: True where a position may attend to another, in its own sequence.

    Positions where nothing is attend to each other, so that no softmax is over nothing.
    """
    return (documents.unsqueeze(2) == documents.unsqueeze(1)).unsqueeze(1)
