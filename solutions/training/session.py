"""One run while it runs: its progress bar, its clock, its curve, its checkpoint, and signals that ask it to stop."""

import io
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from nlpcourse.terminal import errors

_SECONDS_BETWEEN_SAVES = 60.0
_REMEMBERED = ("words", "seconds", "cpu_seconds", "curve")


class Stopped(CourseError):
    """A run was asked to stop and has saved its state."""

    exit_code = 130


class Session:
    """What the loop tells the world, and what it remembers.

    Attributes:
        seed: of every random number of the run.
        words: words of the corpus seen so far.
        seconds: of training so far, measuring apart.
        cpu_seconds: the same in seconds of processor, all threads added up.
        curve: points in order, each a dictionary of numbers.

    Args:
        name: shown at the progress bar.
        checkpoint: the file of the state.
        config: the configuration as a dictionary; a checkpoint of another one is refused.
        seed: of the run.
        resume: begin from the checkpoint.

    Raises:
        CourseError: `resume`, but there is no checkpoint of this configuration.
    """

    def __init__(
        self, name: str, checkpoint: Path, config: dict[str, Any], *, seed: int, resume: bool = False
    ) -> None:
        self.seed = seed
        self.words = 0.0
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self._clock = (0.0, 0.0)
        self.curve: list[dict[str, float]] = []
        self._name = name
        self._config = config
        self._checkpoint = checkpoint
        self._stop = threading.Event()
        self._last_save = time.monotonic()
        self._state = self._load() if resume else None
        console = errors()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]:.3f}  {task.fields[speed]:,.0f} words/s"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task(name, total=None, loss=0.0, speed=0.0)

    def expect(self, words: int) -> None:
        """Say how many words of the corpus the whole run will go over."""
        self._progress.update(self._task, total=words, completed=self.words)

    def saved(self) -> dict[str, Any] | None:
        """The state to go on from; None at a fresh start."""
        return self._state

    def start_clock(self) -> None:
        """From here on time counts as training."""
        self._clock = (time.perf_counter(), time.process_time())

    def advance(self, words: float, loss: float) -> None:
        """Note a step of training, from the last one or the clock's start on."""
        wall, cpu = self._clock
        self.start_clock()
        self.words += words
        self.seconds += self._clock[0] - wall
        self.cpu_seconds += self._clock[1] - cpu
        speed = self.words / max(self.seconds, 1e-9)
        self._progress.update(self._task, completed=self.words, loss=loss, speed=speed)

    @contextmanager
    def stretch(self, words: int) -> Iterator[None]:
        """Count a piece of work that has no steps."""
        self.start_clock()
        yield
        self.advance(words, 0.0)

    def point(self, values: dict[str, float]) -> None:
        """Add a point to the curve."""
        self.curve.append({**values, "words": round(self.words), "seconds": round(self.seconds, 3)})

    def due(self) -> bool:
        """Whether the state should be saved now."""
        return self._stop.is_set() or time.monotonic() - self._last_save > _SECONDS_BETWEEN_SAVES

    def save(self, state: dict[str, Any]) -> None:
        """Keep the state of the run on disk.

        Raises:
            Stopped: a signal asked for it.
        """
        clock = {name: getattr(self, name) for name in _REMEMBERED}
        buffer = io.BytesIO()
        torch.save({**state, **clock, "config": self._config, "seed": self.seed}, buffer)
        self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._checkpoint, buffer.getvalue())
        self._last_save = time.monotonic()
        if self._stop.is_set():
            raise Stopped(f"{self._name}: stopped and saved; the same command with --resume goes on")

    def stop(self) -> None:
        """Ask the run to save and leave at its next step."""
        self._stop.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show progress and listen to SIGINT and SIGTERM; when the run is whole, its checkpoint goes."""
        previous = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                previous[number] = signal.signal(number, lambda *_: self.stop())
        try:
            with self._progress:
                yield
            self._checkpoint.unlink(missing_ok=True)
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _load(self) -> dict[str, Any]:
        if not self._checkpoint.is_file():
            raise CourseError(f"nothing to resume: there is no {self._checkpoint}; run it without --resume")
        state = torch.load(self._checkpoint, weights_only=True)
        if (state["config"], state["seed"]) != (self._config, self.seed):
            raise CourseError(f"{self._checkpoint} is of another configuration; run it without --resume")
        for name in _REMEMBERED:
            setattr(self, name, state[name])
        return state
