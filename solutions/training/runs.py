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
from solutions.training import record
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
    """The runs of every topic that has some, in course order."""
    found = {}
    for topic in topics():
        module = f"solutions.{topic.name}.train"
        if importlib.util.find_spec(f"solutions.{topic.name}") and importlib.util.find_spec(module):
            found[topic.name] = list(importlib.import_module(module).RUNS)
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
        The record, and the file it stands in.

    Raises:
        Stopped: a signal came.
        CourseError: nothing to resume, or the record may not be kept.
    """
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    hardware, commit = record.hardware(), record.commit(root)
    name = f"{run.name}-{preset}-{record.slug(hardware)}-{seed}"
    if keep:  # said before the work, not after it
        record.refuse_other(root / "records" / topic / f"{name}.json", commit)
    checkpoint = root / "_build" / "runs" / topic / f"{name}.pt"
    session = Session(f"{run.name} {seed}", checkpoint, asdict(config), seed=seed, resume=resume)
    with session.running():
        result = run.train(config, session)
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
    )
    path = record.write(written, root, keep=keep)
    for file, content in (result.files or {}).items():
        write_atomically(path.with_name(file), record.dumps({"run": path.stem, "commit": commit, **content}))
    return written, path
