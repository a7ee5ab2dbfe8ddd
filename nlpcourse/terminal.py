"""What the course says to the person at the keyboard: on stderr, so that a command's output stays its own."""

from functools import cache

from rich.console import Console


@cache
def errors() -> Console:
    """The console on stderr."""
    return Console(stderr=True, soft_wrap=True, highlight=False)


def say(message: str) -> None:
    """Print one line on stderr, its square brackets taken literally."""
    errors().print(message, markup=False)
