"""How far a grading run is: a live line on a terminal, plain lines at times anywhere else."""

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

#: Seconds between two plain lines.
LINE_SECONDS = 10.0


class GradingProgress:
    """Counts what is done, and shows it on stderr with the rate, the time left and the failures so far.

    Args:
        topic: what is graded.
        total: submissions asked for.
        console: where to show it.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        topic: str,
        total: int,
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topic, self.total, self._clock = topic, total, clock
        self.kept = self.graded = self.failures = 0
        self._console = console or Console(stderr=True, soft_wrap=True, highlight=False)
        self._started = self._shown = clock()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._live = Progress(
            *columns,
            TextColumn("{task.fields[pace]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._bar = self._live.add_task(f"grading {topic}", total=total, pace="")

    def __enter__(self) -> "GradingProgress":
        self._started = self._shown = self._clock()
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def keep(self) -> None:
        """One more had a record that holds."""
        self.kept += 1
        self._show()

    def add(self, *, failed: bool) -> None:
        """One more was graded, or the grader failed at it."""
        self.graded += 1
        self.failures += failed
        self._show()

    @property
    def pace(self) -> str:
        """Rate, time left and failures in words; records that hold tell nothing about the rate."""
        parts = []
        elapsed = self._clock() - self._started
        if self.graded and elapsed > 0:
            rate = 60 * self.graded / elapsed
            left = (self.total - self.kept - self.graded) / rate
            parts = [f"{rate:.3g} submissions/min", f"{_minutes(left)} left"]
        return ", ".join([*parts, f"{self.failures} failed"])

    def _show(self) -> None:
        done = self.kept + self.graded
        self._live.update(self._bar, completed=done, pace=self.pace)
        if not self._console.is_terminal and self._clock() - self._shown >= LINE_SECONDS:
            self._shown = self._clock()
            self._console.print(
                f"grading {self.topic}: {done} of {self.total} done, {self.pace}", markup=False
            )


def _minutes(minutes: float) -> str:
    """A time in the unit that suits it."""
    if minutes < 1:
        return f"{60 * minutes:.0f} s"
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
