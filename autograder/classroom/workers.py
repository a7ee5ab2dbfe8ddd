"""Worker processes that survive one another: a worker that dies costs its one task, and that is tried once more."""

import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any, Generic, TypeVar

from autograder.sandbox.linux import die_with_parent
from nlpcourse.errors import CourseError
from nlpcourse.starting import skip_grammars

Task = TypeVar("Task")

#: How often a task is given to a worker before it is given up.
ATTEMPTS = 2
#: How often the clock is looked at while nothing comes.
LOOK_SECONDS = 1.0

#: `make(*arguments)` runs once in every worker and returns what is called for each task.
Make = Callable[..., Callable[[Any], Any]]

_READY = "ready"


@dataclass(frozen=True)
class Died:
    """A task that no worker survived."""

    reason: str


@dataclass(frozen=True)
class Raised:
    """What was raised in a worker: the exception in one line, and the whole traceback."""

    summary: str
    text: str


@dataclass
class _Worker(Generic[Task]):
    process: SpawnProcess
    channel: Connection
    ready: bool = False
    task: tuple[Task, int] | None = None
    """What it works at, and how often that was tried before."""
    until: float = 0.0
    """When the task must be done, by `time.monotonic`."""
    overdue: bool = False
    """Whether it was killed because its task was not done."""


class Pool(Generic[Task]):
    """Worker processes of one run. They are fresh interpreters and end with the `with` block, or with this process.

    Args:
        workers: at most so many processes.
        make: a module's function; called with `arguments` in every worker.
        arguments: picklable.
        seconds: wall time that one task may take; a worker that takes longer is killed.
        begun: so many start at once, to get ready while their caller does; the others start when there is work.
    """

    def __init__(
        self, *, workers: int, make: Make, arguments: tuple[Any, ...], seconds: float, begun: int = 0
    ) -> None:
        self._limit = workers
        self._how = (make, arguments)
        self._seconds = seconds
        self._workers: list[_Worker[Task]] = [_start(*self._how) for _ in range(min(begun, workers))]

    def __enter__(self) -> "Pool[Task]":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.process.kill()
        for worker in self._workers:
            worker.process.join()
            worker.channel.close()
        self._workers.clear()

    def work(self, tasks: Iterable[Task]) -> Iterator[tuple[Task, Any]]:
        """Yield (task, result) as results come; a result is what the task gave, `Died` or `Raised`.

        Args:
            tasks: picklable.

        Raises:
            CourseError: a worker did not get as far as its first task.
        """
        waiting = deque((task, 0) for task in tasks)
        pool = self._workers
        while waiting or any(worker.task for worker in pool):
            idle = [worker for worker in pool if worker.task is None]
            for _ in range(min(len(waiting) - len(idle), self._limit - len(pool))):
                pool.append(_start(*self._how))
            answers: list[tuple[Task, Any]] = []
            channels = [worker.channel for worker in pool if worker.task or not worker.ready]
            for channel in wait(channels, LOOK_SECONDS) if channels else ():
                worker = next(each for each in pool if each.channel is channel)
                answer = _receive(worker, self._seconds)
                if not worker.ready:
                    _check_started(answer)
                    worker.ready = True
                    continue
                assert worker.task is not None
                (task, tried), worker.task = worker.task, None
                if isinstance(answer, Died):
                    pool.remove(worker)
                    if tried + 1 < ATTEMPTS:
                        waiting.append((task, tried + 1))
                        continue
                answers.append((task, answer))
            for worker in pool:
                if worker.ready and worker.task is None and waiting:
                    worker.task = waiting.popleft()
                    worker.until = time.monotonic() + self._seconds
                    _send(worker)
                elif worker.task is not None and time.monotonic() > worker.until:
                    worker.overdue = True
                    worker.process.kill()  # reading from it says so
            yield from answers  # last: whoever takes them does so while the workers are at their next tasks


def work(
    tasks: Iterable[Task], *, workers: int, make: Make, arguments: tuple[Any, ...], seconds: float
) -> Iterator[tuple[Task, Any]]:
    """`Pool.work` with a pool of its own, which ends when this generator does."""
    with Pool[Task](workers=workers, make=make, arguments=arguments, seconds=seconds) as pool:
        yield from pool.work(tasks)


class Resident:
    """One worker process for one caller, who asks and waits.

    Args:
        make, arguments: as for `work`.
        seconds: wall time that one task may take; then the process is killed.
    """

    def __init__(self, make: Make, arguments: tuple[Any, ...], *, seconds: float) -> None:
        self._worker: _Worker[Any] = _start(make, arguments)
        self._seconds = seconds

    def ask(self, task: Any) -> Any:
        """What the task gave, `Died` or `Raised`.

        Raises:
            CourseError: the worker did not get as far as its first task.
        """
        if not self._worker.ready:
            _check_started(_receive(self._worker, self._seconds))
            self._worker.ready = True
        self._worker.task = (task, 0)
        _send(self._worker)
        if not self._worker.channel.poll(self._seconds):
            self._worker.overdue = True
            self._worker.process.kill()  # reading from it says so
        return _receive(self._worker, self._seconds)

    def end(self) -> None:
        """Kill the process."""
        self._worker.process.kill()
        self._worker.process.join()
        self._worker.channel.close()


def _start(make: Make, arguments: tuple[Any, ...]) -> _Worker[Any]:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, make, arguments))
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _send(worker: _Worker[Any]) -> None:
    assert worker.task is not None
    try:
        worker.channel.send(worker.task[0])
    except OSError:
        return  # it is dead already; reading from it says so


def _receive(worker: _Worker[Any], seconds: float) -> Any:
    try:
        return worker.channel.recv()
    except (EOFError, OSError):
        worker.process.join()
        if worker.overdue:
            return Died(f"not done after {seconds:g} s")
        code = worker.process.exitcode or 0
        return Died(f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}")


def _check_started(answer: Any) -> None:
    if answer == _READY:
        return
    reason = answer.summary if isinstance(answer, Raised) else answer.reason
    raise CourseError(f"the grading workers do not start ({reason}); run `nlpcourse doctor`")


def _serve(channel: Connection, make: Make, arguments: tuple[Any, ...]) -> None:
    """A worker's life. Ctrl-C is the coordinator's to handle; the coordinator's end is the worker's."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    skip_grammars()
    try:
        handle = make(*arguments)
    except Exception as error:  # noqa: BLE001 - the coordinator reports it
        channel.send(_raised(error))
        return
    channel.send(_READY)
    while True:
        try:
            task = channel.recv()
        except (EOFError, OSError):
            return
        try:
            result = handle(task)
        except Exception as error:  # noqa: BLE001 - the coordinator reports it
            result = _raised(error)
        channel.send(result)


def _raised(error: Exception) -> Raised:
    return Raised(f"{type(error).__name__}: {error}", traceback.format_exc())
