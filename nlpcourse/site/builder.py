"""Builds the book with Jupyter Book in a process of its own, and puts it in place only when it is whole."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from nlpcourse.errors import CourseError

_STEP = re.compile(r"(reading sources|writing output)\.\.\. \[\s*(\d+)%\] (\S+)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def build(root: Path, *, force: bool = False, output: Path | None = None) -> Path:
    """Build the book of the checkout at `root`; warnings are errors.

    Pages are executed once and cached under `root/_build/.jupyter_cache`; everything else is built afresh,
    because Sphinx forgets the warnings of pages that it does not read again.

    Args:
        root: folder with `_config.yml` and `_toc.yml`.
        force: forget the execution cache too.
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
    if force:
        shutil.rmtree(root / "_build" / ".jupyter_cache", ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".site-") as work:
        log = output / "site.log"
        if _run(root, Path(work), log) != 0:
            raise CourseError(f"the book did not build: {_first_complaint(log)} (the whole log: {log})")
        built = Path(work) / "_build" / "html"
        if found := leaks(built, root):
            raise CourseError(
                f"the book was not published: {found[0]} ({len(found)} such places); remove it from the page"
            )
        html = output / "html"
        shutil.rmtree(html, ignore_errors=True)
        built.replace(html)
    return html / "index.html"


def _run(root: Path, work: Path, log: Path) -> int:
    program = "from jupyter_book.cli.main import main; main()"
    options = ["--path-output", str(work), "-n", "-W", "--keep-going"]
    command = [sys.executable, "-c", program, "build", str(root), *options]
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with (
        log.open("w", encoding="utf-8") as record,
        Progress(*columns, transient=True) as progress,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            errors="replace",
        ) as process,
    ):
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
