"""Batches by length, and several sequences in one row."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.training.batches import by_length, document_mask, first_fit, pack, padded, padding


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- By length ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sides", [None, 2])
def test_every_example_once_and_within_the_budget(sides: int | None) -> None:
    shape = (500,) if sides is None else (500, sides)
    lengths = torch.randint(1, 40, shape, generator=rng())
    batches = by_length(lengths, tokens=400, generator=rng(1))
    assert torch.cat(batches).sort().values.tolist() == list(range(500))
    table = lengths.view(500, -1)
    for batch in batches:
        assert len(batch) * int(table[batch].amax(0).sum()) <= 400


def test_a_batch_is_as_large_as_the_budget_allows() -> None:
    batches = by_length(torch.full((100,), 10), tokens=70, generator=rng())
    assert sorted(len(batch) for batch in batches) == [2] + 14 * [7]


def test_little_is_padding() -> None:
    lengths = torch.randint(1, 100, (3000,), generator=rng())
    batches = by_length(lengths, tokens=1000, generator=rng(1))
    shuffled = list(torch.randperm(3000, generator=rng(1)).split(20))
    assert padding(batches, lengths) < 0.03 < 0.4 < padding(shuffled, lengths)


def test_padding_is_the_share_that_padded_adds() -> None:
    lengths = torch.tensor([2, 5, 3])
    filled = padded([torch.ones(length, dtype=torch.long) for length in lengths.tolist()], 0)
    assert filled.tolist() == [[1, 1, 0, 0, 0], [1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert padding([torch.arange(3)], lengths) == pytest.approx((filled == 0).float().mean().item())


def test_the_order_is_the_generators() -> None:
    lengths = torch.randint(1, 5, (200,), generator=rng())
    first, same, other = (by_length(lengths, tokens=20, generator=rng(seed)) for seed in (1, 1, 2))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in same]
    assert [batch.tolist() for batch in first] != [batch.tolist() for batch in other]
    longest = [int(lengths[batch].max()) for batch in first]
    assert longest != sorted(longest), "batches come in a random order, not the short ones first"
    assert {tuple(sorted(batch.tolist())) for batch in first} != {
        tuple(sorted(batch.tolist())) for batch in other
    }, "sequences of one length meet others each time"


def test_one_example_over_the_budget_is_named() -> None:
    with pytest.raises(CourseError, match="an example has 30 tokens, the batch 20"):
        by_length(torch.tensor([[1, 2], [10, 20]]), tokens=20, generator=rng())


def test_no_example_no_batch() -> None:
    assert by_length(torch.zeros(0, dtype=torch.long), tokens=20, generator=rng()) == []


# --- Packing ------------------------------------------------------------------------------------------------------


def test_first_fit_is_what_its_name_says() -> None:
    lengths = torch.randint(1, 30, (300,), generator=rng()).tolist()
    expected: list[list[int]] = []
    for number, length in enumerate(lengths):
        for row in expected:
            if sum(lengths[each] for each in row) + length <= 50:
                row.append(number)
                break
        else:
            expected.append([number])
    assert first_fit(lengths, 50) == expected


@pytest.mark.parametrize("lengths", [[], [5], [5, 5], [5, 5, 5]])
def test_first_fit_of_few(lengths: list[int]) -> None:
    assert first_fit(lengths, 5) == [[number] for number in range(len(lengths))]


def test_a_sequence_longer_than_a_row_is_named() -> None:
    with pytest.raises(CourseError, match="a sequence has 6 tokens, a row 5"):
        pack([torch.ones(6, dtype=torch.long)], size=5, fill=0)


def test_packed_rows_hold_every_sequence_once() -> None:
    sequences = [torch.full((length,), 100 + number) for number, length in enumerate([3, 4, 2, 5, 1])]
    packed = pack(sequences, size=6, fill=0)
    assert packed.tokens.tolist() == [
        [100, 100, 100, 102, 102, 104],
        [101, 101, 101, 101, 0, 0],
        [103, 103, 103, 103, 103, 0],
    ]
    assert packed.documents.tolist() == [[0, 0, 0, 1, 1, 2], [0, 0, 0, 0, -1, -1], [0, 0, 0, 0, 0, -1]]
    assert packed.positions.tolist() == [[0, 1, 2, 0, 1, 0], [0, 1, 2, 3, 0, 0], [0, 1, 2, 3, 4, 0]]


class Reader(nn.Module):
    """One layer of attention with learned positions; it tells at each position the logits of a token."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.places = nn.Embedding(20, 16), nn.Embedding(30, 16)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.head = nn.Linear(16, 20)

    def forward(self, tokens: Tensor, positions: Tensor, allowed: Tensor) -> Tensor:
        x = self.words(tokens) + self.places(positions)  # (R, T, D)
        mask = ~allowed.squeeze(1).repeat_interleave(2, dim=0)  # (R * H, T, T)
        return self.head(x + self.attention(x, x, x, attn_mask=mask, need_weights=False)[0])


def test_packed_and_single_sequences_have_the_same_losses_and_gradients() -> None:
    torch.manual_seed(0)
    model = Reader().double()
    sequences = [torch.randint(1, 20, (int(n),)) for n in torch.randint(1, 12, (40,), generator=rng())]

    def run(tokens: Tensor, positions: Tensor, documents: Tensor) -> Tensor:
        logits = model(tokens, positions, document_mask(documents))
        return F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), ignore_index=0, reduction="sum")

    packed = pack(sequences, size=30, fill=0)
    assert len(packed.tokens) < 15
    together = run(packed.tokens, packed.positions, packed.documents)
    together.backward()
    gradients = [each.grad.clone() for each in model.parameters()]
    model.zero_grad()
    single = torch.zeros((), dtype=torch.float64)
    for each in sequences:
        row = each.unsqueeze(0)
        single = single + run(row, torch.arange(len(each)).unsqueeze(0), torch.zeros_like(row))
    single.backward()
    torch.testing.assert_close(together, single)
    for ours, parameter in zip(gradients, model.parameters(), strict=True):
        torch.testing.assert_close(ours, parameter.grad)
