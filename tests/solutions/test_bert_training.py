"""Training of BERT: the loss by hand, n-grams by counting, wrong settings, every run from end to end."""

import json
import math
from collections import Counter
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from typer import Typer
from typer.testing import CliRunner

from nlpcourse.data import docstrings
from nlpcourse.errors import CourseError
from solutions.bert import pretraining
from solutions.bert.corpus import CLS, MASK, SEP, Segments
from solutions.bert.fast import FastBertForPreTraining
from solutions.bert.finetuning import FineTuningConfig, begin
from solutions.bert.lens import TEXTS
from solutions.bert.losses import pretraining_loss
from solutions.bert.model import BertForPreTraining
from solutions.bert.ngrams import Trigram
from solutions.bert.pretraining import Held, PretrainingConfig
from solutions.bert.probing import ProbeConfig
from solutions.bert.train import RUNS, pretrain
from solutions.training import command, record
from solutions.training.session import Session, Stopped
from solutions.training.tokens import Tokens

torch.set_num_threads(1)
PRESETS = {run.name: run.presets for run in RUNS}
SMALL: PretrainingConfig = replace(PRESETS["bert"]["smoke"], files=4, judged=10, epochs=2, dropout=0.1)
V = 40
CPU = torch.device("cpu")


def session(folder: Path, config: object, *, resume: bool = False) -> Session:
    return Session("bert", folder / "bert.pt", asdict(config), seed=0, resume=resume)  # type: ignore[call-overload]


def segments() -> Segments:
    """Six documents of three segments of 5 tokens."""
    values = np.random.default_rng(0).integers(5, V, 90).astype(np.uint16)
    starts = torch.arange(0, 90, 5)
    documents = [[3 * number, 3 * number + 1, 3 * number + 2] for number in range(6)]
    return Segments(Tokens(values, np.array([0, 90])), starts, torch.full((18,), 5), documents, 90)


# --- Pre-training --------------------------------------------------------------------------------------------


def test_the_loss_is_that_of_the_clear_form(tmp_path: Path) -> None:
    config = replace(SMALL, rows=4, length=16, dropout=0.0)
    torch.manual_seed(1)
    model = FastBertForPreTraining(config.sizes(V))
    clear = BertForPreTraining(config.sizes(V))
    clear.load_state_dict(model.state_dict())
    seen: list[Tensor] = []
    forward = model.forward

    def remember(rows: pretraining.Rows, asked: int, texts: int) -> Tensor:
        seen.append(rows)  # type: ignore[arg-type]
        return forward(rows, asked, texts)

    model.forward = remember  # type: ignore[method-assign]
    task = pretraining.task(model, segments(), config, session(tmp_path, config), size=V, measure=dict)
    batches = task.batches()
    assert [len(batch) for batch in batches] == [4, 4, 4]
    assert len(torch.cat(list(batches)).unique()) == 12
    before = {name: tensor.clone() for name, tensor in clear.state_dict().items()}
    found = task.update(batches[0], 0.0)
    (rows,) = seen
    clear.load_state_dict(before)
    mlm, nsp = clear(rows.tokens, rows.types, torch.ones_like(rows.tokens, dtype=torch.bool))
    expected = pretraining_loss(mlm, rows.labels, nsp, rows.next_labels[:, 0] == 0)
    torch.testing.assert_close(found, expected.detach())
    assert (rows.labels != -100).any()
    assert not (torch.isin(rows.labels, torch.tensor([CLS, SEP]))).any()
    assert (rows.next_labels[:, 1:] == -100).all()
    true = torch.where(rows.labels != -100, rows.labels, rows.tokens)
    long = segments().tokens.text(0).unfold(0, 5, 5).tolist()  # the segments
    for row, label in zip(true.tolist(), rows.next_labels[:, 0].tolist(), strict=True):
        first, second = long.index(row[1:6]), long.index(row[7:12])
        assert (second == first + 1) == (label == 0)
        assert label == 0 or second // 3 != first // 3


