"""What `nlpcourse train` trains for the topic `attention`, on what, and how it is judged.

Dates as people write them become `yyyy-mm-dd`: small, generated, and every answer is certain. Captions of Multi30k are
translated from German to English, by a Transformer and by LSTMs with attention. Settings were chosen on the dev sets;
what is recorded is the test set.
"""

import hashlib
from collections import Counter
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor

from nlpcourse.data import dates, published
from solutions.attention.decoding import beam_search_batch
from solutions.attention.learning import (
    END,
    PAD,
    START,
    Pairs,
    Seq2SeqConfig,
    build,
    mean_loss,
    task,
    write,
)
from solutions.attention.maps import cross_attention_maps
from solutions.attention.pocket import pack
from solutions.attention.transformer import Transformer
from solutions.training.config import at_least
from solutions.training.loop import fit
from solutions.training.runs import Result, Run
from solutions.training.session import Session
from solutions.training.tokenizer import train_bpe

assert (dates.PAD, dates.START, dates.END) == (PAD, START, END)


@dataclass(frozen=True)
class DatesConfig(Seq2SeqConfig):
    """Settings of date normalisation."""

    examples: int = 20_000
    """Pairs to train on."""
    judged: int = 2_000
    """Pairs of the test set; a fifth of so many of the dev set, after each epoch."""
    maps: int = 6
    """Texts whose attention maps are written beside the record of seed 0; 0 for none."""
    pocket: bool = False
    """Whether the weights of seed 0 are written too, in eight bits, for a page that computes with them."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, examples=1, judged=5, maps=0)


@dataclass(frozen=True)
class TranslationConfig(Seq2SeqConfig):
    """Settings of translation."""

    vocabulary: int = 8_000
    """Tokens of the byte-pair encoding that both languages share."""
    pairs: int = 0
    """Pairs of the training set, from the first on; 0 for all."""
    judged: int = 0
    """Pairs of the test set, from the first on; 0 for all."""
    beam: int = 4
    """Continuations that the beam search keeps."""
    alpha: float = 0.6
    """How much longer translations are favoured."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, vocabulary=300, pairs=0, judged=0, beam=1, alpha=0)


def train_dates(config: DatesConfig, session: Session) -> Result:
    """Date normalisation, judged by the share of dates that are right to the last character."""
    texts = {
        split: dates.date_pairs(split, count, seed=0)
        for split, count in {
            "train": config.examples,
            "dev": config.judged // 5,
            "test": config.judged,
        }.items()
    }
    pairs = {split: _characters(each) for split, each in texts.items()}
    torch.manual_seed(session.seed)
    model = build(config, dates.vocabulary_size())

    def right(split: str) -> float:
        found = write(model, pairs[split], session.device, rows=500, max_length=dates.TARGET_LENGTH)
        answers = zip(found, texts[split], strict=True)
        return sum(dates.decode(numbers) == date for numbers, (_, date) in answers) / len(found)

    def measure() -> dict[str, float]:
        return {
            "dev loss": mean_loss(model, pairs["dev"], config, session.device),
            "dev exact match": right("dev"),
        }

    fit(
        task(
            model, pairs["train"], config, session, vocabulary_size=dates.vocabulary_size(), measure=measure
        ),
        session,
        every=50,
    )
    model.eval()
    frequent, _ = Counter(date for _, date in texts["train"]).most_common(1)[0]
    data: dict[str, Any] = {f"{split} pairs": len(each) for split, each in texts.items()}
    return Result(
        {"name": "dates", **data, "sha256": _hash(texts["train"])},
        {"exact match": right("test"), "test loss": mean_loss(model, pairs["test"], config, session.device)},
        {
            "most frequent date": {
                "exact match": sum(date == frequent for _, date in texts["test"]) / config.judged
            }
        },
        _files(model, config, texts) if session.seed == 0 else None,
    )


