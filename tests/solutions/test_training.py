"""The engine: settings, resuming, records, and the command `nlpcourse train`."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pytest
import torch
from tiny_model import TinyConfig, TinyModel, sequences, tiny_task
from torch import Tensor
from typer import Typer
from typer.testing import CliRunner

from nlpcourse import records
from nlpcourse.errors import CourseError
from solutions.embeddings.train import RUNS
from solutions.embeddings.window_training import WindowConfig
from solutions.training import command, record, runs
from solutions.training import session as session_module
from solutions.training.config import with_settings
from solutions.training.loop import fit
from solutions.training.runs import Result, Run, carry_out
from solutions.training.session import Session, Stopped

ROOT = Path(__file__).resolve().parents[2]


# --- Settings -----------------------------------------------------------------------------------------------------


def test_settings_are_read_as_what_they_replace() -> None:
    config = with_settings(WindowConfig(), ["lr=0.5", "epochs=3"])
    assert config == replace(WindowConfig(), lr=0.5, epochs=3)
    assert isinstance(config.epochs, int)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epoch=3", "there is no setting 'epoch'; did you mean 'epochs'?"),
        ("zzz=3", "there is no setting 'zzz'; keys are epochs, dimension"),
        ("epochs=many", "epochs=many: expected a whole number, such as 10"),
        ("lr=fast", "lr=fast: expected a number, such as 0.025"),
        ("epochs", "--set epochs: expected key=value"),
        ("epochs=0", "epochs is 0, expected 1 or more"),
        ("lr=nan", "lr is nan, expected 0 or more"),
    ],
)
def test_a_wrong_setting_is_one_line(setting: str, message: str) -> None:
    with pytest.raises(CourseError) as caught:
        with_settings(WindowConfig(), [setting])
    assert str(caught.value).startswith(message)


def test_every_field_of_a_configuration_is_explained() -> None:
    for run in RUNS:
        for config in run.presets.values():
            for cls in type(config).__mro__[:-1]:
                lines = Path(sys.modules[cls.__module__].__file__).read_text(encoding="utf-8").splitlines()
                for name in cls.__annotations__:
                    if name == "epochs":
                        continue
                    place = next(i for i, line in enumerate(lines) if line.startswith(f"    {name}: "))
                    assert lines[place + 1].startswith('    """'), f"{cls.__name__}.{name}"


# --- The loop -----------------------------------------------------------------------------------------------------


class Walk:
    """A task of additions, whose numbers show which batches came in which order."""

    epochs, words = 3, 100

    def __init__(self, seed: int, stop: int | None = None, session: Session | None = None) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.place = torch.zeros(1, dtype=torch.float64)
        self._stop, self._session, self._steps = stop, session, 0

    def tensors(self) -> dict[str, Tensor]:
        return {"place": self.place}

    def batches(self) -> Sequence[Tensor]:
        return torch.rand(5, generator=self.generator, dtype=torch.float64).split(1)

    def update(self, batch: Tensor, done: float) -> float:
        self.place.mul_(1.5).add_(batch * (1 - done))
        self._steps += 1
        if self._steps == self._stop:
            self._session.stop()
        return self.place.item()

    def measure(self) -> dict[str, float]:
        return {"place": self.place.item()}


def session(folder: Path, *, resume: bool = False, seed: int = 4) -> Session:
    return Session("walk", folder / "walk.pt", {"a": 1}, seed=seed, resume=resume)


def without_clock(curve: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: value for key, value in point.items() if key != "seconds"} for point in curve]


@pytest.mark.parametrize("stop", [1, 5, 6, 10, 15])
def test_a_stopped_run_goes_on_to_the_same_numbers(tmp_path: Path, stop: int) -> None:
    whole, reference = Walk(4), session(tmp_path)
    fit(whole, reference)
    first = session(tmp_path)
    with pytest.raises(Stopped, match="--resume"), first.running():
        fit(Walk(4, stop, first), first)
    second = session(tmp_path, resume=True)
    resumed = Walk(99)  # the seed of a fresh task does not matter: the state is the checkpoint's
    with second.running():
        fit(resumed, second)
    assert resumed.place.item() == whole.place.item()
    assert without_clock(second.curve) == without_clock(reference.curve)
    assert second.words == reference.words == 300
    assert not (tmp_path / "walk.pt").exists()


