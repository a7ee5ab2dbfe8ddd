"""The training loop: epochs of batches, a curve, checkpoints, and an orderly end when somebody asks for it.

A task draws the batches of an epoch before the epoch's first one. So a run is told by the state of the task's
generator at the beginning of an epoch, the number of batches done, torch's own generators (dropout), and the tensors:
a run that was stopped goes on to the same numbers as one that was not.
"""

import math

from torch import Tensor

from nlpcourse.errors import CourseError
from solutions.training import distributed
from solutions.training.session import Session
from solutions.training.task import Task


def fit(task: Task, session: Session, *, every: int = 0) -> None:
    """Train to the end, or until the session is asked to stop.

    Args:
        task: what to train.
        session: the run seen from outside.
        every: batches between two points of the curve; the end of an epoch is one in any case.

    Raises:
        Stopped: a signal came; the state is saved.
        CourseError: the loss is not finite, or the state cannot be saved; the last good checkpoint stays.
    """
    # Where to begin
    session.expect(task.epochs * task.words)
    first, skip, counted, mean = 0, 0, 0, 0.0
    total: float | Tensor = 0.0
    beginning = task.generator.get_state()
    state = session.saved()
    if state is not None:
        first, skip, total, counted = state["epoch"], state["batch"], state["total"], state["counted"]
        beginning = state["generator"]
        for name, tensor in task.tensors().items():
            distributed.fill(tensor, state["tensors"][name])
    for epoch in range(first, task.epochs):
        # The batches of this epoch, drawn from the generator as it stood at its beginning
        session.start_clock()
        task.generator.set_state(beginning)
        batches = task.batches()
        for number in range(skip, len(batches)):
            # One step
            loss = task.update(batches[number], (epoch + number / len(batches)) / task.epochs)
            if loss is not None:
                total, counted = total + (loss.double() if isinstance(loss, Tensor) else loss), counted + 1
            # The loss, when somebody looks: until then a GPU is not waited for
            last, save = number + 1 == len(batches), session.due()
            point = every and (number + 1) % every == 0 and not last
            if last or point or save or session.looks():
                mean = _finite_mean(total, counted, epoch)
            session.advance(task.words / len(batches), mean)
            # A point of the curve; then the state, now and then, and when somebody wants to stop
            if point:
                session.point({"epoch": epoch + (number + 1) / len(batches), "loss": mean})
                total, counted = 0.0, 0
            if save:
                state = {"epoch": epoch, "batch": number + 1, "total": float(total), "counted": counted}
                session.save(
                    {**state, "generator": beginning, "tensors": distributed.collected(task.tensors())}
                )
        # The end of an epoch
        session.point({"epoch": epoch + 1, "loss": _finite_mean(total, counted, epoch), **task.measure()})
        beginning, skip, total, counted = task.generator.get_state(), 0, 0.0, 0


def _finite_mean(total: float | Tensor, counted: int, epoch: int) -> float:
    mean = float(total) / max(counted, 1)
    if not math.isfinite(mean):
        raise CourseError(f"the loss is {mean} in epoch {epoch + 1}; try a smaller learning rate")
    return mean
