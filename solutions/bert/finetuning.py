"""Fine-tuning as a task of the training loop: trained weights, a small head, examples with labels.

Letters: `B` texts in a batch, `T` positions, `C` classes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.bert.config import BertConfig
from solutions.bert.examples import Examples
from solutions.bert.model import BertForPreTraining
from solutions.bert.released import from_pretrained, locate, save_pretrained
from solutions.bert.spans import best_span
from solutions.training import flops
from solutions.training.batches import by_length
from solutions.training.config import at_least
from solutions.training.session import Session
from solutions.training.step import StepConfig
from solutions.training.task import GradientTask, Work

_TOKENIZER = "tokenizer.json"
_LONGEST_ANSWER = 64


@dataclass(frozen=True)
class FineTuningConfig(StepConfig):
    """Settings of a fine-tuning."""

    weights: str = "bert-laptop-0"
    """What to begin with: run, preset and seed of a pre-training on this machine, or the name of a released model."""
    fresh: bool = False
    """Begin with random weights of the same sizes instead, to see what pre-training gives."""
    epochs: int = 3
    """How often all examples are gone over."""
    tokens: int = 2048
    """Positions of a batch, padding counted."""
    length: int = 128
    """Positions of a text at most; a longer one is cut."""
    examples: int = 0
    """Examples to train on, a part drawn once; 0 for all."""
    judged: int = 0
    """Examples of dev and of test, a part drawn once; 0 for all."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, epochs=1, tokens=1, length=8, examples=0, judged=0)


def keep_weights(model: nn.Module, tokenizer: Tokenizer, name: str, session: Session) -> None:
    """Write a trained model and its tokenizer beside the records of runs."""
    save_pretrained(model, session.folder / name)
    tokenizer.save(str(session.folder / name / _TOKENIZER))


def begin(weights: str, length: int, session: Session) -> tuple[BertForPreTraining, Tokenizer]:
    """A trained model and its tokenizer.

    Args:
        weights: run, preset and seed of a pre-training on this machine, such as `bert-laptop-0`; or the name of a
            released model, which has a `/`.
        length: positions that it has to read.
        session: of the run; it knows where the weights of other runs lie.

    Raises:
        CourseError: there is no such model, it has no tokenizer, or it reads less.
    """
    released = "/" in weights
    folder = locate(weights) if released else session.folder / weights
    if not (folder / _TOKENIZER).is_file():
        if released:
            raise CourseError(f"{folder} has no {_TOKENIZER}; take a checkpoint that has one")
        run, preset, seed = ["bert", *weights.rsplit("-", 2)][-3:]
        make = f"nlpcourse train {run} --preset {preset} --seed {seed}"
        raise CourseError(f"there are no trained weights {folder}; make them with {make}")
    model = from_pretrained(folder).model
    if (longest := model.config.max_length) < length:
        raise CourseError(
            f"{weights} reads {longest} positions, length is {length}; use --set length={longest}"
        )
    tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return model, tokenizer


def class_loss(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Summed loss and number of texts, from (B, C) and (B, 1)."""
    return F.cross_entropy(logits, labels[:, 0], reduction="sum"), labels.new_tensor(len(labels))


def span_loss(logits: tuple[Tensor, Tensor], labels: Tensor) -> tuple[Tensor, Tensor]:
    """Summed mean of the losses of starts and ends, and number of texts, from twice (B, T) and (B, 2)."""
    pairs = zip(logits, labels.unbind(1), strict=True)
    total = torch.stack([F.cross_entropy(side, gold, reduction="sum") for side, gold in pairs])
    return total.mean(), labels.new_tensor(len(labels))


def tag_loss(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Summed loss and number of words, from (B, T, C) and (B, T)."""
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="sum"), (labels != -100).sum()


