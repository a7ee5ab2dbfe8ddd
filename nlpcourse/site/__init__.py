"""The book: `nlpcourse site`, and the Sphinx extension that `_config.yml` names."""

from pathlib import Path

import typer
from rich.console import Console

from nlpcourse.site.builder import build

__all__ = ["build", "register"]


def register(app: typer.Typer) -> None:
    """Add `nlpcourse site` to the command line."""
    app.command()(site)


def site(
    force: bool = typer.Option(False, "--force", help="Forget the execution cache and run every page again."),
) -> None:
    """Build the book into [bold]_build/html[/].

    Every page is executed (once, then cached). A failing cell, a broken link or a figure without
    a description fails the build and leaves the site that stood there before.

    Example: [bold]nlpcourse site[/], then open [bold]_build/html/index.html[/].
    """
    from nlpcourse.data import docstrings
    from nlpcourse.paths import project_root

    docstrings.load()  # pages read it; here its building shows a progress bar
    index = build(project_root(), force=force)
    here = Path.cwd()
    shown = index.relative_to(here) if index.is_relative_to(here) else index
    Console(soft_wrap=True, highlight=False).print(f"[bold green]the book is built:[/] open {shown}")
