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
    open_the_way([Path(sys.base_prefix), Path(sys.prefix), Path.cwd()])
    os.chown(home, USER, USER)
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


def open_the_way(trees: list[Path]) -> None:
    """Replace each folder above the trees that others may not enter by one that holds nothing but the trees."""
    for folder in sorted({folder for tree in trees for folder in tree.parents}):
        if folder.stat().st_mode & 0o001:
            continue
        inside = [tree for tree in trees if tree.is_relative_to(folder)]
        outermost = [tree for tree in inside if not any(other in tree.parents for other in inside)]
        aside = {tree: tempfile.mkdtemp() for tree in outermost}
        for tree, place in aside.items():
            linux.mount(str(tree), place, None, linux.MS_BIND | linux.MS_REC)
        linux.mount("tmpfs", str(folder), "tmpfs", 0, "mode=755")
        for tree, place in aside.items():
            tree.mkdir(parents=True, exist_ok=True)
            linux.mount(place, str(tree), None, linux.MS_BIND | linux.MS_REC)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
