"""Keys: what a page's output depends on besides its own text, and what the whole site depends on."""

import hashlib
import json
import platform
from pathlib import Path

import nlpcourse

_SUFFIXES = {".py", ".toml", ".json"}
_INPUTS = ("_config.yml", "_toc.yml", "references.bib", "chapters", "exercises", "solutions", "autograder")
"""What else the site is made from, or compared with, in a checkout."""


def execution_key(root: Path) -> str:
    """A short hash over the library, the records, and the versions pinned and installed; pages run again with it.

    `nlpcourse/site` is left out: pages do not import what builds them. So are the records of variants and mutants,
    which no page may read.

    Args:
        root: the checkout, with `records/` and `constraints.txt` where it has them.
    """
    from nlpcourse.data import docstrings  # not at the top: the command line should answer at once

    package = Path(nlpcourse.__file__).parent
    files = [path for path in package.rglob("*") if path.suffix in _SUFFIXES]
    files = [path for path in files if package / "site" not in path.parents]
    kept = [
        path for path in _files(root / "records") if not path.is_relative_to(root / "records" / "variants")
    ]
    files += [path for path in kept if not path.is_relative_to(root / "records" / "mutants")]
    files += _files(root / "constraints.txt")
    versions = json.dumps(docstrings.installed_versions(), sort_keys=True)
    return hashlib.sha256(f"{versions} {_hash_of(root, files)}".encode()).hexdigest()[:16]


def cache_folder(root: Path) -> Path:
    """Where executed pages are kept: a new key begins a new folder, so that every page runs anew."""
    return root / "_build" / ".jupyter_cache" / execution_key(root)


def inputs_key(root: Path) -> str:
    """A short hash over everything that the site is made from; the site stands as it is while that is the same."""
    files = _files(Path(nlpcourse.__file__).parent / "site")
    for name in _INPUTS:
        files += _files(root / name)
    return f"{execution_key(root)}-{_hash_of(root, files)}"


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [each for each in path.rglob("*") if each.is_file() and each.suffix != ".pyc"]


def _hash_of(root: Path, files: list[Path]) -> str:
    package = Path(nlpcourse.__file__).parent
    digest = hashlib.sha256(platform.python_version().encode())
    for path in sorted(files):
        base = package.parent if package in path.parents else root
        digest.update(f"\0{path.relative_to(base).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
