"""Whole models: who sees what, what padding does, how they write, and that they learn."""

import itertools

import pytest
import torch
from torch import Tensor, nn

from solutions.attention.beam import beam_search
from solutions.attention.decoding import State, beam_search_batch, greedy
from solutions.attention.fast import FastDecoderLayer, FastEncoderLayer
from solutions.attention.masks import causal_mask, padding_mask
from solutions.attention.recurrent import RecurrentConfig, RecurrentSeq2Seq
from solutions.attention.seq2seq_training import train_seq2seq
from solutions.attention.transformer import Transformer, TransformerConfig

V, PAD, START, END = 11, 0, 1, 2
SMALL = {"vocabulary_size": V, "d_model": 16, "num_heads": 2, "d_ff": 24, "dropout": 0.0}
LAYERS = {"encoder_layers": 2, "decoder_layers": 2}


def transformer(**settings) -> Transformer:
    torch.manual_seed(0)
    return Transformer(TransformerConfig(**{**SMALL, **LAYERS, **settings})).eval()


def recurrent() -> RecurrentSeq2Seq:
    torch.manual_seed(0)
    return RecurrentSeq2Seq(RecurrentConfig(vocabulary_size=V, d_model=16, encoder_layers=2)).eval()


MODELS = {
    "post-norm": transformer,
    "pre-norm": lambda: transformer(norm_first=True, positions="learned", tie_embeddings=False),
    "recurrent": recurrent,
}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    return MODELS[request.param]()


