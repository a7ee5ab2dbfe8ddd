"""One training step of our Transformer beside torch's and that of `transformers`, in one run.

    python -m pip install -e '.[bench]'
    python bench/training.py [--size small] [--precision fp32] [--steps 20] [--repeats 5] [--json FILE]

All have the same sizes, the same random tokens without padding, the same loss and the same optimiser (`Step`, AdamW);
only the model differs. Ours is there in its clear form, which the chapter builds, and in its fast form. torch's is
`nn.Transformer`, `transformers` gives MarianMT, which also has sinusoidal positions, norms after the sub-layers and a
ReLU. Turns alternate, so that what else the machine does meets all of them. Memory is that of a process of its own on
a CPU, and what CUDA gave out at most on a GPU. Where `transformers` is not installed its row says so.
"""

import argparse
import importlib.util
import json
import math
import multiprocessing
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from nlpcourse.files import write_atomically
from solutions.attention.fast import FastDecoderLayer, FastEncoderLayer
from solutions.attention.masks import causal_mask
from solutions.attention.positions import sinusoidal_positions
from solutions.attention.transformer import Transformer, TransformerConfig
from solutions.training import device as devices
from solutions.training import flops
from solutions.training.step import Step, StepConfig


@dataclass(frozen=True)
class Size:
    """Sizes of model and batch."""

    d_model: int
    num_heads: int
    d_ff: int
    layers: int
    """Of the encoder, and as many of the decoder."""
    vocabulary: int
    batch: int
    length: int
    """Tokens of each source and each target."""

    def forward_flops(self) -> float:
        """FLOPs of one forward pass; see `solutions/training/flops.py`."""
        B, T, D, d_ff = self.batch, self.length, self.d_model, self.d_ff
        layer = flops.encoder_layer(B, T, D, d_ff) + flops.decoder_layer(B, T, T, D, d_ff)
        return self.layers * layer + flops.vocabulary_head(B * T, D, self.vocabulary)


SIZES = {
    "tiny": Size(16, 2, 32, 1, 50, 2, 5),
    "small": Size(128, 4, 512, 2, 4000, 32, 24),
    "base": Size(512, 8, 2048, 6, 8000, 128, 32),
}
"""`tiny` is for trying this file, `small` is about that of the translation on a CPU, `base` that of Vaswani et al."""

Forward = Callable[[Tensor, Tensor], Tensor]


class Ours(nn.Module):
    """Our Transformer, its masks made anew in each step."""

    def __init__(self, size: Size, **layers: Any) -> None:
        super().__init__()
        config = TransformerConfig(
            vocabulary_size=size.vocabulary,
            d_model=size.d_model,
            num_heads=size.num_heads,
            d_ff=size.d_ff,
            encoder_layers=size.layers,
            decoder_layers=size.layers,
            max_length=size.length,
        )
        self.transformer = Transformer(config, **layers)

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        everywhere = source.new_ones(len(source), 1, 1, source.shape[1], dtype=torch.bool)
        return self.transformer(source, inputs, everywhere, causal_mask(inputs.shape[1]).to(source.device))


class Torch(nn.Module):
    """`nn.Transformer` between the same embeddings, positions and output."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.embedding = nn.Embedding(size.vocabulary, size.d_model)
        self.register_buffer("waves", sinusoidal_positions(size.length, size.d_model))
        self.transformer = nn.Transformer(
            size.d_model, size.num_heads, size.layers, size.layers, size.d_ff, 0.1, batch_first=True
        )
        self.dropout = nn.Dropout(0.1)

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        embedded = [self._embed(tokens) for tokens in (source, inputs)]
        hidden = ~causal_mask(inputs.shape[1]).to(source.device)
        return F.linear(
            self.transformer(*embedded, tgt_mask=hidden, tgt_is_causal=True), self.embedding.weight
        )

    def _embed(self, tokens: Tensor) -> Tensor:
        scaled = self.embedding(tokens) * math.sqrt(self.embedding.embedding_dim)
        return self.dropout(scaled + self.get_buffer("waves")[: tokens.shape[1]])


class Marian(nn.Module):
    """MarianMT of `transformers`, with the sizes given."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        from transformers import MarianConfig, MarianMTModel

        self.model = MarianMTModel(
            MarianConfig(
                vocab_size=size.vocabulary,
                d_model=size.d_model,
                encoder_layers=size.layers,
                decoder_layers=size.layers,
                encoder_attention_heads=size.num_heads,
                decoder_attention_heads=size.num_heads,
                encoder_ffn_dim=size.d_ff,
                decoder_ffn_dim=size.d_ff,
                activation_function="relu",
                dropout=0.1,
                attention_dropout=0.0,
                max_position_embeddings=size.length,
                scale_embedding=True,
                pad_token_id=0,
                use_cache=False,
            )
        )

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        return self.model(input_ids=source, decoder_input_ids=inputs).logits


