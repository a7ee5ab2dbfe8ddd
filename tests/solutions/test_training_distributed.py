"""Several processes on one run: the same losses and weights as one, and an end that all agree on."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_model import TinyConfig, tiny_task

from nlpcourse.errors import CourseError
from solutions.training import distributed, runs
from solutions.training.loop import fit
from solutions.training.runs import Run, carry_out
from solutions.training.session import Session

pytestmark = pytest.mark.xdist_group("torchrun")  # one start of two processes serves all

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("tiny_model.py")
DROPPED = {"dropout": 0.5}
CASES = [
    {"name": "ddp", "settings": {}},
    {"name": "parts", "settings": {"accumulation": 3}},
    {"name": "fsdp", "settings": {"shard": True, "accumulation": 2}},
    {"name": "few", "settings": {"tokens": 13, "epochs": 1}},
    {"name": "whole", "settings": DROPPED},
    {"name": "stopped", "settings": DROPPED, "stop": 9},
    {"name": "resumed", "settings": DROPPED, "checkpoint": "stopped", "resume": True},
    {"name": "sharded", "settings": {"shard": True, **DROPPED}},
    {"name": "stopped sharded", "settings": {"shard": True, **DROPPED}, "stop": 9},
    {
        "name": "resumed sharded",
        "settings": {"shard": True, **DROPPED},
        "checkpoint": "stopped sharded",
        "resume": True,
    },
    {"name": "left", "settings": {}, "stop": 3},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where two processes, started by torchrun, have left what they got."""
    folder = tmp_path_factory.mktemp("torchrun")
    cases = [{"checkpoint": case["name"], "resume": False, "stop": 0, **case} for case in CASES]
    (folder / "cases.json").write_text(json.dumps(cases))
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*launch, str(SCRIPT), str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return folder


def result(folder: Path, name: str) -> dict[str, Any]:
    found = torch.load(folder / f"{name}.result", weights_only=True)
    assert found["world"] == 2
    return found


def alone(tmp_path: Path, config: TinyConfig) -> dict[str, Any]:
    """What one process gets."""
    session = Session("tiny", tmp_path / "alone.pt", asdict(config), seed=1)
    task, _ = tiny_task(config, session)
    fit(task, session, every=2)
    return {"curve": session.curve, "tensors": task.tensors(), "tokens": session.tokens}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp", "parts", "fsdp", "few"])
def test_two_processes_are_as_one(name: str, folder: Path, tmp_path: Path) -> None:
    """In fp32 up to the order of sums: 1e-5 of each loss, 1e-4 of each weight.

    `few` has batches of one example, in which the second process has nothing of its own.
    """
    (case,) = (case for case in CASES if case["name"] == name)
    settings = {key: value for key, value in case["settings"].items() if key not in ("shard", "accumulation")}
    one, two = alone(tmp_path, TinyConfig(**settings)), result(folder, name)
    assert two["tokens"] == one["tokens"]
    losses = [[point["loss"] for point in each["curve"]] for each in (one, two)]
    assert len(losses[0]) > 6
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert two["tensors"].keys() == one["tensors"].keys()
    for key, expected in one["tensors"].items():
        torch.testing.assert_close(
            two["tensors"][key], expected, rtol=1e-4, atol=1e-5, msg=lambda m, k=key: k + m
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("whole", "stopped", "resumed"),
    [("whole", "stopped", "resumed"), ("sharded", "stopped sharded", "resumed sharded")],
)
def test_a_signal_to_one_stops_all_and_all_go_on_to_the_same_bits(
    folder: Path, whole: str, stopped: str, resumed: str
) -> None:
    assert "stopped and saved" in result(folder, stopped)["error"]
    expected, found = result(folder, whole), result(folder, resumed)
    assert [point["loss"] for point in found["curve"]] == [point["loss"] for point in expected["curve"]]
    for key, tensor in expected["tensors"].items():
        assert torch.equal(found["tensors"][key], tensor), key


@pytest.mark.slow
def test_a_checkpoint_of_two_processes_is_not_for_one(folder: Path) -> None:
    assert (folder / "left.pt").is_file()
    with pytest.raises(CourseError, match=r"left\.pt is of 2 processes, here is 1"):
        Session("tiny", folder / "left.pt", asdict(TinyConfig()), seed=1, resume=True)


def test_a_run_for_one_process_refuses_many(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(distributed, "world", lambda: 2)
    run = Run("small", "small", {"smoke": TinyConfig()}, lambda *_: pytest.fail("was trained"))
    assert runs.distributed is distributed
    with pytest.raises(CourseError, match="small runs in one process, here are 2; leave out torchrun"):
        carry_out("embeddings", run, "smoke", TinyConfig(), 0, tmp_path, resume=False, keep=False)


@pytest.mark.parametrize("world", [1, 2, 3])
@pytest.mark.parametrize("parts", [1, 2, 4])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 12])
def test_shares_cover_the_batch(monkeypatch: pytest.MonkeyPatch, world: int, parts: int, size: int) -> None:
    monkeypatch.setattr(distributed, "world", lambda: world)
    seen: list[int] = []
    counts = set()
    for rank in range(world):
        monkeypatch.setattr(distributed, "rank", lambda rank=rank: rank)
        share = distributed.share(torch.arange(size), parts)
        counts.add(len(share))
        assert all(len(part) for part, _ in share)
        seen += [number for part, weight in share if weight for number in part.tolist()]
    assert seen == list(range(size))
    assert counts == {min(parts, -(-size // world))}, (
        "as many parts everywhere, and none that all leave empty"
    )
