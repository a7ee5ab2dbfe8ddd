"""Released weights: parity with `transformers`, layer by layer, and what the files of a checkpoint may look like."""

import json
import logging
from pathlib import Path

import huggingface_hub
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from tiny_bert import SMALL, D, L, V, randomise, texts
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.bert.losses import pretraining_loss
from solutions.bert.model import BertForPreTraining
from solutions.bert.released import from_pretrained, published_name, save_pretrained

STAGES = {
    "embeddings": ("bert.embeddings", "bert.embeddings"),
    **{
        f"layer {n}, {part}": (f"bert.encoder.layers.{n}.{own}", f"bert.encoder.layer.{n}.{theirs}")
        for n in range(L)
        for part, own, theirs in (
            ("attention", "attention_norm", "attention.output"),
            ("feed-forward", "output_norm", "output"),
        )
    },
    "pooler": ("nsp.pooler", "bert.pooler.dense"),
    "MLM transform": ("mlm.norm", "cls.predictions.transform"),
    "MLM logits": ("mlm.decoder", "cls.predictions.decoder"),
    "NSP logits": ("nsp.classifier", "cls.seq_relationship"),
}
"""What is compared, in the order in which it is computed: our module, and that of `transformers`."""


def outputs(model: nn.Module, stages: list[str], *arguments: Tensor, **named: Tensor) -> list[Tensor]:
    """What some modules of a model give in one forward pass."""
    found: dict[str, Tensor] = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(lambda *call, at=name: found.update({at: call[-1]}))
        for name in stages
    ]
    with torch.no_grad():
        model(*arguments, **named)
    for hook in hooks:
        hook.remove()
    return [found[name] for name in stages]


def first_difference(ours: nn.Module, theirs: nn.Module) -> str | None:
    """The first stage of which the two models give other numbers; None when all are equal."""
    tokens, types, mask = texts()
    mine = outputs(ours, [own for own, _ in STAGES.values()], tokens, types, mask)
    names = [their for _, their in STAGES.values()]
    wanted = outputs(theirs, names, input_ids=tokens, token_type_ids=types, attention_mask=mask.long())
    for stage, one, other in zip(STAGES, mine, wanted, strict=True):
        places = mask if one.ndim == 3 else ...  # what stands at padding means nothing
        if not torch.allclose(one[places], other[places], rtol=1e-5, atol=1e-5):
            return stage
    return None


@pytest.fixture(scope="module")
def theirs() -> transformers.BertForPreTraining:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=V,
        hidden_size=D,
        num_attention_heads=SMALL.num_heads,
        intermediate_size=SMALL.d_ff,
        num_hidden_layers=L,
        max_position_embeddings=SMALL.max_length,
    )
    model = transformers.BertForPreTraining(config).eval()
    randomise(model)
    return model


@pytest.fixture
def folder(theirs: transformers.BertForPreTraining, tmp_path: Path) -> Path:
    theirs.save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def change(folder: Path, **settings: object) -> None:
    """Other settings in a checkpoint's config.json; None takes one away."""
    path = folder / "config.json"
    content = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def rewrite(folder: Path, tensors: dict[str, Tensor]) -> None:
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, folder / "model.safetensors")


# --- Parity ----------------------------------------------------------------------------------------------


def test_every_layer_gives_the_numbers_of_transformers(folder: Path, theirs) -> None:
    model, fresh, unused = from_pretrained(folder)
    assert (fresh, unused) == ((), ())
    assert not model.training and model.config.dropout == 0.1
    assert first_difference(model, theirs) is None


def test_the_loss_is_that_of_transformers(folder: Path, theirs) -> None:
    tokens, types, mask = texts()
    labels = torch.where(
        torch.rand(tokens.shape, generator=torch.Generator().manual_seed(1)) < 0.4, tokens, -100
    )
    labels[~mask] = -100
    is_next = torch.tensor([True, False, False])
    wanted = theirs(
        input_ids=tokens,
        token_type_ids=types,
        attention_mask=mask.long(),
        labels=labels,
        next_sentence_label=(~is_next).long(),
    )
    mlm_logits, nsp_logits = from_pretrained(folder).model(tokens, types, mask)
    torch.testing.assert_close(pretraining_loss(mlm_logits, labels, nsp_logits, is_next), wanted.loss)


def stage_of(name: str) -> str:
    """The stage that a parameter of ours is the first to change."""
    part, _, rest = name.removeprefix("bert.").partition(".")
    if part == "encoder":
        _, number, module, _ = rest.split(".")
        feed_forward = module in ("inner", "outer", "output_norm")
        return f"layer {number}, {'feed-forward' if feed_forward else 'attention'}"
    for start, stage in {"mlm.decoder": "MLM logits", "mlm": "MLM transform", "nsp.pooler": "pooler"}.items():
        if name.startswith(start):
            return stage
    return {"embeddings": "embeddings", "nsp": "NSP logits"}[part]


@pytest.mark.parametrize("name", [name for name, _ in BertForPreTraining(SMALL).named_parameters()])
def test_a_difference_is_told_where_it_begins(folder: Path, theirs, name: str) -> None:
    model = from_pretrained(folder).model
    if name.endswith("key.bias"):  # it adds the same to all scores of a query
        model.get_parameter(name).data.add_(1.0)
        assert first_difference(model, theirs) is None
        return
    model.get_parameter(name).data.mul_(1.01)
    assert first_difference(model, theirs) == stage_of(name)


