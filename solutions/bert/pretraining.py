"""Pre-training as a task of the training loop: pairs of segments, hidden tokens, two losses.

Letters: `B` texts in a batch, `T` positions, `K` hidden tokens, `V` tokens in the vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.bert import flops
from solutions.bert.config import BertConfig
from solutions.bert.corpus import MASK, PAD, SPECIAL, Segments
from solutions.bert.fast import FastBertForPreTraining, Rows, enough
from solutions.bert.masking import mask_tokens
from solutions.bert.ngrams import Trigram
from solutions.bert.pairs import sentence_pairs
from solutions.training.config import at_least
from solutions.training.flops import training
from solutions.training.session import Session
from solutions.training.step import StepConfig
from solutions.training.task import GradientTask, Work


@dataclass(frozen=True)
class PretrainingConfig(StepConfig):
    """Settings of a BERT and of its pre-training."""

    weights: str = "bert-laptop"
    """Name under which the trained weights are kept, before the seed; fine-tunings ask for it."""
    start: str = ""
    """Weights to begin with, such as `bert-gpu-0`, whose sizes and vocabulary are then kept; empty for random ones."""
    epochs: int = 1
    """How often all pairs of neighbouring segments are gone over."""
    rows: int = 32
    """Texts of a batch."""
    length: int = 128
    """Positions of a text."""
    rate: float = 0.15
    """The share of tokens that are hidden."""
    files: int = 0
    """Files of the training split, from the first on; 0 for all."""
    judged: int = 1000
    """Texts of the dev set and of the test set at most."""
    vocabulary: int = 8000
    """Tokens of the WordPiece vocabulary."""
    d_model: int = 192
    """Width of the model."""
    num_heads: int = 3
    """Heads of each attention."""
    d_ff: int = 768
    """Width inside the feed-forward networks."""
    num_layers: int = 4
    """Layers of the encoder."""
    max_length: int = 128
    """How many positions have a vector."""
    dropout: float = 0.1
    """How likely an entry is set to zero."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, epochs=1, rows=1, length=8, rate=0, files=0, judged=1)
        if not self.rate <= 1:
            raise CourseError(f"rate is {self.rate}, expected 1 or less")
        if self.length > self.max_length:
            raise CourseError(f"length is {self.length}, expected at most max_length, {self.max_length}")

    def sizes(self, vocabulary_size: int) -> BertConfig:
        """Of the model.

        Raises:
            CourseError: they do not fit each other.
        """
        try:
            return BertConfig(
                vocabulary_size=vocabulary_size,
                d_model=self.d_model,
                num_heads=self.num_heads,
                d_ff=self.d_ff,
                num_layers=self.num_layers,
                max_length=self.max_length,
                dropout=self.dropout,
            )
        except ValueError as error:
            raise CourseError(str(error)) from error


@dataclass(frozen=True)
class Held:
    """Held-out texts with hidden tokens, the same ones whenever they are asked for.

    Every chosen token is hidden by `[MASK]`. Training lets some of them stay, where a model that copies is right and a
    baseline that does not see the token cannot be.
    """

    inputs: Tensor
    """(B, T) long."""
    types: Tensor
    """(B, T) long."""
    labels: Tensor
    """(B, T) long, -100 where nothing is asked."""
    is_next: Tensor
    """(B,) bool."""

    @classmethod
    def of(cls, segments: Segments, config: PretrainingConfig, size: int) -> "Held":
        """Pairs of a split, drawn once; `size` is V."""
        generator = torch.Generator().manual_seed(0)
        pairs, is_next = _tensors(sentence_pairs(segments.documents, generator))
        chosen = torch.randperm(len(pairs), generator=generator)[: config.judged]
        tokens, types = segments.texts(pairs[chosen], config.length)
        _, labels = mask_tokens(tokens, _special(tokens), MASK, size, generator, config.rate)
        inputs = tokens.masked_fill(labels != -100, MASK)  # what stays could be copied
        return cls(inputs, types, labels, is_next[chosen])

    def asked(self) -> tuple[np.ndarray, np.ndarray]:
        """(K, 2) and (K,) int64: the two true tokens before each hidden position, and what stood there."""
        true = torch.where(self.labels != -100, self.labels, self.inputs)
        before = torch.stack([F.pad(true, (apart, 0), value=PAD)[:, :-apart] for apart in (2, 1)], dim=-1)
        where = self.labels != -100
        return before[where].numpy(), self.labels[where].numpy()

    def judge(self, model: FastBertForPreTraining, device: torch.device) -> dict[str, float]:
        """What the model finds: hidden tokens, their loss in nats, and whether the second segment is the next."""
        sums = torch.zeros(3, dtype=torch.float64)
        for rows in torch.arange(len(self.inputs)).split(64):
            inputs, types, labels = (each[rows].to(device) for each in (self.inputs, self.types, self.labels))
            hidden = model.bert(inputs, types, inputs != PAD)  # (b, T, D)
            gold = labels[labels != -100]  # (k,)
            logits = model.mlm(hidden[labels != -100]).float()  # (k, V)
            follows = model.nsp(hidden).argmax(1) == 0
            right = [(logits.argmax(1) == gold).sum(), F.cross_entropy(logits, gold, reduction="sum")]
            sums += torch.stack([*right, (follows.cpu() == self.is_next[rows]).sum()]).double().cpu()
        tokens, loss, pairs = sums.tolist()
        count = int((self.labels != -100).sum())
        return {
            "masked tokens right": tokens / count,
            "masked loss": loss / count,
            "next sentence right": pairs / len(self.inputs),
        }


