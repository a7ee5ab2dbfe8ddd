"""Linux system calls that Python's standard library lacks. Stands alone: standard library only."""

import ctypes
import functools
import os
import platform
import signal
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_RDONLY = 1
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

AT_FDCWD = -100
AT_RECURSIVE = 0x8000
MOUNT_ATTR_RDONLY = 1
MOUNT_ATTR_NOSUID = 2
MOUNT_ATTR_NODEV = 4

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

CAP_SETPCAP = 8
CAP_SYS_ADMIN = 21

#: Numbers of the calls made here by number, for the two machines supported.
NUMBERS = {
    "x86_64": {"capset": 126, "pivot_root": 155, "mount_setattr": 442},
    "aarch64": {"capset": 91, "pivot_root": 41, "mount_setattr": 442},
}


@functools.cache
def library() -> ctypes.CDLL:
    """The C library. Calls on it keep their own `errno`."""
    return ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """`result`, unless it is -1.

    Raises:
        OSError: with the C library's `errno` and `what` failed.
    """
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: int | bytes | ctypes.Array | ctypes.Structure | None, what: str) -> int:
    """Make system call `number`; whole numbers go as 64 bits, arrays and structures as their address."""
    converted = [
        ctypes.c_long(argument)
        if isinstance(argument, int)
        else ctypes.byref(argument)
        if isinstance(argument, ctypes.Array | ctypes.Structure)
        else argument
        for argument in arguments
    ]
    function = library().syscall
    function.restype = ctypes.c_long
    return check(function(ctypes.c_long(number), *converted), what)


def unshare(flags: int) -> None:
    """Give the calling process new namespaces."""
    check(library().unshare(ctypes.c_int(flags)), "unshare")


def prctl(option: int, *arguments: int) -> int:
    """Set or read an attribute of the calling process."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    values = [ctypes.c_ulong(argument) for argument in padded]
    return check(library().prctl(ctypes.c_int(option), *values), f"prctl {option}")


def die_with_parent() -> None:
    """Let this process be killed when the thread that began it ends; elsewhere than on Linux nothing happens."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def mount(source: str, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount `source` at `target`; the error names both."""
    encoded = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    data = None if options is None else options.encode()
    result = library().mount(*encoded, ctypes.c_ulong(flags), data)
    check(result, f"mount of {source} at {target}")


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("user_namespace", ctypes.c_uint64),
    )


def make_read_only(path: str) -> None:
    """Make every mount at and below `path` read-only, without set-uid programs and devices."""
    attributes = _MountAttributes(set=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
    number = NUMBERS[platform.machine()]["mount_setattr"]
    syscall(
        number,
        AT_FDCWD,
        os.fsencode(path),
        AT_RECURSIVE,
        attributes,
        ctypes.sizeof(attributes),
        what=f"mount_setattr of {path}",
    )


def change_root(path: str) -> None:
    """Make `path`, a mount point, the root of this mount namespace and let the old root go."""
    os.chdir(path)
    syscall(NUMBERS[platform.machine()]["pivot_root"], b".", b".", what="pivot_root")
    check(library().umount2(b".", ctypes.c_int(MNT_DETACH)), "unmounting the old root")
    os.chdir("/")


def effective_capabilities() -> int:
    """The calling process's effective capabilities, as a bit set."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    return int(text.partition("CapEff:")[2].split()[0], 16)


def has_capability(number: int) -> bool:
    return bool(effective_capabilities() >> number & 1)


def drop_bounding_set() -> None:
    """Make sure that no program executed later can gain a capability."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii"))
    for number in range(last + 1):
        prctl(PR_CAPBSET_DROP, number)


def drop_capabilities() -> None:
    """Give up every capability that the calling process holds."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    syscall(NUMBERS[platform.machine()]["capset"], header, nothing, what="capset")
