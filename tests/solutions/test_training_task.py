"""A model trained by gradients, through the loop: resuming bit by bit, and ends that keep the last good checkpoint."""

import itertools
import os
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from tiny_model import TinyConfig, TinyModel, sequences, tiny_task

from nlpcourse import terminal
from nlpcourse.errors import CourseError
from solutions.training import session as session_module
from solutions.training.loop import fit
from solutions.training.session import Session, Stopped

CONFIG = TinyConfig(dropout=0.3, epochs=2, schedule="cosine", warmup=3, accumulation=2, lr=0.01)


def start(folder: Path, config: TinyConfig = CONFIG, *, resume: bool = False, seed: int = 3) -> Session:
    return Session("tiny", folder / "tiny.pt", asdict(config), seed=seed, resume=resume)


def trained(session: Session, config: TinyConfig = CONFIG, *, stop: int = 0) -> TinyModel:
    """Train; `stop` parts of batches later the session is asked to stop."""
    parts = 0

    def count(batch: torch.Tensor) -> None:
        nonlocal parts
        parts += 1
        if parts == stop:
            session.stop()

    task, model = tiny_task(config, session, count)
    with session.running():
        fit(task, session, every=3)
    return model


def without_clock(session: Session) -> list[dict[str, float]]:
    return [{key: value for key, value in point.items() if key != "seconds"} for point in session.curve]


def test_it_learns(tmp_path: Path) -> None:
    config = TinyConfig(epochs=20, lr=0.03, epsilon=1e-8, precision="bf16")
    session = start(tmp_path, config)
    trained(session, config)
    assert session.curve[-1]["loss"] < 0.3 * session.curve[0]["loss"]


