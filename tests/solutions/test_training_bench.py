"""`bench/training.py`: what it lets run side by side is the same model, and every contestant learns."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from nlpcourse.paths import project_root
from solutions.bert.released import published_name
from solutions.training import flops


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    folder = str(project_root(Path(__file__).parent) / "bench")
    sys.path.insert(0, folder)  # as when the file is run
    try:
        return importlib.import_module("training")
    finally:
        sys.path.remove(folder)


CONTESTANTS = [
    ("small", "tiny", name)
    for name in ("ours, clear", "ours, fast", "torch.nn.Transformer", "transformers, MarianMT")
] + [
    (size, "bert-tiny", name)
    for size in ("bert-laptop", "bert-base")
    for name in ("ours, clear", "ours, fast", "transformers, BERT")
]


def test_all_contestants_are_tested(bench) -> None:
    assert {(size, name) for size, _, name in CONTESTANTS} == {
        (size, name) for size in ("small", "bert-laptop", "bert-base") for name in bench.SIZES[size].models()
    }


@pytest.mark.parametrize(("size", "tiny", "name"), CONTESTANTS)
def test_a_contestant_has_as_many_parameters_as_ours_and_learns_its_batch(
    bench, size: str, tiny: str, name: str
) -> None:
    models = bench.SIZES[size].models()
    with torch.device("meta"):
        ours, parameters = (
            sum(each.numel() for each in models[which](bench.SIZES[size]).parameters())
            for which in ("ours, fast", name)
        )
    # torch has a norm behind each stack, MarianMT keeps its waves among the parameters
    assert abs(parameters - ours) < 0.005 * ours
    contestant = bench.Contestant(name, bench.SIZES[tiny], "fp32")
    first, *_, last = [contestant.step(number, 50).item() for number in range(50)]
    assert last < first - 0.3


def test_contestants_of_pre_training_have_the_same_task(bench) -> None:
    """With the same weights and without dropout all three have the same loss."""
    size = bench.SIZES["bert-tiny"]
    part = size.data(torch.device("cpu"))
    models = {name: build(size).eval() for name, build in size.models().items()}
    models["ours, fast"].model.load_state_dict(models["ours, clear"].model.state_dict())
    theirs = models["transformers, BERT"].model
    state = {
        published_name(name): tensor for name, tensor in models["ours, clear"].model.state_dict().items()
    }
    assert not theirs.load_state_dict(state, strict=False).unexpected_keys
    losses = [size.loss(model, part)[0].item() for model in models.values()]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-5)


def test_work_is_counted_as_the_products_that_are_done(bench) -> None:
    size = bench.TranslationSize(d_model=4, num_heads=2, d_ff=8, layers=3, vocabulary=11, batch=5, length=7)
    layer = flops.attention(5, 7, 7, 4) + flops.feed_forward(5, 7, 4, 8)
    assert (
        size.forward_flops("ours, fast") == 3 * (2 * layer + flops.attention(5, 7, 7, 4)) + 2 * 5 * 7 * 4 * 11
    )


def test_the_fast_head_is_counted_where_it_is_applied(bench) -> None:
    size = bench.SIZES["bert-laptop"]
    fast, theirs = (size.forward_flops(name) for name in ("ours, fast", "transformers, BERT"))
    assert size.forward_flops("ours, clear") == theirs
    saved = size.tokens() - size.asked()
    assert theirs - fast == 2 * saved * size.d_model * (size.d_model + size.vocabulary)
