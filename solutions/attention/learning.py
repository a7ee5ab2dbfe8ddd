"""A sequence-to-sequence model as a task of the training loop: pairs, batches by length, teacher forcing.

Letters: `B` pairs in a batch, `S` places of a source, `T` of a target, `V` tokens in the vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.attention.decoding import greedy
from solutions.attention.fast import FastDecoderLayer, FastEncoderLayer
from solutions.attention.masks import causal_mask, padding_mask
from solutions.attention.recurrent import RecurrentConfig, RecurrentSeq2Seq
from solutions.attention.transformer import Transformer, TransformerConfig
from solutions.training import flops
from solutions.training.batches import by_length, padded
from solutions.training.config import at_least
from solutions.training.session import Session
from solutions.training.step import StepConfig
from solutions.training.task import GradientTask, Work

PAD, START, END = 0, 1, 2
"""Numbers of the three tokens that are no text, in every vocabulary here."""


@dataclass(frozen=True)
class Seq2SeqConfig(StepConfig):
    """Settings of a model that reads a source and writes a target, and of its training."""

    model: str = "transformer"
    """`transformer`, or `lstm`: LSTMs with additive attention."""
    layers: str = "fast"
    """Of the Transformer: `fast` (torch's fused attention), or `clear` (what a student writes); the same numbers."""
    epochs: int = 10
    """How often all pairs are gone over."""
    tokens: int = 4096
    """Places of a batch, padding and both sides counted."""
    d_model: int = 128
    """Width of the model."""
    num_heads: int = 4
    """Heads of each attention."""
    d_ff: int = 512
    """Width inside the feed-forward networks."""
    depth: int = 2
    """Layers of the encoder, and of the decoder."""
    dropout: float = 0.1
    """How likely an entry is set to zero."""
    norm_first: bool = True
    """Whether norms stand before the sub-layers."""
    label_smoothing: float = 0.0
    """The share of the target's probability that is spread over all tokens."""
    max_length: int = 128
    """How many places have a position."""

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, epochs=1, tokens=1, depth=1, label_smoothing=0, max_length=1)
        for name, known in {"model": ("transformer", "lstm"), "layers": ("fast", "clear")}.items():
            if getattr(self, name) not in known:
                raise CourseError(f"{name} is {getattr(self, name)!r}, expected {' or '.join(known)}")


@dataclass(frozen=True)
class Pairs:
    """Sources and targets as token numbers."""

    sources: list[Tensor]
    """Each (S,) long."""
    targets: list[Tensor]
    """Each (T,) long, from `START` to `END`."""

    @property
    def lengths(self) -> Tensor:
        """(N, 2) long, of sources and of what is predicted."""
        sides = zip(self.sources, self.targets, strict=True)
        return torch.tensor([[len(source), len(target) - 1] for source, target in sides])

    def batch(self, examples: Tensor, device: torch.device) -> tuple[Tensor, Tensor]:
        """(B, S) and (B, T) long, filled up with `PAD`."""
        chosen = examples.tolist()
        source = padded([self.sources[each] for each in chosen], PAD)
        return source.to(device), padded([self.targets[each] for each in chosen], PAD).to(device)


def build(config: Seq2SeqConfig, vocabulary_size: int) -> Transformer | RecurrentSeq2Seq:
    """A model with weights from torch's default generator; fast and clear layers start alike.

    Raises:
        CourseError: the sizes do not fit each other.
    """
    try:
        if config.model == "lstm":
            return RecurrentSeq2Seq(
                RecurrentConfig(
                    vocabulary_size=vocabulary_size,
                    pad=PAD,
                    d_model=config.d_model,
                    encoder_layers=config.depth,
                    dropout=config.dropout,
                )
            )
        settings = TransformerConfig(
            vocabulary_size=vocabulary_size,
            pad=PAD,
            d_model=config.d_model,
            num_heads=config.num_heads,
            d_ff=config.d_ff,
            encoder_layers=config.depth,
            decoder_layers=config.depth,
            dropout=config.dropout,
            norm_first=config.norm_first,
            max_length=config.max_length,
        )
    except ValueError as error:
        raise CourseError(str(error)) from error
    clear = Transformer(settings)
    if config.layers == "clear":
        return clear
    fast = Transformer(settings, FastEncoderLayer, FastDecoderLayer)
    fast.load_state_dict(clear.state_dict())
    return fast


