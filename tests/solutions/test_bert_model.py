"""BERT's parts and the whole: against torch's own layers, who sees whom, what is tied, what a loss counts."""

import math

import pytest
import torch
import torch.nn.functional as F
from tiny_bert import D_FF, SMALL, B, D, H, L, T, V, drawn, randomise, texts
from torch import Tensor, nn

from nlpcourse.standins import bert as public
from solutions.bert.classifiers import SequenceClassifier
from solutions.bert.config import BertConfig
from solutions.bert.embeddings import BertEmbeddings
from solutions.bert.encoder import BertEncoder, BertLayer
from solutions.bert.fast import FastBertEmbeddings, FastBertForPreTraining, FastBertLayer
from solutions.bert.heads import MlmHead, NspHead
from solutions.bert.losses import pretraining_loss
from solutions.bert.model import Bert, BertForPreTraining

CLOSE = {"rtol": 1e-5, "atol": 1e-5}


@pytest.fixture
def model() -> BertForPreTraining:
    model = BertForPreTraining(SMALL).eval()
    randomise(model)
    return model


# --- Parts -----------------------------------------------------------------------------------------------


def test_an_embedding_is_the_normalised_sum_of_three() -> None:
    embeddings = BertEmbeddings(V, D, max_length=9, dropout=0.0)
    randomise(embeddings)
    tokens, types, _ = texts()
    found = embeddings(tokens, types)
    row, place = 1, 4
    total = (
        embeddings.token.weight[tokens[row, place]]
        + embeddings.position.weight[place]
        + embeddings.token_type.weight[types[row, place]]
    )
    centred = total - total.mean()
    expected = (
        embeddings.norm.weight * centred / centred.square().mean().sqrt() + embeddings.norm.bias
    )  # eps is nothing beside this variance
    torch.testing.assert_close(found[row, place], expected, **CLOSE)


def test_the_eps_of_a_norm_is_that_of_the_published_model() -> None:
    """A vector so short that an eps of 1e-5 would leave nothing of it."""
    norms = [
        BertEmbeddings(V, D, 9).norm,
        BertLayer(D, H, D_FF).attention_norm,
        BertLayer(D, H, D_FF).output_norm,
    ]
    norms.append(MlmHead(nn.Embedding(V, D)).norm)
    for norm in norms:
        torch.testing.assert_close(norm(drawn(D) * 1e-4), norm(drawn(D)), rtol=1e-3, atol=1e-3)


def test_a_text_that_is_too_long_is_told() -> None:
    with pytest.raises(ValueError, match="the texts have 7 tokens, expected at most 6; cut them"):
        BertEmbeddings(V, D, max_length=6)(*texts()[:2])


def test_a_layer_is_that_of_torch() -> None:
    mine = BertLayer(D, H, D_FF, dropout=0.0)
    randomise(mine)
    theirs = nn.TransformerEncoderLayer(
        D, H, D_FF, dropout=0.0, activation="gelu", layer_norm_eps=1e-12, batch_first=True
    )
    state = mine.state_dict()
    for kind in ("weight", "bias"):
        joined = [state.pop(f"{name}.{kind}") for name in ("query", "key", "value")]
        state[f"self_attn.in_proj_{kind}"] = torch.cat(joined)
        for own, name in {
            "output": "self_attn.out_proj",
            "attention_norm": "norm1",
            "inner": "linear1",
            "outer": "linear2",
            "output_norm": "norm2",
        }.items():
            state[f"{name}.{kind}"] = state.pop(f"{own}.{kind}")
    theirs.load_state_dict(state)
    _, _, mask = texts()
    weight = drawn(B, T, D, seed=1) * mask.unsqueeze(-1)  # torch may give anything at padding
    results = []
    for layer in (lambda x: mine(x, mask), lambda x: theirs(x, src_key_padding_mask=~mask)):
        x = drawn(B, T, D).requires_grad_()
        value = layer(x) * weight
        results.append((value, *torch.autograd.grad(value.sum(), x)))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


def test_a_width_that_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(ValueError, match="d_model is 10, expected a multiple of num_heads, which is 3"):
        BertLayer(10, 3, 20)


@pytest.mark.parametrize("dropout", [0.0, 1.0])
def test_the_layer_that_is_lent_is_the_reference(dropout: float) -> None:
    mine, lent = (kind(D, H, D_FF, dropout=dropout) for kind in (BertLayer, public.BertLayer))
    randomise(mine)
    lent.load_state_dict(mine.state_dict())
    x, (_, _, mask) = drawn(B, T, D).requires_grad_(), texts()
    found, expected = (layer(x, mask)[mask] for layer in (lent, mine))
    torch.testing.assert_close(found, expected, **CLOSE)
    weighing = drawn(*found.shape, seed=1)
    for one, other in zip(
        torch.autograd.grad(found, [x, *lent.parameters()], weighing),
        torch.autograd.grad(expected, [x, *mine.parameters()], weighing),
        strict=True,
    ):
        torch.testing.assert_close(one, other, **CLOSE)


