"""Warm kernels: one process that has imported everything waits beside the grader and forks a kernel when asked.

A kernel that is forked shuts itself in behind the same walls as one with an interpreter of its own. Where no template
can be had, kernels start cold, which takes some seconds each; `why_cold` says the reason.
"""

import atexit
import contextlib
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nlpcourse
from autograder.sandbox import gate
from autograder.sandbox.limits import Limits
from nlpcourse.errors import CourseError

_log = logging.getLogger(__name__)
_lock = threading.Lock()


class Ended(CourseError):
    """The template ended before it forked."""


class Template:
    """The waiting process.

    Args:
        jail: the fields of `jail.Jail`; what its kernels show is what this one shows.

    Raises:
        CourseError: it does not get ready; the message says why.
    """

    def __init__(self, jail: dict[str, Any]) -> None:
        self.orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            config = {"jail": jail | {"groups": []}, "status": theirs.fileno()}
            self.process: subprocess.Popen = gate.spawn(
                "template", config, gate.environment(), "/", [theirs.fileno()]
            )
        try:
            gate.wait_until_ready(self.orders, {})
        except BaseException:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def fork(self, config: dict[str, Any], jail: dict[str, Any], descriptors: Sequence[int]) -> gate.Gate:
        """A kernel; the arguments are those of `gate.start`.

        Raises:
            Ended: the template itself is no more.
            CourseError: the jail could not be made.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        numbers = [*descriptors, theirs.fileno()]
        inside = jail | {"placed": {place: place for place in jail["placed"]}}
        own = {"jail": inside, "status": theirs.fileno(), "cpus": sorted(os.sched_getaffinity(0))}
        order = {"config": config | own, "numbers": numbers}
        handles: dict[str, int] = {}
        try:
            with theirs:
                socket.send_fds(self.orders, [json.dumps(order).encode()], numbers)
            report = gate.wait_until_ready(ours, handles)
        except BaseException as error:
            ours.close()  # with it ends what the child has made so far
            for handle in handles.values():
                os.close(handle)
            if not handles and isinstance(error, OSError | CourseError):
                raise Ended(f"the template of the kernels ended ({error})") from error
            raise
        if missing := {"gate", "first", "kernel"} - handles.keys():
            ours.close()
            for handle in handles.values():
                os.close(handle)
            raise Ended(f"a forked kernel ended while it started (no {min(missing)})")
        return gate.Gate(
            gate.Forked(handles["gate"], ours), handles["first"], handles["kernel"], ours, report
        )

    def end(self) -> None:
        """End the template; the kernels it forked live on."""
        self.orders.close()
        self.process.kill()
        self.process.wait()


_current: tuple[str, Template] | None = None
#: What the template that could not be had would have shown, and why there is none.
_refused: dict[str, str] = {}


def start(config: dict[str, Any], jail: dict[str, Any], descriptors: Sequence[int]) -> gate.Gate:
    """Start a jailed kernel, from the template if there can be one; as `gate.start`."""
    key = key_of(jail)
    for last in (False, True):
        if key in _refused:
            break
        try:
            forked_from = template(key, jail)
            return forked_from.fork(config, jail, descriptors)
        except CourseError as error:
            if isinstance(error, Ended) and not last:
                forked_from.end()
                continue
            _refused[key] = str(error)
            _log.warning("kernels start cold: %s", error)
    return gate.start("launch", config, jail, descriptors)


def prepare() -> threading.Thread:
    """Let the template get ready meanwhile, on a thread; the first kernel waits for it.

    What is in the way is said when that kernel starts.
    """

    def get_ready() -> None:
        folder = gate.runtime_folder()
        try:
            jail = gate.jail_settings(folder, Limits())
            with contextlib.suppress(CourseError):
                template(key_of(jail), jail)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    thread = threading.Thread(target=get_ready, name="warm-template", daemon=True)
    thread.start()
    return thread


def why_cold() -> str:
    """Why kernels start cold; "" when they do not, so far."""
    return "; ".join(_refused.values())


def template(key: str, jail: dict[str, Any]) -> Template:
    """The template that `key` asks for; an older one, or one that has ended, is replaced."""
    global _current
    with _lock:
        if _current is None or _current[0] != key or not _current[1].alive:
            forget()
            _current = key, Template(jail)
        return _current[1]


@atexit.register
def forget() -> None:
    """End the template if there is one; the next kernel starts another."""
    global _current
    if _current is not None and _current[0].startswith(f"{os.getpid()} "):
        _current[1].end()
    _current = None


def key_of(jail: dict[str, Any]) -> str:
    """Changes with what a template shows and has imported: the trees, their packages, the course; and the process."""
    shown = json.dumps([jail[name] for name in ("visible", "placed", "blank")])
    return f"{os.getpid()} {stamp()} {shown}"


def stamp() -> int:
    """Changes when a package is installed, updated or removed, or a file of the course changes."""
    found: list[tuple[str, int, int]] = []
    for folder in sorted({each for each in sys.path if each.endswith(("site-packages", "dist-packages"))}):
        with os.scandir(folder) as entries:
            found += [
                (each.path, (stat := each.stat(follow_symlinks=False)).st_mtime_ns, stat.st_ino)
                for each in entries
                if each.name != "__pycache__"
            ]
    for file in Path(nlpcourse.__file__).parent.rglob("*.py"):
        stat = file.stat()
        found.append((str(file), stat.st_mtime_ns, stat.st_ino))
    return hash(tuple(sorted(found)))
