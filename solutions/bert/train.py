"""What `nlpcourse train` trains for the topic `bert`, on what, and how it is judged.

A BERT is pre-trained on the docstring corpus and then fine-tuned for four tasks whose labels the corpus gives; beside
them stand two published sets, with released weights. Dev is for choosing settings; what is recorded is test. SST-5 has
no published test file here, so dev is what its record and the published figure speak of; nothing is chosen on it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn

from nlpcourse.data import docstrings, published
from nlpcourse.data.published import Tagged
from solutions.bert import baselines, finetuning, lens, pretraining, probing, tasks
from solutions.bert.classifiers import SequenceClassifier
from solutions.bert.corpus import Segments, documents, information, tokenizer_of
from solutions.bert.examples import Examples, asked, classified, some, tagged
from solutions.bert.fast import FastBertEncoder, FastBertForPreTraining
from solutions.bert.finetuning import FineTuningConfig, begin
from solutions.bert.model import Bert, BertForPreTraining
from solutions.bert.pretraining import Held, PretrainingConfig
from solutions.bert.probing import ProbeConfig
from solutions.bert.spans import SpanClassifier
from solutions.bert.tagging import TokenClassifier
from solutions.bert.tasks import Classified
from solutions.training import distributed
from solutions.training.loop import fit
from solutions.training.runs import Result, Run
from solutions.training.session import Session

Judge = Callable[[nn.Module, Examples, torch.device], dict[str, float]]


def pretrain(config: PretrainingConfig, session: Session) -> Result:
    """Hidden tokens and next segments of the docstring corpus."""
    texts = {split: documents(split, config.files) for split in ("train", "dev", "test")}
    started = begin(config.start, config.length, session) if config.start else None
    tokenizer = started[1] if started else tokenizer_of(texts["train"], config.vocabulary)
    size, longest = tokenizer.get_vocab_size(), (config.length - 3) // 2
    train = Segments.of(texts["train"], tokenizer, longest, session.device)
    held = {
        split: Held.of(Segments.of(texts[split], tokenizer, longest, torch.device("cpu")), config, size)
        for split in ("dev", "test")
    }
    torch.manual_seed(session.seed)
    model = FastBertForPreTraining(started[0].config if started else config.sizes(size))
    if started:
        model.load_state_dict(started[0].state_dict())

    def measure() -> dict[str, float]:
        return {f"dev {name}": value for name, value in held["dev"].judge(model, session.device).items()}

    fit(
        pretraining.task(model, train, config, session, size=size, measure=measure),
        session,
        every=50,
    )
    model.eval()
    with torch.no_grad():
        metrics = held["test"].judge(model, session.device)
    if distributed.rank() == 0:
        finetuning.keep_weights(model, tokenizer, f"{config.weights}-{session.seed}", session)
    compared = pretraining.baselines(train, held["dev"], held["test"], size)
    return Result({**information(texts), "vocabulary": size}, metrics, compared)


def tune_packages(config: FineTuningConfig, session: Session) -> Result:
    """From which of nine packages a docstring is."""
    texts = _some(tasks.packages(), config)
    return _tune_classes(config, session, texts, len(tasks.PACKAGES), baselines.tfidf_classes)


def tune_pairs(config: FineTuningConfig, session: Session) -> Result:
    """Whether a body belongs to a summary line."""
    texts = _some(tasks.summaries(), config)
    return _tune_classes(config, session, texts, 2, baselines.tfidf_pairs)


def tune_sst5(config: FineTuningConfig, session: Session) -> Result:
    """The sentiment of a sentence, in five classes; judged on dev."""
    texts = _some({split: published.sst5(split) for split in ("train", "dev")}, config)
    sentences = {
        split: [Classified(text, "", label) for text, label in each] for split, each in texts.items()
    }
    sentences["test"] = sentences["dev"]
    return _tune_classes(config, session, sentences, 5, baselines.tfidf_classes, "sst5")


def tune_spans(config: FineTuningConfig, session: Session) -> Result:
    """The sentence of a docstring that describes a parameter."""
    bert, _, tokenizer = _start(config, session)
    texts = _some(tasks.questions(), config)
    examples = {split: asked(each, tokenizer, config.length) for split, each in texts.items()}
    model = SpanClassifier(bert.embeddings, bert.encoder, bert.config.d_model)
    metrics = _tune(model, bert, examples, config, session, finetuning.span_loss, finetuning.judge_spans)
    stops, test = {tokenizer.token_to_id(token) for token in ".!?"}, examples["test"]
    compared = {
        "first sentence": finetuning.span_scores(baselines.first_sentences(test, stops), test),
        "sentence behind the name": finetuning.span_scores(baselines.sentences_behind(test, stops), test),
    }
    return Result(_data(texts, examples), metrics, compared)


def tune_tags(config: FineTuningConfig, session: Session) -> Result:
    """Names and types of parameters."""
    texts = _some(tasks.entries(), config)
    return _tune_tags(config, session, texts)


def tune_wnut17(config: FineTuningConfig, session: Session) -> Result:
    """Entities in social media, of six kinds."""
    texts = _some({split: published.wnut17(split) for split in docstrings.SPLITS}, config)
    return _tune_tags(config, session, texts, "wnut17")


def look_inside(config: ProbeConfig, session: Session) -> Result:
    """After each layer: which tag of a parameter's entry a probe finds, and what the head guesses at hidden words."""
    trained, tokenizer = begin(config.weights, config.length, session)
    torch.manual_seed(session.seed)
    untrained = BertForPreTraining(trained.config).eval()
    texts = _some(tasks.entries(), config)
    tags = sorted({tag for each in texts.values() for text in each for tag in text.tags})
    examples = {split: tagged(each, tags, tokenizer, config.length) for split, each in texts.items()}
    with session.stretch(sum(len(text) for text in examples["train"].words)):
        metrics = probing.by_layer(trained.bert, examples, config, len(tags))
        compared = {
            "untrained": probing.by_layer(untrained.bert, examples, config, len(tags)),
            "control task": probing.by_layer(trained.bert, examples, config, len(tags), session.seed),
        }
    usual = baselines.frequent_tags(texts["train"], examples["test"].words)
    true = [label for labels in examples["test"].labels for label in labels[labels != -100].tolist()]
    right = sum(tags[label] == tag for label, tag in zip(true, chain(*usual), strict=True))
    compared["most frequent tag"] = {"accuracy": right / len(true)}
    hidden = [lens.guesses(trained, tokenizer, text) for text in lens.TEXTS]
    files = {"masked-words.json": {"weights": config.weights, "texts": hidden}} if session.seed == 0 else None
    return Result(_data(texts, examples), metrics, compared, files)


