"""Training of sequence-to-sequence models: the loss by hand, clear and fast layers alike, runs from end to end."""

import gzip
import math
import re
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nlpcourse.data import dates
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from solutions.attention import train as recipes
from solutions.attention.learning import END, PAD, START, Pairs, build, loss_of, mean_loss, write
from solutions.attention.maps import cross_attention_maps
from solutions.attention.train import RUNS, DatesConfig, TranslationConfig, train_dates, train_translation
from solutions.training.runs import Result
from solutions.training.session import Session, Stopped

torch.set_num_threads(1)
PRESETS = {run.name: run.presets for run in RUNS}
SMALL = replace(PRESETS["dates"]["smoke"], examples=120, judged=20, epochs=2, tokens=512)


def session(folder: Path, config: DatesConfig, *, resume: bool = False, seed: int = 0) -> Session:
    return Session("dates", folder / "dates.pt", asdict(config), seed=seed, resume=resume)


def numbers(curve: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: value for key, value in point.items() if key != "seconds"} for point in curve]


def tensors(*rows: list[int]) -> list[Tensor]:
    return [torch.tensor(row) for row in rows]


PAIRS = Pairs(tensors([5, 6, 7], [8, 3]), tensors([START, 4, 5, END], [START, 9, END]))


@pytest.mark.parametrize("name", ["transformer", "lstm"])
def test_the_loss_is_that_of_each_sentence_alone(name: str) -> None:
    torch.manual_seed(1)
    model = build(replace(SMALL, model=name), 10).eval()
    total, tokens = loss_of(model, *PAIRS.batch(torch.tensor([0, 1]), torch.device("cpu")))
    alone = []
    for source, target in zip(PAIRS.sources, PAIRS.targets, strict=True):
        places = torch.ones(len(target) - 1, len(target) - 1, dtype=torch.bool).tril()
        seen = torch.ones(1, 1, 1, len(source), dtype=torch.bool)
        logits = model(source[None], target[None, :-1], seen, places[None, None])[0]
        alone += [-logits[place].log_softmax(-1)[token] for place, token in enumerate(target[1:].tolist())]
    assert int(tokens) == len(alone) == 5
    torch.testing.assert_close(total, torch.stack(alone).sum())
    config = replace(SMALL, tokens=8)
    assert math.isclose(mean_loss(model, PAIRS, config, torch.device("cpu")), total.item() / 5, rel_tol=1e-5)


def test_smoothing_spreads_its_share_over_all_tokens() -> None:
    torch.manual_seed(2)
    model = build(SMALL, 10).eval()
    batch = PAIRS.batch(torch.tensor([0]), torch.device("cpu"))
    sharp, _ = loss_of(model, *batch)
    smooth, _ = loss_of(model, *batch, 0.3)
    source, target = batch
    places = torch.ones(3, 3, dtype=torch.bool).tril()
    logits = model(source, target[:, :-1], torch.ones(1, 1, 1, 3, dtype=torch.bool), places[None, None])
    uniform = -F.log_softmax(logits, -1).mean(-1).sum()
    torch.testing.assert_close(smooth, 0.7 * sharp + 0.3 * uniform)


def test_clear_and_fast_layers_train_alike(tmp_path: Path) -> None:
    """The layers that a student writes, in place of the fast ones, give the same losses."""
    config = replace(SMALL, dropout=0.1)
    curves = []
    for layers in ("fast", "clear"):
        chosen = replace(config, layers=layers)
        run = session(tmp_path, chosen)
        train_dates(replace(chosen, maps=0), run)
        curves.append([point["loss"] for point in run.curve])
    assert len(curves[0]) == 2
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)
    assert curves[0][1] < curves[0][0]


def test_a_stopped_run_comes_to_the_same_numbers(tmp_path: Path) -> None:
    config = replace(SMALL, dropout=0.1)
    reference = session(tmp_path, config)
    whole = train_dates(config, reference)
    first = session(tmp_path, config)
    advance, steps = first.advance, []

    def stop_at_the_sixth(words: float, loss: float) -> None:
        advance(words, loss)
        steps.append(loss)
        if len(steps) == 6:
            first.stop()

    first.advance = stop_at_the_sixth  # type: ignore[method-assign]
    with pytest.raises(Stopped), first.running():
        train_dates(config, first)
    second = session(tmp_path, config, resume=True)
    with second.running():
        resumed = train_dates(config, second)
    assert numbers(second.curve) == numbers(reference.curve)
    assert resumed == whole


def test_maps_show_whom_each_head_looks_at() -> None:
    torch.manual_seed(3)
    model = build(replace(SMALL, layers="clear", depth=2), dates.vocabulary_size()).eval()
    source = dates.encode(["3.5.2004"])
    inputs = torch.tensor([[START, 7, 8]])
    weights = cross_attention_maps(model, source, inputs)
    assert weights.shape == (2, SMALL.num_heads, 3, 8)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, SMALL.num_heads, 3))
    longer = cross_attention_maps(model, source, torch.tensor([[START, 7, 8, 9]]))
    torch.testing.assert_close(longer[:, :, :3], weights)  # what is written later does not change them
    assert not torch.allclose(weights[0], weights[1])