def test_there_must_be_something_to_resume(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="nothing to resume"):
        session(tmp_path, resume=True)
    first = session(tmp_path)
    with pytest.raises(Stopped):
        fit(Walk(4, 2, first), first)
    with pytest.raises(CourseError, match="another configuration"):
        session(tmp_path, resume=True, seed=5)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    task = Walk(4)
    task.place[0] = float("nan")
    with pytest.raises(CourseError, match="the loss is nan in epoch 1; try a smaller learning rate"):
        fit(task, session(tmp_path))


# --- Records ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Small:
    size: int = 2
    """How much."""


def small(config: Small, session: Session) -> Result:
    task = Walk(session.seed)
    fit(task, session)
    files = {"extra.json": {"points": [[1, 2]]}}
    return Result({"name": "numbers"}, {"place": task.place.item()}, {"zero": {"place": 0.0}}, files)


RUN = Run("small", "a walk", {"smoke": Small()}, small)


def trained(root: Path, *, keep: bool = True, seed: int = 0) -> tuple[records.RunRecord, Path]:
    return carry_out("embeddings", RUN, "smoke", Small(), seed, root, resume=False, keep=keep)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a checkout at a commit."""
    (tmp_path / "chapters").mkdir()
    (tmp_path / "_toc.yml").touch()
    monkeypatch.setattr(record, "commit", lambda root: "a" * 40)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_record_holds_what_was_run(checkout: Path) -> None:
    written, path = trained(checkout)
    assert path == checkout / "records" / "embeddings" / path.name
    assert path.name == f"small-smoke-{record.slug(record.hardware())}-0.json"
    assert records.load("embeddings", preset="smoke") == [written]
    assert json.loads(path.read_text()) == asdict(written)
    assert (written.config, written.data, written.words) == ({"size": 2}, {"name": "numbers"}, 300)
    assert written.metrics["place"] == written.curve[-1]["place"]
    assert written.wall_seconds >= 0 and written.peak_memory > 1e6
    assert {"python", "torch", "numpy"} <= written.versions.keys()
    assert written.setting is written.mfu is None and written.tokens == 0
    assert (checkout / "_build" / "runs" / "embeddings" / path.name).is_file()
    extra = json.loads((path.parent / "extra.json").read_text())
    assert extra == {"run": path.stem, "commit": "a" * 40, "points": [[1, 2]]}


def test_without_record_nothing_is_kept(checkout: Path) -> None:
    _, path = trained(checkout, keep=False)
    assert path.parent == checkout / "_build" / "runs" / "embeddings"
    assert not (checkout / "records").exists()
    with pytest.raises(CourseError, match="no record of embeddings here"):
        records.load("embeddings", preset="smoke")


def test_a_record_of_another_commit_is_never_overwritten(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = trained(checkout)
    before = path.read_text()
    trained(checkout)  # the same commit may renew its own
    monkeypatch.setattr(record, "commit", lambda root: "b" * 40)
    with pytest.raises(CourseError, match="is of commit aaaaaaaaaaaa, this is bbbbbbbbbbbb; delete it"):
        trained(checkout)
    assert path.read_text().split('"wall_seconds"')[0] == before.split('"wall_seconds"')[0]
    trained(checkout, keep=False)
    trained(checkout, seed=1)


def test_changed_code_is_not_recorded(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "commit", lambda root: "a" * 40 + "+changes")
    with pytest.raises(CourseError, match="commit first"):
        trained(checkout)


def test_the_commit_says_when_code_was_changed(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", "-C", str(tmp_path), *who, *arguments], check=True, capture_output=True)

    assert record.commit(tmp_path) == "unknown+changes"
    git("init")
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / "a.py").write_text("1")
    git("add", ".")
    git("commit", "-m", "x")
    assert len(record.commit(tmp_path)) == 40
    (tmp_path / "README.md").write_text("not code")
    assert len(record.commit(tmp_path)) == 40
    (tmp_path / "solutions" / "a.py").write_text("2")
    assert record.commit(tmp_path).endswith("+changes")


# --- The command --------------------------------------------------------------------------------------------------


def invoke(*arguments: str) -> tuple[int, str, BaseException | None]:
    app = Typer()
    app.callback()(lambda: None)
    command.register(app)
    done = CliRunner().invoke(app, ["train", *arguments], env={"COLUMNS": "200"})
    return done.exit_code, done.output, done.exception


def test_the_list_names_every_run() -> None:
    code, output, _ = invoke("--list")
    assert code == 0
    for run in RUNS:
        assert run.name in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sgsn"], "there is no run 'sgsn'; did you mean 'sgns'?"),
        ([], "say what to train"),
        (["glove", "--preset", "gpu"], "glove has no preset gpu; presets are smoke, laptop"),
        (["sgns", "--set", "epoch=1"], "did you mean 'epochs'"),
        (["sgns", "--set", "epochs=1", "--record"], "leave out --set or --record"),
    ],
)
def test_errors_are_one_line(arguments: list[str], message: str) -> None:
    _, _, error = invoke(*arguments)
    assert isinstance(error, CourseError)
    assert message in str(error)


@pytest.mark.parametrize("run", RUNS, ids=[run.name for run in RUNS])
def test_smoke(run: Run, checkout: Path) -> None:
    """Every run's smoke preset, through the command: it ends, its loss falls, its numbers are complete."""
    code, output, error = invoke(run.name)
    assert code == 0, error
    (path,) = (checkout / "_build" / "runs" / "embeddings").glob("*.json")
    assert str(path) in output
    written = record.load(path)
    assert written.config == asdict(run.presets["smoke"])
    assert written.data["words"] > 1000 and written.baselines["random"]
    if run.name != "ppmi-svd":
        assert written.curve[-1]["loss"] < written.curve[0]["loss"]
        assert written.words_per_second > 0
    if run.name == "sentences":
        assert written.metrics["sif mrr"] > written.metrics["mean mrr"]
    else:
        assert written.metrics["probes"] >= 0 and written.metrics["library rank"] >= 1