def loss_of(
    network: nn.Module, source: Tensor, target: Tensor, smoothing: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Teacher forcing: every token is predicted from the true ones before it.

    Args:
        network: a model, or what wraps it.
        source: (B, S) long.
        target: (B, T) long.
        smoothing: the share of each target's probability that is spread over all tokens.

    Returns:
        The sum of the losses, in nats, and of how many tokens it is; padding is none.
    """
    inputs, labels = target[:, :-1], target[:, 1:]  # (B, T - 1) each
    mask = padding_mask(inputs, PAD) & causal_mask(inputs.shape[1]).to(inputs.device)
    logits = network(source, inputs, padding_mask(source, PAD), mask)  # (B, T - 1, V)
    flat = logits.flatten(0, 1), labels.flatten()
    total = F.cross_entropy(*flat, ignore_index=PAD, label_smoothing=smoothing, reduction="sum")
    return total, (labels != PAD).sum()


def task(
    model: Transformer | RecurrentSeq2Seq,
    pairs: Pairs,
    config: Seq2SeqConfig,
    session: Session,
    *,
    vocabulary_size: int,
    measure: Callable[[], dict[str, float]],
) -> GradientTask:
    """Training on pairs, for `loop.fit`."""
    lengths = pairs.lengths

    def loss(network: nn.Module, examples: Tensor) -> tuple[Tensor, Tensor]:
        source, target = pairs.batch(examples, session.device)
        return loss_of(network, source, target, config.label_smoothing)

    def work(examples: Tensor) -> Work:
        sizes = lengths[examples]
        if config.model == "lstm":
            return Work(int(sizes.sum()))
        batch, (read, written) = len(examples), sizes.amax(0).tolist()
        width, inner = config.d_model, config.d_ff
        one = flops.encoder_layer(batch, read, width, inner)
        other = flops.decoder_layer(batch, written, read, width, inner)
        head = flops.vocabulary_head(batch * written, width, vocabulary_size)
        return Work(int(sizes.sum()), flops.training(config.depth * (one + other) + head))

    return GradientTask(
        model,
        config,
        session,
        epochs=config.epochs,
        words=int(lengths.sum()),
        batches=lambda generator: by_length(lengths, tokens=config.tokens, generator=generator),
        loss=loss,
        measure=measure,
        work=work,
    )


def mean_loss(model: nn.Module, pairs: Pairs, config: Seq2SeqConfig, device: torch.device) -> float:
    """The loss per token without smoothing, in nats; `model` in evaluation mode."""
    batches = by_length(pairs.lengths, tokens=config.tokens, generator=torch.Generator().manual_seed(0))
    sums = [torch.stack([*loss_of(model, *pairs.batch(batch, device))]).double().cpu() for batch in batches]
    total, tokens = torch.stack(sums).sum(0).tolist()
    return float(total / tokens)


def write(
    model: Transformer | RecurrentSeq2Seq, pairs: Pairs, device: torch.device, *, rows: int, max_length: int
) -> list[list[int]]:
    """What the model writes greedily for each source, in order, `END` left out; `rows` sources at once."""
    written: list[list[int]] = []
    for examples in torch.arange(len(pairs.sources)).split(rows):
        source, _ = pairs.batch(examples, device)
        found = greedy(model, source, start=START, end=END, max_length=max_length)
        written += [each[:-1] if each[-1:] == [END] else each for each in found]
    return written