def baselines(train: Segments, dev: Held, test: Held, size: int) -> dict[str, dict[str, float]]:
    """What counting finds at the hidden positions of `test`; the trigram's weights are fitted on `dev`."""
    tokens = train.tokens.windows(torch.zeros(1, dtype=torch.long), len(train.tokens))[0].cpu().numpy()
    trigram = Trigram(tokens, size, *dev.asked())
    often = test.is_next.double().mean().item()
    return {
        "unigram": trigram.judge_unigram(test.asked()[1]),
        "trigram": trigram.judge(*test.asked()),
        "majority": {"next sentence right": max(often, 1 - often)},
    }


def task(
    model: FastBertForPreTraining,
    segments: Segments,
    config: PretrainingConfig,
    session: Session,
    *,
    size: int,
    measure: Callable[[], dict[str, float]],
) -> GradientTask:
    """Pre-training for `loop.fit`; `size` is V. Each epoch draws new pairs, and each visit hides other tokens.

    All batches are of one size, so that shapes never change: what is left over waits for the next epoch.
    """
    random = _default_generator(session.device)
    pairs, is_next = _tensors([])

    def batches(generator: torch.Generator) -> list[Tensor]:
        nonlocal pairs, is_next
        pairs, is_next = _tensors(sentence_pairs(segments.documents, generator))
        order = torch.randperm(len(pairs), generator=generator)
        return [rows for rows in order.split(config.rows) if len(rows) == config.rows]

    def loss(network: nn.Module, examples: Tensor) -> tuple[Tensor, Tensor]:
        tokens, types = segments.texts(pairs[examples].to(session.device), config.length)
        inputs, labels = mask_tokens(tokens, _special(tokens), MASK, size, random, config.rate)
        next_labels = torch.full_like(labels, -100)
        next_labels[:, 0] = (~is_next[examples]).to(session.device)
        asked = enough(tokens.numel(), config.rate)
        mean = network(Rows(inputs, types, labels, next_labels), asked, len(examples))
        count = (labels != -100).sum().clamp(1, asked)
        return mean * count, count

    def work(examples: Tensor) -> Work:
        rows, positions = len(examples), len(examples) * config.length
        asked = enough(positions, config.rate)
        forward = flops.forward(model.config, rows, config.length, asked, rows)
        return Work(positions, training(forward))

    return GradientTask(
        model,
        config,
        session,
        epochs=config.epochs,
        words=2 * segments.words,  # a segment is a first one once, and a second one once
        batches=batches,
        loss=loss,
        measure=measure,
        work=work,
    )


def _tensors(pairs: list[tuple[int, int, bool]]) -> tuple[Tensor, Tensor]:
    """(P, 2) long and (P,) bool."""
    return torch.tensor([pair[:2] for pair in pairs]).view(-1, 2), torch.tensor([pair[2] for pair in pairs])


def _special(tokens: Tensor) -> Tensor:
    """Where nothing is hidden: at special tokens, and at words that have no number of their own."""
    return tokens < len(SPECIAL)


def _default_generator(device: torch.device) -> torch.Generator:
    """Torch's own, whose state a checkpoint keeps."""
    return torch.cuda.default_generators[device.index] if device.type == "cuda" else torch.default_generator
