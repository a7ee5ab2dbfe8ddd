"""What real training runs gave: `records/<topic>/*.json`, written by `nlpcourse train --record`, read by pages.

>>> from nlpcourse import records
>>> runs = records.load("embeddings", preset="laptop")
>>> records.spread([run.metrics["plural"] for run in runs if run.name == "sgns"])
"""

import json
import statistics
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root


@dataclass(frozen=True)
class RunRecord:
    """One run: what was trained, on what, where, at what cost, and how good it is."""

    name: str
    title: str
    topic: str
    preset: str
    """`smoke`, `laptop` or `gpu`; with settings changed, `laptop+changed`."""
    seed: int
    config: dict[str, Any]
    commit: str
    """Of the code that ran; it ends in `+changes` when files were changed since."""
    versions: dict[str, str]
    """Of Python and the packages."""
    data: dict[str, Any]
    """Name, counts and hash of what it was trained on."""
    hardware: dict[str, Any]
    words: int
    """Words of the corpus gone over, all epochs together."""
    wall_seconds: float
    """Of training; making the data ready and measuring stand apart."""
    cpu_seconds: float
    """The same in seconds of processor, all threads added up: what counts when the machine has other work."""
    words_per_second: float
    peak_memory: int
    """Bytes."""
    curve: list[dict[str, float]]
    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]]
    """By name, the same metrics on the same data."""
    setting: dict[str, Any] | None = None
    """Device, precision, compile and processes; None for a run that always computes on the CPU in fp32."""
    tokens: int = 0
    """Of the model's own vocabulary, all epochs together, without padding; 0 where they are not counted."""
    tokens_per_second: float = 0.0
    flops: float = 0.0
    """Of the matrix products of all steps, padding included (`solutions/training/flops.py` derives them)."""
    peak_flops: float | None = None
    """FLOP/s that all devices together can reach, from data sheets; None where that is not known."""
    mfu: float | None = None
    """flops / wall_seconds / peak_flops."""
    device_memory: int | None = None
    """Bytes, the most that the GPU held at once; `peak_memory` is the processor's."""


def folder(topic: str) -> Path:
    """Where a topic's records lie.

    Raises:
        CourseError: there is no checkout here.
    """
    return project_root() / "records" / topic


def load(topic: str, *, preset: str, name: str | None = None) -> list[RunRecord]:
    """The records of a topic's runs, ordered by name and seed.

    Args:
        topic: a topic of the course.
        preset: of the runs.
        name: only the runs of this name.

    Raises:
        CourseError: there is none, or a file is no record.
    """
    found = []
    for path in sorted(folder(topic).glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("preset") == preset and "seed" in content and name in (None, content.get("name")):
            found.append(read(content, path))
    if not found:
        which = f"{name or 'NAME'} --preset {preset}"
        raise CourseError(f"no record of {topic} here; make one with nlpcourse train {which} --record")
    return sorted(found, key=lambda run: (run.name, run.seed))


def read(content: dict[str, Any], path: Path) -> RunRecord:
    """A record from the content of its file.

    Raises:
        CourseError: a field is missing or unknown; those with a default may be missing.
    """
    known = {field.name for field in fields(RunRecord)}
    required = {field.name for field in fields(RunRecord) if field.default is MISSING}
    if not required <= content.keys() <= known:
        wrong = ", ".join(sorted((required - content.keys()) | (content.keys() - known)))
        raise CourseError(f"{path} is not a record of this version: look at {wrong}; run it again")
    return RunRecord(**content)


def word_map(topic: str) -> dict[str, Any]:
    """The words of `records/<topic>/map.json`: positions in the plane and nearest neighbours in the full space.

    Raises:
        CourseError: there is no such file.
    """
    path = folder(topic) / "map.json"
    if not path.is_file():
        raise CourseError(f"there is no {path}; make it with nlpcourse train sgns --preset laptop --record")
    return json.loads(path.read_text(encoding="utf-8"))


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (with n - 1) of some runs; the deviation of a single run is nan."""
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else float("nan")
