"""Reads many source files at once under a progress bar, each core running `extract.py` as its own program.

A program, not a process pool: it starts at once, imports nothing of the caller's, and works from a notebook,
from a script without a main guard, and beside threads.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.progress import Progress

from nlpcourse.data.extract import Found
from nlpcourse.errors import CourseError
from nlpcourse.terminal import errors

_CHUNK = 32  # files a program reads before the next begins; balances long files among the cores


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_files(paths: Sequence[Path]) -> list[list[Found] | None]:
    """The docstrings of each file, in the order of `paths`; None for a file that cannot be parsed.

    Raises:
        CourseError: a file cannot be read.
    """
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    console = errors()
    bar = Progress(console=console, transient=True, disable=not (console.is_terminal or console.is_jupyter))
    with bar as progress, ThreadPoolExecutor(cores()) as threads:
        task = progress.add_task("reading docstrings", total=len(paths))

        def read(chunk: Sequence[Path]) -> list[list[Found] | None]:
            answers = _extract(chunk)
            progress.advance(task, len(chunk))
            return answers

        return [answer for answers in threads.map(read, chunks) for answer in answers]


def _extract(paths: Sequence[Path]) -> list[list[Found] | None]:
    program = Path(__file__).with_name("extract.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(program)],
        input="".join(json.dumps(str(path)) + "\n" for path in paths),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise CourseError(f"cannot read the docstrings of installed packages: {reason}")
    return [
        None if answer is None else [(name, kind, text) for name, kind, text in answer]
        for answer in map(json.loads, done.stdout.splitlines())
    ]
