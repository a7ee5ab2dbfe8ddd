"""How a trained model writes: greedily or with beam search, many sequences at once.

A model that writes has two methods: `begin(source)` gives a state, and `step(tokens, state)` gives the logits of the
next token and the new state. A state is a tuple of tensors with one row for each sequence.

Letters: `B` sequences, `K` beginnings that are kept for each, `V` tokens in the vocabulary, `T` tokens written.
"""

from typing import Protocol

import torch
from torch import Tensor

State = tuple[Tensor, ...]
"""What a model remembers between two steps; the first dimension of every tensor counts the sequences."""


class Writer(Protocol):
    """A model that can write."""

    def begin(self, source: Tensor) -> State:
        """The state of B sequences of which nothing is written."""

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Logits (N, V) of what follows `tokens` (N,), and the state after them."""


@torch.no_grad()
def greedy(model: Writer, source: Tensor, *, start: int, end: int, max_length: int) -> list[list[int]]:
    """At each step the likeliest token.

    Args:
        model: in evaluation mode.
        source: (B, S) long.
        start: the token that every sequence begins with.
        end: the token that ends a sequence.
        max_length: the largest length of a sequence.

    Returns:
        B sequences without `start`; each ends with `end`, or has `max_length` tokens.
    """
    state = model.begin(source)
    tokens = source.new_full((len(source),), start)  # (B,)
    written: list[Tensor] = []
    finished = torch.zeros_like(tokens, dtype=torch.bool)
    for _ in range(max_length):
        logits, state = model.step(tokens, state)
        tokens = logits.argmax(dim=-1)
        written.append(tokens)
        finished |= tokens == end
        if finished.all():
            break
    return [_until(row, end) for row in torch.stack(written, dim=1).tolist()]


@torch.no_grad()
def beam_search_batch(
    model: Writer,
    source: Tensor,
    *,
    start: int,
    end: int,
    beam_size: int,
    max_length: int,
    alpha: float = 0.0,
) -> list[tuple[list[int], float]]:
    """Beam search for B sequences at once, by the rules of `beam.beam_search`.

    The search for a sequence ends as soon as no open beginning can still win: log-probabilities only fall, so none will
    have a better score than its log-probability / (`max_length` ** `alpha`).

    Args:
        model: in evaluation mode.
        source: (B, S) long.
        start: the token that every sequence begins with.
        end: the token that ends a sequence.
        beam_size: K, how many continuations of each sequence are kept in each round.
        max_length: the largest length of a sequence.
        alpha: how much longer sequences are favoured, at least 0.

    Returns:
        For each sequence, the finished one with the highest score, without `start`, and that score.
    """
    batch, device = len(source), source.device
    state = model.begin(source)
    tokens = source.new_full((batch,), start)  # (B * K,), at first (B,)
    written = source.new_empty(batch, 1, 0)  # (B, K, t)
    totals = torch.zeros(batch, 1, device=device)  # (B, K), -inf where a beginning is finished
    best = torch.full((batch,), -torch.inf, device=device)  # the highest score of a finished sequence
    answers = source.new_full((batch, max_length), end)
    for length in range(1, max_length + 1):
        logits, state = model.step(tokens, state)
        candidates = totals.unsqueeze(2) + logits.log_softmax(dim=-1).view(batch, -1, logits.shape[-1])
        kept = candidates.flatten(start_dim=1).topk(min(beam_size, candidates[0].numel()), dim=1)  # (B, K)
        rows, tokens = kept.indices // logits.shape[-1], kept.indices % logits.shape[-1]
        written = torch.cat([_rows(written, rows), tokens.unsqueeze(2)], dim=2)
        done = (tokens == end) | (length == max_length)  # (B, K)
        scores, place = (kept.values / length**alpha).masked_fill(~done, -torch.inf).max(dim=1)  # (B,)
        better = scores > best
        best = torch.where(better, scores, best)
        answers[better, :length] = written[better, place[better]]
        answers[better, length:] = end
        totals = kept.values.masked_fill(done, -torch.inf)
        lost = totals.amax(dim=1) / max_length**alpha <= best  # (B,)
        totals[lost] = -torch.inf
        if totals.isneginf().all():
            break
        flat = (rows + torch.arange(batch, device=device).unsqueeze(1) * candidates.shape[1]).flatten()
        state, tokens = tuple(part[flat] for part in state), tokens.flatten()
    return [(_until(row, end), score) for row, score in zip(answers.tolist(), best.tolist(), strict=True)]


def _rows(written: Tensor, rows: Tensor) -> Tensor:
    """The beginnings (B, K', t) of `written` (B, K, t) that `rows` (B, K') name."""
    return written.gather(1, rows.unsqueeze(2).expand(-1, -1, written.shape[2]))


def _until(tokens: list[int], end: int) -> list[int]:
    """The tokens up to the first `end`, which is kept."""
    return tokens[: tokens.index(end) + 1] if end in tokens else tokens
