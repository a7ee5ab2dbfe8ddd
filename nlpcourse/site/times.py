"""How long each page and each part of a build took: kept beside the site, shown as a table."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from nlpcourse.files import write_atomically

NAME = "site-times.json"


@dataclass(frozen=True)
class PageRun:
    """How one page of the book came by its outputs."""

    page: str
    """As `_toc.yml` names it, such as `chapters/embeddings/glove`."""
    seconds: float
    """From the start of its kernel to its end, when it was executed."""
    cached: bool
    """Whether that was in an earlier build."""


@dataclass(frozen=True)
class Times:
    """One build: its pages, and the seconds of its two parts."""

    pages: tuple[PageRun, ...]
    processes: int
    """How many pages ran at a time."""
    execution: float
    """Seconds in which pages were executed, side by side."""
    sphinx: float
    """Seconds in which the executed pages became a site."""
    inputs: str
    """Hash of everything that the site was made from."""


def write_times(times: Times, folder: Path) -> None:
    """Keep `times` in `folder`.

    Raises:
        CourseError: the folder cannot be written.
    """
    write_atomically(folder / NAME, json.dumps(asdict(times), indent=1) + "\n")


def read_times(folder: Path) -> Times | None:
    """The times of the last build into `folder`; None when there are none that this version can read."""
    try:
        kept = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return Times(**{**kept, "pages": tuple(PageRun(**page) for page in kept["pages"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def table_of(times: Times) -> Table:
    """The build as a table: a line a page, then the totals."""
    table = Table("page", "this build", "when executed", show_footer=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for each in times.pages:
        now = "cached" if each.cached else _seconds(each.seconds)
        table.add_row(each.page.removeprefix("chapters/"), now, _seconds(each.seconds))
    table.add_section()
    one_by_one = sum(each.seconds for each in times.pages)
    table.add_row(f"all pages, {times.processes} at a time", _seconds(times.execution), _seconds(one_by_one))
    table.add_row("making the site of them", _seconds(times.sphinx), "")
    table.add_row("total", _seconds(times.execution + times.sphinx), "")
    return table


def _seconds(value: float) -> str:
    return f"{value:.1f} s"