@pytest.mark.parametrize("stop", [1, 7, 15, 16, 31])
def test_a_stopped_run_goes_on_to_the_same_bits(tmp_path: Path, stop: int) -> None:
    """With dropout, accumulation, a schedule; in the middle and at the end of an epoch."""
    reference = start(tmp_path)
    whole = trained(reference)
    first = start(tmp_path)
    with pytest.raises(Stopped):
        trained(first, stop=stop)
    torch.rand(7)  # what happens in between does not matter
    second = start(tmp_path, resume=True)
    resumed = trained(second)
    for (name, one), other in zip(whole.state_dict().items(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other), name
    assert without_clock(second) == without_clock(reference)
    words = sum(len(each) for each in sequences())
    assert (second.tokens, second.flops) == (reference.tokens, reference.flops) == (2 * words, 1e8)


def test_points_come_every_few_batches_and_metrics_without_dropout(tmp_path: Path) -> None:
    session = start(tmp_path)
    trained(session)
    assert [point["epoch"] for point in session.curve] == [3 / 8, 6 / 8, 1, 1 + 3 / 8, 1 + 6 / 8, 2]
    assert ["drops" in point for point in session.curve] == 2 * [False, False, True]
    assert session.curve[2]["drops"] == session.curve[5]["drops"] == 0.0


def test_the_schedule_goes_over_all_epochs_and_points_over_the_steps_since_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(CONFIG, schedule="linear", warmup=0)
    session = start(tmp_path, config)
    task, _ = tiny_task(config, session)
    update, losses, rates = task.update, [], []

    def noted(batch: torch.Tensor, done: float) -> torch.Tensor:
        losses.append(update(batch, done))
        rates.append(task._step._optimizer.param_groups[0]["lr"])
        return losses[-1]

    monkeypatch.setattr(task, "update", noted)
    fit(task, session, every=3)
    assert rates == pytest.approx([0.01 * (1 - step / 16) for step in range(16)])
    borders = [0, 3, 6, 8, 11, 14, 16]
    means = [torch.stack(losses[i:j]).mean().item() for i, j in itertools.pairwise(borders)]
    assert [point["loss"] for point in session.curve] == pytest.approx(means)


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    one, other = start(tmp_path), start(tmp_path, seed=4)
    trained(one)
    trained(other)
    assert one.curve[-1]["loss"] != other.curve[-1]["loss"]


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is due to be saved after every step, and is not when it is broken."""
    monkeypatch.setattr(session_module, "_SECONDS_BETWEEN_SAVES", -1.0)
    session = start(tmp_path)
    task, model = tiny_task(CONFIG, session)
    update, steps = task.update, 0

    def broken(batch: torch.Tensor, done: float) -> torch.Tensor:
        nonlocal steps
        steps += 1
        if steps == 6:
            with torch.no_grad():
                model.norm.weight[0] = float("nan")
        return update(batch, done)

    monkeypatch.setattr(task, "update", broken)
    message = "the loss is nan in epoch 1; try a smaller learning rate"
    with pytest.raises(CourseError, match=message), session.running():
        fit(task, session)
    monkeypatch.undo()
    saved = torch.load(tmp_path / "tiny.pt", weights_only=True)
    assert saved["batch"] == 5
    assert all(tensor.isfinite().all() for tensor in saved["tensors"].values())
    resumed, reference = start(tmp_path, resume=True), start(tmp_path)
    trained(resumed)
    trained(reference)
    assert resumed.curve[-1]["loss"] == reference.curve[-1]["loss"]


def test_a_full_disk_keeps_the_last_good_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_SECONDS_BETWEEN_SAVES", -1.0)
    session = start(tmp_path)
    task, _ = tiny_task(CONFIG, session)
    saves, sync = 0, os.fsync

    def full(descriptor: int) -> None:
        nonlocal saves
        saves += 1
        if saves == 4:
            raise OSError(28, os.strerror(28))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(CourseError, match=r"cannot write .*tiny\.pt: No space left on device"),
        session.running(),
    ):
        fit(task, session)
    assert torch.load(tmp_path / "tiny.pt", weights_only=True)["batch"] == 3
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.pt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_torch_says_a_full_disk_as_an_error_of_the_system() -> None:
    """What the sentence about the full disk rests on."""
    with pytest.raises(OSError, match="No space left"), Path("/dev/full").open("wb") as file:
        torch.save({"a": torch.zeros(100_000)}, file)


def test_without_batches_there_is_a_sentence(tmp_path: Path) -> None:
    task, _ = tiny_task(CONFIG, start(tmp_path))
    task._batches = lambda generator: []
    with pytest.raises(CourseError, match="there is no batch to train on"):
        task.batches()


# --- What is said -------------------------------------------------------------------------------------------------


def test_device_and_precision_are_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    terminal.errors.cache_clear()
    trained(start(tmp_path))
    assert capsys.readouterr().err == "tiny: cpu, fp32, not compiled, 1 process\n"
    terminal.errors.cache_clear()


def test_a_log_gets_a_line_now_and_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_SECONDS_BETWEEN_LINES", "_SECONDS_BETWEEN_LOOKS"):
        monkeypatch.setattr(session_module, name, -1.0)
    monkeypatch.setattr(session_module, "peak", lambda device, precision: 1e12)
    terminal.errors.cache_clear()
    session = start(tmp_path)
    trained(session)
    terminal.errors.cache_clear()
    _, *lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 16
    for line in lines:
        assert re.fullmatch(r"tiny: loss \d+\.\d{3}  [\d,]+ tokens/s  MFU \d+\.\d%  [\d,]+ s left", line), (
            line
        )
    assert lines[-1].endswith("  0 s left")
    assert session.mfu == pytest.approx(1e8 / session.seconds / 1e12)


def test_without_a_peak_there_is_no_mfu(tmp_path: Path) -> None:
    session = start(tmp_path)
    trained(session)
    assert session.mfu is None and session.peak_flops is None


def test_a_notebook_gets_a_live_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple] = []

    class Curve:
        def __init__(self, *names: str) -> None:
            calls.append(names)

        def add(self, *point: object) -> None:
            calls.append(point)

        def close(self) -> None:
            calls.append(("closed",))

    monkeypatch.setattr(session_module, "LiveCurve", Curve)
    monkeypatch.setattr(session_module, "in_notebook", lambda: True)
    monkeypatch.setattr(session_module, "_SECONDS_BETWEEN_LOOKS", -1.0)
    session = start(tmp_path)
    trained(session)
    assert calls[0] == ("tiny", "words", "loss") and calls[-1] == ("closed",)
    points = calls[1:-1]
    assert len(points) == 16
    assert points[-1][0] == pytest.approx(session.words)
    assert "tokens/s" in points[-1][2]


def test_a_checkpoint_of_another_version_is_one_line(tmp_path: Path) -> None:
    first = start(tmp_path)
    with pytest.raises(Stopped):
        trained(first, stop=2)
    state = torch.load(tmp_path / "tiny.pt", weights_only=True)
    del state["tokens"]
    torch.save(state, tmp_path / "tiny.pt")
    with pytest.raises(CourseError, match="of another version of the course; run it without --resume"):
        start(tmp_path, resume=True)
