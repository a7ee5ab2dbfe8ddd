"""Builds the book with Jupyter Book in a process of its own, and puts it in place only when it is whole."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from nlpcourse.errors import CourseError
from nlpcourse.site.cache import cache_folder, inputs_key
from nlpcourse.site.telling import secrets
from nlpcourse.site.times import PageRun, Times, read_times, write_times

_STEP = re.compile(r"(reading sources|writing output)\.\.\. \[\s*(\d+)%\] (\S+)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def build(root: Path, *, force: bool = False, output: Path | None = None) -> Path:
    """Build the book of the checkout at `root`; warnings are errors.

    Pages are executed side by side, once, and cached under `root/_build/.jupyter_cache`. When nothing at all
    changed since the last build, the site that stands there is kept; else everything but the pages' outputs is
    made afresh, because Sphinx forgets the warnings of pages that it does not read again. The times of the build
    lie beside the site (`nlpcourse.site.times`).

    Args:
        root: folder with `_config.yml` and `_toc.yml`.
        force: forget what earlier builds left.
        output: where `html/` goes; by default `root/_build`.

    Returns:
        The path of the site's `index.html`.

    Raises:
        CourseError: the build failed (the message holds the first complaint and the path of the whole log),
            or the site holds a line of a solution. The site that stood there before is untouched.
    """
    from nlpcourse.site.canary import leaks  # loads numpy, which no other command has to wait for

    if importlib.util.find_spec("jupyter_book") is None:
        raise CourseError("jupyter-book is not installed; run: pip install 'nlpcourse[site]'")
    output = output or root / "_build"
    output.mkdir(parents=True, exist_ok=True)
    html, log = output / "html", output / "site.log"
    if force:
        shutil.rmtree(root / "_build" / ".jupyter_cache", ignore_errors=True)
    before, inputs = read_times(output), inputs_key(root)
    if before and before.inputs == inputs and (html / "index.html").is_file() and not force:
        pages = tuple(replace(page, cached=True) for page in before.pages)
        write_times(replace(before, pages=pages, execution=0.0, sphinx=0.0), output)
        return html / "index.html"
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with (
        log.open("w", encoding="utf-8", buffering=1) as record,
        tempfile.TemporaryDirectory(dir=output, prefix=".site-") as work,
    ):
        started = time.monotonic()
        try:
            with Progress(*columns, transient=True) as progress:
                runs = _execute(root, before, record, progress)
                executed = time.monotonic()
                status = _run(root, Path(work), record, progress)
        except CourseError as error:
            raise CourseError(f"the book did not build: {error} (the whole log: {log})") from error
        if status != 0:
            raise CourseError(f"the book did not build: {_first_complaint(log)} (the whole log: {log})")
        built = Path(work) / "_build" / "html"
        if found := leaks(built, secrets(root)):
            raise CourseError(
                f"the book was not published: {found[0]} ({len(found)} such places); remove it from the page"
            )
        shutil.rmtree(html, ignore_errors=True)
        built.replace(html)
        seconds = {"execution": executed - started, "sphinx": time.monotonic() - executed}
        rounded = {name: round(value, 2) for name, value in seconds.items()}
        write_times(Times(tuple(runs), processes(), **rounded, inputs=inputs), output)
    return html / "index.html"


def processes() -> int:
    """How many pages run at a time: as many as there are cores for this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _execute(root: Path, before: Times | None, record: TextIO, progress: Progress) -> list[PageRun]:
    from nlpcourse.site.execute import execute_pages  # not at the top: the command line should answer at once

    task = progress.add_task("executing pages", total=None)

    def tell(done: int, total: int, page: str) -> None:
        progress.update(task, completed=done, total=total, description=f"executed: {page}")

    return execute_pages(
        root,
        cache_folder(root),
        record,
        processes=processes(),
        seconds_before={each.page: each.seconds for each in before.pages} if before else {},
        tell=tell,
    )


def _run(root: Path, work: Path, record: TextIO, progress: Progress) -> int:
    program = (
        "from nlpcourse.starting import skip_grammars; skip_grammars(); "
        "from jupyter_book.cli.main import main; main()"
    )
    options = ["--path-output", str(work), "-n", "-W", "--keep-going"]
    command = [sys.executable, "-c", program, "build", str(root), *options]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        errors="replace",
    ) as process:
        task = progress.add_task("starting", total=100)
        assert process.stdout is not None
        for line in process.stdout:
            record.write(_COLOUR.sub("", line))
            for stage, percent, page in _STEP.findall(_COLOUR.sub("", line)):
                half = 0 if stage == "reading sources" else 50
                progress.update(task, completed=half + int(percent) / 2, description=f"{stage}: {page}")
    return process.returncode


def _first_complaint(log: Path) -> str:
    """The first warning or error in the log, else its last line; the kernel's own chatter does not count."""
    lines = [
        line.strip() for line in log.read_text(encoding="utf-8").splitlines() if "[IPKernelApp]" not in line
    ]
    complaints = [line for line in lines if re.search(r"\b(WARNING|ERROR|CRITICAL):|Error\b", line)]
    return next(iter([*complaints, *reversed([line for line in lines if line])]), "it said nothing")
