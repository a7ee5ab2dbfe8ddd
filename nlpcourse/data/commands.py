"""`nlpcourse data`: which data the course knows, what is in it, and getting it ready."""

from collections.abc import Callable
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from nlpcourse.data import docstrings, published
from nlpcourse.errors import CourseError
from nlpcourse.settings import data_directory

EMBEDDED = "docstrings"
_READERS: dict[str, Callable[[str], list[Any]]] = {
    "sst5": published.sst5,
    "multi30k": published.multi30k,
    "wnut17": published.wnut17,
}

data = typer.Typer(
    help="The course's data sets: one that is built on every machine, and public ones that you download.",
    no_args_is_help=True,
)


@data.command("list")
def list_() -> None:
    """List the data sets and say which are ready.

    Example: nlpcourse data list
    """
    table = Table()
    for heading in ("name", "what", "ready"):
        table.add_column(heading, overflow="fold")
    built = docstrings.cache_path(docstrings.installed_versions()).exists()
    table.add_row(
        EMBEDDED,
        "docstrings of the standard library, NumPy, PyTorch and Matplotlib",
        "yes" if built else "built at first use, some seconds",
    )
    for each in published.SETS.values():
        table.add_row(each.name, each.description, _state(each.name))
    Console(markup=False).print(table)


@data.command()
def show(name: str = typer.Argument(metavar="NAME", help="A name that `nlpcourse data list` shows.")) -> None:
    """Show what a data set holds: counts, hash, terms, an example.

    Example: nlpcourse data show docstrings
    """
    _known(name)
    rows = _docstring_rows() if name == EMBEDDED else _published_rows(name)
    table = Table(title=name, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in rows:
        table.add_row(label, value)
    Console(markup=False).print(table)


@data.command()
def fetch(
    name: str = typer.Argument(metavar="NAME", help="A name that `nlpcourse data list` shows."),
) -> None:
    """Get a data set ready: build the docstring corpus, or check that a public set's files are in place.

    Example: nlpcourse data fetch docstrings
    """
    _known(name)
    if name == EMBEDDED:
        Console().print(
            f"{name}: {docstrings.describe(docstrings.load().info)}", soft_wrap=True, markup=False
        )
        return
    if absent := published.missing_files(name):
        place = data_directory() or "$NLPCOURSE_DATA"
        raise CourseError(
            f"{name} is not downloaded by the course: put {', '.join(absent)} in {place}/{name}/"
        )
    Console().print(f"{name}: ready", markup=False)


def _known(name: str) -> None:
    names = [EMBEDDED, *published.SETS]
    if name not in names:
        raise CourseError(f"there is no data set {name!r}; data sets are {', '.join(names)}")


def _state(name: str) -> str:
    absent = published.missing_files(name)
    if not absent:
        return "yes"
    return (
        "no: set NLPCOURSE_DATA"
        if data_directory() is None
        else f"no: {len(absent)} of its files are missing"
    )


def _docstring_rows() -> list[tuple[str, str]]:
    corpus = docstrings.load()
    info = corpus.info
    example = next((record for record in corpus.records if record.parameters), corpus.records[0])
    return [
        ("made of", ", ".join(f"{name} {version}" for name, version in info.versions.items())),
        (
            "files",
            f"{info.files:,}" + (f" ({info.missing} of the list are not here)" if info.missing else ""),
        ),
        ("docstrings", f"{info.docstrings:,} ({_counts(info.by_package)})"),
        ("splits", _counts(info.by_split)),
        ("words", f"{info.words:,}"),
        ("SHA-256", info.sha256),
        ("kept in", str(docstrings.cache_path(info.versions))),
        ("example", f"{example.name}: {example.summary}"),
    ]


def _published_rows(name: str) -> list[tuple[str, str]]:
    each = published.SETS[name]
    splits = ["train", "dev"] if name == "sst5" else ["train", "dev", "test"]
    loaded = {split: _READERS[name](split) for split in splits}
    return [
        ("what", each.description),
        ("terms", each.terms),
        ("splits", _counts({split: len(rows) for split, rows in loaded.items()})),
        ("example", repr(loaded["train"][0])),
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