def test_held_out_texts_are_the_same_every_time_and_judged_by_hand() -> None:
    config = replace(SMALL, rows=4, length=16, judged=9, dropout=0.0)
    one, other = (Held.of(segments(), config, V) for _ in range(2))
    for field in fields(Held):
        assert torch.equal(getattr(one, field.name), getattr(other, field.name))
    assert len(one.inputs) == 9
    torch.manual_seed(2)
    model = FastBertForPreTraining(config.sizes(V)).eval()
    with torch.no_grad():
        found = one.judge(model, CPU)
        clear = BertForPreTraining(config.sizes(V)).eval()
        clear.load_state_dict(model.state_dict())
        mlm, nsp = clear(one.inputs, one.types, torch.ones_like(one.inputs, dtype=torch.bool))
    where = one.labels != -100
    gold = one.labels[where]
    assert (one.inputs[where] == MASK).all()
    assert (one.inputs == MASK).sum() == where.sum()
    assert found["masked tokens right"] == pytest.approx(
        (mlm[where].argmax(1) == gold).double().mean().item()
    )
    assert found["masked loss"] == pytest.approx(
        -mlm[where].log_softmax(1)[range(len(gold)), gold].mean().item(), rel=1e-5
    )
    assert found["next sentence right"] == ((nsp.argmax(1) == 0) == one.is_next).double().mean().item()
    left, right = one.asked()
    assert right.tolist() == gold.tolist()
    row, place = (int(each[-1]) for each in torch.nonzero(where, as_tuple=True))
    true = torch.where(where, one.labels, one.inputs)[row]
    assert left[-1].tolist() == true[place - 2 : place].tolist()


def test_the_trigram_mixes_three_shares() -> None:
    draw = np.random.default_rng(1)
    drawn = [0, 0]
    for _ in range(700):  # the sum of the two before it, or the one before it and 1, or anything
        drawn.append([(drawn[-2] + drawn[-1]) % 6, (drawn[-1] + 1) % 6, draw.integers(6)][draw.integers(3)])
    tokens, rest = np.array(drawn[:400]), np.array(drawn[400:])
    asked = np.stack([rest[n : n + 3] for n in range(50)])
    model = Trigram(tokens, 6, asked[:, :2], asked[:, 2])

    def share(context: tuple[int, ...], token: int) -> float:
        size = len(context)
        following = [
            int(tokens[n + size]) for n in range(len(tokens) - size) if tuple(tokens[n : n + size]) == context
        ]
        return following.count(token) / len(following) if following else 0.0

    counts = Counter(tokens.tolist())

    def mixed(u: int, v: int, w: int, weights: np.ndarray) -> float:
        parts = (share((u, v), w), share((v,), w), (counts[w] + 1) / (len(tokens) + 6))
        return float(np.dot(weights, parts))

    losses = [-math.log(mixed(*row, model.weights)) for row in asked.tolist()]
    answers = [
        max(range(6), key=lambda w, row=row: mixed(*row[:2], w, model.weights)) for row in asked.tolist()
    ]
    found = model.judge(asked[:, :2], asked[:, 2])
    assert found["masked loss"] == pytest.approx(sum(losses) / 50)
    right = sum(answer == row[2] for answer, row in zip(answers, asked.tolist(), strict=True)) / 50
    assert found["masked tokens right"] == pytest.approx(right)
    assert model.weights.sum() == pytest.approx(1)
    for shift in ([0.05, -0.05, 0], [-0.05, 0, 0.05], [0, 0.05, -0.05], [0.05, 0, -0.05]):  # the best mix
        worse = -sum(math.log(mixed(*row, model.weights + shift)) for row in asked.tolist())
        assert sum(losses) < worse
    usual = counts.most_common(1)[0][0]
    assert model.judge_unigram(asked[:, 2])["masked tokens right"] == (asked[:, 2] == usual).mean()