def test_ratings_are_in_the_record_where_their_files_are(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two sets, one has its file; of its four pairs, three have words of the corpus."""
    file = tmp_path / "data" / "simlex999" / "SimLex-999.txt"
    file.parent.mkdir(parents=True)
    rows = [
        "word1\tword2\tSimLex999",
        "returns\treturn\t9",
        "array\tthe\t1",
        "list\tlists\t8",
        "xyzzy\tlist\t0",
    ]
    file.write_text("\n".join(rows), encoding="utf-8")
    monkeypatch.setenv("NLPCOURSE_DATA", str(tmp_path / "data"))
    code, _, error = invoke("ppmi-svd")
    assert code == 0, error
    (path,) = (checkout / "_build" / "runs" / "embeddings").glob("*.json")
    written = record.load(path)
    assert written.data["simlex999 pairs"] == 3
    assert -1 <= written.metrics["simlex999"] <= 1
    assert not {"wordsim353", "wordsim353 pairs"} & (written.metrics.keys() | written.data.keys())


def test_smoke_resumes_to_the_same_numbers(checkout: Path) -> None:
    """SGNS, stopped in the middle of an epoch."""
    (run,) = (run for run in RUNS if run.name == "sgns")
    config = replace(run.presets["smoke"], texts=1500)
    whole, path = carry_out("embeddings", run, "smoke", config, 0, checkout, resume=False, keep=False)
    advance, count = Session.advance, 0

    def stop_at_forty(self: Session, *arguments: float) -> None:
        nonlocal count
        count += 1
        if count == 40:
            os.kill(os.getpid(), signal.SIGTERM)
        advance(self, *arguments)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Stopped):
        patch.setattr(Session, "advance", stop_at_forty)
        carry_out("embeddings", run, "smoke", config, 0, checkout, resume=False, keep=False)
    assert path.with_suffix(".pt").is_file()
    resumed, _ = carry_out("embeddings", run, "smoke", config, 0, checkout, resume=True, keep=False)
    assert (resumed.metrics, resumed.words) == (whole.metrics, whole.words)
    assert without_clock(resumed.curve) == without_clock(whole.curve)


def test_a_second_signal_stops_what_has_no_steps(checkout: Path) -> None:
    """While a trained model is judged, say."""
    reached = []

    def judge(config: Small, session: Session) -> Result:
        os.kill(os.getpid(), signal.SIGTERM)
        reached.append("the first is remembered for the next step")
        os.kill(os.getpid(), signal.SIGTERM)
        return pytest.fail("the second was not heard")

    run = Run("tiny", "tiny", {"smoke": Small()}, judge)
    with pytest.raises(Stopped, match="stopped at once"):
        carry_out("embeddings", run, "smoke", Small(), 0, checkout, resume=False, keep=False)
    assert len(reached) == 1
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_preset_gpu_needs_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run("tiny", "tiny", {"gpu": Small()}, lambda *_: pytest.fail("was trained"))
    monkeypatch.setattr(runs, "registry", lambda: {"embeddings": [run]})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    _, _, error = invoke("tiny", "--preset", "gpu")
    assert str(error) == "the preset gpu needs a GPU, and torch sees none here; use --preset laptop"


def test_the_record_of_a_model_trained_by_gradients(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Tokens, FLOPs and what the run computed on; the weights are drawn from the seed."""
    weights = []

    def train(config: TinyConfig, session: Session) -> Result:
        torch.rand(1)
        weights.append(TinyModel(config).words.weight.detach().clone())
        task, _ = tiny_task(config, session)
        fit(task, session)
        return Result({"name": "counting"}, {"loss": session.curve[-1]["loss"]}, {})

    run = Run("tiny", "tiny", {"smoke": TinyConfig()}, train, parallel=True)
    monkeypatch.setattr(runs, "registry", lambda: {"embeddings": [run]})
    monkeypatch.setattr(session_module, "peak", lambda device, precision: 1e12)
    for _ in range(2):
        torch.rand(5)
        code, output, error = invoke("tiny", "--set", "epochs=2", "--set", "precision=bf16")
        assert code == 0, error
    assert re.search(r"tiny seed 0: loss \d.* words/s, [\d,]+ tokens/s, MFU \d", output), output
    assert torch.equal(*weights)
    (path,) = (checkout / "_build" / "runs" / "embeddings").glob("*.json")
    written = record.load(path)
    assert written.setting == {
        "device": "cpu",
        "precision": "bf16",
        "compile": False,
        "processes": 1,
        "sharded": False,
    }
    assert written.tokens == 2 * sum(len(each) for each in sequences())
    assert (written.flops, written.peak_flops, written.device_memory) == (1e8, 1e12, None)
    assert written.mfu == pytest.approx(1e8 / written.wall_seconds / 1e12, rel=0.01)
    assert written.tokens_per_second == pytest.approx(written.tokens / written.wall_seconds, rel=0.01)


def test_the_entry_point_is_declared() -> None:
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'training = "solutions.training.command:register"' in declared
    assert set(runs.registry()) >= {"embeddings"}


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    for name in [
        name for name in sys.modules if name.startswith(("solutions.attention", "solutions.training.tok"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        CourseError, match=r"needs the package tokenizers.*pip install 'nlpcourse\[training\]'"
    ):
        runs.registry()
