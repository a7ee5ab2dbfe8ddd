"""A small language model with all that the engine meets: ties, norms, biases, dropout, sequences of unlike length.

As a script, under torchrun, it trains and process 0 writes what it got: losses, weights, tokens.
"""

import faulthandler
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.training import device, distributed
from solutions.training.batches import by_length, padded
from solutions.training.loop import fit
from solutions.training.session import Session
from solutions.training.step import StepConfig
from solutions.training.task import GradientTask, Work

V, D = 30, 16


@dataclass(frozen=True)
class TinyConfig(StepConfig):
    """Settings of the tests' model."""

    epochs: int = 3
    dropout: float = 0.0
    tokens: int = 60
    layers: int = 2
    epsilon: float = 1e-2  # with a small one, Adam makes a large step of a gradient that is a rounding error


class TinyModel(nn.Module):
    """From (B, T) long to (B, T, V) logits of the next token."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.words = nn.Embedding(V, D)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(D, 2, 32, config.dropout, batch_first=True)
            for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(D)
        self.head = nn.Linear(D, V)
        self.head.weight = self.words.weight

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        x = self.words(tokens)
        for layer in self.layers:
            x = layer(x, src_mask=mask)
        return self.head(self.norm(x))


def sequences() -> list[Tensor]:
    """Counting from different numbers, so that there is something to learn."""
    rng = torch.Generator().manual_seed(0)
    lengths = torch.randint(2, 13, (50,), generator=rng).tolist()
    starts = torch.randint(1, V, (50,), generator=rng).tolist()
    return [
        (torch.arange(length) + start) % (V - 1) + 1 for length, start in zip(lengths, starts, strict=True)
    ]


def tiny_task(
    config: TinyConfig, session: Session, after_batch: Callable[[Tensor], None] = lambda batch: None
) -> tuple[GradientTask, TinyModel]:
    """The task and its model; `after_batch` is called with each part of a batch."""
    torch.manual_seed(session.seed)
    model = TinyModel(config)
    examples = sequences()
    lengths = torch.tensor([len(each) for each in examples])

    def loss(network: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor]:
        after_batch(batch)
        tokens = padded([examples[number] for number in batch.tolist()], 0).to(session.device)
        logits = network(tokens[:, :-1])
        gold = tokens[:, 1:]
        total = F.cross_entropy(logits.flatten(0, 1).float(), gold.flatten(), ignore_index=0, reduction="sum")
        return total, (gold != 0).sum()

    task = GradientTask(
        model,
        config,
        session,
        epochs=config.epochs,
        words=int(lengths.sum()),
        batches=lambda generator: by_length(lengths, tokens=config.tokens, generator=generator),
        loss=loss,
        measure=lambda: {"drops": float(model.training)},
        work=lambda batch: Work(int(lengths[batch].sum()), 1e6 * len(batch)),
    )
    return task, model


def main(folder: Path) -> None:
    """Train one case of `cases.json` after the other.

    Each has a name, settings, whether to resume, and the number of parts of batches after which process 1 alone is
    asked to stop. What the processes got goes to `<name>.result`, or the message of the error that ended it.
    """
    with distributed.processes():
        for case in json.loads((folder / "cases.json").read_text()):
            found: dict[str, object]
            try:
                found = trained(folder / f"{case['checkpoint']}.pt", case)
            except CourseError as error:
                found = {"error": str(error)}
            if distributed.rank() == 0:
                torch.save({**found, "world": distributed.world()}, folder / f"{case['name']}.result")


def trained(checkpoint: Path, case: dict) -> dict[str, object]:
    """Curve, tensors and tokens of one case."""
    config, parts = TinyConfig(**case["settings"]), 0

    def count(batch: Tensor) -> None:
        nonlocal parts
        parts += 1
        if parts == case["stop"] and distributed.rank() == 1:
            session.stop()

    session = Session(
        "tiny", checkpoint, asdict(config), seed=1, resume=case["resume"], device=device.choose()
    )
    task, _ = tiny_task(config, session, count)
    with session.running():
        fit(task, session, every=2)
    return {
        "curve": session.curve,
        "tensors": distributed.collected(task.tensors()),
        "tokens": session.tokens,
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    faulthandler.dump_traceback_later(240, exit=True)  # processes that wait for each other say where
    main(Path(sys.argv[1]))
