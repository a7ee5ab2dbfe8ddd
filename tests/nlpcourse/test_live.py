"""The live curve: a figure that is replaced in a notebook, lines of text elsewhere."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from nlpcourse import live
from nlpcourse.live import LiveCurve


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [100.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    return now


def test_text_at_most_once_a_second_and_the_last_point_always(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    curve = LiveCurve("training", "steps", "loss")
    for step in range(20):
        curve.add(step, 5.0 / (step + 1), "12 words/s")
        clock[0] += 0.125
    assert capsys.readouterr().out.splitlines() == [
        "training: steps 0, loss 5, 12 words/s",
        "training: steps 8, loss 0.5556, 12 words/s",
        "training: steps 16, loss 0.2941, 12 words/s",
    ]
    curve.close()
    assert capsys.readouterr().out == "training: steps 19, loss 0.25, 12 words/s\n"
    curve.close()
    assert capsys.readouterr().out == ""


def test_no_point_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    LiveCurve("training", "steps", "loss").close()
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_notebook_shows_one_figure_with_the_last_points(tmp_path: Path) -> None:
    code = (
        "from nlpcourse import live\n"
        "live._SECONDS_BETWEEN_DRAWINGS = -1.0\n"
        "curve = live.LiveCurve('training', 'steps', 'loss')\n"
        "for step in range(4):\n"
        "    curve.add(step, step * step, 'fast')\n"
        "curve.close()"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, resources={"metadata": {"path": str(tmp_path)}}).execute()
    (output,) = notebook.cells[0].outputs
    assert output.output_type == "display_data", output
    assert output.data["image/svg+xml"].lstrip().startswith("<?xml"), "replaced four times, it is one figure"
