"""`nlpcourse doctor`: what this machine can do, and what to do about what it cannot."""

import importlib.util
import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, version
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from nlpcourse.data import docstrings, published
from nlpcourse.data.reading import cores
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from nlpcourse.settings import data_directory

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass(frozen=True)
class Finding:
    """One thing the doctor looked at."""

    name: str
    ok: bool | None
    """False: something is missing; None: neither good nor bad, it only says how things are."""
    detail: str
    """What there is, and when something is missing what that costs and how to mend it."""


def examine() -> list[Finding]:
    """All findings: the public half's, then those of the entry points in group `nlpcourse.doctor`."""
    found = [_python(), _cores(), _memory(), _gpu(), _versions(), _corpus(), _public_sets(), _chromium()]
    for entry_point in entry_points(group="nlpcourse.doctor"):
        found += _contributed(entry_point)
    return found


def register(app: typer.Typer) -> None:
    """Add `nlpcourse doctor` to the command line."""

    @app.command()
    def doctor() -> None:
        """Say what this machine can do: Python, cores, memory, GPU, versions, data, browser, sandbox.

        Example: nlpcourse doctor
        """
        Console().print(as_table(examine()))


def as_table(findings: list[Finding]) -> Table:
    """The findings as a table: `yes`, `no` or `-`, the name, the detail."""
    marks = {True: "[green]yes[/]", False: "[red]no[/]", None: "-"}
    table = Table(show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(marks[finding.ok], escape(finding.name), escape(finding.detail))
    return table


def _contributed(entry_point: EntryPoint) -> list[Finding]:
    """What one entry point finds; when it cannot even be asked, that is the finding."""
    try:
        return list(entry_point.load()())
    except Exception as error:  # noqa: BLE001 - the doctor must speak about a broken part, not die of it
        return [
            Finding(entry_point.name, False, f"{entry_point.value} failed: {type(error).__name__}: {error}")
        ]


def _python() -> Finding:
    ok = (3, 11) <= sys.version_info < (3, 14)
    found = f"{platform.python_version()} at {sys.executable}"
    return Finding("Python", ok, found if ok else f"{found}; the course needs 3.11, 3.12 or 3.13")


def _cores() -> Finding:
    return Finding(
        "cores", None, f"{cores()} of {os.cpu_count()} usable, {platform.machine()} {platform.system()}"
    )


def _memory() -> Finding:
    if not hasattr(os, "sysconf") or "SC_PHYS_PAGES" not in os.sysconf_names:
        return Finding("memory", None, "this system does not say")
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    detail = f"{gib:.1f} GiB"
    return Finding(
        "memory", gib >= 4, detail if gib >= 4 else f"{detail}; grading lets a submission use 4 GiB"
    )


def _gpu() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("GPU", None, "torch is not installed")
    import torch

    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
        return Finding("GPU", True, names)
    if torch.backends.mps.is_available():
        return Finding("GPU", True, "Apple MPS")
    return Finding("GPU", None, "none; everything but the `gpu` presets runs without")


def _versions() -> Finding:
    try:
        path = project_root() / "constraints.txt"
    except CourseError:
        return Finding("versions", None, "no checkout here, so no constraints.txt to compare with")
    if not path.is_file():
        return Finding("versions", False, f"there is no {path}")
    pins = read_pins(path)
    other = [
        f"{name} {found} (pinned {pin})"
        for name, pin in pins.items()
        if (found := _installed(name)) is not None and found != pin
    ]
    if other:
        return Finding(
            "versions", False, f"{', '.join(other)}; delete .venv and run make again for the pinned set"
        )
    count = sum(_installed(name) is not None for name in pins)
    return Finding("versions", True, f"all {count} installed packages of constraints.txt are as pinned")


def read_pins(path: Path) -> dict[str, str]:
    """The `name==version` lines of a constraints file."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;#]+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def _installed(name: str) -> str | None:
    """The installed version without its local part (`+cpu`), or None."""
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return None


def _corpus() -> Finding:
    try:
        path = docstrings.cache_path(docstrings.installed_versions())
    except CourseError as error:
        return Finding("docstring corpus", False, str(error))
    detail = f"in {path}" if path.exists() else "built at first use, some seconds"
    return Finding("docstring corpus", None if not path.exists() else True, detail)


def _public_sets() -> Finding:
    ready = [name for name in published.SETS if not published.missing_files(name)]
    folder = data_directory()
    if folder is None:
        return Finding("public sets", None, "NLPCOURSE_DATA is not set; only the docstring corpus is used")
    absent = [name for name in published.SETS if name not in ready]
    detail = f"{', '.join(ready) or 'none'} in {folder}" + (f"; not {', '.join(absent)}" if absent else "")
    return Finding("public sets", not absent, detail)


def _chromium() -> Finding:
    for name in CHROMIUMS:
        if path := shutil.which(name):
            return Finding("Chromium", True, path)
    return Finding("Chromium", None, "not found; tests that open the site in a browser are skipped")
