"""`bench/training.py`: what it lets run side by side is the same model, and every contestant learns."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nlpcourse.paths import project_root
from solutions.training import flops


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    path = project_root(Path(__file__).parent) / "bench" / "training.py"
    spec = importlib.util.spec_from_file_location("bench_training", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["ours, clear", "ours, fast", "torch.nn.Transformer"])
def test_a_contestant_has_as_many_parameters_as_ours_and_learns_its_batch(bench, name: str) -> None:
    size = bench.SIZES["small"]
    with torch.device("meta"):
        ours = sum(each.numel() for each in bench.Ours(size).parameters())
        parameters = sum(each.numel() for each in bench.MODELS[name](size).parameters())
    assert abs(parameters - ours) < 0.001 * ours  # torch has a norm behind each stack
    contestant = bench.Contestant(name, bench.SIZES["tiny"], "fp32")
    first, *_, last = [contestant.step(number, 50).item() for number in range(50)]
    assert last < first - 0.3


def test_work_is_counted_as_the_products_that_are_done(bench) -> None:
    size = bench.Size(d_model=4, num_heads=2, d_ff=8, layers=3, vocabulary=11, batch=5, length=7)
    layer = flops.attention(5, 7, 7, 4) + flops.feed_forward(5, 7, 4, 8)
    assert size.forward_flops() == 3 * (2 * layer + flops.attention(5, 7, 7, 4)) + 2 * 5 * 7 * 4 * 11