MODELS: dict[str, Callable[[Size], nn.Module]] = {
    "ours, clear": Ours,
    "ours, fast": lambda size: Ours(size, encoder_layer=FastEncoderLayer, decoder_layer=FastDecoderLayer),
    "torch.nn.Transformer": Torch,
    "transformers, MarianMT": Marian,
}


class Contestant:
    """A model and the step that trains it on one batch over and over."""

    def __init__(self, name: str, size: Size, precision: str) -> None:
        torch.manual_seed(0)
        self._device = devices.choose()
        model = MODELS[name](size)
        self.parameters = sum(each.numel() for each in model.parameters())
        drawn = torch.randint(1, size.vocabulary, (3, size.batch, size.length), device=self._device)
        source, inputs, targets = drawn.unbind()

        def loss(network: nn.Module, part: Tensor) -> tuple[Tensor, Tensor]:
            logits = network(source[part], inputs[part])
            expected = targets[part]
            summed = F.cross_entropy(logits.flatten(0, 1).float(), expected.flatten(), reduction="sum")
            return summed, torch.tensor(expected.numel(), device=self._device)

        config = StepConfig(schedule="constant", precision=precision)
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


def memory(name: str, size: Size, precision: str, threads: int) -> int:
    """Bytes that three steps need at most, in a process that does nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_memory, (name, size, precision, threads))


def _memory(name: str, size: Size, precision: str, threads: int) -> int:
    torch.set_num_threads(threads)
    before = _resident()
    Contestant(name, size, precision).seconds(3)
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
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--steps", type=int, default=20, help="of a turn")
    parser.add_argument("--repeats", type=int, default=5, help="turns")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    console, size = Console(), SIZES[options.size]
    names = [name for name in MODELS if name != "transformers, MarianMT" or _installed("transformers")]
    contestants = {name: Contestant(name, size, options.precision) for name in names}
    for each in contestants.values():
        each.seconds(2)  # what is made once
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(options.repeats):
        for name, each in contestants.items():
            with console.status(f"turn {turn + 1} of {options.repeats}: {name}"):
                seconds[name].append(each.seconds(options.steps))
    device = devices.name(devices.choose())
    peak = flops.peak(device, options.precision)
    work, tokens = flops.training(size.forward_flops()), 2 * size.batch * size.length
    best = statistics.median(seconds["ours, fast"])
    table = Table(
        "model", "parameters", "ms a step", "tokens/s", "GFLOP/s", "MFU", "memory, MB", "time / ours"
    )
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        middle = statistics.median(seconds[name])
        row = {
            "parameters": contestants[name].parameters,
            "seconds": [round(value, 6) for value in seconds[name]],
            "tokens a second": round(tokens / middle),
            "FLOP/s": round(work / middle),
            "MFU": None if peak is None else round(work / middle / peak, 4),
            "bytes": memory(name, size, options.precision, options.threads),
        }
        rows[name] = row
        table.add_row(
            name,
            f"{row['parameters']:,}",
            f"{1e3 * middle:.1f}",
            f"{row['tokens a second']:,}",
            f"{row['FLOP/s'] / 1e9:,.1f}",
            f"{row['bytes'] / 1e6:,.0f}",
            f"{middle / best:.2f}",
        )
    console.print(table)
    console.print("time: against that of ours, fast")
    if peak is not None:
        for name, row in rows.items():
            console.print(f"MFU of {name}: {row['MFU']:.1%}")
    if "transformers, MarianMT" not in names:
        console.print("transformers, MarianMT: not run, transformers is not installed")
    if options.json:
        figures = {
            "size": {"name": options.size, **asdict(size)},
            "device": device,
            "precision": options.precision,
            "threads": options.threads,
            "models": rows,
            "versions": {"torch": torch.__version__, "python": platform.python_version()},
        }
        write_atomically(options.json, json.dumps(figures, indent=1) + "\n")


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


if __name__ == "__main__":
    main()
