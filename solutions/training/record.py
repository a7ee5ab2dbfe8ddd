"""Writing down what a run gave: always below `_build/runs/`, and below `records/` when it is to be kept."""

import json
import os
import platform
import re
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically
from nlpcourse.records import RunRecord, read

_CODE = ("nlpcourse", "solutions", "constraints.txt")
"""What a run's result depends on."""


def write(record: RunRecord, root: Path, *, keep: bool) -> Path:
    """Write a record to `_build/runs/`, and with `keep` to `records/` too.

    Returns:
        The path of the last file written.

    Raises:
        CourseError: `keep`, and the record is of changed code, or another commit's record stands in its place.
    """
    name = f"{record.name}-{record.preset}-{slug(record.hardware)}-{record.seed}.json"
    content = dumps(asdict(record))
    path = root / "_build" / "runs" / record.topic / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
    if keep:
        path = root / "records" / record.topic / name
        refuse_other(path, record.commit)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    return path


def refuse_other(path: Path, commit: str) -> None:
    """Make sure that a record of this commit may stand at `path`.

    Raises:
        CourseError: the code has changes that no commit holds, or another commit's record stands there.
    """
    if commit.endswith("+changes"):
        raise CourseError(f"not recorded: {', '.join(_CODE)} have changes that no commit holds; commit first")
    if path.is_file() and (there := json.loads(path.read_text(encoding="utf-8"))["commit"]) != commit:
        raise CourseError(
            f"not recorded: {path.name} is of commit {there[:12]}, this is {commit[:12]}; delete it to renew it"
        )


def dumps(content: Any) -> str:
    """JSON with a line for each entry of the two outer levels, so that a change is readable and a file small."""
    lines = []
    for key, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], dict | list):
            inner = ",\n  ".join(json.dumps(each, ensure_ascii=False) for each in value)
            lines.append(f" {json.dumps(key)}: [\n  {inner}\n ]")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def load(path: Path) -> RunRecord:
    """The record in a file."""
    return read(json.loads(path.read_text(encoding="utf-8")), path)


def commit(root: Path) -> str:
    """The commit of the checkout; with `+changes` when code was changed since, `unknown` without git."""

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("+changes" if git("status", "--porcelain", "--", *_CODE) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown+changes"


def versions() -> dict[str, str]:
    """Of Python and of the packages that numbers depend on."""
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": version("numpy")}


def hardware() -> dict[str, Any]:
    """What the run ran on: processor, cores it may use, threads of torch, GPU."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    threads = torch.get_num_threads()
    return {
        "processor": _processor(),
        "cores": cores,
        "threads": threads,
        "gpu": gpu,
        "system": platform.system(),
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()


def slug(hardware: dict[str, Any]) -> str:
    """A short name of the hardware for file names: `cpu2`, `nvidia-h200`."""
    return (
        re.sub(r"[^a-z0-9]+", "-", hardware["gpu"].lower()) if hardware["gpu"] else f"cpu{hardware['cores']}"
    )


def peak_memory() -> int:
    """The most memory that this process has had at once, in bytes."""
    if sys.platform == "win32":
        import psutil

        return psutil.Process().memory_info().peak_wset
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak  # Linux counts in KiB
