"""The file system of a jail: the system, Python and the public course, read-only, and a small place to write.

Stands alone: standard library only.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from autograder.sandbox import linux

if TYPE_CHECKING:
    from autograder.sandbox.jail import Jail

HOME = "/home/student"
#: Folders of the student's own, all on one small file system.
SCRATCH = {"/scratch/home": HOME, "/scratch/tmp": "/tmp", "/scratch/shm": "/dev/shm"}  # noqa: S108
#: Where a process that makes jails (see `settle`) has a place for their roots.
NEST = "/nest"
DEVICES = ("null", "full", "random", "urandom")
#: What programs need from the system, where it exists.
SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32",
    "/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/localtime", "/etc/mime.types",
)  # fmt: skip
#: An empty file of the new root, shown in place of files that are nobody's business.
BLANK_FILE = "blank"
PROCESSORS = "/sys/devices/system/cpu"
ROOT_BYTES, ROOT_INODES = 4 << 20, 4096
SCRATCH_INODES = 4096


def build_root(jail: "Jail", uid: int, gid: int, *, nest: bool = False) -> None:
    """Make the file system of the jail and move into it.

    Args:
        jail: what it shows.
        uid: owner of the folders that may be written.
        gid: their group.
        nest: leave a place for the roots of further jails, and the system's own process table.
    """
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    root = jail.base
    options = f"mode=755,size={ROOT_BYTES},nr_inodes={ROOT_INODES}"
    linux.mount("tmpfs", root, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    (Path(root) / BLANK_FILE).touch()
    show_trees(jail, root, in_scratch=False)
    write_small_files(root, uid, gid)
    for folder in ("/proc", "/scratch", *SCRATCH.values(), *([NEST] if nest else [])):
        Path(root + folder).mkdir(parents=True, exist_ok=True)
    for device in DEVICES:
        Path(f"{root}/dev/{device}").touch()
    linux.make_read_only(root)

    options = f"mode=755,size={jail.scratch_bytes},nr_inodes={SCRATCH_INODES}"
    linux.mount("tmpfs", root + "/scratch", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, options)
    for source, target in SCRATCH.items():
        Path(root + source).mkdir()
        os.chown(root + source, uid, gid)
        linux.mount(root + source, root + target, None, linux.MS_BIND)
    for shown in show_trees(jail, root, in_scratch=True):
        linux.make_read_only(root + shown)
    for device in DEVICES:
        linux.mount(f"/dev/{device}", f"{root}/dev/{device}", None, linux.MS_BIND)
    if nest:
        linux.mount("/proc", root + "/proc", None, linux.MS_BIND | linux.MS_REC)
    else:
        flags = linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
        linux.mount("proc", root + "/proc", "proc", flags)
    linux.change_root(root)


def show_trees(jail: "Jail", root: str, *, in_scratch: bool) -> set[str]:
    """Bind the read-only trees, outermost first, so that one tree may lie in another or in a blank one.

    Args:
        jail: names the trees.
        root: where the new root is mounted so far.
        in_scratch: show those whose place is below a folder of the student's own (a course kept in /tmp, say), else
            all the others.

    Returns:
        The places where something is mounted now.
    """
    sources = {path: path for path in (*SYSTEM, *jail.visible)} | jail.placed
    steps = [
        path
        for path in {*sources, *jail.blank}
        if (nearest(path, SCRATCH.values()) is not None) == in_scratch
    ]
    shown: set[str] = set()
    for path in sorted(steps, key=lambda path: (path.count("/"), path)):
        target = Path(root + path)
        if path not in sources:
            if target.is_dir():  # only what a visible tree brought with it
                linux.mount("tmpfs", str(target), "tmpfs", 0, "mode=755,size=64k,nr_inodes=256")
                shown.add(path)
            elif target.exists():
                linux.mount(f"{root}/{BLANK_FILE}", str(target), None, linux.MS_BIND)
                shown.add(path)
            continue
        source = Path(sources[path])
        if not os.path.lexists(source) or nearest(path, shown) in sources:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
            continue
        target.mkdir() if source.is_dir() else target.touch()
        linux.mount(str(source), str(target), None, linux.MS_BIND | linux.MS_REC)
        shown.add(path)
    return shown


def nearest(path: str, shown: Collection[str]) -> str | None:
    """The innermost of the paths `shown` at or above `path`."""
    holders = [other for other in shown if path == other or path.startswith(other.rstrip("/") + "/")]
    return max(holders, key=len, default=None)


def write_small_files(root: str, uid: int, gid: int) -> None:
    """The few files and links that programs look for in every system."""
    etc = Path(root) / "etc"
    etc.mkdir(exist_ok=True)
    (etc / "passwd").write_text(f"student:x:{uid}:{gid}::{HOME}:/bin/sh\n", encoding="ascii")
    (etc / "group").write_text(f"student:x:{gid}:\n", encoding="ascii")
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: files\n", encoding="ascii")
    (etc / "hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")
    processors = Path(root + PROCESSORS)
    processors.mkdir(parents=True)
    for name in ("online", "possible", "present"):
        source = Path(PROCESSORS) / name
        (processors / name).write_text(source.read_text(encoding="ascii") if source.exists() else "0\n")
    device = Path(root) / "dev"
    device.mkdir()
    (device / "fd").symlink_to("/proc/self/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        (device / name).symlink_to(f"/proc/self/fd/{number}")
