"""`mask_tokens` by its statistics, and `train_mlm` by what it does to a small model.

Shares are held to Hoeffding's bound: the mean of n independent values in [0, 1] is further than t from its expectation
with a probability of at most 2 exp(-2 n t^2). `within` chooses t so that one comparison fails a right function with a
probability below 1e-8; a test makes fewer than 100 of them.
"""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from solutions.bert.masking import mask_tokens
from solutions.bert.mlm_training import train_mlm

torch.set_num_threads(1)
V, MASK, PAD = 30, 4, 0


def within(n: int) -> float:
    return math.sqrt(math.log(2 / 1e-8) / (2 * n))


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def share(condition: Tensor) -> float:
    return condition.double().mean().item()


def drawn_texts() -> tuple[Tensor, Tensor]:
    """(B, T) tokens, all of them words, and which positions are special: the first ones and a third of the others."""
    tokens = torch.randint(5, V, (2000, 600), generator=rng(1))
    special = torch.rand(tokens.shape, generator=rng(2)) < 1 / 3
    special[:, :3] = True
    return tokens, special


@pytest.mark.parametrize("rate", [0.15, 0.4])
def test_positions_are_chosen_at_the_rate_and_apart_from_each_other(rate: float) -> None:
    tokens, special = drawn_texts()
    _, labels = mask_tokens(tokens, special, MASK, V, rng(3), rate)
    chosen = labels != -100
    assert not (chosen & special).any()
    free = chosen[~special]
    assert abs(share(free) - rate) < within(len(free))
    # Two neighbours in a row, two in a column: as often together as two coins
    for one, other in ((chosen[:, 0::2], chosen[:, 1::2]), (chosen[0::2], chosen[1::2])):
        both_free = (
            ~special[:, 0::2] & ~special[:, 1::2] if one.shape[1] == 300 else ~special[0::2] & ~special[1::2]
        )
        together = (one & other)[both_free]
        assert abs(share(together) - rate**2) < within(len(together))


def test_eight_of_ten_are_hidden_one_is_drawn_one_stays() -> None:
    tokens, special = drawn_texts()
    inputs, labels = mask_tokens(tokens, special, MASK, V, rng(4))
    chosen = labels != -100
    n = int(chosen.sum())
    assert torch.equal(labels[chosen], tokens[chosen])
    assert torch.equal(inputs[~chosen], tokens[~chosen])
    shown, true = inputs[chosen], labels[chosen]
    assert abs(share(shown == MASK) - (0.8 + 0.1 / V)) < within(n)
    assert abs(share(shown == true) - (0.1 + 0.1 / V)) < within(n)
    others = shown[(shown != MASK) & (shown != true)]  # drawn: each token of the vocabulary but these two
    counts = others.bincount(minlength=V) / len(others)
    assert len(counts) == V
    assert counts[MASK] == 0
    for token in (each for each in range(V) if each != MASK):
        expected = 1 / (V - 1) if token < 5 else (1 - 4 / (V - 1)) / (V - 5)
        assert abs(counts[token] - expected) < within(len(others)) < expected


def test_the_fate_of_a_position_says_nothing_of_its_neighbour() -> None:
    tokens = torch.full((1000, 600), 7)
    inputs, _ = mask_tokens(tokens, torch.zeros_like(tokens, dtype=torch.bool), MASK, V, rng(5), rate=1.0)
    hidden = inputs == MASK
    for one, other in ((hidden[:, 0::2], hidden[:, 1::2]), (hidden[0::2], hidden[1::2])):
        assert abs(share(one & other) - (0.8 + 0.1 / V) ** 2) < within(one.numel())


def test_the_texts_stay_and_every_call_draws_anew() -> None:
    tokens, special = (each[:50] for each in drawn_texts())
    before, generator = tokens.clone(), rng(6)
    one, other = (mask_tokens(tokens, special, MASK, V, generator) for _ in range(2))
    assert torch.equal(tokens, before)
    assert not torch.equal(one[1], other[1])
    again = mask_tokens(tokens, special, MASK, V, rng(6))
    assert torch.equal(one[0], again[0])
    assert torch.equal(one[1], again[1])
    assert one[0].dtype == one[1].dtype == torch.long


