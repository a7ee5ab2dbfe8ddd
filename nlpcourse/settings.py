"""Addresses that the site, badges, Colab cells and links share."""

import os
from pathlib import Path

#: The public repository (what `nlpcourse publish` writes is pushed there).
REPOSITORY = "https://github.com/nlpcourse/nlpcourse"

#: Where the built book is read.
BOOK = "https://nlpcourse.github.io/nlpcourse"

#: The tag that launch links and Colab cells install.
TAG = "v0.1.0"


def cache_directory() -> Path:
    """Where built data is kept: `$NLPCOURSE_CACHE`, else `~/.cache/nlpcourse` (XDG aware)."""
    if explicit := os.environ.get("NLPCOURSE_CACHE"):
        return Path(explicit).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "nlpcourse"


def data_directory() -> Path | None:
    """Where public benchmark sets lie in their published formats: `$NLPCOURSE_DATA`, or None when it is not set."""
    explicit = os.environ.get("NLPCOURSE_DATA")
    return Path(explicit).expanduser() if explicit else None