def _tune_classes(
    config: FineTuningConfig,
    session: Session,
    texts: dict[str, list[Classified]],
    num_classes: int,
    counted: Callable[[Sequence[Classified], Sequence[Classified]], dict[str, float]],
    name: str = "",
) -> Result:
    bert, pooler, tokenizer = _start(config, session)
    examples = {split: classified(each, tokenizer, config.length) for split, each in texts.items()}
    model = SequenceClassifier(bert.embeddings, bert.encoder, bert.config.d_model, num_classes)
    model.pooler.load_state_dict(pooler.state_dict())
    metrics = _tune(model, bert, examples, config, session, finetuning.class_loss, finetuning.judge_classes)
    compared = {
        "majority": baselines.majority(texts["train"], texts["test"]),
        "tfidf": counted(texts["train"], texts["test"]),
    }
    return Result(_data(texts, examples, name), metrics, compared)


def _tune_tags(
    config: FineTuningConfig, session: Session, texts: dict[str, list[Tagged]], name: str = ""
) -> Result:
    bert, _, tokenizer = _start(config, session)
    tags = sorted({tag for each in texts.values() for text in each for tag in text.tags})
    examples = {split: tagged(each, tags, tokenizer, config.length) for split, each in texts.items()}
    model = TokenClassifier(bert.embeddings, bert.encoder, bert.config.d_model, len(tags))

    def judge(model: nn.Module, examples: Examples, device: torch.device) -> dict[str, float]:
        return finetuning.judge_tags(model, examples, tags, device)

    metrics = _tune(model, bert, examples, config, session, finetuning.tag_loss, judge)
    usual = baselines.frequent_tags(texts["train"], examples["test"].words)
    compared = {"most frequent tag": finetuning.tag_scores(usual, examples["test"], tags)}
    return Result(_data(texts, examples, name), metrics, compared)


