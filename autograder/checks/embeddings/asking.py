"""Asking for many results at once: a message to the student's process costs more than a small computation there."""

from typing import Any


def results(student, name, calls, settings):
    """Runs beside the student's code: what the notebook's `name` gives for each of `calls`."""
    return [getattr(student, name)(*arguments, **settings) for arguments in calls]


def ask_each(student, name: str, calls: list[tuple[Any, ...]], **settings: Any) -> list[Any]:
    """The student's results for each of `calls`, tuples of arguments; `settings` are given by name to all.

    The code runs once for each call, one after the other, and is judged on every one of them.
    """
    return student.probe(results, name, calls, settings)
