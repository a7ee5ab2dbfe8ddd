"""`nlpcourse train`: train a topic's real models and write down what they gave."""

from dataclasses import fields
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from nlpcourse.errors import CourseError

if TYPE_CHECKING:
    from nlpcourse.records import RunRecord


class Preset(StrEnum):
    """How large a run is."""

    smoke = "smoke"
    laptop = "laptop"
    gpu = "gpu"


def register(app: typer.Typer) -> None:
    """Add `nlpcourse train` to the command line."""
    app.command(rich_help_panel="For instructors")(train)


def train(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="What to train; --list shows all.")
    ] = None,
    preset: Annotated[
        Preset,
        typer.Option(help="How large: smoke takes seconds, laptop minutes on two cores, gpu needs one GPU."),
    ] = Preset.smoke,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Change a setting, such as epochs=3; may be repeated."
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from where a stopped run was.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="The seed of all random numbers.")] = 0,
    seeds: Annotated[
        int, typer.Option(min=1, help="How many seeds to run, one after another, from --seed on.")
    ] = 1,
    keep: Annotated[
        bool, typer.Option("--record", help="Also write the record to records/, which pages read.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="List what can be trained, and stop.")] = False,
) -> None:
    """Train one of the course's real models and write down what it gave, in _build/runs.

    Ctrl-C or SIGTERM saves and stops; the same command with --resume comes to the same numbers. A second one does not
    wait for the next step. On several GPUs:
    torchrun --standalone --nproc-per-node 8 -m nlpcourse.cli train NAME --preset gpu.

    Example: [bold]nlpcourse train sgns --preset laptop --seeds 5 --record[/]
    """
    import torch

    from nlpcourse.paths import project_root
    from solutions.training import distributed
    from solutions.training.config import with_settings
    from solutions.training.runs import carry_out, find

    console = Console(soft_wrap=True, highlight=False)
    if list_:
        console.print(_table())
        return
    if name is None:
        raise CourseError("say what to train: nlpcourse train NAME; nlpcourse train --list shows the names")
    topic, run = find(name)
    if preset not in run.presets:
        raise CourseError(f"{name} has no preset {preset.value}; presets are {', '.join(run.presets)}")
    if preset == Preset.gpu and not torch.cuda.is_available():
        raise CourseError("the preset gpu needs a GPU, and torch sees none here; use --preset laptop")
    config = with_settings(run.presets[preset], settings or ())
    changed = config != run.presets[preset]
    if changed and keep:
        raise CourseError("--record keeps runs of a preset as it is; leave out --set or --record")
    label = f"{preset.value}+changed" if changed else preset.value
    with distributed.processes():
        for each in range(seed, seed + seeds):
            record, path = carry_out(
                topic, run, label, config, each, project_root(), resume=resume, keep=keep
            )
            resume = False  # the later seeds begin at their beginning
            if distributed.rank() == 0:
                console.print(f"{name} seed {each}: {_summary(record)}\n  {path}", markup=False)


def _summary(record: "RunRecord") -> str:
    numbers = ", ".join(f"{key} {value:.3f}" for key, value in record.metrics.items())
    speed = f"{record.wall_seconds:.1f} s, {record.words_per_second:,.0f} words/s"
    if record.tokens:
        speed += f", {record.tokens_per_second:,.0f} tokens/s"
    if record.mfu is not None:
        speed += f", MFU {record.mfu:.1%}"
    return f"{numbers} ({speed})"


def _table() -> Table:
    """Every run, and below what it trains the settings that `--set` can change."""
    from solutions.training.runs import registry

    table = Table.grid(padding=(0, 2))
    for heading in ("name", "topic", "presets", "what"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "what")
    table.show_header = True
    for topic, runs in registry().items():
        for run in runs:
            presets: dict[str, Any] = dict(run.presets)
            settings = ", ".join(field.name for field in fields(next(iter(presets.values()))))
            table.add_row(run.name, topic, ", ".join(presets), f"{run.title}\n[dim]--set {settings}[/]")
    return table
