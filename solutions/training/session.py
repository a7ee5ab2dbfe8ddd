"""One run while it runs: its progress bar, its clock, its curve, its checkpoint, and signals that ask it to stop."""

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
from nlpcourse.files import replacing
from nlpcourse.live import LiveCurve, in_notebook
from nlpcourse.terminal import errors, say
from solutions.training import distributed
from solutions.training.device import Setting, random_states, set_random_states
from solutions.training.flops import peak

_SECONDS_BETWEEN_SAVES = 60.0
_SECONDS_BETWEEN_LOOKS = 0.5
_SECONDS_BETWEEN_LINES = 60.0
_REMEMBERED = ("words", "tokens", "flops", "seconds", "cpu_seconds", "curve")


class Stopped(CourseError):
    """A run was asked to stop and has saved its state."""

    exit_code = 130


class Session:
    """What the loop tells the world, and what it remembers.

    Attributes:
        seed: of every random number of the run.
        device: to compute on.
        setting: device, precision and so on; None for a task that always runs on the CPU.
        words: words of the corpus seen so far.
        tokens: of the model's own vocabulary, without padding; 0 where they are not counted.
        flops: of forward and backward passes; 0 where they are not counted.
        seconds: of training so far, measuring apart.
        cpu_seconds: the same in seconds of processor, all threads added up.
        curve: points in order, each a dictionary of numbers.

    Args:
        name: shown at the progress bar.
        checkpoint: the file of the state.
        config: the configuration as a dictionary; a checkpoint of another one is refused.
        seed: of the run.
        resume: begin from the checkpoint.
        device: to compute on.

    Raises:
        CourseError: `resume`, but there is no checkpoint of this configuration.
    """

    def __init__(
        self,
        name: str,
        checkpoint: Path,
        config: dict[str, Any],
        *,
        seed: int,
        resume: bool = False,
        device: torch.device | None = None,
    ) -> None:
        self.seed = seed
        self.device = device or torch.device("cpu")
        self.setting: Setting | None = None
        self.words = 0.0
        self.tokens = 0
        self.flops = 0.0
        self.seconds = 0.0
        self.cpu_seconds = 0.0
        self._clock = (0.0, 0.0)
        self.curve: list[dict[str, float]] = []
        self._name = name
        self._config = config
        self._checkpoint = checkpoint
        self._stop = threading.Event()
        self._last_save = self._last_line = time.monotonic()
        self._next_look = 0.0
        self._state = self._load() if resume else None
        self._speaks = distributed.rank() == 0
        self._live: LiveCurve | None = None
        console = errors()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[news]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not (console.is_terminal and self._speaks),
        )
        self._task = self._progress.add_task(name, total=None, news="")

    def runs_as(self, setting: Setting) -> None:
        """Say on what the run computes, once."""
        self.setting = setting
        if self._speaks:
            say(f"{self._name}: {setting}")

    def expect(self, words: int) -> None:
        """Say how many words of the corpus the whole run will go over."""
        self._progress.update(self._task, total=words, completed=self.words)

    def saved(self) -> dict[str, Any] | None:
        """The state to go on from; None at a fresh start. Torch's generators stand then as they stood."""
        if self._state is not None:
            set_random_states(self._state["random"][distributed.rank()], self.device)
        return self._state

    @property
    def folder(self) -> Path:
        """Where this run and the others of its topic keep what they make, outside of the repository's files."""
        return self._checkpoint.parent

    def start_clock(self) -> None:
        """From here on time counts as training."""
        self._clock = (time.perf_counter(), time.process_time())

    def count(self, tokens: int, flops: float) -> None:
        """Note what a step will cost."""
        self.tokens += tokens
        self.flops += flops

    def looks(self) -> bool:
        """Whether it is time to show the loss: at most twice a second."""
        return time.monotonic() >= self._next_look

    def advance(self, words: float, loss: float) -> None:
        """Note a step of training, from the last one or the clock's start on; `loss` is as new as it was looked at."""
        wall, cpu = self._clock
        self.start_clock()
        self.words += words
        self.seconds += self._clock[0] - wall
        self.cpu_seconds += self._clock[1] - cpu
        if self.looks():
            self._next_look = time.monotonic() + _SECONDS_BETWEEN_LOOKS
            if self._speaks:
                self._show(loss)

    @property
    def peak_flops(self) -> float | None:
        """FLOP/s that all devices together can reach; None where that is not known."""
        one = peak(self.setting.device, self.setting.precision) if self.setting else None
        return one * self.setting.processes if one and self.setting else None

    @property
    def mfu(self) -> float | None:
        """FLOPs per second as a share of the peak; None where either is not known."""
        known = self.peak_flops and self.flops and self.seconds
        return self.flops / self.seconds / self.peak_flops if known and self.peak_flops else None

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
        """Whether the state should be saved now; the processes of a run agree on it."""
        late = time.monotonic() - self._last_save > _SECONDS_BETWEEN_SAVES
        stop, late = distributed.any_process(self._stop.is_set(), late)
        if stop:
            self.stop()
        return stop or late

    def save(self, state: dict[str, Any]) -> None:
        """Keep the state of the run on disk.

        Raises:
            Stopped: a signal asked for it.
            CourseError: the disk is full; the last good checkpoint is as it was.
        """
        clock = {name: getattr(self, name) for name in _REMEMBERED}
        random = distributed.gathered(random_states(self.device))
        failed = None
        if distributed.rank() == 0:
            try:
                self._checkpoint.parent.mkdir(parents=True, exist_ok=True)
                with replacing(self._checkpoint) as file:
                    torch.save(
                        {**state, **clock, "random": random, "config": self._config, "seed": self.seed}, file
                    )
            except CourseError as error:
                failed = error
        if distributed.any_process(failed is not None)[0]:
            raise failed or CourseError(f"{self._name}: process 0 could not save the state")
        self._last_save = time.monotonic()
        self.start_clock()
        if self._stop.is_set():
            raise Stopped(f"{self._name}: stopped and saved; the same command with --resume goes on")

    def stop(self) -> None:
        """Ask the run to save and leave at its next step."""
        self._stop.set()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show progress and listen to SIGINT and SIGTERM; when the run is whole, its checkpoint goes.

        The second signal does not wait for a step: there is none while the trained model is judged.
        """
        previous = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                previous[number] = signal.signal(number, self._on_signal)
        if self._speaks and in_notebook():
            self._live = LiveCurve(self._name, "words", "loss")
        try:
            with self._progress:
                yield
            if distributed.rank() == 0:
                self._checkpoint.unlink(missing_ok=True)
        finally:
            if self._live:
                self._live.close()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _on_signal(self, *_: object) -> None:
        if self._stop.is_set():
            raise Stopped(f"{self._name}: stopped at once; the last state saved goes on with --resume")
        self.stop()

    def _show(self, loss: float) -> None:
        """The loss in a progress bar, in a notebook's live curve, or every minute as a line."""
        unit, done = ("tokens", float(self.tokens)) if self.tokens else ("words", self.words)
        news = f"loss {loss:.3f}  {done / max(self.seconds, 1e-9):,.0f} {unit}/s"
        if self.mfu is not None:
            news += f"  MFU {self.mfu:.1%}"
        self._progress.update(self._task, completed=self.words, news=news)
        total = self._progress.tasks[0].total
        left = f"  {self.seconds * (total / self.words - 1):,.0f} s left" if total and self.words else ""
        if self._live:
            self._live.add(self.words, loss, news + left)
        elif self._progress.disable and time.monotonic() - self._last_line > _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            say(f"{self._name}: {news}{left}")

    def _load(self) -> dict[str, Any]:
        if not self._checkpoint.is_file():
            raise CourseError(f"nothing to resume: there is no {self._checkpoint}; run it without --resume")
        state = torch.load(self._checkpoint, map_location="cpu", weights_only=True)
        if (state["config"], state["seed"]) != (self._config, self.seed):
            raise CourseError(f"{self._checkpoint} is of another configuration; run it without --resume")
        if not state.keys() >= {*_REMEMBERED, "random"}:
            raise CourseError(
                f"{self._checkpoint} is of another version of the course; run it without --resume"
            )
        then, now = len(state["random"]), distributed.world()
        if then != now:
            raise CourseError(f"{self._checkpoint} is of {then} processes, here is {now}; go on with as many")
        for name in _REMEMBERED:
            setattr(self, name, state[name])
        return state
