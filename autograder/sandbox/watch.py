"""What a kernel and everything it started has used so far, and whether that is too much."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox.cgroup import Group
from autograder.sandbox.limits import Limits

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
#: Seconds between two looks of the watching thread.
INTERVAL = 0.05
#: Growth of the grader's own memory since the cell began that can only be a flood of messages; bytes.
FLOOD_BYTES = 1 << 30
#: Memory that the system may hold for one open socket's queue, in no process's account.
SOCKET_BYTES = 208 << 10


@dataclass(frozen=True)
class Usage:
    """One look at a kernel and all its descendants."""

    cpu_seconds: float
    """Since the kernel started, finished processes included."""
    memory_bytes: int
    processes: int
    """Processes and threads alive."""


class JailProcesses:
    """Reads the process table of one jail, through a handle on the jail's own /proc."""

    def __init__(self, table: int, group: Group | None = None) -> None:
        self.table, self.group = table, group
        self.seen: dict[tuple[str, str], float] = {}
        self.finished = 0.0

    @classmethod
    def of(cls, first: int, group: Group | None = None) -> "JailProcesses":
        """The table of the jail whose first process is `first` out here, and its control group if it has one."""
        return cls(os.open(f"/proc/{first}/root/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), group)

    def read(self, path: str) -> str:
        """A file of the table; empty when its process is gone."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.table)
        except OSError:
            return ""
        try:
            return os.read(descriptor, 1 << 16).decode(errors="replace")
        except OSError:
            return ""
        finally:
            os.close(descriptor)

    def usage(self, *, exact_above: int) -> Usage:
        """Look once.

        Args:
            exact_above: only when the quick sum is above this many bytes are pages shared between processes
                counted once, because that takes a walk through all page tables.
        """
        alive = [name for name in os.listdir(self.table) if name.isdigit()]  # noqa: PTH208 (a descriptor)
        with_waited, tasks, resident = 0.0, 0, 0
        running: dict[tuple[str, str], float] = {}
        for pid in alive:
            fields = self.read(f"{pid}/stat").rpartition(")")[2].split()
            if len(fields) < 22:
                continue
            own, waited = (sum(map(int, fields[at : at + 2])) / TICKS for at in (11, 13))
            running[pid, fields[19]] = own
            with_waited += own + waited
            tasks += int(fields[17])
            resident += int(fields[21]) * PAGE
        self.finished += sum(own for process, own in self.seen.items() if process not in running)
        self.seen = running
        if resident > exact_above and len(alive) > 1:
            resident = sum(map(self.proportional, alive))
        resident += SOCKET_BYTES * self.sockets()
        by_group = 0.0 if self.group is None else self.group.cpu_seconds()
        return Usage(max(self.finished + sum(running.values()), with_waited, by_group), resident, tasks)

    def ran_out_of_memory(self) -> bool:
        """Whether the system itself killed something for the memory of the whole."""
        return self.group is not None and self.group.ran_out_of_memory()

    def proportional(self, pid: str) -> int:
        """A process's memory, each shared page divided by the number of those who share it; bytes."""
        for line in self.read(f"{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return 0

    def sockets(self) -> int:
        """Sockets open in the jail."""
        for line in self.read("1/net/sockstat").splitlines():
            if line.startswith("sockets:"):
                return int(line.split()[2])
        return 0

    def close(self) -> None:
        os.close(self.table)


class PlainProcesses:
    """Reads a process and its children where there is no jail; what has left the family is not seen."""

    def __init__(self, pid: int) -> None:
        import psutil

        self.root = psutil.Process(pid)

    def usage(self, *, exact_above: int) -> Usage:
        import psutil

        cpu, memory, tasks = 0.0, 0, 0
        try:
            family = [self.root, *self.root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return Usage(0.0, 0, 0)
        for process in family:
            try:
                times = process.cpu_times()
                cpu += times.user + times.system
                memory += process.memory_info().rss
                tasks += process.num_threads()
            except psutil.NoSuchProcess:
                continue
        return Usage(cpu, memory, tasks)

    def ran_out_of_memory(self) -> bool:
        """Nobody says."""
        return False

    def close(self) -> None:
        """Nothing is held."""


def own_memory() -> int:
    """Memory of the calling process in bytes; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text(encoding="ascii").split()[1]) * PAGE if statm.exists() else 0


class Watch:
    """Holds a kernel to its limits from a thread of its own, whatever the grader is doing meanwhile."""

    def __init__(
        self, processes: JailProcesses | PlainProcesses, limits: Limits, kill: Callable[[], None]
    ) -> None:
        self.processes, self.limits, self.kill = processes, limits, kill
        self.reason: str | None = None
        self.sentence = ""
        self.last = Usage(0.0, 0, 0)
        self.began = time.monotonic()
        self.deadline: float | None = None
        """When all must be done, by `time.monotonic`, whatever this kernel's own limits still allow."""
        self.cell: tuple[float, float] | None = None
        self.cell_seconds = limits.cpu_seconds_cell
        self.own = own_memory()
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, name="kernel-watch", daemon=True)
        self.thread.start()

    def run(self) -> None:
        while not self.stopped.wait(INTERVAL):
            if self.look():
                return

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()
        with self.lock:
            self.processes.close()

    def begin_cell(self, cpu_seconds: int) -> None:
        """Start a new share of wall time, and of `cpu_seconds`."""
        with self.lock:
            self.measure()
            self.cell_seconds = cpu_seconds
            self.cell = (self.last.cpu_seconds, time.monotonic())
            self.own = own_memory()

    def measure(self) -> Usage:
        if self.stopped.is_set():
            return self.last
        now = self.processes.usage(exact_above=self.limits.memory_bytes)
        self.last = Usage(max(now.cpu_seconds, self.last.cpu_seconds), now.memory_bytes, now.processes)
        return self.last

    def look(self) -> str | None:
        """Measure, kill when a limit is passed, and say why: "timeout", "memory" or "interrupted"."""
        with self.lock:
            if self.reason is None and not self.stopped.is_set():
                found = self.judge(self.measure())
                if found is not None:
                    self.kill()
                    self.reason, self.sentence = found
            return self.reason

    def judge(self, usage: Usage) -> tuple[str, str] | None:
        """The first limit that `usage` passes, with a sentence."""
        limits = self.limits
        if usage.memory_bytes > limits.memory_bytes or self.processes.ran_out_of_memory():
            return "memory", f"it used more than {limits.memory_bytes / 2**30:.1f} GiB of memory"
        if own_memory() - self.own > FLOOD_BYTES:
            return "memory", "it flooded the grader with messages"
        now = time.monotonic()
        if self.deadline is not None and now > self.deadline:
            return "interrupted", "the whole submission was not done in its time; run it again"
        whole = limits.cpu_seconds_notebook
        shares = [(whole, whole, usage.cpu_seconds, now - self.began, "the notebook")]
        if self.cell is not None:
            cpu, wall = usage.cpu_seconds - self.cell[0], now - self.cell[1]
            shares.insert(0, (self.cell_seconds, limits.cpu_seconds_cell, cpu, wall, "one cell"))
        for allowed, patience, cpu, wall, what in shares:
            if cpu > allowed:
                return "timeout", f"{what} used more than {allowed} s of computing time"
            if wall > patience * limits.wall_factor:
                return (
                    "interrupted",
                    f"{what} was not done after {patience * limits.wall_factor} s of waiting; run it again",
                )
        return None
