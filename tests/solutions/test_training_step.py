"""One step: groups of parameters, the mean over tokens, clipping, precision, and what stands in a checkpoint."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_model import TinyConfig, TinyModel
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.training.step import Step, StepConfig, parameter_groups

CPU = torch.device("cpu")
PLAIN = StepConfig(lr=0.1, schedule="constant", clip=0.0, weight_decay=0.0)
LENGTHS = [1, 5, 2, 8, 3, 3]


def regression() -> tuple[nn.Module, Callable[[nn.Module, Tensor], tuple[Tensor, Tensor]]]:
    """A linear model, and the loss of examples with different numbers of tokens."""
    torch.manual_seed(0)
    model = nn.Linear(4, 1)
    examples = [torch.randn(length, 4) for length in LENGTHS]

    def loss(network: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor]:
        tokens = torch.cat([examples[number] for number in batch.tolist()])
        return (network(tokens) - 3).square().sum(), torch.tensor(len(tokens))

    return model, loss


def gradient_of_mean() -> tuple[Tensor, Tensor]:
    """Of all tokens together: the loss, and the gradient of the weight."""
    model, loss = regression()
    total, tokens = loss(model, torch.arange(6))
    (total / tokens).backward()
    return (total / tokens).detach(), model.weight.grad


def one_step(config: StepConfig) -> tuple[nn.Module, Tensor]:
    model, loss = regression()
    result = Step(model, config, loss, CPU)(torch.arange(6), 0, 10)
    return model, result


@pytest.mark.parametrize("accumulation", [1, 2, 4, 6, 9])
def test_the_loss_is_the_mean_over_tokens_however_it_is_cut(accumulation: int) -> None:
    """Examples have 1 to 8 tokens: a mean of means would be another number."""
    model, loss = one_step(replace(PLAIN, accumulation=accumulation))
    expected, gradient = gradient_of_mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(model.weight.grad, gradient)


def test_a_step_is_that_of_adamw() -> None:
    config = replace(PLAIN, weight_decay=0.5, beta1=0.8, beta2=0.7, epsilon=1e-3)
    model, _ = one_step(config)
    other, loss = regression()
    optimizer = torch.optim.AdamW(
        [{"params": [other.weight]}, {"params": [other.bias], "weight_decay": 0.0}],
        lr=0.1,
        betas=(0.8, 0.7),
        eps=1e-3,
        weight_decay=0.5,
    )
    total, tokens = loss(other, torch.arange(6))
    (total / tokens).backward()
    optimizer.step()
    torch.testing.assert_close(model.weight, other.weight)
    torch.testing.assert_close(model.bias, other.bias)


def test_a_long_gradient_is_scaled_to_the_norm_and_a_short_one_is_left() -> None:
    _, gradient = gradient_of_mean()
    for clip in (0.5, 1e6):
        model, _ = one_step(replace(PLAIN, clip=clip, accumulation=2))
        norm = torch.cat([each.grad.flatten() for each in model.parameters()]).norm().item()
        if clip == 0.5:
            assert norm == pytest.approx(0.5, rel=1e-5)
        torch.testing.assert_close(
            nn.functional.normalize(model.weight.grad), nn.functional.normalize(gradient)
        )
    torch.testing.assert_close(model.weight.grad, gradient)


def test_the_learning_rate_follows_the_schedule() -> None:
    model, loss = regression()
    step = Step(model, replace(PLAIN, schedule="linear", warmup=2), loss, CPU)
    seen = []
    for number in range(4):
        step(torch.arange(6), number, 4)
        seen.append([group["lr"] for group in step._optimizer.param_groups])
    assert seen == [[pytest.approx(value)] * 2 for value in (0.05, 0.1, 0.1, 0.05)]


def test_matrices_decay_and_vectors_do_not() -> None:
    model = TinyModel(TinyConfig())
    decayed, kept = parameter_groups(model, 0.3)
    assert (decayed["weight_decay"], kept["weight_decay"]) == (0.3, 0.0)
    names = {parameter: name for name, parameter in model.named_parameters()}
    found = {names[each] for each in decayed["params"]}
    assert {"words.weight", "layers.0.linear1.weight"} <= found
    assert all("norm" not in name and "bias" not in name for name in found)
    assert len(decayed["params"]) + len(kept["params"]) == len(names), "each once, tied ones too"
    model.words.weight.requires_grad_(False)
    assert all(each is not model.words.weight for each in parameter_groups(model, 0.3)[0]["params"])


def test_bf16_rounds_products_and_keeps_weights() -> None:
    seen = []

    def loss(network: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor]:
        out = network(torch.ones(1, 4))
        seen.append(out.dtype)
        return out.float().sum(), torch.tensor(1)

    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        model = nn.Linear(4, 1)
        step = Step(model, replace(PLAIN, precision=precision), loss, CPU)
        step(torch.arange(1), 0, 1)
        assert seen.pop() is dtype
        with step.evaluating():
            assert model(torch.ones(1, 4)).dtype is dtype and not model.training
        assert model.training and model.weight.dtype is model.weight.grad.dtype is torch.float32


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_not_finite_is_seen_in_the_loss(value: float) -> None:
    """The loss of the step before is finite still; without this, broken weights would be saved."""

    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(ctx: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(ctx: object, gradient: Tensor) -> Tensor:
            return gradient * value

    def loss(network: nn.Module, batch: Tensor) -> tuple[Tensor, Tensor]:
        return Broken.apply(network(torch.ones(1, 4))).sum(), torch.tensor(1)

    assert Step(nn.Linear(4, 1), replace(PLAIN, clip=1.0), loss, CPU)(torch.arange(1), 0, 1).isnan()


def test_all_that_training_changes_stands_among_the_tensors() -> None:
    """Filled into a fresh model, they make its next step the same."""

    def begin() -> tuple[Step, nn.Module]:
        model, loss = regression()
        return Step(model, replace(PLAIN, weight_decay=0.1), loss, CPU), model

    first, model = begin()
    assert all(
        not tensor.any() for name, tensor in first.tensors().items() if name.startswith("optimizer.")
    ), "the optimiser begins from nothing"
    for number in range(3):
        first(torch.arange(6), number, 10)
    second, other = begin()
    for name, tensor in second.tensors().items():
        tensor.copy_(first.tensors()[name])
    for each in (first, second):
        each(torch.arange(6), 3, 10)
    assert torch.equal(model.weight, other.weight) and torch.equal(model.bias, other.bias)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"schedule": "cosin"}, "schedule is 'cosin', expected constant or linear or cosine or inverse_sqrt"),
        ({"precision": "fp16"}, "precision is 'fp16', expected fp32 or bf16"),
        ({"accumulation": 0}, "accumulation is 0, expected 1 or more"),
        (
            {"compile": True, "shard": True},
            "compile and shard are both true: the two have not been tried together; set one",
        ),
    ],
)
def test_settings_that_cannot_be(settings: dict, message: str) -> None:
    with pytest.raises(CourseError) as caught:
        StepConfig(**settings)
    assert str(caught.value) == message


def test_a_gpu_without_bf16_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Old GPU")
    model, loss = regression()
    with pytest.raises(CourseError, match="Old GPU does not compute in bf16; use --set precision=fp32"):
        Step(model, replace(PLAIN, precision="bf16"), loss, torch.device("cuda", 0))


@pytest.mark.slow
def test_a_compiled_model_makes_the_same_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    model, loss = one_step(replace(PLAIN, compile=True))
    expected, gradient = gradient_of_mean()
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(model.weight.grad, gradient)
    assert set(model.state_dict()) == {"weight", "bias"}
