"""The system calls that a student's code is refused, as a hand-assembled BPF program. Stands alone."""

import ctypes
import errno
import platform
import struct

from autograder.sandbox import linux

PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
ALLOW = 0x7FFF0000
KILL_PROCESS = 0x80000000
ERRNO = 0x00050000

#: Audit identity of each machine and the highest call number that this table has judged.
MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
LAST_JUDGED = 469
X32_BIT = 0x40000000

#: name: (number on x86_64, number on aarch64); None where the machine lacks the call.
REFUSED: dict[str, tuple[int | None, int | None]] = {
    # mounts and roots
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    # namespaces and identities
    "unshare": (272, 97),
    "setns": (308, 268),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setgroups": (116, 159),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "personality": (135, 92),
    "lsm_set_self_attr": (460, 460),
    # other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # what is going on in the trees that all kernels read
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    # the kernel's own machinery
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "create_module": (174, None),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "lookup_dcookie": (212, 18),
    "nfsservctl": (180, 42),
    "_sysctl": (156, None),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    # memory that no process map shows, so that the watcher could not count it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "set_mempolicy_home_node": (450, 450),
}
CLONE3 = (435, 435)
#: Namespace flags of `clone`; its lowest byte is a signal number.
CLONE_NAMESPACES = 0x7E020000
AF_UNIX = 1
TERMINAL_INJECTION = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
#: F_SETLEASE holds up for 45 s whoever else opens the file; F_NOTIFY tells who uses a folder.
LEASES = (1024, 1026)
SHARED_ANONYMOUS = 0x21  # MAP_SHARED | MAP_ANONYMOUS: pages that stay when no map shows them

# Classic BPF: load word, jump if equal / greater or equal, and, return.
LOAD, EQUAL, AT_LEAST, AND, RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
NUMBER_AT, MACHINE_AT = 0, 4


def argument_at(index: int) -> int:
    """Offset of the low half of argument `index` (both machines are little-endian)."""
    return 16 + 8 * index


def program(machine: str) -> bytes:
    """The filter for `machine` as packed BPF instructions.

    Raises:
        KeyError: the machine is not in `MACHINES`.
    """
    identity, column = MACHINES[machine]
    refuse = ERRNO | errno.EPERM
    absent = ERRNO | errno.ENOSYS
    code: list[tuple[int, int, int, int]] = []  # (operation, jump if true, jump if false, operand)

    def emit(operation: int, operand: int, true: int = 0, false: int = 0) -> None:
        code.append((operation, true, false, operand))

    def refuse_number(number: int, verdict: int) -> None:
        emit(EQUAL, number, 0, 1)
        emit(RETURN, verdict)

    def judge_argument(number: int, argument: int, test: list[tuple[int, int, int, int]]) -> None:
        """When the call is `number`, load its argument and run `test`, which always returns."""
        emit(EQUAL, number, 0, len(test) + 1)
        emit(LOAD, argument_at(argument))
        code.extend(test)

    emit(LOAD, MACHINE_AT)
    emit(EQUAL, identity, 1, 0)
    emit(RETURN, KILL_PROCESS)
    emit(LOAD, NUMBER_AT)
    if machine == "x86_64":
        emit(AT_LEAST, X32_BIT, 0, 1)
        emit(RETURN, refuse)
    emit(AT_LEAST, LAST_JUDGED + 1, 0, 1)
    emit(RETURN, absent)
    for numbers in REFUSED.values():
        number = numbers[column]
        if number is not None:
            refuse_number(number, refuse)
    refuse_number(CLONE3[column], absent)

    only_unix = [(EQUAL, 0, 1, AF_UNIX), (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, refuse)]
    judge_argument((41, 198)[column], 0, only_unix)  # socket
    judge_argument((53, 199)[column], 0, only_unix)  # socketpair
    no_namespaces = [
        (AND, 0, 0, CLONE_NAMESPACES),
        (EQUAL, 0, 1, 0),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, refuse),
    ]
    judge_argument((56, 220)[column], 0, no_namespaces)  # clone
    no_injection = [
        (EQUAL, 1, 0, TERMINAL_INJECTION[0]),
        (EQUAL, 0, 1, TERMINAL_INJECTION[1]),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
    ]
    judge_argument((16, 29)[column], 1, no_injection)  # ioctl
    no_leases = [
        (EQUAL, 1, 0, LEASES[0]),
        (EQUAL, 0, 1, LEASES[1]),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
    ]
    judge_argument((72, 25)[column], 1, no_leases)  # fcntl
    no_shared_anonymous = [
        (AND, 0, 0, SHARED_ANONYMOUS),
        (EQUAL, 0, 1, SHARED_ANONYMOUS),
        (RETURN, 0, 0, refuse),
        (RETURN, 0, 0, ALLOW),
    ]
    judge_argument((9, 222)[column], 3, no_shared_anonymous)  # mmap
    emit(RETURN, ALLOW)
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def supported() -> bool:
    """Whether there is a filter for this machine."""
    return platform.machine() in MACHINES


def install() -> None:
    """Filter the system calls of this process and its children, for ever. `no_new_privs` must be set."""
    packed = program(platform.machine())
    holder = _Program(len(packed) // 8, packed)
    linux.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(holder))