def train_translation(config: TranslationConfig, session: Session) -> Result:
    """German to English on Multi30k, judged by BLEU on the test set of 2016."""
    import sacrebleu

    texts = {
        split: published.multi30k(split, "de", "en")[: most or None]
        for split, most in {"train": config.pairs, "dev": config.judged, "test": config.judged}.items()
    }
    both = [side for pair in texts["train"] for side in pair]
    tokenizer = train_bpe(both, vocabulary=config.vocabulary, special=("<pad>", "<start>", "<end>"))
    pairs = {split: _pieces(each, tokenizer, config.max_length) for split, each in texts.items()}
    size = tokenizer.get_vocab_size()
    torch.manual_seed(session.seed)
    model = build(config, size)

    def measure() -> dict[str, float]:
        return {"dev loss": mean_loss(model, pairs["dev"], config, session.device)}

    fit(
        task(model, pairs["train"], config, session, vocabulary_size=size, measure=measure), session, every=50
    )
    model.eval()
    references = [[english for _, english in texts["test"]]]
    metrics = {"test loss": mean_loss(model, pairs["test"], config, session.device)}
    bleu = sacrebleu.metrics.BLEU()
    longest = config.max_length - 1
    for name, found in {
        "greedy": write(model, pairs["test"], session.device, rows=100, max_length=longest),
        "beam": _by_beam(model, pairs["test"], config, session.device),
    }.items():
        metrics[f"BLEU {name}"] = bleu.corpus_score(tokenizer.decode_batch(found), references).score
    copied = bleu.corpus_score([german for german, _ in texts["test"]], references).score
    data = {f"{split} pairs": len(each) for split, each in texts.items()}
    return Result(
        {
            "name": "multi30k de-en",
            **data,
            "vocabulary": size,
            "sha256": _hash(texts["train"]),
            "signature": str(bleu.get_signature()),
            "sacrebleu": version("sacrebleu"),
        },
        metrics,
        {"source copied": {"BLEU greedy": copied, "BLEU beam": copied}},
    )


def _characters(texts: list[tuple[str, str]]) -> Pairs:
    sources, targets = ([dates.encode([pair[side]], marks=side == 1)[0] for pair in texts] for side in (0, 1))
    return Pairs(sources, targets)


def _pieces(texts: list[tuple[str, str]], tokenizer: Any, max_length: int) -> Pairs:
    """Pairs as pieces of words, cut to the positions that the model has."""
    sides = [tokenizer.encode_batch([pair[side] for pair in texts]) for side in (0, 1)]
    sources = [torch.tensor([*each.ids[: max_length - 1], END]) for each in sides[0]]
    return Pairs(sources, [torch.tensor([START, *each.ids[: max_length - 1], END]) for each in sides[1]])


def _by_beam(model: Any, pairs: Pairs, config: TranslationConfig, device: torch.device) -> list[list[int]]:
    """What beam search writes for each source, in order."""
    written: list[list[int]] = []
    for examples in torch.arange(len(pairs.sources)).split(50):
        source, _ = pairs.batch(examples, device)
        found = beam_search_batch(
            model,
            source,
            start=START,
            end=END,
            beam_size=config.beam,
            max_length=config.max_length - 1,
            alpha=config.alpha,
        )
        written += [[token for token in tokens if token != END] for tokens, _ in found]
    return written


def _files(model: Any, config: DatesConfig, texts: dict[str, list[tuple[str, str]]]) -> dict[str, Any] | None:
    """For pages: attention maps of a few texts, and the model itself, as far as the settings ask for them."""
    if config.model != "transformer":
        return None
    clear = build(replace(config, layers="clear"), dates.vocabulary_size())
    assert isinstance(clear, Transformer)
    clear.load_state_dict({name: tensor.cpu() for name, tensor in model.state_dict().items()})
    clear.eval()
    files: dict[str, Any] = {}
    if config.maps:
        files["dates-attention.json"] = {"texts": _maps(clear, texts["test"][: config.maps])}
    if config.pocket:
        longest = max(len(text) for text, _ in texts["train"])
        files["heads.json"] = pack(clear, texts["test"], longest=longest)
    return files or None


