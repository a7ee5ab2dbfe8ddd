"""A student without a sandbox: a forked child with the same agent, for tests, mutants and many seeds.

Only for code that one trusts: the child has this process's memory and rights.
"""

import faulthandler
import linecache
import os
import resource
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograder.wall import agent
from autograder.wall.student import Student

_FILE = "<notebook>"


@contextmanager
def local_student(
    source: str | Callable[[], dict[str, Any]], *, cpu_seconds: int = 30, wall_seconds: float = 120.0
) -> Iterator[Student]:
    """The names that `source` defines, behind the wall.

    Args:
        source: the text of the cells, or a function that makes the namespace (called in the child).
        cpu_seconds: CPU time of the child in all; above it the reason is "timeout".
        wall_seconds: wall time in all; above it the reason is "interrupted".

    Raises:
        StudentError: `source` raises.
        StudentDied: `source` ends the process.
    """
    here, there = socket.socketpair()
    child = os.fork()
    if child == 0:
        here.close()
        _be_student(there, source, cpu_seconds)
    there.close()
    alive = _Watch(child, time.monotonic() + wall_seconds)
    try:
        student = Student(here, alive=alive)
        student.probe(_start)
        yield student
    finally:
        here.close()
        alive.end()


def _start(names):
    """The first question, a probe: its answer is the error of the notebook, if it has one."""
    names.__start__()


def _be_student(channel: socket.socket, source: str | Callable[[], dict[str, Any]], cpu_seconds: int) -> None:
    """The child: define, answer, end; never returns."""
    try:
        faulthandler.disable()
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        namespace: dict[str, Any] = {"__name__": "__main__"}

        def start() -> None:
            del namespace["__start__"]
            if callable(source):
                namespace.update(source())
                return
            linecache.cache[_FILE] = (len(source), None, source.splitlines(keepends=True), _FILE)
            exec(compile(source, _FILE, "exec"), namespace)  # noqa: S102 - running it is what this is for

        namespace["__start__"] = start
        agent.serve(channel, namespace)
    finally:
        os._exit(0)


class _Watch:
    """Why the child stopped, or None: the `alive` of a local student."""

    def __init__(self, child: int, deadline: float) -> None:
        self.child, self.deadline = child, deadline
        self.reason: str | None = None

    def __call__(self) -> str | None:
        if self.reason is None:
            ended, status = os.waitpid(self.child, os.WNOHANG)
            if ended:
                over = os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
                self.reason = "timeout" if over else "crash"
            elif time.monotonic() > self.deadline:
                os.kill(self.child, signal.SIGKILL)
                os.waitpid(self.child, 0)
                self.reason = "interrupted"
        return self.reason

    def end(self) -> None:
        """Kill and reap the child."""
        if self.reason is None:
            os.kill(self.child, signal.SIGKILL)
            os.waitpid(self.child, 0)
            self.reason = "crash"
