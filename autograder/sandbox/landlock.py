"""Landlock, a second fence around files, signals and abstract sockets. Stands alone: standard library."""

import ctypes
import os

from autograder.sandbox import linux

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every machine
VERSION = 1
PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
MAKE_CHAR, MAKE_BLOCK = 1 << 6, 1 << 11
TRUNCATE = 1 << 14
IOCTL_DEVICE = 1 << 15
#: File rights known to each version of the interface (5 and later: all 16).
FILE_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
ALL_FILE_RIGHTS = (1 << 16) - 1
TCP_RIGHTS = 0b11  # bind, connect: version 4
SCOPES = 0b11  # abstract sockets, signals: version 6

READ = EXECUTE | READ_FILE | READ_DIR


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathRule(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """The version of the kernel's Landlock interface; 0 when there is none."""
    try:
        return linux.syscall(CREATE_RULESET, None, 0, VERSION, what="landlock")
    except OSError:
        return 0


def restrict(*, readable: list[str], writable: list[str], devices: list[str]) -> int:
    """Confine the calling process, for ever and with its children. `no_new_privs` must be set.

    Args:
        readable: trees that may be read and executed.
        writable: trees in which everything may be done but device files.
        devices: single files that may be read and written.

    Returns:
        The version of the interface used; 0 when the kernel has none and nothing was done.
    """
    abi = version()
    if not abi:
        return 0
    known = FILE_RIGHTS.get(abi, ALL_FILE_RIGHTS)
    ruleset = _Ruleset(files=known, net=TCP_RIGHTS if abi >= 4 else 0, scoped=SCOPES if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    handle = linux.syscall(CREATE_RULESET, ruleset, size, 0, what="landlock ruleset")
    try:
        everything = known & ~(MAKE_CHAR | MAKE_BLOCK | IOCTL_DEVICE)
        for paths, rights in (
            (readable, READ),
            (writable, everything),
            (devices, (READ_FILE | WRITE_FILE | TRUNCATE) & known),
        ):
            for path in paths:
                parent = os.open(path, os.O_PATH | os.O_CLOEXEC)
                try:
                    rule = _PathRule(allowed=rights, parent=parent)
                    linux.syscall(ADD_RULE, handle, PATH_BENEATH, rule, 0, what=f"landlock rule for {path}")
                finally:
                    os.close(parent)
        linux.syscall(RESTRICT_SELF, handle, 0, what="landlock")
    finally:
        os.close(handle)
    return abi
