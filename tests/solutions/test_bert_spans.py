"""`best_span` against all spans one by one; `SpanClassifier` on parts whose values are known."""

import random

import pytest
import torch
from torch import Tensor, nn

from solutions.bert.spans import SpanClassifier, best_span

torch.set_num_threads(1)


def by_hand(start: list[float], end: list[float], longest: int, context: list[bool]) -> tuple[int, int]:
    spans = [
        (start[i] + end[j], -i, -j)
        for i in range(len(start))
        for j in range(i, min(i + longest, len(end)))
        if context[i] and context[j]
    ]
    _, i, j = max(spans)
    return -i, -j


def test_the_best_of_all_spans() -> None:
    draw = random.Random(1)
    crossed = 0
    for _ in range(500):
        length = draw.randint(1, 12)
        first = draw.randint(0, length - 1)
        last = draw.randint(first, length - 1)
        context = [first <= place <= last for place in range(length)]
        # Whole numbers, so that some spans are equally good
        start, end = ([float(draw.randint(-4, 4)) for _ in range(length)] for _ in range(2))
        crossed += start.index(max(start)) > end.index(max(end))
        longest = draw.randint(1, 14)
        found = best_span(torch.tensor(start), torch.tensor(end), longest, torch.tensor(context))
        assert found == by_hand(start, end, longest, context)
    assert crossed > 100  # the two best logits often make no span


def test_a_span_is_two_whole_numbers_and_padding_is_none() -> None:
    start, end = torch.tensor([9.0, 1.0, 2.0, -torch.inf]), torch.tensor([9.0, 3.0, 1.0, -torch.inf])
    found = best_span(start, end, 2, torch.tensor([False, True, True, False]))
    assert found == (1, 1)
    assert all(type(each) is int for each in found)
    assert best_span(start, end, 1, torch.tensor([True, True, True, True])) == (0, 0)


def test_without_context_there_is_no_span() -> None:
    with pytest.raises(ValueError, match="no position is in the context"):
        best_span(torch.zeros(3), torch.zeros(3), 2, torch.zeros(3, dtype=torch.bool))


class Sum(nn.Module):
    """Embeddings of width 4 whose values tell token and type apart."""

    def forward(self, tokens: Tensor, types: Tensor) -> Tensor:
        return torch.stack([tokens, types, tokens * types, torch.ones_like(tokens)], dim=-1).float()


class Scale(nn.Module):
    """An encoder that doubles what may be seen; it remembers its mask."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        self.mask = mask
        return 2 * x * mask[..., None]


def test_the_first_output_is_for_starts_the_second_for_ends() -> None:
    torch.manual_seed(0)
    model = SpanClassifier(Sum(), Scale(), 4)
    tokens = torch.tensor([[3, 5, 7], [2, 9, 0]])
    types = torch.tensor([[0, 1, 1], [0, 1, 0]])
    mask = torch.tensor([[True, True, True], [True, True, False]])
    start, end = model(tokens, types, mask)
    logits = 2 * Sum()(tokens, types) @ model.classifier.weight.T + model.classifier.bias
    for found, expected in zip((start, end), logits.unbind(-1), strict=True):
        torch.testing.assert_close(found[mask], expected[mask])
        assert found[1, 2] == -torch.inf
    assert torch.equal(model.encoder.mask, mask)
    loss = nn.functional.cross_entropy(start, torch.tensor([1, 0]))  # padding leaves gradients finite
    loss.backward()
    assert model.classifier.weight.grad[0].abs().sum() > 0
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