def test_parity_sees_a_norm_and_an_activation(folder: Path, theirs, monkeypatch: pytest.MonkeyPatch) -> None:
    model = from_pretrained(folder).model
    model.bert.encoder.layers[1].output_norm.eps = 1e-3
    assert first_difference(model, theirs) == "layer 1, feed-forward"
    model = from_pretrained(folder).model
    gelu = torch.nn.functional.gelu
    monkeypatch.setattr("torch.nn.functional.gelu", lambda x: gelu(x, approximate="tanh"))
    tokens, types, mask = texts()
    (approximate,) = outputs(model, ["bert.encoder.layers.0.output_norm"], tokens, types, mask)
    monkeypatch.undo()
    (exact,) = outputs(model, ["bert.encoder.layers.0.output_norm"], tokens, types, mask)
    assert not torch.allclose(approximate[mask], exact[mask], rtol=1e-5, atol=1e-5)


# --- The files -------------------------------------------------------------------------------------------


def test_what_is_written_is_read_by_transformers_and_by_us(folder: Path, tmp_path: Path, caplog) -> None:
    model = from_pretrained(folder).model
    save_pretrained(model, tmp_path / "ours")
    with caplog.at_level(logging.WARNING):
        again, report = transformers.BertForPreTraining.from_pretrained(
            tmp_path / "ours", output_loading_info=True
        )
    assert not any(report.values()), report
    assert again.config.attention_probs_dropout_prob == 0 and again.config.hidden_dropout_prob == 0.1
    assert "cls.predictions.decoder.weight" not in load_file(tmp_path / "ours" / "model.safetensors")
    assert first_difference(model, again.eval()) is None
    torch.testing.assert_close(from_pretrained(tmp_path / "ours").model.state_dict(), model.state_dict())
    assert from_pretrained(tmp_path / "ours").model.config == model.config


def test_names_of_the_first_release_are_read(folder: Path, theirs) -> None:
    tensors = load_file(folder / "model.safetensors")
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): tensor
        for name, tensor in tensors.items()
    }
    assert sum(name.endswith((".gamma", ".beta")) for name in old) == 4 * (L + 1)
    old["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"]
    old["cls.predictions.decoder.bias"] = old.pop("cls.predictions.bias")
    rewrite(folder, old)
    model, fresh, unused = from_pretrained(folder)
    assert (fresh, unused) == ((), ())
    assert first_difference(model, theirs) is None


def test_a_plain_encoder_has_fresh_heads_and_its_pooler(folder: Path, theirs) -> None:
    theirs.bert.save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    assert "embeddings.word_embeddings.weight" in tensors
    tensors["embeddings.position_ids"] = torch.arange(9).unsqueeze(0)
    tensors["classifier.weight"] = torch.ones(5, D)
    rewrite(folder, {name: tensor.half() for name, tensor in tensors.items()})
    model, fresh, unused = from_pretrained(folder)
    assert (fresh, unused) == (("mlm", "nsp.classifier"), ("classifier.weight",))
    assert {each.dtype for each in model.parameters()} == {torch.float32}
    assert model.mlm.decoder.weight is model.bert.embeddings.token.weight
    wanted = theirs.state_dict()
    for name, tensor in model.state_dict().items():
        if not name.startswith(("mlm.transform", "mlm.norm", "mlm.decoder.bias", "nsp.classifier")):
            assert torch.equal(tensor, wanted[published_name(name)].half().float()), name


def test_a_part_that_is_missing_is_told(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    for name in ("bert.encoder.layer.1.output.dense.bias", "cls.predictions.transform.dense.weight"):
        rewrite(folder, {key: tensor for key, tensor in tensors.items() if key != name})
        with pytest.raises(CourseError, match=f"has no {name}; it is no BERT, or not all of one"):
            from_pretrained(folder)


def test_a_decoder_of_its_own_is_refused(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    rewrite(folder, tensors | {"cls.predictions.decoder.weight": torch.ones(V, D)})
    with pytest.raises(CourseError, match="decoder and token embedding differ"):
        from_pretrained(folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "roberta"}, "model_type is 'roberta', expected 'bert'"),
        ({"model_type": None}, "model_type is None, expected 'bert'"),
        ({"hidden_act": "relu"}, "hidden_act is 'relu', expected 'gelu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"hidden_size": None}, "has no 'hidden_size'"),
        ({"num_attention_heads": 5}, "d_model is 12, expected a multiple of num_heads, which is 5"),
        ({"vocab_size": 32}, r"has shape \(31, 12\), config.json asks for \(32, 12\)"),
        ({"num_hidden_layers": 4}, "has no bert.encoder.layer.3"),
    ],
)
def test_a_configuration_that_is_not_ours_is_told(folder: Path, settings: dict, message: str) -> None:
    change(folder, **settings)
    with pytest.raises(CourseError, match=message):
        from_pretrained(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_broken_file_is_told(folder: Path, name: str) -> None:
    (folder / name).write_bytes((folder / name).read_bytes()[:-10])
    with pytest.raises(CourseError, match=f"cannot read .*{name}.*; fetch the checkpoint again"):
        from_pretrained(folder)


# --- Where it is found -----------------------------------------------------------------------------------


def test_a_name_is_looked_for_in_the_data_folder_and_then_at_the_hub(
    folder: Path, theirs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def download(name: str, *, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        if name != "someone/small-bert":
            raise huggingface_hub.errors.OfflineModeIsEnabled("no network here")
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    monkeypatch.setenv("NLPCOURSE_DATA", str(folder.parent))
    assert first_difference(from_pretrained("checkpoint").model, theirs) is None
    assert not asked
    assert first_difference(from_pretrained("someone/small-bert").model, theirs) is None
    assert asked == [("someone/small-bert", ["config.json", "model.safetensors", "tokenizer.json"])]
    with pytest.raises(
        CourseError, match=r"there is no checkpoint someone/else: .* \(OfflineModeIsEnabled\)"
    ):
        from_pretrained("someone/else")
