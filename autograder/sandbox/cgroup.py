"""A control group around a kernel, where this user may make one: the system's own account of memory and tasks.

It catches what no process map shows (file caches, socket queues, children that nobody waited for). Where none can be
had the watch does the work alone.
"""

import contextlib
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.limits import MIB, Limits

ROOT = Path("/sys/fs/cgroup")
PREFIX = "nlpcourse-"
#: The group's limit lies above the watch's, so that the watch, which can give a reason, comes first.
SLACK_BYTES = 256 * MIB
#: Threads and processes beside the student's: the kernel's own, the jail's first process, the gatekeeper.
OWN_TASKS = 28
#: Seconds that removal waits for the last process to be gone.
PATIENCE = 2.0


@dataclass(frozen=True)
class Group:
    """The folders of one control group; one folder for each controller in version 1, a single one in version 2."""

    folders: dict[str, Path]

    @property
    def paths(self) -> list[str]:
        """The folders, each once."""
        return sorted({str(folder) for folder in self.folders.values()})

    def cpu_seconds(self) -> float:
        """CPU time of everything that was ever in the group; 0 when the group does not say."""
        folder = self.folders.get("cpu")
        if folder is None:
            return 0.0
        with contextlib.suppress(OSError):
            return int((folder / "cpuacct.usage").read_text(encoding="ascii")) / 1e9
        with contextlib.suppress(OSError):
            rows = (folder / "cpu.stat").read_text(encoding="ascii").split()
            return int(rows[rows.index("usage_usec") + 1]) / 1e6
        return 0.0

    def ran_out_of_memory(self) -> bool:
        """Whether the system killed a process of the group for the group's memory."""
        folder = self.folders["memory"]
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(OSError):
                rows = (folder / name).read_text(encoding="ascii").split()
                return "oom_kill" in rows and int(rows[rows.index("oom_kill") + 1]) > 0
        return False

    def remove(self) -> None:
        """Remove the group, whose processes have been killed."""
        until = time.monotonic() + PATIENCE
        for folder in set(self.folders.values()):
            while folder.is_dir():
                try:
                    folder.rmdir()
                except OSError:  # its last process is still on its way out
                    if time.monotonic() > until:
                        break
                    time.sleep(0.005)


def create(limits: Limits) -> Group | None:
    """Make a control group with these limits, or None where this user may not."""
    name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(4)}"
    settings = {
        "memory.max": limits.memory_bytes + SLACK_BYTES,
        "memory.swap.max": 0,
        "memory.limit_in_bytes": limits.memory_bytes + SLACK_BYTES,
        "pids.max": limits.processes + OWN_TASKS,
    }
    group = Group({})
    try:
        for controller, parent in parents().items():
            remove_leftovers(parent)
            folder = parent / name
            folder.mkdir(exist_ok=True)
            group.folders[controller] = folder
        for folder in set(group.folders.values()):
            for setting, value in settings.items():
                if (folder / setting).exists():
                    (folder / setting).write_text(str(value), encoding="ascii")
        if not {"memory", "pids"} <= set(group.folders):
            raise OSError("no group has both memory and pids")
    except OSError:
        group.remove()
        return None
    return group


def remove_leftovers(parent: Path) -> None:
    """Remove the empty groups of graders that were killed."""
    for old in parent.glob(f"{PREFIX}*"):
        if not Path(f"/proc/{old.name.split('-')[1]}").exists():
            with contextlib.suppress(OSError):
                old.rmdir()


def parents() -> dict[str, Path]:
    """For each controller of interest, the folder in which a group may be made.

    Raises:
        OSError: there is none.
    """
    rows = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    found: dict[str, Path] = {}
    for row in rows:
        _, controllers, path = row.split(":", 2)
        for controller, ours in (("memory", "memory"), ("pids", "pids"), ("cpuacct", "cpu")):
            if controller in controllers.split(","):
                found[ours] = ROOT / controllers / path.lstrip("/")
    if {"memory", "pids"} <= set(found):
        return found
    for folder in (ROOT, ROOT / rows[-1].split(":", 2)[2].lstrip("/").rpartition("/")[0]):
        enabled = (folder / "cgroup.subtree_control").read_text(encoding="ascii").split()
        if {"memory", "pids"} <= set(enabled) and os.access(folder, os.W_OK):
            return dict.fromkeys(("memory", "pids", "cpu"), folder)
    raise OSError("no control group has memory and pids for its children")
