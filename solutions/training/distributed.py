"""Several processes on one run, started by `torchrun`: DDP, and FSDP for a model that does not fit on one device.

Each process goes over its share of every batch. Losses and gradients are summed over the processes and divided by the
number of tokens of the whole batch, so that a step is the same step on one process or on many.

    torchrun --standalone --nproc-per-node 8 -m nlpcourse.cli train NAME --preset gpu
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel


@contextmanager
def processes() -> Iterator[None]:
    """Join the other processes that `torchrun` has started; nothing where there are none."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def world() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """The number of this one; 0 writes and speaks."""
    return dist.get_rank() if dist.is_initialized() else 0


def share(batch: Tensor, parts: int) -> list[tuple[Tensor, float]]:
    """What this process goes over of a batch, cut into parts.

    Args:
        batch: (B,) long, indices of examples.
        parts: how many at most.

    Returns:
        As many parts in each process, with their weight, 1. In the place of a part without examples stands the
        batch's first one with weight 0: all processes go forward and backward together, because FSDP gathers
        parameters and both sum gradients on the way.
    """
    largest = -(-len(batch) // world())
    mine = batch.tensor_split(world())[rank()].tensor_split(min(parts, largest))
    return [(part, 1.0) if len(part) else (batch[:1], 0.0) for part in mine]


def spread(model: nn.Module, device: torch.device, *, shard: bool) -> nn.Module:
    """The model on its device, in the form in which the loss must call it.

    Args:
        model: on the CPU, the same in every process; changed in place.
        device: of this process.
        shard: spread the parameters over the processes, each layer of a `ModuleList` for itself, so that a process has
            one whole layer at a time.
    """
    if world() == 1:
        return model.to(device)
    if not shard:
        on = [device.index] if device.type == "cuda" else None
        return DistributedDataParallel(model.to(device), on, gradient_as_bucket_view=True)
    for layers in [module for module in model.modules() if isinstance(module, nn.ModuleList)]:
        for layer in layers:
            fully_shard(layer)
    fully_shard(model)  # the parameters outside of the layers
    return model


def in_step(network: nn.Module, *, last: bool) -> Any:
    """A context for one part of a batch: gradients go to the other processes with the last part only."""
    if isinstance(network, FSDPModule):
        network.set_requires_gradient_sync(last)
    elif isinstance(network, DistributedDataParallel) and not last:
        return network.no_sync()
    return nullcontext()


def summed(values: Tensor) -> Tensor:
    """The sum over the processes, in place."""
    if world() > 1:
        dist.all_reduce(values)
    return values


def any_process(*flags: bool) -> list[bool]:
    """For each flag, whether it is set in some process; all processes must ask together."""
    if world() == 1:
        return list(flags)
    values = torch.tensor(flags, dtype=torch.uint8)
    dist.all_reduce(values, dist.ReduceOp.MAX)
    return [bool(value) for value in values]


def gathered(mine: Any) -> list[Any]:
    """What each process has, in order; all processes must ask together."""
    if world() == 1:
        return [mine]
    found: list[Any] = [None] * world()
    dist.all_gather_object(found, mine)
    return found


def local(tensor: Tensor) -> Tensor:
    """The part of a tensor that lies in this process; of a tensor that is not spread, all."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor that may be spread over the processes; all processes must ask together."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def collected(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """All of each tensor, for a checkpoint; what is spread is put together in process 0, tensor by tensor."""
    found = {}
    for name, tensor in tensors.items():
        values = whole(tensor)
        if rank() == 0:
            found[name] = values.cpu() if isinstance(tensor, DTensor) else values
    return found


def fill(tensor: Tensor, values: Tensor) -> None:
    """Copy `values` into a tensor that may be spread over the processes."""
    if isinstance(tensor, DTensor):
        values = distribute_tensor(values.to(tensor.device), tensor.device_mesh, tensor.placements)
    tensor.copy_(values)
