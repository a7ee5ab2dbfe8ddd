"""Runs the pages of the book side by side, before the build, and keeps their outputs where the build finds them."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

import yaml
from nbformat import NotebookNode

from nlpcourse.data import docstrings
from nlpcourse.errors import CourseError
from nlpcourse.site.times import PageRun

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def pages_in_contents(root: Path) -> list[str]:
    """The pages that `_toc.yml` of the checkout at `root` names, in order."""
    return re.findall(r"(?:file|root): (\S+)", (root / "_toc.yml").read_text(encoding="utf-8"))


def execute_pages(
    root: Path,
    folder: Path,
    log: TextIO,
    *,
    processes: int,
    seconds_before: Mapping[str, float],
    tell: Callable[[int, int, str], None],
) -> list[PageRun]:
    """Execute each page that is a notebook and that the cache does not hold.

    A kernel is a process of its own, with one torch thread; the longest pages start first.

    Args:
        root: the checkout.
        folder: the jupyter-cache that the build reads, named after the execution key.
        log: gets what the kernels say, and the traceback of a cell that fails.
        processes: how many pages run at a time.
        seconds_before: how long each page took in an earlier build, by name.
        tell: is told (pages done, pages to execute, the page done last).

    Returns:
        One entry a notebook, in the order of the contents.

    Raises:
        CourseError: a page is missing, or a cell failed; the other pages have been executed all the same.
    """
    from jupyter_cache import get_cache

    config = yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))
    notebooks = _notebooks(root, config)
    cache = get_cache(str(folder))
    runs: dict[str, PageRun] = {}
    to_execute = []
    for page, notebook in notebooks.items():
        seconds = _seconds_kept(cache, notebook)
        if seconds is None:
            to_execute.append(page)
        else:
            runs[page] = PageRun(page, seconds, cached=True)
    if to_execute:
        docstrings.load()  # pages read it; built once here, not by each of them
    to_execute.sort(key=lambda page: -seconds_before.get(page, float("inf")))
    failures: list[str] = []
    with ThreadPoolExecutor(processes) as pool:
        timeout = config["execute"]["timeout"]
        waiting = {
            pool.submit(_execute, notebooks[page], root / page, timeout, log): page for page in to_execute
        }
        try:
            for done, future in enumerate(as_completed(waiting), start=1):
                page = waiting[future]
                seconds, failure = future.result()
                if failure:
                    failures.append(f"{page}: {_last_line(failure)}")
                    log.write(f"\n{page} ERROR:\n{failure}\n")
                else:
                    _keep(cache, notebooks[page], root / page, seconds)
                    runs[page] = PageRun(page, seconds, cached=False)
                tell(done, len(to_execute), page)
        except BaseException:
            pool.shutdown(
                wait=False, cancel_futures=True
            )  # what runs ends by itself, the rest does not start
            raise
    if failures:
        more = f" (and {len(failures) - 1} more pages)" if len(failures) > 1 else ""
        raise CourseError(f"{failures[0]}{more}")
    return [runs[page] for page in notebooks]


def _notebooks(root: Path, config: dict[str, Any]) -> dict[str, NotebookNode]:
    """The pages with code, by name, read as the build reads them."""
    from myst_nb.core.read import is_myst_markdown_notebook, read_myst_markdown_notebook
    from myst_parser.config.main import MdParserConfig

    markdown = MdParserConfig(enable_extensions=set(config["parse"]["myst_enable_extensions"]))
    found = {}
    for page in pages_in_contents(root):
        path = root / f"{page}.md"
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise CourseError(
                f"_toc.yml names {page}, but there is no {path}; write it or drop it"
            ) from error
        if is_myst_markdown_notebook(text):
            found[page] = read_myst_markdown_notebook(text, markdown, add_source_map=True, path=path)
    return found


def _seconds_kept(cache: Any, notebook: NotebookNode) -> float | None:
    """How long the page took when its outputs were kept; None when they are not in the cache."""
    with suppress(KeyError):
        record = cache.match_cache_notebook(notebook)
        cache.get_cache_bundle(record.pk)  # the record may outlive its file
        return float(record.data["execution_seconds"])
    return None


def _execute(notebook: NotebookNode, page: Path, timeout: int, log: TextIO) -> tuple[float, str]:
    """Execute `notebook` in place: the seconds it took, and the traceback of what failed ("" if nothing did)."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellControlSignal, CellExecutionError, DeadKernelError

    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
    client = NotebookClient(
        notebook,
        timeout=timeout,
        resources={"metadata": {"path": str(page.parent)}},
        coalesce_streams=True,  # the build would add the pieces of a line with a line break between them
        record_timing=False,  # it writes times into the cells, and the cache would not know them again
    )
    started = time.monotonic()
    try:
        client.execute(env=environment, stdout=log.fileno(), stderr=subprocess.STDOUT)
    except (CellControlSignal, CellExecutionError, DeadKernelError, TimeoutError) as error:
        return time.monotonic() - started, _COLOUR.sub("", str(error)).strip() or type(error).__name__
    return time.monotonic() - started, ""


def _keep(cache: Any, notebook: NotebookNode, page: Path, seconds: float) -> None:
    from jupyter_cache.base import CacheBundleIn

    bundle = CacheBundleIn(notebook, f"{page}.md", data={"execution_seconds": round(seconds, 2)})
    cache.cache_notebook_bundle(bundle, check_validity=False, overwrite=True)


def _last_line(failure: str) -> str:
    """The line of a traceback that says what went wrong."""
    return next(line.strip() for line in reversed(failure.splitlines()) if line.strip())
