"""Configurations of runs: frozen dataclasses, changed from the command line by `key=value`."""

import difflib
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from nlpcourse.errors import CourseError

Config = TypeVar("Config")


def with_settings(config: Config, settings: Sequence[str]) -> Config:
    """A copy of `config` with some of its values replaced.

    Args:
        config: a frozen dataclass whose fields are numbers, strings or booleans.
        settings: each `key=value`; the value is read as what stands there now (10, 0.5, true, a word).

    Raises:
        CourseError: a key is unknown (the nearest is named), a value has the wrong form, or the dataclass refuses it.
    """
    changes: dict[str, Any] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        if not sign:
            raise CourseError(f"--set {setting}: expected key=value")
        known_key(config, key)
        changes[key] = _read(key, text, getattr(config, key))
    return replace(config, **changes)  # type: ignore[type-var]


def known_key(config: Any, key: str) -> None:
    """Make sure that the configuration has this key.

    Raises:
        CourseError: it has not; the nearest key is named.
    """
    names = [field.name for field in fields(config)]
    if key in names:
        return
    near = difflib.get_close_matches(key, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"keys are {', '.join(names)}"
    raise CourseError(f"there is no setting {key!r}; {hint}")


def _read(key: str, text: str, now: Any) -> Any:
    kind = type(now)
    if kind is bool:
        if text in ("true", "false"):
            return text == "true"
        raise CourseError(f"{key}={text}: expected true or false")
    try:
        return kind(text)
    except ValueError:
        expected = {int: "a whole number", float: "a number"}[kind]
        raise CourseError(f"{key}={text}: expected {expected}, such as {now}") from None


def at_least(config: Any, **bounds: float) -> None:
    """Check fields of a configuration against their smallest values.

    Raises:
        CourseError: a field is smaller.
    """
    for name, smallest in bounds.items():
        if not getattr(config, name) >= smallest:
            raise CourseError(f"{name} is {getattr(config, name)}, expected {smallest} or more")
