"""Where a run computes, and the states of the random generators there."""

import os
from dataclasses import dataclass

import torch
from torch import Tensor

from nlpcourse.errors import CourseError


@dataclass(frozen=True)
class Setting:
    """What a run computes on and how; said once at its beginning and kept in its record."""

    device: str
    """`cpu`, or the name of the GPU."""
    precision: str
    """`fp32` or `bf16` (autocast; the weights stay in fp32)."""
    compile: bool
    processes: int
    sharded: bool
    """FSDP; with one process or under DDP every process has the whole model."""

    def __str__(self) -> str:
        compiled = "compiled" if self.compile else "not compiled"
        spread = {True: "FSDP", False: "DDP"}[self.sharded]
        number = f"{self.processes} processes ({spread})" if self.processes > 1 else "1 process"
        return f"{self.device}, {self.precision}, {compiled}, {number}"


def choose() -> torch.device:
    """The GPU of this process when the machine has one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def check(device: torch.device, precision: str) -> None:
    """Make sure that the device computes in this precision.

    Raises:
        CourseError: it does not.
    """
    if precision == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(False):
        name = torch.cuda.get_device_name(device)
        raise CourseError(f"{name} does not compute in bf16; use --set precision=fp32")


def name(device: torch.device) -> str:
    """`cpu`, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def random_states(device: torch.device) -> dict[str, Tensor]:
    """The states of torch's default generators, by kind of device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def set_random_states(states: dict[str, Tensor], device: torch.device) -> None:
    """Set torch's default generators to what `random_states` gave."""
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
