"""What stands at a hidden position by counting alone: a unigram and an interpolated trigram.

Letters: `N` tokens of a corpus, `K` positions asked, `V` tokens in the vocabulary.
"""

from dataclasses import dataclass

import numpy as np

_ROUNDS = 100
_AT_ONCE = 256


@dataclass(frozen=True)
class Followers:
    """How often each token follows each context; contexts are numbers."""

    contexts: np.ndarray
    """(n,) int64, sorted; a context stands once for each token that follows it."""
    tokens: np.ndarray
    """(n,) int64."""
    shares: np.ndarray
    """(n,) float64, of the context's occurrences; of one context they sum to 1."""

    @classmethod
    def of(cls, contexts: np.ndarray, tokens: np.ndarray, size: int) -> "Followers":
        """Count; contexts and tokens are (N,), a context and what follows it."""
        keys, counts = np.unique(contexts * size + tokens, return_counts=True)
        contexts, tokens = np.divmod(keys, size)
        _, place, number = np.unique(contexts, return_inverse=True, return_counts=True)
        totals = np.bincount(place, counts, len(number))
        return cls(contexts, tokens, counts / totals[place])

    def table(self, contexts: np.ndarray, size: int) -> np.ndarray:
        """(K, V) float64: the shares for each context of (K,); 0 for one that was never seen."""
        first, last = (np.searchsorted(self.contexts, contexts, side) for side in ("left", "right"))
        found = np.zeros((len(contexts), size))
        for row, (start, stop) in enumerate(zip(first, last, strict=True)):
            found[row, self.tokens[start:stop]] = self.shares[start:stop]
        return found


class Trigram:
    """The share of each token after one, after two and after no token, mixed (Jelinek and Mercer, 1980).

    p(w | u, v) = a p3(w | u, v) + b p2(w | v) + c p1(w), with weights that make held-out tokens most likely. p1 counts
    every token once more, so that none has probability 0.

    Args:
        tokens: (N,) int64, the training corpus.
        size: V.
        left: (K, 2) int64, what stands before each held-out token.
        right: (K,) int64, the held-out tokens.
    """

    def __init__(self, tokens: np.ndarray, size: int, left: np.ndarray, right: np.ndarray) -> None:
        self._size = size
        counts = np.bincount(tokens, minlength=size) + 1
        self.unigram = counts / counts.sum()
        self._bigram = Followers.of(tokens[:-1], tokens[1:], size)
        self._trigram = Followers.of(tokens[:-2] * size + tokens[1:-1], tokens[2:], size)
        self.weights = np.full(3, 1 / 3)
        parts = np.concatenate(
            [
                np.take_along_axis(self._parts(rows), gold[None, :, None], axis=2)[:, :, 0]
                for rows, gold in self._cut(left, right)
            ],
            axis=1,
        )  # (3, K), the three probabilities of what stands there
        for _ in range(_ROUNDS):  # expectation maximisation
            mixed = self.weights[:, None] * parts
            self.weights = (mixed / mixed.sum(0)).mean(1)

    def judge(self, left: np.ndarray, right: np.ndarray) -> dict[str, float]:
        """The share of positions whose most likely token stands there, and the mean loss in nats."""
        hits, loss = 0, 0.0
        for rows, gold in self._cut(left, right):
            mixed = np.tensordot(self.weights, self._parts(rows), axes=1)  # (k, V)
            hits += int((mixed.argmax(1) == gold).sum())
            loss -= float(np.log(mixed[np.arange(len(gold)), gold]).sum())
        return {"masked tokens right": hits / len(right), "masked loss": loss / len(right)}

    def judge_unigram(self, right: np.ndarray) -> dict[str, float]:
        """The same for the most frequent token alone."""
        hits = (right == self.unigram.argmax()).mean()
        return {"masked tokens right": float(hits), "masked loss": -float(np.log(self.unigram[right]).mean())}

    def _parts(self, left: np.ndarray) -> np.ndarray:
        """(3, k, V): by two tokens, by one, by none."""
        return np.stack(
            [
                self._trigram.table(left[:, 0] * self._size + left[:, 1], self._size),
                self._bigram.table(left[:, 1], self._size),
                np.broadcast_to(self.unigram, (len(left), self._size)),
            ]
        )

    @staticmethod
    def _cut(left: np.ndarray, right: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        places = range(0, len(right), _AT_ONCE)
        return [(left[start : start + _AT_ONCE], right[start : start + _AT_ONCE]) for start in places]
