"""A model for a page: weights in eight bits, judged as they are after rounding."""

from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from nlpcourse.data import dates
from solutions.attention.learning import build
from solutions.attention.pocket import eight_bits, from_eight_bits, pack
from solutions.attention.train import RUNS, DatesConfig, train_dates
from solutions.attention.transformer import Transformer
from solutions.training.session import Session

torch.set_num_threads(1)
(POCKET,) = (run.presets["smoke"] for run in RUNS if run.name == "dates-pocket")
CONFIG = replace(POCKET, examples=120, judged=20, epochs=1, tokens=512)


def small_model() -> Transformer:
    torch.manual_seed(0)
    model = build(replace(CONFIG, layers="clear"), dates.vocabulary_size())
    assert isinstance(model, Transformer)
    return model.eval()


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 7)])
def test_eight_bits_are_off_by_half_a_step_at_most(shape: tuple[int, ...]) -> None:
    tensor = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    tensor[..., 0] *= 100  # a scale of its own for each row
    found = from_eight_bits(eight_bits(tensor))
    steps = tensor.abs().amax(-1, keepdim=True) / 127
    assert found.shape == tensor.shape
    assert ((found - tensor).abs() <= 0.501 * steps).all()


def test_rows_of_zeros_stay_zeros() -> None:
    tensor = torch.tensor([[0.0, 0.0], [1.0, -2.0]])
    torch.testing.assert_close(from_eight_bits(eight_bits(tensor)), tensor, atol=0.01, rtol=0)
    assert from_eight_bits(eight_bits(tensor))[0].tolist() == [0, 0]


def test_what_is_judged_is_what_was_rounded() -> None:
    model = small_model()
    before = model.output.weight.clone()
    texts = dates.date_pairs("test", 3)
    found = pack(model, [*texts, ("3 May 1998", "is what it writes")], longest=30)
    weights = {each["name"]: from_eight_bits(each) for each in found["weights"]}
    assert set(weights) == {name for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, weights[name])
    assert not torch.equal(model.output.weight, before)
    assert torch.equal(model.output.weight, weights["source_embedding.weight"])  # tied ones once
    assert found["parameters"] == sum(each.numel() for each in weights.values())
    assert (found["tested"], found["exact match"]) == (4, 0)
    written = found["example"]["written"]
    assert pack(model, [*texts, ("3 May 1998", written)], longest=30)["exact match"] == 0.25
    weights_of_text = torch.tensor(found["example"]["weights"])  # (L, H, T, S)
    assert weights_of_text.shape[:2] == (CONFIG.depth, CONFIG.num_heads)
    torch.testing.assert_close(
        weights_of_text.sum(-1), torch.ones(weights_of_text.shape[:3]), atol=0.01, rtol=0
    )


def test_the_run_writes_the_model_of_seed_0_alone(tmp_path: Path) -> None:
    def trained(config: DatesConfig, seed: int) -> set[str]:
        session = Session("pocket", tmp_path / "pocket.pt", asdict(config), seed=seed, resume=False)
        return set(train_dates(config, session).files or {})

    assert trained(CONFIG, 0) == {"heads.json"}
    assert trained(CONFIG, 1) == set()
    assert trained(replace(CONFIG, maps=1), 0) == {"heads.json", "dates-attention.json"}
    assert trained(replace(CONFIG, pocket=False), 0) == set()