def test_what_is_written_ends_before_the_end() -> None:
    class Writer:
        """Writes its source, token by token, then ends."""

        def begin(self, source: Tensor) -> tuple[Tensor, ...]:
            return source, torch.zeros(len(source), 1, dtype=torch.long)

        def step(self, tokens: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
            source, place = state
            rest = torch.cat([source, torch.full((len(source), 9), PAD)], dim=1).gather(1, place)[:, 0]
            following = torch.where(rest == PAD, END, rest)
            return F.one_hot(following, 10).float(), (source, place + 1)

    found = write(Writer(), PAIRS, torch.device("cpu"), rows=1, max_length=5)  # type: ignore[arg-type]
    assert found == [[5, 6, 7], [8, 3]]


def test_dates_from_end_to_end(tmp_path: Path) -> None:
    run = session(tmp_path, SMALL)
    result = train_dates(SMALL, run)
    assert set(result.metrics) == {"exact match", "test loss"}
    assert run.curve[-1]["dev loss"] < run.curve[0]["dev loss"] < math.log(dates.vocabulary_size()) + 1
    assert run.tokens > 0
    assert run.flops > 0
    maps = result.files["dates-attention.json"]["texts"]
    assert [len(each["weights"]) for each in maps] == [SMALL.depth] * 2
    for each in maps:
        for row in each["weights"][0][0]:
            assert len(row) == len(each["text"])
            assert abs(sum(row) - 1) < 0.005 * len(row) + 1e-9
    assert train_dates(SMALL, session(tmp_path, SMALL, seed=1)).files is None


def test_right_is_right_to_the_last_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = dates.date_pairs("test", 20, seed=0)
    answers = [dates.encode([date])[0].tolist() for _, date in texts]
    for wrong in (0, 7):
        answers[wrong] = [*answers[wrong][:-1], answers[wrong][-1] + (1 if answers[wrong][-1] < 10 else -1)]
    monkeypatch.setattr(recipes, "write", lambda _, pairs, *__, **___: answers[: len(pairs.sources)])
    monkeypatch.setattr(recipes, "_maps", lambda *_: None)
    result = train_dates(replace(SMALL, epochs=1), session(tmp_path, SMALL))
    assert result.metrics["exact match"] == 0.9


@pytest.fixture
def captions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "multi30k"
    folder.mkdir(parents=True)
    animals = {"Hund": "dog", "Katze": "cat", "Pferd": "horse", "Vogel": "bird"}
    lines = [
        (f"Ein {one} sieht ein {two} .", f"A {animals[one]} sees a {animals[two]} .")
        for one in animals
        for two in animals
    ]
    for stem, count in {"train": 16, "val": 4, "test_2016_flickr": 3}.items():
        for side, language in enumerate(("de", "en")):
            text = "".join(f"{pair[side]}\n" for pair in lines[:count])
            (folder / f"{stem}.{language}.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    monkeypatch.setenv("NLPCOURSE_DATA", str(tmp_path / "data"))


@pytest.mark.parametrize("name", ["translation", "translation-lstm"])
def test_translation_from_end_to_end(name: str, captions: None, tmp_path: Path) -> None:
    config: TranslationConfig = replace(
        PRESETS[name]["smoke"], pairs=0, judged=0, epochs=60, tokens=512, lr=5e-3
    )
    run = Session(name, tmp_path / "translation.pt", asdict(config), seed=0)
    result: Result = train_translation(config, run)
    assert result.data["train pairs"] == 16
    assert result.data["signature"].startswith("nrefs:1|case:mixed|")
    assert run.curve[-1]["dev loss"] < 0.5 * run.curve[0]["dev loss"]
    assert result.metrics["BLEU beam"] > 50 > result.baselines["source copied"]["BLEU beam"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "rnn"}, "model is 'rnn', expected transformer or lstm"),
        ({"layers": "slow"}, "layers is 'slow', expected fast or clear"),
        ({"label_smoothing": -0.1}, "label_smoothing is -0.1, expected 0 or more"),
        ({"examples": 0}, "examples is 0, expected 1 or more"),
    ],
)
def test_a_wrong_setting_is_one_line(change: dict[str, object], message: str) -> None:
    with pytest.raises(CourseError, match=message):
        replace(SMALL, **change)


def test_sizes_that_do_not_fit_are_one_line() -> None:
    with pytest.raises(CourseError, match="d_model is 33, expected an even multiple of num_heads"):
        build(replace(SMALL, d_model=33), 10)


def test_every_field_of_a_configuration_is_explained() -> None:
    for cls in (DatesConfig, TranslationConfig):
        for base in cls.__mro__[:-1]:
            lines = (
                Path(__import__(base.__module__, fromlist=["_"]).__file__)
                .read_text(encoding="utf-8")
                .splitlines()
            )
            for field in (each for each in fields(base) if each.name in base.__annotations__):
                place = next(i for i, line in enumerate(lines) if line.startswith(f"    {field.name}: "))
                assert lines[place + 1].startswith('    """'), f"{base.__name__}.{field.name}"


@pytest.mark.parametrize("preset", [("dates", "laptop"), ("dates-lstm", "laptop"), ("translation", "gpu")])
def test_the_page_of_real_runs_counts_the_parameters_that_a_model_has(preset: tuple[str, str]) -> None:
    config = PRESETS[preset[0]][preset[1]]
    page = project_root(Path(__file__).parent) / "chapters" / "attention" / "real-thing.md"
    cells = re.findall(
        r"^```\{code-cell\}[^\n]*\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    (cell,) = [each for each in cells if "def parameters(" in each]
    names: dict[str, Any] = {"groups": {}, "dates": dates}
    exec(cell, names)
    run = SimpleNamespace(config=asdict(config), data={"vocabulary": 300})
    assert names["parameters"](run) == sum(each.numel() for each in build(config, 300).parameters())