def task(
    model: nn.Module,
    sizes: BertConfig,
    examples: Examples,
    config: FineTuningConfig,
    session: Session,
    *,
    loss: Callable[[Any, Tensor], tuple[Tensor, Tensor]],
    measure: Callable[[], dict[str, float]],
) -> GradientTask:
    """Fine-tuning for `loop.fit`; `loss` turns logits and labels into a sum and the number of its terms."""
    lengths = examples.lengths

    def loss_of(network: nn.Module, rows: Tensor) -> tuple[Tensor, Tensor]:
        *texts, labels = examples.batch(rows, session.device)
        return loss(network(*texts), labels)

    def work(rows: Tensor) -> Work:
        longest = int(lengths[rows].max())
        layer = flops.encoder_layer(len(rows), longest, sizes.d_model, sizes.d_ff)
        return Work(int(lengths[rows].sum()), flops.training(sizes.num_layers * layer))

    return GradientTask(
        model,
        config,
        session,
        epochs=config.epochs,
        words=int(lengths.sum()),
        batches=lambda generator: by_length(lengths, tokens=config.tokens, generator=generator),
        loss=loss_of,
        measure=measure,
        work=work,
    )


def outputs(model: nn.Module, examples: Examples, device: torch.device) -> Iterator[tuple[int, list[Tensor]]]:
    """Each example's number and what the model says of it, (C,) or (T, C) or twice (T,), on the CPU; T is padded.

    In order of length; `model` in evaluation mode.
    """
    for rows in examples.lengths.argsort(stable=True).split(64):
        *texts, _ = examples.batch(rows, device)
        with torch.no_grad():
            logits = model(*texts)
        sides = [side.float().cpu() for side in (logits if isinstance(logits, tuple) else (logits,))]
        for place, number in enumerate(rows.tolist()):
            yield number, [side[place] for side in sides]


def judge_classes(model: nn.Module, examples: Examples, device: torch.device) -> dict[str, float]:
    """The share of texts whose most likely class is theirs."""
    found = ((number, int(side.argmax())) for number, (side,) in outputs(model, examples, device))
    return {"accuracy": sum(label == int(examples.labels[n]) for n, label in found) / len(examples)}


def judge_spans(model: nn.Module, examples: Examples, device: torch.device) -> dict[str, float]:
    """`span_scores` of the best span of each text."""
    spans = {}
    for number, (start, end) in outputs(model, examples, device):
        size = len(examples.tokens[number])
        context = examples.types[number] == 1
        context[-1] = False  # `[SEP]`
        spans[number] = best_span(start[:size], end[:size], _LONGEST_ANSWER, context)
    return span_scores([spans[number] for number in range(len(examples))], examples)


def span_scores(spans: Sequence[tuple[int, int]], examples: Examples) -> dict[str, float]:
    """The share of spans that are right, and the mean F1 of their positions, as for SQuAD (Rajpurkar et al., 2016)."""
    exact, overlap = 0, 0.0
    for (start, end), label in zip(spans, examples.labels, strict=True):
        first, last = label.tolist()
        exact += (start, end) == (first, last)
        both = max(0, min(end, last) - max(start, first) + 1)
        overlap += 2 * both / (end - start + 1 + last - first + 1)
    return {"exact match": exact / len(examples), "F1": overlap / len(examples)}


def judge_tags(
    model: nn.Module, examples: Examples, tags: Sequence[str], device: torch.device
) -> dict[str, float]:
    """`tag_scores` of the most likely tag of each word."""
    found = {}
    for number, (logits,) in outputs(model, examples, device):
        labels = examples.labels[number]
        found[number] = [tags[each] for each in logits[: len(labels)][labels != -100].argmax(-1).tolist()]
    return tag_scores([found[number] for number in range(len(examples))], examples, tags)


def tag_scores(found: list[list[str]], examples: Examples, tags: Sequence[str]) -> dict[str, float]:
    """Precision, recall and F1 of whole spans by seqeval: a span counts when its ends and its kind are right."""
    from seqeval.metrics import f1_score, precision_score, recall_score

    true = [[tags[each] for each in labels[labels != -100].tolist()] for labels in examples.labels]
    scores = {"F1": f1_score, "precision": precision_score, "recall": recall_score}
    return {name: float(score(true, found, zero_division=0)) for name, score in scores.items()}
