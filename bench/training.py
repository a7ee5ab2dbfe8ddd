"""One training step of ours beside torch's and that of `transformers`, in one run.

    python -m pip install -e '.[bench]'
    python bench/training.py [--size bert-laptop] [--precision fp32] [--compile] [--steps 20] [--repeats 5] [--json F]

All have the same sizes, the same random tokens without padding, the same loss and the same optimiser (`Step`, AdamW);
only the model differs. Ours is there in its clear form, which the chapter builds, and in its fast form.

* `small`, `base`: a Transformer that translates. torch's is `nn.Transformer`, `transformers` gives MarianMT, which also
  has sinusoidal positions, norms after the sub-layers and a ReLU.
* `bert-laptop`, `bert-base`: pre-training of BERT, hidden tokens and order of sentences. `transformers` gives
  `BertForPreTraining` in its fastest form: with torch's fused attention and without a mask. It drops no attention
  weight, as ours does not.

Turns alternate, so that what else the machine does meets all of them. Memory is that of a process of its own on a CPU,
and what CUDA gave out at most on a GPU. FLOPs, and with them MFU, are those that each model executes: where less work
gives the same result, the time tells. Where `transformers` is not installed its row says so.
"""

import argparse
import importlib.util
import json
import multiprocessing
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch
from bert_step import PretrainingSize
from rich.console import Console
from rich.table import Column, Table
from torch import Tensor, nn
from translation_step import TranslationSize

from nlpcourse.files import write_atomically
from solutions.training import device as devices
from solutions.training import flops
from solutions.training.step import Step, StepConfig


class Size(Protocol):
    """Sizes of model and batch, and what is trained on what."""

    batch: int

    def tokens(self) -> int:
        """Of a batch."""
        ...

    def forward_flops(self, name: str) -> float:
        """FLOPs of one forward pass of a contestant; see `solutions/training/flops.py`."""
        ...

    def models(self) -> dict[str, Callable[[Any], nn.Module]]:
        """What makes each contestant from this size."""
        ...

    def data(self, device: torch.device) -> tuple[Tensor, ...]:
        """A batch, of random tokens; (B, ...) each."""
        ...

    def loss(self, network: nn.Module, part: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
        """The sum of a part's losses, and of how many tokens it is."""
        ...


SIZES: dict[str, Size] = {
    "tiny": TranslationSize(16, 2, 32, 1, 50, 2, 5),
    "small": TranslationSize(128, 4, 512, 2, 4000, 32, 24),
    "base": TranslationSize(512, 8, 2048, 6, 8000, 128, 32),
    "bert-tiny": PretrainingSize(16, 2, 32, 1, 50, 4, 8),
    "bert-laptop": PretrainingSize(128, 4, 512, 2, 4000, 32, 64),
    "bert-base": PretrainingSize(768, 12, 3072, 12, 30_528, 32, 128),
}
"""`tiny` is for trying this file, `small` is about that of the translation on a CPU, `base` that of Vaswani et al.,
`bert-base` that of Devlin et al. with a vocabulary that is a multiple of 64, which is faster for all."""


class Contestant:
    """A model and the step that trains it on one batch over and over."""

    def __init__(self, name: str, size: Size, precision: str, *, compiled: bool = False) -> None:
        torch.manual_seed(0)
        self._device = devices.choose()
        model = size.models()[name](size)
        self.parameters = sum(each.numel() for each in model.parameters())
        torch.manual_seed(0)  # the same batch for all
        data = size.data(self._device)

        def loss(network: nn.Module, part: Tensor) -> tuple[Tensor, Tensor]:
            return size.loss(network, tuple(each[part] for each in data))

        config = StepConfig(schedule="constant", precision=precision, compile=compiled)
        self._step = Step(model, config, loss, self._device)
        self._batch = torch.arange(size.batch, device=self._device)

    def step(self, number: int, steps: int) -> Tensor:
        """One step; the mean loss of the batch before it."""
        return self._step(self._batch, number, steps)

    def seconds(self, steps: int) -> float:
        """Wall seconds of one step, the mean of `steps`."""
        self._wait()
        start = time.perf_counter()
        for step in range(steps):
            self.step(step, steps)
        self._wait()
        return (time.perf_counter() - start) / steps

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()


def memory(name: str, size: Size, precision: str, compiled: bool, threads: int) -> int:
    """Bytes that three steps need at most, in a process that does nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_memory, (name, size, precision, compiled, threads))


def _memory(name: str, size: Size, precision: str, compiled: bool, threads: int) -> int:
    torch.set_num_threads(threads)
    before = _resident()
    Contestant(name, size, precision, compiled=compiled).seconds(3)
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else _resident() - before


def _resident() -> int:
    """The largest resident memory of this process so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=SIZES, default="base" if torch.cuda.is_available() else "small")
    parser.add_argument("--batch", type=int, help="other than that of the size: texts")
    parser.add_argument("--length", type=int, help="other than that of the size: tokens of a text")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--compile", action="store_true", help="compile every model; a minute or more each")
    parser.add_argument("--steps", type=int, default=20, help="of a turn")
    parser.add_argument("--repeats", type=int, default=5, help="turns")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    others = {key: getattr(options, key) for key in ("batch", "length") if getattr(options, key) is not None}
    console, size = Console(), replace(SIZES[options.size], **others)
    here = importlib.util.find_spec("transformers") is not None
    names = [name for name in size.models() if here or not name.startswith("transformers")]
    # First, while this process is small: a child's largest memory begins with that of its parent
    needed = {name: memory(name, size, options.precision, options.compile, options.threads) for name in names}
    contestants = {
        name: Contestant(name, size, options.precision, compiled=options.compile) for name in names
    }
    for each in contestants.values():
        each.seconds(2)  # what is made once
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(options.repeats):
        for name, each in contestants.items():
            with console.status(f"turn {turn + 1} of {options.repeats}: {name}"):
                seconds[name].append(each.seconds(options.steps))
    device = devices.name(devices.choose())
    peak = flops.peak(device, options.precision)
    best = statistics.median(seconds["ours, fast"])
    table = Table(
        Column("", no_wrap=True), "weights, M", "ms a step", "tokens/s", "GFLOP/s", "MFU", "MB", "time"
    )
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        middle = statistics.median(seconds[name])
        rate = flops.training(size.forward_flops(name)) / middle
        row = {
            "parameters": contestants[name].parameters,
            "seconds": [round(value, 6) for value in seconds[name]],
            "tokens a second": round(size.tokens() / middle),
            "FLOP/s": round(rate),
            "MFU": None if peak is None else round(rate / peak, 4),
            "bytes": needed[name],
            "time / ours": round(middle / best, 4),
        }
        rows[name] = row
        table.add_row(
            name,
            f"{row['parameters'] / 1e6:.1f}",
            f"{1e3 * middle:.1f}",
            f"{row['tokens a second']:,}",
            f"{rate / 1e9:,.1f}",
            "-" if peak is None else f"{row['MFU']:.1%}",
            f"{row['bytes'] / 1e6:,.0f}",
            f"{middle / best:.2f}",
        )
    console.print(table)
    console.print("MB: memory of a step; time: against that of ours, fast")
    if not here:
        console.print("transformers: not run, it is not installed")
    if options.json:
        figures = {
            "size": {"name": options.size, **asdict(size)},  # type: ignore[call-overload]
            "device": device,
            "precision": options.precision,
            "compile": options.compile,
            "threads": options.threads,
            "models": rows,
            "versions": {
                "torch": torch.__version__,
                "python": platform.python_version(),
                **({"transformers": version("transformers")} if here else {}),
            },
        }
        write_atomically(options.json, json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