def test_the_encoder_goes_through_layers_of_its_own_in_order() -> None:
    encoder = BertEncoder(D, H, D_FF, L, dropout=0.0)
    randomise(encoder)
    assert sum(each.numel() for each in encoder.parameters()) == L * (4 * D * D + 2 * D * D_FF + 9 * D + D_FF)
    x, (_, _, mask) = drawn(B, T, D), texts()
    expected = x
    for layer in encoder.layers:
        expected = layer(expected, mask)
    torch.testing.assert_close(encoder(x, mask), expected)


@pytest.mark.parametrize("form", ["clear", "fast"])
@pytest.mark.parametrize("part", ["embeddings", "attention", "feed-forward"])
def test_dropout_stands_behind_each_part_and_rests_in_evaluation(part: str, form: str) -> None:
    torch.manual_seed(0)
    width = 400
    if part == "embeddings":
        module: nn.Module = {"clear": BertEmbeddings, "fast": FastBertEmbeddings}[form](
            V, width, T, dropout=0.9
        )
        arguments: tuple[Tensor, ...] = texts()[:2]
        if form == "fast":
            arguments += (torch.arange(T).expand(B, T),)
        found = module(*arguments) == 0
    else:
        module = {"clear": BertLayer, "fast": FastBertLayer}[form](width, H, D_FF, dropout=0.9)
        # What stands behind the other sub-layer's dropout is 0 with and without it, and this one's is large.
        silent, loud = (module.outer, module.output) if part == "attention" else (module.output, module.outer)
        nn.init.zeros_(silent.weight)
        nn.init.zeros_(silent.bias)
        nn.init.constant_(loud.bias, 1e4)
        mask = texts()[2]
        arguments = (drawn(B, T, width), mask if form == "clear" else mask[:, None, None, :])
        result = module(*arguments)
        found = result < result.mean(dim=-1, keepdim=True)  # a dropped entry is far below one that was not
    assert found.float().mean().item() == pytest.approx(
        0.9, abs=0.03
    )  # 9 standard deviations of 8,400 entries
    module.eval()
    assert torch.equal(module(*arguments), module(*arguments))


def test_the_mlm_head_is_its_formula_and_shares_the_matrix_of_the_embedding() -> None:
    embedding = nn.Embedding(V, D)
    head = MlmHead(embedding)
    assert head.decoder.weight is embedding.weight
    assert not head.decoder.bias.any()
    randomise(head)
    hidden = drawn(B, T, D)
    inner = F.linear(hidden, head.transform.weight, head.transform.bias)
    inner = inner * (1 + torch.erf(inner / math.sqrt(2))) / 2
    inner = F.layer_norm(inner, (D,), head.norm.weight, head.norm.bias, 1e-12)
    torch.testing.assert_close(head(hidden), inner @ embedding.weight.T + head.decoder.bias, **CLOSE)


def test_the_nsp_head_reads_the_first_position_alone() -> None:
    head = NspHead(D)
    randomise(head)
    hidden = drawn(B, T, D)
    pooled = torch.tanh(hidden[:, 0] @ head.pooler.weight.T + head.pooler.bias)
    torch.testing.assert_close(
        head(hidden), pooled @ head.classifier.weight.T + head.classifier.bias, **CLOSE
    )


# --- The loss --------------------------------------------------------------------------------------------


def test_a_loss_by_hand() -> None:
    """Two asked tokens in texts of unequal share, and one pair of each kind."""
    mlm_logits = torch.tensor([[[1.0, 0.0], [0.0, 2.0]], [[9.0, -9.0], [0.5, 0.0]]])
    labels = torch.tensor([[0, 0], [-100, 1]])
    nsp_logits = torch.tensor([[3.0, 0.0], [1.0, 0.0]])
    is_next = torch.tensor([True, False])
    mlm = math.log1p(math.exp(-1)) + math.log1p(math.exp(2)) + math.log1p(math.exp(0.5))
    nsp = math.log1p(math.exp(-3)) + math.log1p(math.exp(1))
    found = pretraining_loss(mlm_logits, labels, nsp_logits, is_next)
    assert found.item() == pytest.approx(mlm / 3 + nsp / 2, rel=1e-6)


def test_a_batch_in_which_nothing_is_asked_has_the_loss_of_the_pairs() -> None:
    nsp_logits, is_next = drawn(B, 2), torch.tensor([True, False, True])
    mlm_logits = drawn(B, T, V).requires_grad_()
    found = pretraining_loss(mlm_logits, torch.full((B, T), -100), nsp_logits, is_next)
    torch.testing.assert_close(found, F.cross_entropy(nsp_logits, torch.tensor([0, 1, 0])))
    found.backward()
    assert not mlm_logits.grad.any()


