"""Shutting a process in: namespaces, a root of its own, limits, filters. Stands alone: standard library only.

`enter` turns the calling process into a gatekeeper outside and returns only in a new process inside, which
may do nothing that a notebook does not need. Order matters: everything that needs a privilege comes before the
privilege is given up, and nothing of the student's has run by then.
"""

import array
import contextlib
import json
import os
import resource
import select
import signal
import socket
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.sandbox import landlock, linux, root, seccomp

#: Threads and processes of the kernel itself, on top of the student's own limit.
KERNEL_TASKS = 24
OPEN_FILES = 256
#: User ids for kernels start here when the whole range of ids is ours.
HIGHEST_UID = 2_100_000_000


@dataclass(frozen=True)
class Jail:
    """What one jail shows and allows."""

    base: str
    """An empty folder outside, on which the new root is mounted; nothing is written into it."""
    visible: list[str]
    """Trees shown read-only at their own path."""
    placed: dict[str, str]
    """Path inside -> folder outside: trees shown read-only at another path."""
    blank: list[str]
    """Files and folders that show empty where a visible tree holds them."""
    scratch_bytes: int
    processes: int
    cpu_seconds: int
    """CPU time after which the system itself stops any single process."""
    groups: list[tuple[int, str]]
    """The control groups to be joined: the open folder that holds each, and its name in there."""


def enter(jail: Jail, status: socket.socket) -> dict[str, int]:
    """Return in a new, jailed process; the calling process stays outside, waits and ends with its exit code.

    On `status` (a sequenced-packet socket whose other end is the grader) come one message and one process
    handle each from the gatekeeper (`{"process": "first"}`) and from inside (`{"process": "kernel"}`), or
    `{"error": ...}`.

    Returns:
        In the jailed process: what is live, as `{"landlock": version}`.
    """
    own_user = needs_own_user()
    flags = (
        linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    )
    with reported(status):
        for parent, name in jail.groups:
            join(parent, name)
        if own_user:
            uid, gid = unshare_with_user(flags)
        else:
            uid = gid = unused_uid()
            linux.unshare(flags)
        write("/proc/self/oom_score_adj", "1000")
        first = os.fork()
    if first:
        keep_gate(first, status, jail.groups)
    for parent, _ in jail.groups:
        os.close(parent)
    with reported(status):
        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
        socket.sethostname("notebook")
        root.build_root(jail, uid, gid)
        live = give_up_privileges(jail, uid, gid, own_user)
        kernel = os.fork()
        if kernel:
            send(status, {"process": "kernel"}, os.pidfd_open(kernel))
    if kernel:
        be_first_process(kernel, status)
    os.chdir(root.HOME)
    return live


def settle(jail: Jail) -> None:
    """Show the calling process what its jails will show, and nothing else; it keeps what it needs to make them.

    From then on it calls `enter` in forked children, with the folder `root.NEST` as the base.
    """
    uid, gid = os.geteuid(), os.getegid()
    if needs_own_user():
        unshare_with_user(linux.CLONE_NEWNS)
    else:
        linux.unshare(linux.CLONE_NEWNS)
    root.build_root(jail, uid, gid, nest=True)
    os.chdir(root.HOME)


@contextlib.contextmanager
def reported(status: socket.socket) -> Iterator[None]:
    """Send an exception to the grader and end the process."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 (whatever it is goes to the grader, and the process ends)
        detail = "".join(traceback.format_exception(error))[-4000:]
        send(status, {"error": f"{type(error).__name__}: {error}", "detail": detail})
        os._exit(1)


def send(status: socket.socket, message: dict, handle: int | None = None) -> None:
    """Send one message, with a file descriptor that is closed here afterwards."""
    extra = []
    if handle is not None:
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [handle]))]
    status.sendmsg([json.dumps(message).encode()], extra)
    if handle is not None:
        os.close(handle)


def write(path: str, text: str) -> None:
    """Write to a file that exists, most often one of the kernel's."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def user_ids() -> tuple[int, int]:
    """The largest range of user ids that this process may hand out: the first, and how many."""
    rows = Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()
    start, _, count = max((tuple(map(int, row.split())) for row in rows), key=lambda row: row[2])
    return start, count


