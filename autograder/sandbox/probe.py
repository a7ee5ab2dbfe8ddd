"""What a jail really holds back, tried from inside. Stands alone: standard library only."""

import errno
import json
import os
import socket
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

OUTSIDE = ("linux", "landlock", "seccomp", "root", "jail")


def main(payload: dict, define: Callable[[str, str], types.ModuleType]) -> None:
    """Try each wall alone in a forked child, then a whole jail; the answers go out on the status socket."""
    config = payload["config"]
    status = socket.socket(fileno=config["status"])
    modules = [define(f"autograder.sandbox.{name}", payload["sources"][name]) for name in OUTSIDE]
    linux, landlock, seccomp, _, jail = modules
    flags = {
        "mount": linux.CLONE_NEWNS,
        "process": linux.CLONE_NEWPID,
        "network": linux.CLONE_NEWNET,
    }
    own = 0 if linux.has_capability(linux.CAP_SYS_ADMIN) else linux.CLONE_NEWUSER
    alone = {name: attempt(linux.unshare, flag | own) for name, flag in flags.items()}
    alone["user"] = attempt(linux.unshare, linux.CLONE_NEWUSER)
    alone["seccomp"] = attempt(filter_calls, linux, seccomp)
    alone["landlock"] = attempt(fence_files, linux, landlock)
    status.send(json.dumps({"alone": alone}).encode())
    jail.enter(jail.Jail(**config["jail"]), status)
    inside = {
        "files": attempt(files_are_out_of_reach, config["hidden"]),
        "interfaces": attempt(no_interfaces),
        "sockets": attempt(no_sockets),
        "processes": attempt(no_other_processes),
        "calls": attempt(no_dangerous_calls, linux),
        "privileges": attempt(no_privileges),
        "forks": attempt(forks_end, config["jail"]["processes"] + jail.KERNEL_TASKS),
        "disk": attempt(disk_is_small, config["jail"]["scratch_bytes"]),
    }
    status.send(json.dumps({"inside": inside}).encode())
    status.recv(1)  # stay until the grader has looked at this process


def attempt(trial: Callable[..., Any], *arguments: Any) -> str:
    """Run `trial` in a forked child: "" when it went well, else what went wrong."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            trial(*arguments)
        except Exception as error:  # noqa: BLE001 (whatever went wrong is the answer)
            os.write(writer, f"{type(error).__name__}: {error}"[:500].encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return answer or (f"the trial ended with code {code}" if code else "")


def refused(action: Callable[..., Any], *arguments: Any, codes: tuple[int, ...]) -> None:
    """Make sure that an action fails with one of the error numbers `codes`."""
    try:
        action(*arguments)
    except OSError as error:
        if error.errno in codes:
            return
        raise
    raise AssertionError(f"{action.__name__}{arguments} was allowed")


def filter_calls(linux: Any, seccomp: Any) -> None:
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install()
    refused(linux.unshare, linux.CLONE_NEWUSER, codes=(errno.EPERM,))


def fence_files(linux: Any, landlock: Any) -> None:
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    if not landlock.restrict(readable=["/usr"], writable=[], devices=[]):
        raise AssertionError("this kernel has no Landlock")
    refused(os.listdir, "/proc", codes=(errno.EACCES,))


def files_are_out_of_reach(hidden: list[str]) -> None:
    for path in hidden:
        if os.path.lexists(path):
            raise AssertionError(f"{path} can be seen")
    for folder in ("/", "/usr", "/etc"):
        refused(os.mkdir, f"{folder}/trial", codes=(errno.EROFS, errno.EACCES))


def no_interfaces() -> None:
    rows = Path("/proc/net/dev").read_text(encoding="ascii").splitlines()
    names = {row.split(":")[0].strip() for row in rows if ":" in row}
    if names - {"lo"}:
        raise AssertionError(f"network interfaces {sorted(names)}")


def no_sockets() -> None:
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):
        refused(socket.socket, family, socket.SOCK_DGRAM, codes=(errno.EPERM,))


def no_other_processes() -> None:
    known = {1, os.getppid(), os.getpid()}
    others = {int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()} - known
    if others or os.getppid() != 2:
        raise AssertionError(f"processes {sorted(others)} can be seen")


def no_dangerous_calls(linux: Any) -> None:
    refused(linux.unshare, linux.CLONE_NEWUSER, codes=(errno.EPERM,))
    refused(linux.mount, "none", "/tmp", "tmpfs", 0, codes=(errno.EPERM,))  # noqa: S108
    refused(trace_me, linux, codes=(errno.EPERM,))


def trace_me(linux: Any) -> None:
    linux.check(linux.library().ptrace(0, 0, 0, 0), "ptrace")


def no_privileges() -> None:
    text = Path("/proc/self/status").read_text(encoding="ascii")
    rows = dict(line.split(":", 1) for line in text.splitlines())
    held = {name: rows[name].strip() for name in rows if name.startswith("Cap") and int(rows[name], 16)}
    if held or int(rows["NoNewPrivs"]) != 1 or os.getuid() == 0:
        raise AssertionError(f"capabilities {held}, user {os.getuid()}")


def forks_end(most: int) -> None:
    """Fork sleeping children until the system refuses."""
    reader, writer = os.pipe()
    children = []
    try:
        for _ in range(most + 1):
            child = os.fork()
            if not child:
                os.close(writer)
                os.read(reader, 1)
                os._exit(0)
            children.append(child)
    except BlockingIOError:
        return
    finally:
        os.close(writer)
        os.close(reader)
        for child in children:
            os.kill(child, 9)
            os.waitpid(child, 0)
    raise AssertionError(f"{len(children)} processes could be started")


def disk_is_small(most: int) -> None:
    with (Path.home() / "trial").open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, most // 2)
        refused(os.posix_fallocate, file.fileno(), 0, most + 1, codes=(errno.ENOSPC, errno.EFBIG))