def test_a_stopped_run_comes_to_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With dropout, masking and pairs: whatever is drawn, is drawn again. The weights that are kept are equal, too."""

    def numbers(run: Session) -> list[dict[str, float]]:
        return [{key: value for key, value in point.items() if key != "seconds"} for point in run.curve]

    reference = session(tmp_path / "whole", SMALL)
    whole = pretrain(SMALL, reference)
    first = session(tmp_path / "parts", SMALL)
    advance, steps = first.advance, []

    def stop_at_the_ninth(words: float, loss: float) -> None:
        advance(words, loss)
        steps.append(loss)
        if len(steps) == 9:
            first.stop()

    first.advance = stop_at_the_ninth  # type: ignore[method-assign]
    with pytest.raises(Stopped), first.running():
        pretrain(SMALL, first)
    second = session(tmp_path / "parts", SMALL, resume=True)
    with second.running():
        resumed = pretrain(SMALL, second)
    assert numbers(second) == numbers(reference)
    assert resumed == whole
    assert reference.curve[-1]["loss"] < reference.curve[0]["loss"]
    assert (reference.tokens, reference.flops) == (second.tokens, second.flops) > (0, 0)
    kept = [tmp_path / each / "bert-smoke-0" / "model.safetensors" for each in ("whole", "parts")]
    assert kept[0].read_bytes() == kept[1].read_bytes()


# --- What cannot be trained ---------------------------------------------------------------------------------


def test_what_cannot_be_begun_with_is_one_line(tmp_path: Path) -> None:
    run = session(tmp_path, SMALL)
    with pytest.raises(CourseError, match="make them with nlpcourse train bert-long --preset gpu --seed 3"):
        begin("bert-long-gpu-3", 16, run)
    pretrain(replace(SMALL, epochs=1, files=3), run)
    with pytest.raises(CourseError, match="bert-smoke-0 reads 64 positions, length is 65"):
        begin("bert-smoke-0", 65, run)
    model, tokenizer = begin("bert-smoke-0", 64, run)
    assert model.config.vocabulary_size == tokenizer.get_vocab_size()
    assert tokenizer.token_to_id("[MASK]") == MASK


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"length": 65}, "length is 65, expected at most max_length, 64"),
        ({"rate": 1.5}, "rate is 1.5, expected 1 or less"),
        ({"rows": 0}, "rows is 0, expected 1 or more"),
    ],
)
def test_a_wrong_setting_is_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        replace(SMALL, **change)


def test_sizes_that_do_not_fit_are_one_line() -> None:
    with pytest.raises(CourseError, match="d_model is 33, expected a multiple of num_heads"):
        replace(SMALL, d_model=33).sizes(V)


def test_every_field_of_a_configuration_is_explained() -> None:
    for cls in (PretrainingConfig, FineTuningConfig, ProbeConfig):
        lines = (
            Path(__import__(cls.__module__, fromlist=["_"]).__file__).read_text(encoding="utf-8").splitlines()
        )
        for field in (each for each in fields(cls) if each.name in cls.__annotations__):
            place = next(i for i, line in enumerate(lines) if line.startswith(f"    {field.name}: "))
            assert lines[place + 1].startswith('    """'), f"{cls.__name__}.{field.name}"


# --- Every run, by the command -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which `bert --preset smoke` was trained, with small published sets; the folder of its runs."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "chapters").mkdir()
    (root / "_toc.yml").touch()
    sets = {"sst5": root / "data" / "sst5", "wnut17": root / "data" / "wnut17"}
    for folder in sets.values():
        folder.mkdir(parents=True)
    for split in ("train", "dev"):
        rows = [f"{n}\t{n}\tit is {'good' if n % 2 else 'bad'} film {n}\t{4 * (n % 2)}" for n in range(60)]
        (sets["sst5"] / f"{split}.tsv").write_text(
            "\n".join(["index\tid\tsentence\tsentiment", *rows]) + "\n"
        )
    for split in ("train", "dev", "test"):
        texts = [f"we\tO\nsee\tO\nthe\tO\ntown{n % 7}\tB-place\ncity\tI-place\n" for n in range(60)]
        (sets["wnut17"] / f"{split}.conll").write_text("\n".join(texts))
    corpus = docstrings.load()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(docstrings, "load", lambda: corpus)
        patch.setattr(record, "commit", lambda root: "a" * 40)
        patch.setenv("NLPCOURSE_DATA", str(root / "data"))
        patch.setenv("NLPCOURSE_CACHE", str(root / "cache"))
        patch.chdir(root)
        invoke("bert")
        yield root / "_build" / "runs" / "bert"


