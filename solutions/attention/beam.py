"""Beam search for one sequence, written so that every step can be followed.

`decoding.py` holds the form that searches for many sequences at once, with the state of a model.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def beam_search(
    step: Callable[[Tensor], Tensor],
    *,
    start: int,
    end: int,
    beam_size: int,
    max_length: int,
    alpha: float = 0.0,
) -> tuple[list[int], float]:
    """Search for the sequence with the best score, keeping only the best few beginnings (Sutskever et al., 2014).

    In each round every open beginning is continued with each of the V tokens. Of all these continuations, of all
    beginnings together, the `beam_size` with the highest log-probability are kept. Those that now end with `end` are
    finished; the others are open in the next round. The search stops when none is open, or after `max_length` rounds;
    what is still open then is finished as it is.

    score of a finished sequence = its log-probability / (its length ** alpha)

    The log-probability is the sum over its tokens. Its length is the number of its tokens: `start` does not count,
    `end` does.

    Args:
        step: a function from beginnings (N, t) long, each with `start` in front, to the log-probabilities (N, V)
            float of the next token.
        start: the number of the token that every sequence begins with.
        end: the number of the token that ends a sequence.
        beam_size: how many continuations are kept in each round, at least 1.
        max_length: the largest length of a sequence, at least 1.
        alpha: how much longer sequences are favoured; 0 for not at all.

    Returns:
        The finished sequence with the highest score, without `start`, and its score.
    """
    ### BEGIN SOLUTION
    beginnings, totals = torch.tensor([[start]]), torch.zeros(1)  # (N, t), (N,)
    finished: list[tuple[float, list[int]]] = []
    for length in range(1, max_length + 1):
        candidates = totals.unsqueeze(1) + step(beginnings)  # (N, V)
        best = candidates.flatten().topk(min(beam_size, candidates.numel()))  # (K,)
        rows, tokens = best.indices // candidates.shape[1], best.indices % candidates.shape[1]
        beginnings = torch.cat([beginnings[rows], tokens.unsqueeze(1)], dim=1)  # (K, t + 1)
        done = (tokens == end) | (length == max_length)  # (K,)
        scores = best.values / length**alpha
        finished += zip(scores[done].tolist(), beginnings[done, 1:].tolist(), strict=True)
        beginnings, totals = beginnings[~done], best.values[~done]
        if not len(beginnings):
            break
    score, tokens_found = max(finished, key=lambda each: each[0])
    return tokens_found, score
    ### END SOLUTION
