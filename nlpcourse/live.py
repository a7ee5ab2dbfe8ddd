"""A curve that grows while something runs: redrawn in a notebook, lines of text elsewhere.

>>> curve = LiveCurve("training", "steps", "loss")
>>> curve.add(1, 2.5)
training: steps 1, loss 2.5
>>> curve.close()
"""

import io
import time
from typing import Any

_SECONDS_BETWEEN_DRAWINGS = 1.0


class LiveCurve:
    """Points of a curve, shown at most once a second.

    Args:
        title: above the curve, or before each line of text.
        x: what is on the horizontal axis.
        y: what is on the vertical axis.
    """

    def __init__(self, title: str, x: str, y: str) -> None:
        self.points: list[tuple[float, float]] = []
        self._title, self._x, self._y = title, x, y
        self._note = ""
        self._next = 0.0
        self._drawn = 0
        self._handle: Any = None
        self._in_notebook = in_notebook()

    def add(self, x: float, y: float, note: str = "") -> None:
        """Add a point; `note` is short news, such as the speed."""
        self.points.append((x, y))
        self._note = note
        if time.monotonic() >= self._next:
            self._show()
            self._next = time.monotonic() + _SECONDS_BETWEEN_DRAWINGS

    def close(self) -> None:
        """Show the last points, too."""
        if self._drawn < len(self.points):
            self._show()

    def _show(self) -> None:
        self._drawn = len(self.points)
        if self._in_notebook:
            self._draw()
            return
        x, y = self.points[-1]
        print(
            f"{self._title}: {self._x} {x:,.0f}, {self._y} {y:.4g}"
            + (f", {self._note}" if self._note else "")
        )

    def _draw(self) -> None:
        from IPython.display import display
        from matplotlib.figure import Figure

        figure = Figure()
        axes = figure.subplots()
        axes.plot(*zip(*self.points, strict=True))
        axes.set(title=f"{self._title}  {self._note}", xlabel=self._x, ylabel=self._y)
        drawing = io.StringIO()
        figure.savefig(drawing, format="svg")
        content = {"image/svg+xml": drawing.getvalue()}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


def in_notebook() -> bool:
    """Whether a kernel runs this, so that a figure can be shown and replaced."""
    try:
        from IPython import get_ipython
    except ModuleNotFoundError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