def invoke(name: str) -> None:
    app = Typer()
    app.callback()(lambda: None)
    command.register(app)
    done = CliRunner().invoke(app, ["train", name], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.exception


METRICS = {
    "bert-long": ("masked tokens right", "trigram"),
    "bert-packages": ("accuracy", "tfidf"),
    "bert-pairs": ("accuracy", "tfidf"),
    "bert-spans": ("F1", "sentence behind the name"),
    "bert-tags": ("F1", "most frequent tag"),
    "bert-tags-fresh": ("F1", "most frequent tag"),
    "sst5": ("accuracy", "majority"),
    "wnut17": ("F1", "most frequent tag"),
}


def test_the_smoke_preset_of_bert_learns_and_is_kept(trained: Path) -> None:
    (path,) = trained.glob("bert-smoke-*.json")
    written = record.load(path)
    assert written.curve[-1]["loss"] < written.curve[0]["loss"] - 0.2
    assert written.tokens > 10_000
    assert written.data["train files"] == PRESETS["bert"]["smoke"].files
    assert set(written.baselines) == {"unigram", "trigram", "majority"}
    assert written.metrics["masked loss"] < math.log(written.data["vocabulary"]) - 0.5
    assert {each.name for each in (trained / "bert-smoke-0").iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
    }


@pytest.mark.parametrize("name", METRICS)
def test_every_other_smoke_preset_goes_on_from_it(name: str, trained: Path) -> None:
    invoke(name)
    (path,) = trained.glob(f"{name}-smoke-*.json")
    written = record.load(path)
    metric, baseline = METRICS[name]
    assert 0 <= written.metrics[metric] <= 1
    assert 0 <= written.baselines[baseline][metric] <= 1
    assert written.curve[-1]["loss"] < written.curve[0]["loss"]
    assert f"dev {metric}" in written.curve[-1]
    assert written.tokens > 1000
    assert written.flops > 0
    assert len(written.data["sha256"]) == 64


def test_a_look_inside_the_smoke_model_has_each_layer(trained: Path) -> None:
    invoke("bert-layers")
    (path,) = trained.glob("bert-layers-smoke-*.json")
    written = record.load(path)
    layers = {f"layer {number}" for number in range(1 + PRESETS["bert"]["smoke"].num_layers)}
    assert set(written.metrics) == layers
    for name in ("untrained", "control task"):
        assert set(written.baselines[name]) == layers
        assert written.baselines[name] != written.metrics
    assert 0.3 < written.baselines["most frequent tag"]["accuracy"] < 1
    assert written.words > 500
    hidden = json.loads((trained / "masked-words.json").read_text(encoding="utf-8"))
    assert hidden["run"] == path.stem
    assert [len(each["guesses"][0]) for each in hidden["texts"]] == [len(layers)] * len(TEXTS)


def test_a_fresh_run_differs_from_its_twin_in_the_learning_rate_alone() -> None:
    twins = [name for name in PRESETS if f"{name}-fresh" in PRESETS]
    assert twins == ["bert-packages", "bert-pairs", "bert-spans", "bert-tags"]
    for name in twins:
        for preset, config in PRESETS[name].items():
            assert not config.fresh
            assert PRESETS[f"{name}-fresh"][preset] == replace(config, fresh=True, lr=2 * config.lr)


def test_runs_cover_the_presets() -> None:
    for name, presets in PRESETS.items():
        assert {"smoke", "laptop", "gpu"} <= presets.keys(), name