def tokens(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(3, V, shape, generator=torch.Generator().manual_seed(seed))


def logits_of(model: nn.Module, source: Tensor, inputs: Tensor) -> Tensor:
    mask = padding_mask(inputs, PAD) & causal_mask(inputs.shape[1])
    return model(source, inputs, padding_mask(source, PAD), mask)


def test_padding_changes_nothing(model: nn.Module) -> None:
    source, inputs = tokens(2, 5), tokens(2, 4, seed=1)
    alone = logits_of(model, source, inputs)
    padded = logits_of(
        model,
        torch.cat([source, torch.full((2, 3), PAD)], dim=1),
        torch.cat([inputs, torch.full((2, 2), PAD)], dim=1),
    )
    torch.testing.assert_close(padded[:, :4], alone, rtol=1e-5, atol=1e-5)


def test_a_place_sees_itself_and_the_past_alone(model: nn.Module) -> None:
    source, inputs = tokens(1, 5), tokens(1, 6, seed=1)
    before = logits_of(model, source, inputs)
    changed = inputs.clone()
    changed[0, 3] = 3 + (changed[0, 3] - 2) % (V - 3)
    moved = (logits_of(model, source, changed) - before).abs().amax(dim=-1)[0]  # (T,)
    assert (moved[:3] == 0).all()
    assert (moved[3:] > 1e-6).all()


def test_every_place_of_the_source_counts(model: nn.Module) -> None:
    source, inputs = tokens(1, 5), tokens(1, 3, seed=1)
    before = logits_of(model, source, inputs)
    for place in range(5):
        changed = source.clone()
        changed[0, place] = 3 + (changed[0, place] - 2) % (V - 3)
        assert (logits_of(model, changed, inputs) - before).abs().amax(dim=-1).min() > 1e-6


def test_order_counts() -> None:
    model, source = transformer(), torch.tensor([[3, 4, 5, 6]])
    inputs = tokens(1, 3, seed=1)
    assert (logits_of(model, source, inputs) - logits_of(model, source.flip(1), inputs)).abs().max() > 1e-3


def test_steps_give_what_teacher_forcing_gives(model: nn.Module) -> None:
    source, inputs = tokens(2, 5), tokens(2, 4, seed=1)
    source[1, 3:] = PAD
    expected = logits_of(model, source, inputs)
    state = model.begin(source)
    for place in range(4):
        logits, state = model.step(inputs[:, place], state)
        torch.testing.assert_close(logits, expected[:, place], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("norm_first", [False, True])
def test_fast_layers_give_the_same_model(norm_first: bool) -> None:
    clear = transformer(norm_first=norm_first)
    config = clear.config
    fast = Transformer(config, FastEncoderLayer, FastDecoderLayer)
    fast.load_state_dict(clear.state_dict())
    source, inputs = tokens(3, 5), tokens(3, 4, seed=1)
    source[0, 2:], inputs[1, 3:] = PAD, PAD
    for each in (clear, fast):
        logits_of(each, source, inputs).square().mean().backward()
    torch.testing.assert_close(logits_of(fast, source, inputs), logits_of(clear, source, inputs))
    torch.testing.assert_close(
        fast.source_embedding.weight.grad, clear.source_embedding.weight.grad, rtol=1e-5, atol=1e-5
    )


def test_tied_embeddings_are_one_matrix() -> None:
    tied, free = transformer(), transformer(tie_embeddings=False)
    assert sum(p.numel() for p in free.parameters()) - sum(p.numel() for p in tied.parameters()) == 2 * V * 16
    assert tied.output.weight is tied.source_embedding.weight is tied.target_embedding.weight


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"d_model": 15, "num_heads": 5},
            "d_model is 15, expected an even multiple of num_heads, which is 5",
        ),
        ({"num_heads": 3}, "expected an even multiple of num_heads, which is 3"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"positions": "rotary"}, "positions is 'rotary', expected 'sinusoidal' or 'learned'"),
        ({"pad": 11}, "pad is 11, expected a token from 0 to 10"),
        ({"encoder_layers": -1}, "there are -1 encoder"),
        ({"d_ff": 0}, "d_ff is 0"),
    ],
)
def test_a_config_that_cannot_be(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TransformerConfig(**{**SMALL, **settings})


def test_a_sequence_that_is_too_long_is_told() -> None:
    model = transformer(max_length=4)
    with pytest.raises(ValueError, match="the source has 5 places, expected at most 4"):
        logits_of(model, tokens(1, 5), tokens(1, 2))


# --- Beam search -----------------------------------------------------------------------------------------


class Table:
    """A language model of three tokens beside the end whose log-probabilities depend on all that is written."""

    size = 4

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def row(self, beginning: tuple[int, ...]) -> Tensor:
        seed = self.seed
        for token in beginning:
            seed = (seed * 31 + token + 7) % 100_003
        return torch.randn(self.size, generator=torch.Generator().manual_seed(seed)).log_softmax(0)

    def __call__(self, beginnings: Tensor) -> Tensor:
        return torch.stack([self.row(tuple(each)) for each in beginnings.tolist()])


class Tables:
    """Many of them, as a model that writes: sequence number n follows table number n."""

    def begin(self, source: Tensor) -> State:
        return source[:, :1], source.new_empty(len(source), 0)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        seeds, written = state
        written = torch.cat([written, tokens.unsqueeze(1)], dim=1)
        rows = [
            Table(seed).row(tuple(each))
            for [seed], each in zip(seeds.tolist(), written.tolist(), strict=True)
        ]
        return torch.stack(rows) + 5.0, (seeds, written)  # logits may be off by a constant


def everything(table: Table, *, end: int, max_length: int, alpha: float) -> tuple[list[int], float]:
    """The best of all sequences, one by one."""
    found = []
    for length in range(1, max_length + 1):
        for written in itertools.product(range(table.size), repeat=length):
            complete = written[-1] == end or length == max_length
            if complete and end not in written[:-1]:
                total = sum(
                    table.row((0, *written[:place]))[token].item() for place, token in enumerate(written)
                )
                found.append((total / length**alpha, list(written)))
    score, best = max(found)
    return best, score


@pytest.mark.parametrize("alpha", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("seed", range(5))
def test_a_beam_that_holds_everything_finds_the_best(seed: int, alpha: float) -> None:
    settings = {"end": 2, "max_length": 4, "alpha": alpha}
    found, score = beam_search(Table(seed), start=0, beam_size=256, **settings)
    best, best_score = everything(Table(seed), **settings)
    assert found == best
    assert score == pytest.approx(best_score, abs=1e-5)


def test_a_narrow_beam_misses_what_a_wide_one_finds() -> None:
    """Or the test above would not tell beam search from an exhaustive one."""
    scores = {
        size: [
            beam_search(Table(seed), start=0, end=2, beam_size=size, max_length=5)[1] for seed in range(20)
        ]
        for size in (1, 2, 64)
    }
    assert sum(scores[1]) < sum(scores[2]) < sum(scores[64])


@pytest.mark.parametrize("beam_size", [1, 2, 3, 20])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_many_at_once_are_found_as_one_by_one(beam_size: int, alpha: float) -> None:
    settings = {"start": 0, "end": 2, "beam_size": beam_size, "max_length": 5, "alpha": alpha}
    found = beam_search_batch(Tables(), torch.arange(12).unsqueeze(1), **settings)
    for seed, (written, score) in enumerate(found):
        expected, expected_score = beam_search(Table(seed), **settings)
        assert written == expected
        assert score == pytest.approx(expected_score, abs=1e-5)


def test_a_search_ends_when_no_open_beginning_can_win() -> None:
    class Ender:
        """Says that the end comes now, nearly surely, and counts how often it is asked."""

        asked = 0

        def begin(self, source: Tensor) -> State:
            return (source,)

        def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
            self.asked += 1
            return torch.tensor([0.0, 1.0, 5.0]).expand(len(tokens), 3), state

    model, settings = Ender(), {"start": 0, "end": 2, "beam_size": 3, "max_length": 100}
    found = beam_search_batch(model, torch.zeros(4, 1, dtype=torch.long), **settings)
    assert [written for written, _ in found] == [[2]] * 4
    assert model.asked == 1


def test_a_beam_of_one_is_greedy(model: nn.Module) -> None:
    source = tokens(4, 5)
    source[2, 3:] = PAD
    settings = {"start": START, "end": END, "max_length": 6}
    written = greedy(model, source, **settings)
    assert written == [each for each, _ in beam_search_batch(model, source, beam_size=1, **settings)]
    assert all(END not in each[:-1] and len(each) <= 6 for each in written)


def test_beams_of_a_model_do_not_mix_sequences(model: nn.Module) -> None:
    source, settings = tokens(3, 5), {"start": START, "end": END, "beam_size": 3, "max_length": 5}
    together = beam_search_batch(model, source, **settings)
    for row in range(3):
        ((written, score),) = beam_search_batch(model, source[row : row + 1], **settings)
        assert together[row][0] == written
        assert together[row][1] == pytest.approx(score, abs=1e-4)


# --- Training --------------------------------------------------------------------------------------------


class Recorder(nn.Module):
    """Keeps what it was called with and gives logits that do not depend on it."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.linspace(0, 1, V))
        self.calls: list[tuple[Tensor, ...]] = []

    def forward(self, *arguments: Tensor) -> Tensor:
        assert self.training
        self.calls.append(arguments)
        return self.logits.expand(*arguments[1].shape, V)


def test_a_batch_of_teacher_forcing() -> None:
    source = torch.tensor([[5, 6, 7], [8, PAD, PAD], [9, 4, PAD]])
    target = torch.tensor([[START, 5, END, PAD], [START, 6, 7, END], [START, END, PAD, PAD]])
    model = Recorder().eval()
    start = model.logits.detach().log_softmax(0)
    (loss,) = train_seq2seq(
        model, source, target, pad=PAD, epochs=1, batch_size=3, lr=0.1, generator=torch.Generator()
    )
    assert not model.training
    ((asked, inputs, source_mask, target_mask),) = model.calls
    order = [source.tolist().index(row) for row in asked.tolist()]
    assert torch.equal(inputs, target[order, :-1])
    assert torch.equal(source_mask, (source[order] != PAD)[:, None, None, :])
    for row, mask in zip(inputs, target_mask, strict=True):
        expected = [[j <= i and row[j].item() != PAD for j in range(3)] for i in range(3)]
        assert mask[0].tolist() == expected
    labels = [5, END, 6, 7, END, END]
    assert loss == pytest.approx(-sum(start[label].item() for label in labels) / 6, rel=1e-5)


def test_a_small_transformer_learns_to_copy() -> None:
    torch.manual_seed(0)
    source = tokens(256, 4)
    target = torch.cat([torch.full((256, 1), START), source, torch.full((256, 1), END)], dim=1)
    model = Transformer(TransformerConfig(**{**SMALL, "d_model": 32}, encoder_layers=1, decoder_layers=1))
    losses = train_seq2seq(
        model, source[:200], target[:200], pad=PAD, epochs=40, batch_size=40, lr=0.01,
        generator=torch.Generator().manual_seed(0),
    )  # fmt: skip
    assert losses[-1] < 0.2 * losses[0]
    written = greedy(model.eval(), source[200:], start=START, end=END, max_length=5)
    right = sum(found == wanted for found, wanted in zip(written, target[200:, 1:].tolist(), strict=True))
    assert right > 28