def needs_own_user() -> bool:
    """Whether a jail needs a user namespace: this process has no privileges, or no second user to become."""
    return not linux.has_capability(linux.CAP_SYS_ADMIN) or user_ids()[1] == 1


def unshare_with_user(flags: int) -> tuple[int, int]:
    """New namespaces with one for users, in which this process has every privilege; its user and group id."""
    uid, gid = os.geteuid(), os.getegid()
    linux.unshare(flags | linux.CLONE_NEWUSER)
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{uid} {uid} 1")
    write("/proc/self/gid_map", f"{gid} {gid} 1")
    return uid, gid


def unused_uid() -> int:
    """A user id that nobody has, and no other jail: limits on processes count by user."""
    start, count = user_ids()
    top = min(start + count - 1, HIGHEST_UID)
    return top - os.getpid() % max(1, min(count // 2, 1 << 22))


def join(parent: int, name: str) -> None:
    """Join the control group `name` in the open folder `parent`; an empty name is the folder's own."""
    descriptor = os.open(f"./{name}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC, dir_fd=parent)
    try:
        os.write(descriptor, b"0")
    finally:
        os.close(descriptor)


def leave(parent: int, name: str) -> None:
    """Leave a control group, whose other processes are gone, and remove it."""
    with contextlib.suppress(OSError):
        join(parent, "")
        os.rmdir(name, dir_fd=parent)


def keep_gate(first: int, status: socket.socket, groups: list[tuple[int, str]]) -> None:
    """Wait outside for the jail's first process; when the grader goes, the jail goes. Never returns.

    The last message is `{"exit": code}`, for a grader that is not this process's parent.
    """
    handle = os.pidfd_open(first)
    send(status, {"process": "first"}, os.dup(handle))
    devnull = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(devnull, descriptor)
    kept = {status.fileno(), handle, *(parent for parent, _ in groups)}
    for descriptor in set(range(3, OPEN_FILES)) - kept:
        with contextlib.suppress(OSError):
            os.close(descriptor)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(status, select.POLLRDHUP | select.POLLHUP)
    alone = handle not in [descriptor for descriptor, _ in poll.poll()]
    if alone:
        os.kill(first, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
    if alone:  # else the grader, which has questions to ask the groups, removes them
        for parent, name in groups:
            leave(parent, name)
    with contextlib.suppress(OSError):
        send(status, {"exit": code & 0xFF})
    os._exit(code & 0xFF)


def be_first_process(kernel: int, status: socket.socket) -> None:
    """Collect what dies in the jail, and end when the kernel ends. Never returns."""
    status.close()
    os.closerange(0, OPEN_FILES)
    while True:
        child, state = os.wait()
        if child == kernel:
            code = os.waitstatus_to_exitcode(state)
            os._exit(code if code >= 0 else 128 - code)


def give_up_privileges(jail: Jail, uid: int, gid: int, own_user: bool) -> dict[str, int]:
    """Limits, identity, capabilities, Landlock, call filter: in this order, and none can be taken back."""
    tasks = jail.processes + KERNEL_TASKS
    for limit, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, jail.cpu_seconds),
        (resource.RLIMIT_FSIZE, jail.scratch_bytes),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_NICE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_NPROC, tasks),
        (resource.RLIMIT_RTPRIO, 0),
        (resource.RLIMIT_SIGPENDING, 1024),
    ):
        highest = resource.getrlimit(limit)[1]
        value = value if highest == resource.RLIM_INFINITY else min(value, highest)
        resource.setrlimit(limit, (value, value))
    linux.drop_bounding_set()
    if not own_user:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    linux.drop_capabilities()
    linux.prctl(linux.PR_SET_DUMPABLE, 1)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    abi = landlock.restrict(
        readable=["/"],
        writable=list(root.SCRATCH.values()),
        devices=[f"/dev/{name}" for name in root.DEVICES],
    )
    seccomp.install()
    return {"landlock": abi}
