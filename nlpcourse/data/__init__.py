"""Text to learn from: the docstring corpus that every machine has, and readers of published sets."""

import re

import typer

__all__ = ["register", "words"]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def words(text: str) -> list[str]:
    """The words of `text` in order, in lower case: runs of letters, with inner apostrophes; all else splits.

    >>> words("Don't re-use x_1: it returns a Tensor.")
    ["don't", 're', 'use', 'x', 'it', 'returns', 'a', 'tensor']
    """
    return _WORD.findall(text.lower())


def register(app: typer.Typer) -> None:
    """Add `nlpcourse data` to the command line."""
    from nlpcourse.data.commands import data

    app.add_typer(data, name="data")
