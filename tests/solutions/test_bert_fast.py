"""The fast form: the numbers and gradients of the clear one, packed or padded, and no other work than is counted."""

import pytest
import torch
from tiny_bert import SMALL, B, D, T, V, randomise, texts
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from nlpcourse.errors import CourseError
from solutions.bert import flops as bert_flops
from solutions.bert.classifiers import SequenceClassifier
from solutions.bert.fast import (
    FastBertEmbeddings,
    FastBertEncoder,
    FastBertForPreTraining,
    FastBertLayer,
    Rows,
    asked_places,
    enough,
    pack_texts,
)
from solutions.bert.losses import pretraining_loss
from solutions.bert.model import Bert, BertForPreTraining
from solutions.training import flops

CLOSE = {"rtol": 1e-5, "atol": 1e-5}
IS_NEXT = torch.tensor([True, False, False])


def labels(share: float = 0.4) -> Tensor:
    """(B, T) long: some tokens of `texts` are asked, none of them padding."""
    tokens, _, mask = texts()
    chosen = torch.rand(B, T, generator=torch.Generator().manual_seed(1)) < share
    return torch.where(chosen & mask, tokens, -100)


def packed() -> Rows:
    """The same texts in rows of 13 positions: two in the first, one in the second, nothing behind them."""
    tokens, types, mask = texts()
    lengths = mask.sum(1).tolist()
    cut = [[each[row, :length] for row, length in enumerate(lengths)] for each in (tokens, types, labels())]
    rows = pack_texts(cut[0], cut[1], IS_NEXT, size=13, pad=V - 1)
    return rows._replace(labels=pack_texts(cut[2], cut[1], None, size=13, pad=-100).tokens)


def padded() -> Rows:
    """The same texts, one in each row."""
    tokens, types, mask = texts()
    next_labels = torch.full((B, T), -100)
    next_labels[:, 0] = (~IS_NEXT).long()
    return Rows(tokens, types, labels(), next_labels, documents=mask.long() - 1)


@pytest.fixture
def models() -> tuple[BertForPreTraining, FastBertForPreTraining]:
    """A clear model and a fast one with its weights."""
    clear, fast = BertForPreTraining(SMALL), FastBertForPreTraining(SMALL)
    randomise(clear)
    fast.load_state_dict(clear.state_dict())
    return clear, fast


def clear_loss(model: BertForPreTraining) -> Tensor:
    tokens, types, mask = texts()
    mlm_logits, nsp_logits = model(tokens, types, mask)
    return pretraining_loss(mlm_logits, labels(), nsp_logits, IS_NEXT)


def after_a_step(model: nn.Module, loss: Tensor) -> dict[str, Tensor]:
    """By how much a step of gradient descent with learning rate 1 moves each tensor of the state."""
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    loss.backward()
    torch.optim.SGD(model.parameters(), lr=1.0).step()
    return {name: tensor - before[name] for name, tensor in model.state_dict().items()}


# --- Equality --------------------------------------------------------------------------------------------


def test_the_texts_of_these_tests_are_packed() -> None:
    rows = packed()
    assert rows.tokens.shape == (2, 13)
    assert rows.documents[0].unique().tolist() == [-1, 0, 1]


@pytest.mark.parametrize("rows", [packed(), padded()], ids=["packed", "padded"])
@pytest.mark.parametrize("asked", ["as many", "more"])
def test_loss_and_gradients_are_those_of_the_clear_form(models, rows: Rows, asked: str) -> None:
    clear, fast = models
    count = int((labels() != -100).sum())
    many = {"as many": (count, B), "more": (count + 3, B + 2)}[asked]
    wanted, found = clear_loss(clear), fast(rows, *many)
    torch.testing.assert_close(found, wanted, **CLOSE)
    torch.testing.assert_close(after_a_step(fast, found), after_a_step(clear, wanted), **CLOSE)


@pytest.mark.parametrize("rows", [packed(), padded()], ids=["packed", "padded"])
def test_in_bf16_they_are_close(models, rows: Rows) -> None:
    clear, fast = models
    with torch.autocast("cpu", torch.bfloat16):
        wanted, found = clear_loss(clear), fast(rows, 13, B)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, wanted.float(), rtol=2e-2, atol=0)
    moved, expected = after_a_step(fast, found), after_a_step(clear, wanted)
    total = [torch.cat([each[name].flatten() for name in expected]) for each in (moved, expected)]
    assert (total[0] - total[1]).norm() < 2e-2 * total[1].norm()


