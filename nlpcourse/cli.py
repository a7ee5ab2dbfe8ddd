"""The command line. Public commands stand here; the instructor's half adds its own through entry points."""

import sys
from importlib.metadata import entry_points

import typer
from rich.console import Console

from nlpcourse.errors import CourseError
from nlpcourse.starting import skip_grammars

app = typer.Typer(
    name="nlpcourse",
    help="A course on deep NLP: build its book, check your notebook, see its data.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show a traceback when something goes wrong."),
) -> None:
    """Options common to all commands; `main` reads `--debug` itself, wherever it stands."""


def _add_commands() -> None:
    from nlpcourse import check, data, doctor, site

    for module in (doctor, site, check, data):
        module.register(app)
    for entry_point in entry_points(group="nlpcourse.commands"):
        entry_point.load()(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors that a user can mend become one line on stderr."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    skip_grammars()
    _add_commands()
    try:
        app([argument for argument in arguments if argument != "--debug"])
    except CourseError as error:
        if debug:
            raise
        Console(stderr=True, soft_wrap=True, highlight=False).print(
            f"[bold red]error:[/] {escape(str(error))}"
        )
        sys.exit(error.exit_code)


def escape(text: str) -> str:
    """Text for rich, its square brackets taken literally."""
    from rich.markup import escape as rich_escape

    return rich_escape(text)


if __name__ == "__main__":
    main()
