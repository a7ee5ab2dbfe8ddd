"""The training loop: epochs of batches, a curve, checkpoints, and an orderly end when somebody asks for it.

A task draws all random numbers of an epoch before the epoch's first batch. So a run is told by the state of the
generator at the beginning of an epoch, the number of batches done, and the tensors: a run that was stopped goes on to
the same numbers as one that was not.
"""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from nlpcourse.errors import CourseError
from solutions.training.session import Session


class Task(Protocol):
    """What is trained: the loop asks for batches and hands them back one by one."""

    epochs: int
    words: int
    """Words of the corpus that one epoch goes over."""
    generator: torch.Generator
    """The only source of randomness."""

    def tensors(self) -> dict[str, Tensor]:
        """All that training changes, by name; changed in place."""
        ...

    def batches(self) -> Sequence[Any]:
        """The batches of one epoch. No random number is drawn after this."""
        ...

    def update(self, batch: Any, done: float) -> float | None:
        """One step; `done` is the share of the training before it. Its loss, or None where it is not computed."""
        ...

    def measure(self) -> dict[str, float]:
        """Metrics for the curve, at the end of an epoch; not part of the time of training."""
        ...


def fit(task: Task, session: Session) -> None:
    """Train to the end, or until the session is asked to stop.

    Raises:
        Stopped: a signal came; the state is saved.
        CourseError: the loss is not finite.
    """
    # Where to begin
    session.expect(task.epochs * task.words)
    state = session.saved()
    first, skip, total, counted = 0, 0, 0.0, 0
    beginning = task.generator.get_state()
    if state is not None:
        first, skip, total, counted = state["epoch"], state["batch"], state["total"], state["counted"]
        beginning = state["generator"]
        for name, tensor in task.tensors().items():
            tensor.copy_(state["tensors"][name])
    for epoch in range(first, task.epochs):
        # The batches of this epoch, drawn from the generator as it stood at its beginning
        session.start_clock()
        task.generator.set_state(beginning)
        batches = task.batches()
        for number in range(skip, len(batches)):
            # One step
            loss = task.update(batches[number], (epoch + number / len(batches)) / task.epochs)
            if loss is not None:
                if not math.isfinite(loss):
                    raise CourseError(f"the loss is {loss} in epoch {epoch + 1}; try a smaller learning rate")
                total, counted = total + loss, counted + 1
            # Time and progress; save now and then, and when somebody wants to stop
            session.advance(task.words / len(batches), total / max(counted, 1))
            if session.due():
                state = {"epoch": epoch, "batch": number + 1, "total": total, "counted": counted}
                session.save({**state, "generator": beginning, "tensors": task.tensors()})
        # The end of an epoch
        session.point({"epoch": epoch + 1, "loss": total / max(counted, 1), **task.measure()})
        beginning, skip, total, counted = task.generator.get_state(), 0, 0.0, 0
