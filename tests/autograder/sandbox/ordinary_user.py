"""Run as root: becomes a user without privileges and runs this Python with the arguments given.

Usage: ordinary_user.py HOME ARGUMENT ...

A root's own Python may lie in a folder that only root can enter. In a mount namespace of its own, such a folder
is replaced by one that shows nothing but the interpreter and the virtual environment.
"""

import os
import sys
import tempfile
from pathlib import Path

from autograder.sandbox import linux

USER = 64_123


def main(home: str, arguments: list[str]) -> None:
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    for tree in {Path(sys.base_prefix), Path(sys.prefix)}:
        open_the_way(tree)
    os.chown(home, USER, USER)
    Path(home).parent.chmod(0o755)
    Path(home).parent.parent.chmod(0o755)
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    environment = {
        name: os.environ[name]
        for name in os.environ
        if name in ("PATH", "LANG") or name.startswith("NLPCOURSE")
    }
    environment |= {"HOME": home, "TMPDIR": home, "PYTHONDONTWRITEBYTECODE": "1", "XDG_CACHE_HOME": home}
    os.execve(sys.executable, [sys.executable, *arguments], environment)


def open_the_way(tree: Path) -> None:
    """Let everybody enter the folders above `tree`."""
    for folder in reversed(tree.parents):
        if folder.stat().st_mode & 0o001:
            continue
        aside = tempfile.mkdtemp()
        linux.mount(str(tree), aside, None, linux.MS_BIND | linux.MS_REC)
        linux.mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
        tree.mkdir(parents=True)
        linux.mount(aside, str(tree), None, linux.MS_BIND | linux.MS_REC)
        return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
