"""The call filter's program, run by a small BPF machine for both kinds of computer."""

import errno
import struct

import pytest

from autograder.sandbox import seccomp


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """What the program says to a call; arguments are 64 bits wide."""
    identity = seccomp.MACHINES[machine][0] if audit is None else audit
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("<IIQ6Q", number, identity, 0, *padded)
    code = seccomp.program(machine)
    at, value = 0, 0
    while True:
        operation, true, false, operand = struct.unpack_from("<HBBI", code, 8 * at)
        at += 1
        if operation == seccomp.LOAD:
            (value,) = struct.unpack_from("<I", data, operand)
        elif operation == seccomp.AND:
            value &= operand
        elif operation == seccomp.EQUAL:
            at += true if value == operand else false
        elif operation == seccomp.AT_LEAST:
            at += true if value >= operand else false
        elif operation == seccomp.RETURN:
            return operand
        else:
            raise AssertionError(f"unknown operation {operation:#x}")


REFUSED = seccomp.ERRNO | errno.EPERM
ABSENT = seccomp.ERRNO | errno.ENOSYS
MACHINES = tuple(seccomp.MACHINES)
#: read, write, close, eventfd2, epoll_pwait, futex, munmap, exit_group, landlock_restrict_self
HONEST = {"x86_64": (0, 1, 3, 290, 281, 202, 11, 231, 446), "aarch64": (63, 64, 57, 19, 22, 98, 215, 94, 446)}


@pytest.mark.parametrize("machine", MACHINES)
def test_every_listed_call_is_refused_and_honest_ones_are_not(machine: str) -> None:
    column = seccomp.MACHINES[machine][1]
    for numbers in seccomp.REFUSED.values():
        if numbers[column] is not None:
            assert verdict(machine, numbers[column]) == REFUSED
    for number in HONEST[machine]:
        assert verdict(machine, number) == seccomp.ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_arguments_decide_where_they_should(machine: str) -> None:
    column = seccomp.MACHINES[machine][1]
    socket, clone, ioctl, mmap = ((41, 198)[column], (56, 220)[column], (16, 29)[column], (9, 222)[column])
    assert verdict(machine, socket, 1, 1) == seccomp.ALLOW
    assert verdict(machine, socket, (1 << 32) | 2, 1) == REFUSED  # the system reads the low half only
    for family in (0, 2, 10, 16, 17, 38, 40):
        assert verdict(machine, socket, family, 1) == REFUSED
    assert verdict(machine, clone, 0x3D0F00) == seccomp.ALLOW  # a thread
    assert verdict(machine, clone, 17) == seccomp.ALLOW  # a fork
    for bit in (17, 25, 26, 27, 28, 29, 30):
        assert verdict(machine, clone, 17 | 1 << bit) == REFUSED
    assert verdict(machine, 435) == ABSENT
    assert verdict(machine, ioctl, 0, 0x5412) == REFUSED
    assert verdict(machine, ioctl, 0, 0x541C) == REFUSED
    assert verdict(machine, ioctl, 0, 0x5413) == seccomp.ALLOW
    fcntl = (72, 25)[column]
    assert verdict(machine, fcntl, 3, 1024) == REFUSED  # F_SETLEASE
    assert verdict(machine, fcntl, 3, 1026) == REFUSED  # F_NOTIFY
    for command in (0, 1, 2, 3, 4, 5, 6, 1025, 1030, 1031):
        assert verdict(machine, fcntl, 3, command) == seccomp.ALLOW
    assert verdict(machine, mmap, 0, 4096, 3, 0x22) == seccomp.ALLOW  # private anonymous
    assert verdict(machine, mmap, 0, 4096, 3, 0x01) == seccomp.ALLOW  # a shared file
    assert verdict(machine, mmap, 0, 4096, 3, 0x21) == REFUSED
    assert verdict(machine, mmap, 0, 4096, 3, 0x23) == REFUSED


def test_another_machines_calls_end_the_process() -> None:
    assert verdict("x86_64", 1, audit=0x40000003) == seccomp.KILL_PROCESS  # 32-bit entry
    assert verdict("aarch64", 64, audit=0x40000028) == seccomp.KILL_PROCESS
    assert verdict("x86_64", 0x40000001) == REFUSED  # x32 numbers


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_that_nobody_judged_do_not_exist(machine: str) -> None:
    assert verdict(machine, seccomp.LAST_JUDGED + 1) == ABSENT
    assert verdict(machine, 10_000) == ABSENT


def test_jumps_stay_within_what_the_system_accepts() -> None:
    for machine in MACHINES:
        assert len(seccomp.program(machine)) // 8 < 4096
