"""Probes: what a linear classifier finds in a model's vectors, which stay as they are.

Letters: `N` words, `L` layers, `D` width, `C` classes.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from solutions.bert.examples import Examples
from solutions.bert.lens import states
from solutions.bert.model import Bert
from solutions.training.config import at_least


@dataclass(frozen=True)
class ProbeConfig:
    """Settings of looking into a trained model."""

    weights: str = "bert-laptop-0"
    """The model: run, preset and seed of a pre-training on this machine."""
    length: int = 128
    """Positions of a text at most; a longer one is cut."""
    examples: int = 600
    """Texts whose words the probes learn from, a part drawn once; 0 for all."""
    judged: int = 600
    """Texts of dev and of test, a part drawn once; 0 for all."""
    steps: int = 200
    """Steps of a probe's training."""
    decay: float = 1e-3
    """The squares of a probe's weights are added to its loss, times this."""

    def __post_init__(self) -> None:
        at_least(self, length=8, examples=0, judged=0, steps=1, decay=0)


def by_layer(
    bert: Bert,
    examples: dict[str, Examples],
    config: ProbeConfig,
    num_classes: int,
    control: int | None = None,
) -> dict[str, float]:
    """What probes get right after each layer: trained on words of `train`, asked about words of `test`.

    Args:
        bert: with clear layers, in evaluation mode.
        examples: tagged texts of the splits.
        config: of the probes.
        num_classes: C.
        control: ask for the labels of a control task instead, drawn from this seed.
    """
    (seen, gold), (new, new_gold) = (word_vectors(bert, examples[split]) for split in ("train", "test"))
    if control is not None:
        words = ([word for text in examples[split].words for word in text] for split in ("train", "test"))
        true = gold.tolist()
        gold, new_gold = (control_labels(each, true, control) for each in words)
    return {
        f"layer {number}": probe((one, gold), (other, new_gold), config, num_classes)
        for number, (one, other) in enumerate(zip(seen, new, strict=True))
    }


@torch.no_grad()
def word_vectors(bert: Bert, examples: Examples) -> tuple[list[Tensor], Tensor]:
    """The vectors of all words that have a label, each at its first piece, and the labels.

    Args:
        bert: with clear layers, in evaluation mode.
        examples: tagged texts.

    Returns:
        (N, D) float after each of 0 to L layers, and (N,) long.
    """
    parts, labels = [], []
    for rows in torch.arange(len(examples)).split(64):
        *texts, gold = examples.batch(rows, torch.device("cpu"))
        asked = gold != -100
        parts.append([each[asked] for each in states(bert, *texts)])
        labels.append(gold[asked])
    return [torch.cat(layer) for layer in zip(*parts, strict=True)], torch.cat(labels)


def probe(
    seen: tuple[Tensor, Tensor], new: tuple[Tensor, Tensor], config: ProbeConfig, num_classes: int
) -> float:
    """Train a linear classifier on `seen`, and return the share of `new` that it gets right.

    Args:
        seen: (N, D) float and (N,) long.
        new: the same, of other texts.
        config: steps and decay.
        num_classes: C.
    """
    centre, scale = seen[0].mean(0), seen[0].std(0) + 1e-6
    inputs = (seen[0] - centre) / scale
    weight = torch.zeros(inputs.shape[1], num_classes, requires_grad=True)
    bias = torch.zeros(num_classes, requires_grad=True)
    optimizer = torch.optim.Adam([weight, bias], lr=0.05)
    for _ in range(config.steps):
        loss = F.cross_entropy(inputs @ weight + bias, seen[1]) + config.decay * weight.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        found = ((new[0] - centre) / scale @ weight + bias).argmax(dim=1)
    return (found == new[1]).float().mean().item()


def control_labels(words: Iterable[str], labels: Sequence[int], seed: int) -> Tensor:
    """A control task (Hewitt and Liang, 2019): each word has a label drawn at random, wherever it stands.

    Args:
        words: N of them.
        labels: true ones of some words; what is frequent there is drawn often.
        seed: of the draw.

    Returns:
        (N,) long.
    """
    return torch.tensor([random.Random(f"{seed} {word}").choice(labels) for word in words])