# --- The whole -------------------------------------------------------------------------------------------


def test_padding_changes_nothing(model: BertForPreTraining) -> None:
    tokens, types, mask = texts()
    mlm, nsp = model(tokens, types, mask)
    for row, length in enumerate(mask.sum(1).tolist()):
        cut = slice(row, row + 1), slice(length)
        alone, alone_nsp = model(tokens[cut], types[cut], mask[cut])
        torch.testing.assert_close(mlm[row, :length], alone[0], **CLOSE)
        torch.testing.assert_close(nsp[row], alone_nsp[0], **CLOSE)


@pytest.mark.parametrize("what", ["token", "type"])
def test_every_token_is_seen_from_both_sides(model: BertForPreTraining, what: str) -> None:
    tokens, types, mask = texts()
    before, _ = model(tokens, types, mask)
    changed = {"token": tokens.clone(), "type": types.clone()}
    changed[what][0, 3] = (changed[what][0, 3] + 1) % (V if what == "token" else 2)
    moved = (model(changed["token"], changed["type"], mask)[0] - before).abs().amax(-1)  # (B, T)
    assert (moved[0] > 1e-5).all()
    assert not moved[1:].any()


def test_order_counts(model: BertForPreTraining) -> None:
    tokens, types, mask = texts()[0][:1], torch.zeros(1, T, dtype=torch.long), torch.ones(1, T).bool()
    assert (
        model.bert(tokens.flip(1), types, mask).flip(1) - model.bert(tokens, types, mask)
    ).abs().max() > 1e-2


@pytest.mark.parametrize("form", [BertForPreTraining, FastBertForPreTraining])
@pytest.mark.parametrize(("width", "deviation"), [(768, 0.02), (48, 0.08)])
def test_the_start_is_that_of_the_paper_at_its_width(
    form: type[nn.Module], width: int, deviation: float
) -> None:
    model = form(BertConfig(vocabulary_size=1000, d_model=width, num_heads=2, d_ff=80, num_layers=1))
    matrices = torch.cat([each.flatten() for each in model.parameters() if each.ndim == 2])
    assert matrices.abs().max() <= 2 * deviation
    assert matrices.std().item() == pytest.approx(0.88 * deviation, rel=0.02)  # of a normal one, cut
    vectors = {name: each for name, each in model.named_parameters() if each.ndim == 1}
    assert all((each == ("norm.weight" in name)).all() for name, each in vectors.items())


def test_the_config_gives_every_size() -> None:
    model = BertForPreTraining(SMALL)
    tied = model.bert.embeddings.token.weight
    assert model.mlm.decoder.weight is tied and tied.shape == (V, D)
    encoder = L * (4 * D * D + 2 * D * D_FF + 9 * D + D_FF)
    heads = (D * D + 3 * D + V) + (D * D + D) + (2 * D + 2)
    assert sum(each.numel() for each in model.parameters()) == (V + 9 + 2) * D + 2 * D + encoder + heads
    other = Bert(BertConfig(vocabulary_size=V, d_model=D, num_heads=3, num_layers=1, dropout=0.3, eps=1e-5))
    assert {each.eps for each in other.modules() if isinstance(each, nn.LayerNorm)} == {1e-5}
    assert {each.p for each in other.modules() if isinstance(each, nn.Dropout)} == {0.3}
    assert other.encoder.layers[0].num_heads == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_heads": 5}, "d_model is 12, expected a multiple of num_heads, which is 5"),
        ({"vocabulary_size": 0}, "vocabulary_size is 0, expected 1 or more"),
        ({"num_layers": -1}, "num_layers is -1, expected 0 or more"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"eps": 0.0}, "eps is 0.0"),
    ],
)
def test_a_config_that_cannot_be(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BertConfig(**{"vocabulary_size": V, "d_model": D, "num_heads": H, **settings})


def test_a_classifier_reads_the_first_position_through_the_pooler() -> None:
    bert = Bert(SMALL)
    classifier = SequenceClassifier(bert.embeddings, bert.encoder, D, 5, dropout=0.9)
    randomise(classifier)
    tokens, types, mask = texts()
    classifier.eval()
    pooled = torch.tanh(classifier.pooler(bert(tokens, types, mask)[:, 0]))
    torch.testing.assert_close(classifier(tokens, types, mask), classifier.classifier(pooled))
    torch.manual_seed(0)
    nn.init.constant_(classifier.pooler.bias, 9.0)  # every pooled entry is 1
    nn.init.ones_(classifier.classifier.weight)
    nn.init.zeros_(classifier.classifier.bias)
    kept = classifier.train()(tokens, types, mask) / 10  # a kept entry counts 1 / (1 - 0.9)
    torch.testing.assert_close(kept, kept.round(), **CLOSE)
    assert kept.max() < D  # 12 entries, each kept with probability 0.1