def test_rows_that_one_text_fills_need_no_mask(models) -> None:
    clear, fast = models
    tokens, types, _ = texts()
    rows = padded()._replace(labels=tokens, documents=None)
    mlm_logits, nsp_logits = clear(tokens, types, torch.ones(B, T, dtype=torch.bool))
    wanted = pretraining_loss(mlm_logits, tokens, nsp_logits, IS_NEXT)
    torch.testing.assert_close(fast(rows, B * T, B), wanted, **CLOSE)


def test_logits_are_those_of_the_clear_form_at_the_asked_positions(models) -> None:
    clear, fast = models
    tokens, types, mask = texts()
    mlm_logits, nsp_logits = clear(tokens, types, mask)
    asked = labels() != -100
    found, answers, pairs, next_labels = fast.predict(padded(), int(asked.sum()), B)
    torch.testing.assert_close(found, mlm_logits[asked], **CLOSE)
    assert torch.equal(answers, tokens[asked])
    torch.testing.assert_close(pairs, nsp_logits, **CLOSE)
    assert next_labels.tolist() == [0, 1, 1]


def test_states_are_exchangeable(models) -> None:
    clear, fast = models
    assert set(fast.state_dict()) == set(clear.state_dict())
    other = BertForPreTraining(SMALL)
    other.load_state_dict(fast.state_dict())
    torch.testing.assert_close(other.state_dict(), clear.state_dict(), rtol=0, atol=0)
    assert sum(each.numel() for each in fast.parameters()) == sum(each.numel() for each in clear.parameters())
    assert fast.mlm.decoder.weight is fast.bert.embeddings.token.weight
    other.mlm.decoder.bias.data.zero_()
    state = other.state_dict()
    del state["bert.encoder.layers.0.key.bias"]
    with pytest.raises(RuntimeError, match=r"layers\.0\.in_proj\.bias"):
        fast.load_state_dict(state)


def test_a_classifier_may_have_the_fast_encoder() -> None:
    bert = Bert(SMALL)
    clear = SequenceClassifier(bert.embeddings, bert.encoder, D, 5)
    randomise(clear)
    sizes = SMALL.d_model, SMALL.num_heads, SMALL.d_ff, SMALL.num_layers, SMALL.dropout
    fast = SequenceClassifier(FastBertEmbeddings(V, D, 9), FastBertEncoder(*sizes), D, 5)
    fast.load_state_dict(clear.state_dict())
    torch.testing.assert_close(fast.eval()(*texts()), clear.eval()(*texts()), **CLOSE)


def test_dropout_rests_in_evaluation_alone(models) -> None:
    fast = FastBertForPreTraining(SMALL)
    for part in fast.modules():
        if isinstance(part, nn.Dropout):
            part.p = 0.5
    rows = padded()
    assert fast.train()(rows, 20, B) != fast(rows, 20, B)
    assert fast.eval()(rows, 20, B) == fast(rows, 20, B)


# --- What does not see what ------------------------------------------------------------------------------


def test_texts_of_one_row_do_not_see_each_other(models) -> None:
    _, fast = models
    rows = packed()
    logits, _, pairs, _ = fast.predict(rows, 26, B)
    changed = rows.tokens.clone()
    changed[0, 8] = (changed[0, 8] + 1) % V  # in the second text of the first row
    found, _, others, _ = fast.predict(rows._replace(tokens=changed), 26, B)
    places = asked_places(rows.labels, 26)  # all of them, in the order of the logits
    mine = (rows.documents.flatten()[places] == 1) & (places < 13)
    moved = (found - logits).abs().amax(1)
    assert (moved[mine] > 1e-5).all() and mine.any()
    assert not moved[~mine].any()
    assert ((others - pairs).abs().amax(1) > 1e-5).tolist() == [False, True, False]


# --- What is asked ---------------------------------------------------------------------------------------


def test_the_first_labels_that_ask_are_found_in_order() -> None:
    asking = torch.tensor([[-100, 7, -100, 0], [3, -100, -100, 9]])
    assert asked_places(asking, 3).tolist() == [1, 3, 4]
    assert asked_places(asking, 4).tolist() == [1, 3, 4, 7]
    assert asked_places(asking, 6).tolist() == [1, 3, 4, 7, 0, 2]
    assert asked_places(asking, 0).shape == (0,)


def test_a_count_that_is_too_small_leaves_the_last_out(models) -> None:
    _, fast = models
    rows = padded()
    count = int((rows.labels != -100).sum())
    kept = rows.labels.flatten().clone()
    kept[asked_places(rows.labels, count)[-2:]] = -100
    fewer = rows._replace(labels=kept.view(B, T))
    torch.testing.assert_close(fast(rows, count - 2, B), fast(fewer, count, B))


