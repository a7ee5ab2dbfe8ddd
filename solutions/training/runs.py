"""The registry: every topic's `solutions/<topic>/train.py` names its runs in a list `RUNS`."""

import difflib
import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from nlpcourse.records import RunRecord
from nlpcourse.topics import topics
from solutions.training import device as devices
from solutions.training import distributed, record
from solutions.training.session import Session


@dataclass(frozen=True)
class Result:
    """What a run's function returns."""

    data: dict[str, Any]
    """Name, counts and hash of what it was trained on."""
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    files: Mapping[str, Any] | None = None
    """By name, further small JSON content for `records/<topic>/`, such as a map to draw."""


@dataclass(frozen=True)
class Run:
    """Something that `nlpcourse train` can train."""

    name: str
    title: str
    presets: Mapping[str, Any]
    """By name of the preset, its configuration: a frozen dataclass."""
    train: Callable[[Any, Session], Result]
    threads: int | None = None
    """Threads of torch; None for torch's own choice. Many small operations are fastest on one."""
    parallel: bool = False
    """Whether torchrun may spread it over processes: its task is a `GradientTask`."""


def find(name: str) -> tuple[str, Run]:
    """The topic and the run called `name`.

    Raises:
        CourseError: there is none; the nearest is named.
    """
    known = {run.name: (topic, run) for topic, runs in registry().items() for run in runs}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"runs are {', '.join(known)}"
    raise CourseError(f"there is no run {name!r}; {hint}")


def registry() -> dict[str, list[Run]]:
    """The runs of every topic that has some, in course order.

    Raises:
        CourseError: a package that training needs is missing.
    """
    found = {}
    for topic in topics():
        module = f"solutions.{topic.name}.train"
        if importlib.util.find_spec(f"solutions.{topic.name}") and importlib.util.find_spec(module):
            try:
                found[topic.name] = list(importlib.import_module(module).RUNS)
            except ModuleNotFoundError as error:
                if str(error.name).startswith(("solutions", "nlpcourse")):
                    raise  # our own mistake
                raise CourseError(
                    f"training needs the package {error.name}, which is not installed; "
                    "run: pip install 'nlpcourse[training]'"
                ) from error
    return found


def carry_out(
    topic: str, run: Run, preset: str, config: Any, seed: int, root: Path, *, resume: bool, keep: bool
) -> tuple[RunRecord, Path]:
    """Train once and write the record.

    Args:
        topic: of the run.
        run: what to train.
        preset: its name, for the record.
        config: the configuration.
        seed: of all random numbers.
        root: the checkout.
        resume: go on from the checkpoint.
        keep: write to `records/` too.

    Returns:
        The record, and the file it stands in (in process 0).

    Raises:
        Stopped: a signal came.
        CourseError: nothing to resume, the record may not be kept, or several processes are not for this run.
    """
    if distributed.world() > 1 and not run.parallel:
        raise CourseError(
            f"{run.name} runs in one process, here are {distributed.world()}; leave out torchrun"
        )
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    hardware, commit = record.hardware(), record.commit(root)
    name = f"{run.name}-{preset}-{record.slug(hardware)}-{seed}"
    if keep:  # said before the work, not after it
        record.refuse_other(root / "records" / topic / f"{name}.json", commit)
    checkpoint = root / "_build" / "runs" / topic / f"{name}.pt"
    device = devices.choose()
    session = Session(
        f"{run.name} {seed}", checkpoint, asdict(config), seed=seed, resume=resume, device=device
    )
    torch.manual_seed(seed)
    with session.running():
        result = run.train(config, session)
    setting = session.setting
    written = RunRecord(
        name=run.name,
        title=run.title,
        topic=topic,
        preset=preset,
        seed=seed,
        config=asdict(config),
        commit=commit,
        versions=record.versions(),
        data=result.data,
        hardware=hardware,
        words=round(session.words),
        wall_seconds=round(session.seconds, 3),
        cpu_seconds=round(session.cpu_seconds, 3),
        words_per_second=round(session.words / session.seconds, 1) if session.seconds else 0.0,
        peak_memory=record.peak_memory(),
        curve=session.curve,
        metrics=result.metrics,
        baselines=result.baselines,
        setting=asdict(setting) if setting else None,
        tokens=session.tokens,
        tokens_per_second=round(session.tokens / session.seconds, 1) if session.seconds else 0.0,
        flops=session.flops,
        peak_flops=session.peak_flops,
        mfu=session.mfu,
        device_memory=torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
    )
    if distributed.rank() > 0:
        return written, checkpoint  # process 0 writes
    path = record.write(written, root, keep=keep)
    for file, content in (result.files or {}).items():
        write_atomically(path.with_name(file), record.dumps({"run": path.stem, "commit": commit, **content}))
    return written, path