def _maps(model: Transformer, texts: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """By text, what was written and the (L, H, T, S) weights of cross-attention."""
    chosen = []
    for text, _ in texts:
        source = dates.encode([text])
        (written,) = write(model, Pairs([source[0]], [source[0]]), torch.device("cpu"), rows=1, max_length=12)
        inputs = torch.tensor([[START, *written]])
        weights: Tensor = cross_attention_maps(model, source, inputs)
        chosen.append(
            {
                "text": text,
                "written": dates.decode(written),
                "weights": [
                    [[[round(value, 2) for value in row] for row in head] for head in layer]
                    for layer in weights.tolist()
                ],
            }
        )
    return chosen


def _hash(texts: list[tuple[str, str]]) -> str:
    return hashlib.sha256("\n".join("\t".join(pair) for pair in texts).encode()).hexdigest()


_SMALL: dict[str, Any] = {"d_model": 32, "num_heads": 2, "d_ff": 64, "depth": 1, "tokens": 1024}
_DATES: dict[str, Any] = {
    "d_model": 96,
    "num_heads": 4,
    "d_ff": 192,
    "depth": 2,
    "dropout": 0.0,
    "max_length": 64,
}
_DATES_STEPS: dict[str, Any] = {"lr": 2e-3, "schedule": "linear", "warmup": 200, "tokens": 4096}
_POCKET: dict[str, Any] = {**_DATES, **_DATES_STEPS, "d_model": 32, "d_ff": 64, "lr": 4e-3}

RUNS = (
    Run(
        "dates",
        "a Transformer that writes dates as yyyy-mm-dd",
        {
            "smoke": DatesConfig(**{**_DATES, **_SMALL}, epochs=2, examples=500, judged=50, maps=2, lr=3e-3),
            "laptop": DatesConfig(**_DATES, **_DATES_STEPS, epochs=10),
        },
        train_dates,
        threads=1,
        parallel=True,
    ),
    Run(
        "dates-pocket",
        "a Transformer that writes dates, so small that a page computes with it",
        {
            "smoke": DatesConfig(
                **{**_DATES, **_SMALL, "num_heads": 4}, epochs=2, examples=500, judged=50, maps=0, pocket=True
            ),
            "laptop": DatesConfig(**_POCKET, epochs=20, maps=0, pocket=True),
        },
        train_dates,
        threads=1,
        parallel=True,
    ),
    Run(
        "dates-lstm",
        "the same by LSTMs with additive attention",
        {
            "smoke": DatesConfig(model="lstm", **{**_DATES, **_SMALL}, epochs=2, examples=500, judged=50),
            "laptop": DatesConfig(model="lstm", **_DATES, **_DATES_STEPS, epochs=10),
        },
        train_dates,
        threads=1,
        parallel=True,
    ),
    Run(
        "translation",
        "a Transformer that translates captions from German to English",
        {
            "smoke": TranslationConfig(**_SMALL, epochs=2, pairs=300, judged=20, vocabulary=400),
            "laptop": TranslationConfig(
                lr=2e-3, schedule="inverse_sqrt", warmup=400, label_smoothing=0.1, epochs=6, vocabulary=4000
            ),
            "gpu": TranslationConfig(
                d_model=512,
                num_heads=8,
                d_ff=1024,
                depth=4,
                dropout=0.3,
                lr=1e-3,
                schedule="inverse_sqrt",
                warmup=2000,
                beta2=0.98,
                label_smoothing=0.1,
                tokens=8192,
                epochs=60,
                precision="bf16",
            ),
        },
        train_translation,
        parallel=True,
    ),
    Run(
        "translation-lstm",
        "the same by LSTMs with additive attention",
        {
            "smoke": TranslationConfig(
                model="lstm", **_SMALL, epochs=2, pairs=300, judged=20, vocabulary=400
            ),
            "laptop": TranslationConfig(
                model="lstm",
                depth=1,
                lr=2e-3,
                schedule="linear",
                warmup=100,
                label_smoothing=0.1,
                epochs=4,
                vocabulary=4000,
            ),
            "gpu": TranslationConfig(
                model="lstm",
                d_model=512,
                depth=2,
                dropout=0.3,
                lr=1e-3,
                warmup=500,
                label_smoothing=0.1,
                tokens=8192,
                epochs=30,
            ),
        },
        train_translation,
        parallel=True,
    ),
)
