"""The company of words in many texts: the table of counts from which the lessons make vectors."""

from collections.abc import Iterable, Sequence

import numpy as np


def count_company(texts: Iterable[Sequence[int]], size: int, *, weights: Sequence[float]) -> np.ndarray:
    """How often words stand near each other, to the left and to the right, within a text.

    Args:
        texts: the numbers of the words of each text, in order; a negative number is a word that takes a place but
            is not counted.
        size: V, the number of words; numbers go from 0 to V - 1.
        weights: what a meeting counts when the words are 1, 2, 3, ... places apart; further apart they do not meet.

    Returns:
        (V, V) float64, symmetric.
    """
    gap = [-1] * len(weights)  # no meeting reaches over it, from one text into the next
    stream = np.array([*gap, *(number for text in texts for number in (*text, *gap))], dtype=np.int64)
    known = np.flatnonzero(stream >= 0)
    meetings, values = [], []
    for apart, weight in enumerate(weights, start=1):
        here = known[stream[known - apart] >= 0]
        meetings.append(stream[here - apart] * size + stream[here])
        values.append(np.full(len(here), weight, dtype=float))
    table = np.bincount(np.concatenate(meetings), np.concatenate(values), size * size).reshape(size, size)
    return table + table.T