def test_the_ends_of_the_rate_and_nothing_to_choose() -> None:
    tokens, special = (each[:20] for each in drawn_texts())
    assert torch.equal(mask_tokens(tokens, special, MASK, V, rng(7), rate=0.0)[0], tokens)
    assert torch.equal(mask_tokens(tokens, special, MASK, V, rng(7), rate=1.0)[1] == -100, special)
    inputs, labels = mask_tokens(tokens, torch.ones_like(special), MASK, V, rng(7))
    assert torch.equal(inputs, tokens)
    assert (labels == -100).all()


class Recorder(nn.Module):
    """Logits from the token alone; remembers what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(V, V)
        self.seen: list[tuple[Tensor, Tensor, Tensor, bool]] = []

    def forward(self, inputs: Tensor, mask: Tensor) -> Tensor:
        logits = self.table(inputs)
        self.seen.append((inputs, mask, logits.detach(), self.training))
        return logits


def texts() -> Tensor:
    """(N, T): [CLS] 2, words, [SEP] 3, padding 0; every text has words of its own."""
    rows = [[2, *[5 + row] * (3 + row % 3), 3] for row in range(20)]
    return torch.tensor([row + [PAD] * (8 - len(row)) for row in rows])


def trained(model: nn.Module, tokens: Tensor, **changes: object) -> list[float]:
    settings = {
        "special_ids": torch.tensor([PAD, 2, 3]),
        "pad": PAD,
        "mask_id": MASK,
        "vocabulary_size": V,
        "epochs": 2,
        "batch_size": 6,
        "lr": 0.01,
        "generator": rng(8),
    }
    return train_mlm(model, tokens, **(settings | changes))  # type: ignore[arg-type]


def test_an_epoch_visits_every_text_once_and_hides_words_alone() -> None:
    torch.manual_seed(0)
    model, tokens = Recorder().eval(), texts()
    history = trained(model, tokens, epochs=30)
    assert len(history) == 30
    assert not model.training
    assert all(training for *_, training in model.seen)
    assert [len(inputs) for inputs, *_ in model.seen] == [6, 6, 6, 2] * 30
    frames = []  # the special tokens are never hidden, so that lengths are seen in what the model reads
    for inputs, mask, *_ in model.seen[:4]:
        assert torch.equal(mask, inputs != PAD)
        assert (inputs[:, 0] == 2).all()
        frames += mask.sum(1).tolist()
    assert sorted(frames) == sorted((tokens != PAD).sum(1).tolist())
    shown = torch.cat([inputs for inputs, *_ in model.seen])
    assert (shown == MASK).sum() > 100
    orders = [torch.cat([inputs[:, 1] for inputs, *_ in model.seen[4 * i : 4 * i + 4]]) for i in range(2)]
    assert not torch.equal(*orders)


def test_the_loss_is_the_mean_over_chosen_positions() -> None:
    torch.manual_seed(1)
    tokens, model = texts(), Recorder()
    (loss,) = trained(model, tokens, epochs=1, batch_size=20, lr=0.0)
    generator = rng(8)
    order = torch.randperm(20, generator=generator)
    special = torch.isin(tokens[order], torch.tensor([PAD, 2, 3]))
    inputs, labels = mask_tokens(tokens[order], special, MASK, V, generator)
    logits = model.table(inputs)[labels != -100]
    assert loss == pytest.approx(F.cross_entropy(logits, labels[labels != -100]).item(), rel=1e-5)


def test_training_learns_and_a_batch_without_a_chosen_position_harms_nothing() -> None:
    torch.manual_seed(2)
    same = torch.tensor([[2, 9, 9, 9, 9, 9, 9, 3]] * 40)
    history = trained(Recorder(), same, epochs=20, lr=0.05)
    assert history[-1] < 0.3 * history[0]
    model = Recorder()
    before = model.table.weight.clone()
    assert trained(model, torch.tensor([[2, 3, PAD]] * 3), epochs=2) == [0.0, 0.0]
    assert torch.equal(model.table.weight, before)
