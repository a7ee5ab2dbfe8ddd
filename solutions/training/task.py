"""What is trained: the protocol of the loop, and the task of every model that is trained by gradients."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.training import distributed
from solutions.training.session import Session
from solutions.training.step import Loss, Step, StepConfig


class Task(Protocol):
    """The loop asks for batches and hands them back one by one."""

    epochs: int
    words: int
    """Words of the corpus that one epoch goes over."""
    generator: torch.Generator
    """Of the batches."""

    def tensors(self) -> dict[str, Tensor]:
        """All that training changes, by name; changed in place."""
        ...

    def batches(self) -> Sequence[Any]:
        """The batches of one epoch. Nothing is drawn from `generator` after this."""
        ...

    def update(self, batch: Any, done: float) -> float | Tensor | None:
        """One step; `done` is the share of the training before it. Its loss, or None where it is not computed."""
        ...

    def measure(self) -> dict[str, float]:
        """Metrics for the curve, at the end of an epoch; not part of the time of training."""
        ...


class Work(NamedTuple):
    """What a batch costs."""

    tokens: int
    """Without padding; of source and target together."""
    flops: float = 0.0
    """Of forward and backward pass, padding included; `flops.py` counts them."""


class GradientTask:
    """Training of a model by AdamW.

    Args:
        model: on the CPU; moved to the session's device and changed in place.
        config: of the steps.
        session: of the run.
        epochs: how often to go over the data.
        words: of the corpus, in one epoch.
        batches: from a generator to the batches of one epoch, each (B,) long, indices of examples. It draws from this
            generator alone, and all that the epoch needs.
        loss: from the network and (B,) long to the sum of the losses and the number of tokens that it is over. It calls
            `network`, not `model`, and may draw from torch's default generator (dropout).
        measure: metrics for the curve; called in evaluation mode, without gradients.
        work: what a batch costs; without it the run has no tokens/s and no MFU.
    """

    def __init__(
        self,
        model: nn.Module,
        config: StepConfig,
        session: Session,
        *,
        epochs: int,
        words: int,
        batches: Callable[[torch.Generator], Sequence[Tensor]],
        loss: Loss,
        measure: Callable[[], dict[str, float]],
        work: Callable[[Tensor], Work] | None = None,
    ) -> None:
        self.epochs, self.words = epochs, words
        self.generator = torch.Generator().manual_seed(session.seed)
        self._session, self._batches, self._measure, self._work = session, batches, measure, work
        self._steps = 0
        self._step = Step(model, config, loss, session.device)
        session.runs_as(self._step.setting)
        torch.manual_seed(session.seed + 1000 * (1 + distributed.rank()))  # each process drops other units

    def tensors(self) -> dict[str, Tensor]:
        """Weights, buffers and the optimiser's state."""
        return self._step.tensors()

    def batches(self) -> Sequence[Tensor]:
        """The batches of one epoch.

        Raises:
            CourseError: there is none.
        """
        found = self._batches(self.generator)
        if not found:
            raise CourseError("there is no batch to train on; look at the data and at the size of a batch")
        self._steps = self.epochs * len(found)
        return found

    def update(self, batch: Tensor, done: float) -> Tensor:
        """One step; the schedule's position is the loop's."""
        if self._work is not None:
            self._session.count(*self._work(batch))
        return self._step(batch, round(done * self._steps), self._steps)

    def measure(self) -> dict[str, float]:
        """Metrics of the model as it is now."""
        with self._step.evaluating():
            return self._measure()
