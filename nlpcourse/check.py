"""`nlpcourse check`: a student's own check in a terminal, one line for each exercise."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("check")(check_command)


def check_command(
    notebook: Annotated[Path, typer.Argument(help="Your notebook, for example embeddings.ipynb.")],
    everything: Annotated[
        bool, typer.Option("--all", help="Also run the long cell that trains a model.")
    ] = False,
    timeout: Annotated[
        int, typer.Option(help="Seconds that a cell may take; the long cell has no limit.", min=1)
    ] = 120,
) -> None:
    """Run a notebook's visible tests, one line for each exercise; exit with 1 when one fails.

    Your file is not changed. Grading has more checks than these.

    Example: nlpcourse check embeddings.ipynb
    """
    from nlpcourse.visible import outcomes_of, read_notebook, released_for, repaired, run  # slow to import

    student = read_notebook(notebook)
    cells, notes = repaired(student, released_for(student, notebook))
    for note in notes:
        typer.echo(f"note: {note}")
    student.cells = cells
    with Console(stderr=True).status("running your notebook"):
        run(student, notebook.resolve().parent, timeout=timeout, everything=everything)
    outcomes = list(outcomes_of(student, everything=everything))
    width = max(len(outcome.exercise) for outcome in outcomes)
    for outcome in outcomes:
        colour = {"passed": typer.colors.GREEN, "failed": typer.colors.RED}.get(
            outcome.status, typer.colors.YELLOW
        )
        line = f"{outcome.exercise:<{width}}  {typer.style(outcome.status, fg=colour)}"
        typer.echo(f"{line}: {outcome.message}" if outcome.message else line)
    if any(outcome.status == "failed" for outcome in outcomes):
        raise typer.Exit(1)
