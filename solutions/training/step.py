"""One step of AdamW: the gradient of a batch, part by part, clipped, with the learning rate of its schedule.

The loss of a batch is the mean over its TOKENS. It is the same whether the batch is gone over at once, in parts
(accumulation), or in parts on many processes: losses are summed, and the gradient is divided by the number of all
tokens at the end. A mean of the parts' means would give the tokens of short parts a higher weight.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from nlpcourse.errors import CourseError
from solutions.training import device as devices
from solutions.training import distributed
from solutions.training.config import at_least
from solutions.training.schedules import SCHEDULES

Loss = Callable[[nn.Module, Tensor], tuple[Tensor, Tensor]]
"""From the network and (B,) long, indices of examples, to the sum of their losses and the number of tokens summed."""


@dataclass(frozen=True)
class StepConfig:
    """Settings of the optimiser and of how a step is computed."""

    lr: float = 1e-3
    """The highest learning rate."""
    schedule: str = "linear"
    """`constant`, `linear`, `cosine` or `inverse_sqrt`."""
    warmup: int = 0
    """Steps in which the learning rate rises."""
    weight_decay: float = 0.01
    """Of matrices; biases and the weights of norms have none."""
    beta1: float = 0.9
    """AdamW's memory of the gradient."""
    beta2: float = 0.999
    """AdamW's memory of its square."""
    epsilon: float = 1e-8
    """AdamW's smallest denominator."""
    clip: float = 1.0
    """The largest norm of the gradient; a longer one is scaled down. 0 for none."""
    accumulation: int = 1
    """Parts in which a process goes over its share of a batch: less memory, the same step."""
    precision: str = "fp32"
    """`fp32`, or `bf16`: matrix products in bfloat16, weights and sums in float32."""
    compile: bool = False
    """Compile the model; pays for runs over five minutes. Not with `shard`."""
    shard: bool = False
    """Spread the parameters over the processes of torchrun (FSDP) instead of a copy in each (DDP)."""

    def __post_init__(self) -> None:
        at_least(self, lr=0, warmup=0, weight_decay=0, beta1=0, beta2=0, epsilon=0, clip=0, accumulation=1)
        for name, known in {"schedule": tuple(SCHEDULES), "precision": ("fp32", "bf16")}.items():
            if getattr(self, name) not in known:
                raise CourseError(f"{name} is {getattr(self, name)!r}, expected {' or '.join(known)}")
        if self.compile and self.shard:
            raise CourseError(
                "compile and shard are both true: the two have not been tried together; set one"
            )


class Step:
    """A model, its optimiser, and what turns a batch into a step.

    Attributes:
        setting: device, precision, compile and processes, for the record.

    Args:
        model: on the CPU, the same in every process; moved and changed in place.
        config: the settings.
        loss: of a part of a batch.
        device: to compute on.

    Raises:
        CourseError: the device does not compute in this precision.
    """

    def __init__(self, model: nn.Module, config: StepConfig, loss: Loss, device: torch.device) -> None:
        devices.check(device, config.precision)
        self._model, self._config, self._loss, self._device = model, config, loss, device
        if config.compile:
            model.compile()
        self._network = distributed.spread(model, device, shard=config.shard)
        self._optimizer = torch.optim.AdamW(
            parameter_groups(model, config.weight_decay),
            lr=0.0,
            betas=(config.beta1, config.beta2),
            eps=config.epsilon,
            fused=True,
        )
        self._begin()
        self.setting = devices.Setting(
            device=devices.name(device),
            precision=config.precision,
            compile=config.compile,
            processes=distributed.world(),
            sharded=config.shard and distributed.world() > 1,
        )

    def __call__(self, batch: Tensor, step: int, steps: int) -> Tensor:
        """One step.

        Args:
            batch: (B,) long, indices of examples; the same in every process.
            step: its number, from 0.
            steps: of the whole training.

        Returns:
            () float32 on the device, the mean loss of the batch's tokens; nan when the gradient is not finite.
        """
        # Sums of losses and of their gradients, over the parts of this process's share
        self._optimizer.zero_grad()
        parts = distributed.share(batch, self._config.accumulation)
        sums = torch.zeros(2, device=self._device)  # losses, tokens
        for number, (part, weight) in enumerate(parts, start=1):
            with distributed.in_step(self._network, last=number == len(parts)):
                with self._autocast():
                    loss, tokens = self._loss(self._network, part)
                (weight * loss).backward()
            sums += weight * torch.stack([loss.detach().float(), tokens.float()])
        # Over all processes; DDP and FSDP have divided the gradients by the number of processes
        loss, tokens = distributed.summed(sums)
        scale = distributed.world() / tokens
        # The mean gradient, no longer than `clip`
        gradients = [each.grad for each in self._model.parameters() if each.grad is not None]
        norm = scale * distributed.whole(nn.utils.get_total_norm(gradients))
        if self._config.clip:
            scale = scale * (self._config.clip / norm).clamp(max=1.0)
        torch._foreach_mul_([distributed.local(each) for each in gradients], scale)
        # The optimiser's step
        for group in self._optimizer.param_groups:
            group["lr"] = self._config.lr * SCHEDULES[self._config.schedule](step, steps, self._config.warmup)
        self._optimizer.step()
        return torch.where(norm.isfinite(), loss / tokens, torch.nan)

    def tensors(self) -> dict[str, Tensor]:
        """Weights, buffers and the optimiser's state, by name."""
        found = {f"model.{name}": tensor for name, tensor in self._model.state_dict().items()}
        for name, parameter in self._model.named_parameters():
            for key, tensor in self._optimizer.state[parameter].items():
                found[f"optimizer.{name}.{key}"] = tensor
        return found

    @contextmanager
    def evaluating(self) -> Iterator[None]:
        """Compute without dropout and without gradients, in the precision of the steps."""
        self._model.eval()
        try:
            with torch.no_grad(), self._autocast():
                yield
        finally:
            self._model.train()

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._config.precision == "bf16")

    def _begin(self) -> None:
        """Make the optimiser's state, which a checkpoint fills, by a step of length 0 that is then forgotten."""
        for group in self._optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.zeros_like(parameter)
        self._optimizer.step()
        for state in self._optimizer.state.values():
            for tensor in state.values():
                tensor.zero_()


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Parameters with weight decay and without.

    Matrices decay: weights of linear layers, and of embeddings (the rows of a table of words), as in BERT and GPT-2.
    Vectors do not: biases, weights of norms. A layer norm's weight that decays would be pulled from 1 to 0.
    """
    trained = [each for each in model.parameters() if each.requires_grad]
    return [
        {"params": [each for each in trained if each.ndim >= 2], "weight_decay": weight_decay},
        {"params": [each for each in trained if each.ndim < 2], "weight_decay": 0.0},
    ]
