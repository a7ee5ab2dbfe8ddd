"""The key of the execution cache: what a page's output depends on besides its own text."""

import hashlib
import platform
from pathlib import Path

import nlpcourse

_SUFFIXES = {".py", ".toml", ".json"}


def execution_key(root: Path) -> str:
    """A short hash over the library, the records and the pinned versions; pages run again when it changes.

    `nlpcourse/site` is left out: pages do not import what builds them.

    Args:
        root: the checkout, with `records/` and `constraints.txt` where it has them.
    """
    package = Path(nlpcourse.__file__).parent
    files = [path for path in package.rglob("*") if path.suffix in _SUFFIXES]
    files = [path for path in files if package / "site" not in path.parents]
    files += [path for path in (root / "records").rglob("*") if path.is_file()]
    files += [path for path in [root / "constraints.txt"] if path.is_file()]
    digest = hashlib.sha256(platform.python_version().encode())
    for path in sorted(files):
        base = package.parent if package in path.parents else root
        digest.update(f"\0{path.relative_to(base).as_posix()}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]