def _start(config: FineTuningConfig, session: Session) -> tuple[Bert, nn.Module, Any]:
    """Trained weights in fast form, or with `fresh` random ones, the pooler and the tokenizer.

    Torch's generator stands at the run's seed when new weights are drawn.
    """
    trained, tokenizer = begin(config.weights, config.length, session)
    torch.manual_seed(session.seed)
    if config.fresh:
        trained = BertForPreTraining(trained.config)
    bert = Bert(trained.config, encoder=FastBertEncoder)
    bert.load_state_dict(trained.bert.state_dict())
    return bert, trained.nsp.pooler, tokenizer


def _tune(
    model: nn.Module,
    bert: Bert,
    examples: dict[str, Examples],
    config: FineTuningConfig,
    session: Session,
    loss: Callable[[Any, Tensor], tuple[Tensor, Tensor]],
    judge: Judge,
) -> dict[str, float]:
    """Train on `train`, follow on `dev`, judge on `test`."""

    def measure() -> dict[str, float]:
        return {f"dev {name}": value for name, value in judge(model, examples["dev"], session.device).items()}

    fit(
        finetuning.task(model, bert.config, examples["train"], config, session, loss=loss, measure=measure),
        session,
        every=50,
    )
    model.eval()
    return judge(model, examples["test"], session.device)


def _some(texts: dict[str, list[Any]], config: FineTuningConfig | ProbeConfig) -> dict[str, list[Any]]:
    """As many as the settings ask for."""
    return {
        split: some(each, config.examples if split == "train" else config.judged)
        for split, each in texts.items()
    }


def _data(texts: dict[str, list[Any]], examples: dict[str, Examples], name: str = "") -> dict[str, Any]:
    """Counts and hash of the examples; of the docstring corpus without a name."""
    counts = {f"{split} examples": len(each) for split, each in examples.items()}
    digest = hashlib.sha256(repr(texts["train"]).encode()).hexdigest()
    if name:
        return {"name": name, **counts, "sha256": digest}
    return {"name": "docstrings", **counts, "sha256": digest, "versions": docstrings.load().info.versions}


_RELEASED = {
    "laptop": "sentence-transformers/all-MiniLM-L6-v2",
    "gpu": "google-bert/bert-base-uncased",
}
"""Weights for the published sets, whose texts are not documentation: a small BERT, and BERT-base."""

_TINY: dict[str, Any] = {
    "vocabulary": 600,
    "d_model": 32,
    "num_heads": 2,
    "d_ff": 64,
    "num_layers": 2,
    "max_length": 64,
    "files": 25,
    "judged": 50,
    "rows": 16,
    "epochs": 2,
}
_MINI: dict[str, Any] = {
    "vocabulary": 4000,
    "d_model": 128,
    "num_heads": 4,
    "d_ff": 512,
    "num_layers": 2,
    "dropout": 0.0,
    "rows": 32,
    "warmup": 100,
}
_BASE: dict[str, Any] = {
    "vocabulary": 30_528,
    "d_model": 768,
    "num_heads": 12,
    "d_ff": 3072,
    "num_layers": 12,
    "max_length": 512,
    "precision": "bf16",
    "compile": True,
}
_SMOKE: dict[str, Any] = {
    "weights": "bert-smoke-0",
    "length": 48,
    "examples": 200,
    "judged": 50,
    "epochs": 2,
    "tokens": 512,
    "lr": 3e-3,
}
_LAPTOP: dict[str, Any] = {"weights": "bert-long-laptop-0", "lr": 1e-3, "warmup": 50, "examples": 4000}
_GPU: dict[str, Any] = {"lr": 3e-5, "warmup": 100, "tokens": 8192, "precision": "bf16"}


