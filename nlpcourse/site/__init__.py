"""The book: `nlpcourse site`, and the Sphinx extension that `_config.yml` names."""

from pathlib import Path

import typer
from rich.console import Console

from nlpcourse.site.builder import build
from nlpcourse.site.times import read_times, table_of

__all__ = ["build", "register"]


def register(app: typer.Typer) -> None:
    """Add `nlpcourse site` to the command line."""
    app.command()(site)


def site(
    force: bool = typer.Option(False, "--force", help="Forget earlier builds and run every page again."),
) -> None:
    """Build the book into [bold]_build/html[/].

    Every page is executed once, then cached; as many run at a time as there are cores.

    A failing cell, a broken link or a figure without a description stops the build; the former book stays.

    Example: [bold]nlpcourse site[/], then open [bold]_build/html/index.html[/].
    """
    from nlpcourse.paths import project_root

    index = build(project_root(), force=force)
    console = Console(soft_wrap=True, highlight=False)
    if times := read_times(index.parent.parent):
        console.print(table_of(times))
    here = Path.cwd()
    shown = index.relative_to(here) if index.is_relative_to(here) else index
    console.print(f"[bold green]the book is built:[/] open {shown}")