@pytest.mark.parametrize("what", ["tokens", "texts"])
def test_nothing_asked_is_no_loss(models, what: str) -> None:
    _, fast = models
    nothing = torch.full((B, T), -100)
    rows = padded()
    full = fast(rows, 20, B)
    no_tokens, no_texts = fast(rows._replace(labels=nothing), 20, B), fast(rows, 20, 0)
    torch.testing.assert_close(no_tokens + no_texts, full)
    empty = fast(rows._replace(labels=nothing), 20, 0)
    assert empty.item() == 0
    empty.backward()
    assert all(each.grad is None or not each.grad.any() for each in fast.parameters())


@pytest.mark.parametrize(("positions", "rate"), [(4096, 0.15), (32768, 0.15), (1024, 0.4)])
def test_enough_is_little_more_than_what_is_asked_and_never_less(positions: int, rate: float) -> None:
    count = enough(positions, rate)
    assert count % 64 == 0 and count < positions * rate * 1.35
    wider = enough(positions, rate, multiple=1)
    binomial = torch.distributions.Binomial(positions, torch.tensor(rate, dtype=torch.float64))
    beyond = binomial.log_prob(torch.arange(wider + 1, positions + 1)).exp().sum().item()
    assert 1e-8 < beyond < 1e-6


def test_enough_is_never_more_than_all() -> None:
    assert enough(100, 0.99) == 100
    assert enough(100, 0.0) == 0


def test_rows_are_taken_by_number() -> None:
    rows = packed()
    second = rows.take(torch.tensor([1]))
    for one, other in zip(second, rows, strict=True):
        assert torch.equal(one, other[1:])
    assert padded()._replace(documents=None).take(torch.tensor([2, 0])).documents is None


def test_packed_texts_say_where_each_begins_and_whether_b_is_next() -> None:
    tokens, types, mask = texts()
    rows = packed()
    starts = [(row, place) for row, place in (rows.next_labels != -100).nonzero().tolist()]
    assert starts == [(0, 0), (0, 7), (1, 0)]
    assert rows.next_labels[rows.next_labels != -100].tolist() == [0, 1, 1]
    for text, (row, start) in enumerate(starts):
        length = int(mask[text].sum())
        place = slice(start, start + length)
        assert torch.equal(rows.tokens[row, place], tokens[text, :length])
        assert torch.equal(rows.types[row, place], types[text, :length])
        assert torch.equal(rows.positions[row, place], torch.arange(length))
    assert (rows.tokens[rows.documents == -1] == V - 1).all()
    bare = pack_texts([tokens[0]], [types[0]], None, size=T, pad=0)
    assert (bare.labels == -100).all() and (bare.next_labels == -100).all()
    with pytest.raises(CourseError, match="a sequence has 7 tokens, a row 6"):
        pack_texts([tokens[0]], [types[0]], None, size=6, pad=0)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="d_model is 10, expected a multiple of num_heads, which is 3"):
        FastBertLayer(10, 3, 20)
    with pytest.raises(ValueError, match="the texts have 7 tokens, expected at most 6; cut them"):
        FastBertEmbeddings(V, D, max_length=6)(*texts()[:2])


# --- Work ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [packed(), padded()], ids=["packed", "padded"])
def test_the_work_is_counted_as_it_is_done(models, rows: Rows) -> None:
    _, fast = models
    expected = bert_flops.forward(SMALL, *rows.tokens.shape, asked=11, texts=3)
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        loss = fast(rows, 11, 3)
        assert counter.get_total_flops() == expected
        loss.backward()
    assert counter.get_total_flops() == flops.training(expected)


def test_the_clear_form_does_the_work_of_a_head_everywhere(models) -> None:
    clear, _ = models
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        clear(*texts())
    assert counter.get_total_flops() == bert_flops.forward(SMALL, B, T, asked=B * T, texts=B)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(
    "rows", [packed(), padded()._replace(documents=None)], ids=["masked", "without a mask"]
)
def test_the_kernels_of_a_gpu_give_the_numbers_of_the_processor(models, rows: Rows) -> None:
    """In fp32; in bf16 the flash kernel and the memory-efficient one stay close to them."""
    _, fast = models
    wanted = fast(rows, 13, B)
    fast.cuda()
    there = Rows(*(None if each is None else each.cuda() for each in rows))
    torch.testing.assert_close(fast(there, 13, B).cpu(), wanted, rtol=1e-4, atol=1e-4)
    with torch.autocast("cuda", torch.bfloat16):
        torch.testing.assert_close(fast(there, 13, B).cpu(), wanted, rtol=2e-2, atol=0)