def _on_docstrings(
    name: str, title: str, train: Callable[[FineTuningConfig, Session], Result], *, epochs: int
) -> tuple[Run, Run]:
    """A fine-tuning of the course's own BERT of the same preset, and the same training from random weights.

    Random weights need larger steps. Of 5e-4, 1e-3 and 2e-3 the laptop's rate was the best on dev in the mean of the
    four tasks, one seed each, and twice that rate was the best for random weights.
    """
    presets = {
        "smoke": FineTuningConfig(**_SMOKE),
        "laptop": FineTuningConfig(**_LAPTOP, epochs=epochs),
        "gpu": FineTuningConfig(**_GPU, weights="bert-long-gpu-0", length=512, epochs=epochs),
    }
    fresh = {preset: replace(config, fresh=True, lr=2 * config.lr) for preset, config in presets.items()}
    return (
        Run(name, title, presets, train, parallel=True),
        Run(f"{name}-fresh", f"{title}, from random weights", fresh, train, parallel=True),
    )


def _on_published(
    name: str, title: str, train: Callable[[FineTuningConfig, Session], Result], *, epochs: int
) -> Run:
    """A fine-tuning of released weights; in `smoke` of the course's own, which every machine can make."""
    small: dict[str, Any] = {"lr": 1e-4, "warmup": 50, "tokens": 1024}
    presets = {
        "smoke": FineTuningConfig(**_SMOKE),
        "laptop": FineTuningConfig(**small, weights=_RELEASED["laptop"], epochs=epochs),
        "gpu": FineTuningConfig(**_GPU, weights=_RELEASED["gpu"], epochs=epochs),
    }
    return Run(name, title, presets, train, parallel=True)


RUNS = (
    Run(
        "bert",
        "a BERT from nothing: hidden tokens and next segments",
        {
            "smoke": PretrainingConfig(**_TINY, weights="bert-smoke", length=32, lr=3e-3),
            "laptop": PretrainingConfig(**_MINI, length=64, epochs=4, lr=2e-3),
            "gpu": PretrainingConfig(**_BASE, weights="bert-gpu", rows=256, epochs=60, lr=2e-4, warmup=800),
        },
        pretrain,
        parallel=True,
    ),
    Run(
        "bert-long",
        "the same BERT, trained on with longer texts",
        {
            "smoke": PretrainingConfig(
                **_TINY, weights="bert-long-smoke", start="bert-smoke-0", length=64, lr=1e-3
            ),
            "laptop": PretrainingConfig(
                **_MINI, weights="bert-long-laptop", start="bert-laptop-0", length=128, lr=2e-3
            ),
            "gpu": PretrainingConfig(
                **_BASE,
                weights="bert-long-gpu",
                start="bert-gpu-0",
                length=512,
                rows=64,
                epochs=10,
                lr=1e-4,
                warmup=100,
            ),
        },
        pretrain,
        parallel=True,
    ),
    *_on_docstrings("bert-packages", "which package a docstring is from", tune_packages, epochs=3),
    *_on_docstrings("bert-pairs", "whether a body belongs to a summary line", tune_pairs, epochs=4),
    *_on_docstrings("bert-spans", "the sentence that describes a parameter", tune_spans, epochs=3),
    *_on_docstrings("bert-tags", "names and types of parameters", tune_tags, epochs=8),
    Run(
        "bert-layers",
        "what the course's BERT knows after each layer: probes, and guesses of hidden words",
        {
            "smoke": ProbeConfig(weights="bert-smoke-0", length=48, examples=50, judged=50, steps=20),
            "laptop": ProbeConfig(weights="bert-long-laptop-0"),
            "gpu": ProbeConfig(weights="bert-long-gpu-0"),
        },
        look_inside,
    ),
    _on_published("sst5", "the sentiment of a sentence, in five classes", tune_sst5, epochs=3),
    _on_published("wnut17", "entities in social media", tune_wnut17, epochs=5),
)
