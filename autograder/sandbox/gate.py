"""The outside of a jail: starts a process that shuts itself in, and holds the handles on it."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nlpcourse
from autograder.sandbox import launch
from autograder.sandbox.limits import Limits
from autograder.sandbox.watch import JailProcesses
from nlpcourse.errors import CourseError

#: Where the public package lies inside the jail.
COURSE = "/course"
HOME = "/home/student"
START_SECONDS = 120
#: CPU time that the system itself allows one process beyond the notebook's limit, should the watch fail.
CPU_SLACK = 60
#: The longest path of a runtime folder; the address of a Unix socket in it must stay below 107 bytes.
LONGEST_FOLDER = 90
#: No kernel lives this long.
STALE_SECONDS = 7 * 24 * 3600

ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "LANG": "C.UTF-8",
}


@dataclass
class Gate:
    """A jailed process from outside."""

    process: "subprocess.Popen | Forked"
    """The gatekeeper: it lives as long as the jail and ends with the jailed program's exit code."""
    first: int
    """Handle on the first process of the jail; when it is killed everything inside is."""
    kernel: int
    """Handle on the jailed program."""
    lifeline: socket.socket
    """Closing it, or the end of this process, ends the jail. No student's code holds its other end."""
    report: dict[str, Any]
    """What the jailed program said when it was ready."""

    def signal(self, number: int) -> None:
        """Send a signal to the jailed program; nothing happens when it has ended."""
        handle = self.first if number == signal.SIGKILL else self.kernel
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, number)

    def kill(self) -> None:
        """End every process of the jail at once."""
        self.signal(signal.SIGKILL)

    def ends(self, seconds: float) -> bool:
        """Whether the jailed program ends within that time; if it does, the gatekeeper has ended too."""
        poll = select.poll()
        poll.register(self.kernel, select.POLLIN)
        if not poll.poll(1000 * seconds):
            return False
        self.process.wait()
        return True

    def release(self) -> None:
        """Close the handles; the jail, if it still lives, ends."""
        self.lifeline.close()
        os.close(self.first)
        os.close(self.kernel)
        if isinstance(self.process, Forked):
            os.close(self.process.handle)


class Forked:
    """A gatekeeper that is no child of this process; it is asked as a `Popen` is.

    Args:
        handle: the handle on its process.
        status: the socket on which it says its exit code.
    """

    def __init__(self, handle: int, status: socket.socket) -> None:
        self.handle, self.status = handle, status
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code; None while the process lives."""
        return self.wait(0)

    def wait(self, milliseconds: int | None = None) -> int | None:
        """The exit code, when the process has ended within that time (None: however long it takes)."""
        if self.returncode is None:
            poll = select.poll()
            poll.register(self.handle, select.POLLIN)
            if poll.poll(milliseconds):
                self.returncode = self.last_word()
        return self.returncode

    def last_word(self) -> int:
        """The exit code that was said; that of a killed process when none was."""
        with contextlib.suppress(OSError):
            while message := self.status.recv(1 << 16, socket.MSG_DONTWAIT):
                if "exit" in (said := json.loads(message)):
                    return said["exit"]
        return -signal.SIGKILL

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)

    def send_signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, number)


def process_id(handle: int) -> int:
    """The process id, out here, of a process handle.

    Raises:
        CourseError: the process has ended.
    """
    for line in Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii").splitlines():
        if line.startswith("Pid:") and int(line.split()[1]) > 0:
            return int(line.split()[1])
    raise CourseError("the sandbox ended while it started; run it again")


def start(program: str, config: dict[str, Any], jail: dict[str, Any], descriptors: Sequence[int]) -> Gate:
    """Start `program`, one of our files, in a jail and wait until it says that it is ready.

    Args:
        program: name of the file, whose `main` gets the payload.
        config: passed on to it.
        jail: the fields of `jail.Jail`.
        descriptors: open files that the program inherits, under the same numbers.

    Raises:
        CourseError: the jail could not be made; the message says at which step.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        inherited = [*descriptors, theirs.fileno()]
        whole = config | {"jail": jail, "status": theirs.fileno()}
        process = spawn(program, whole, environment(), "/", inherited)
    handles: dict[str, int] = {}
    try:
        report = wait_until_ready(ours, handles)
    except BaseException:
        process.kill()
        ours.close()
        process.wait()
        for handle in handles.values():
            os.close(handle)
        raise
    return Gate(process, handles["first"], handles["kernel"], ours, report)


def environment() -> dict[str, str]:
    """The environment of a jailed program."""
    return ENVIRONMENT | {
        "HOME": HOME,
        "USER": "student",
        "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": COURSE,
    }


def wait_until_ready(status: socket.socket, handles: dict[str, int]) -> dict[str, Any]:
    """What a jailed program says when it is ready; the handles that come before it go into `handles`.

    Raises:
        CourseError: it does not get as far.
    """
    while True:
        message = receive(status, handles)
        if "error" in message:
            raise CourseError(f"the sandbox did not start: {message['error']}; run `nlpcourse doctor`")
        if "ready" in message:
            return message


def probe(config: dict[str, Any], jail: dict[str, Any]) -> dict[str, Any]:
    """Try the walls: every answer of `probe.py` under its name, and whether the processes can be measured.

    The answers end early, with an "error", where a jail cannot be made.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        whole = config | {"jail": jail, "status": theirs.fileno()}
        process = spawn("probe", whole, ENVIRONMENT, "/", [theirs.fileno()])
    handles: dict[str, int] = {}
    answers: dict[str, Any] = {"watch": ""}
    try:
        while not {"inside", "error"} & set(answers):
            answers |= receive(ours, handles)
        if "inside" in answers:
            table = JailProcesses.of(process_id(handles["first"]))
            if not table.usage(exact_above=0).memory_bytes:
                answers["watch"] = "the processes of the jail cannot be measured"
            table.close()
    except CourseError as error:
        answers["error"] = str(error)
    finally:
        process.kill()
        ours.close()
        process.wait()
        for handle in handles.values():
            os.close(handle)
    return answers


def receive(status: socket.socket, handles: dict[str, int]) -> dict[str, Any]:
    """One message of a process that shuts itself in; a handle that comes with it goes into `handles`."""
    status.settimeout(START_SECONDS)
    try:
        data, descriptors, _, _ = socket.recv_fds(status, 1 << 16, 4)
    except TimeoutError:
        data, descriptors = b"", []
    status.settimeout(None)
    if not data:
        raise CourseError("the sandbox ended while it started and gave no reason; run `nlpcourse doctor`")
    message: dict[str, Any] = json.loads(data)
    if "process" in message:
        handles[message["process"]] = descriptors[0]
    return message


def spawn(
    program: str, config: dict[str, Any], environment: dict[str, str], cwd: str, inherited: Sequence[int] = ()
) -> subprocess.Popen:
    """Run one of our files in a new interpreter, which reads it and what it needs from standard input.

    The interpreter leaves out site packages (they are added inside), the user's site and the working folder.
    """
    process = subprocess.Popen(
        [sys.executable, "-S", "-s", "-P", "-c", launch.BOOTSTRAP],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        cwd=cwd,
        start_new_session=True,
        pass_fds=inherited,
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin as stdin:
        stdin.write(json.dumps({"program": program, "sources": sources(), "config": config}).encode())
    process.stdin = None
    return process


def sources() -> dict[str, str]:
    """The text of everything of ours that a jailed process may run."""
    here = Path(__file__).parent
    names = ("launch", "probe", "template", *launch.OUTSIDE, *launch.INSIDE)
    files = {name: here / f"{name}.py" for name in names}
    files |= {name: here.parent / "wall" / f"{name}.py" for name in ("wire", "agent")}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def jail_settings(folder: Path, limits: Limits) -> dict[str, Any]:
    """The fields of `jail.Jail` for a kernel whose runtime folder is `folder`, in no control group yet."""
    base = folder / "r"
    base.mkdir(exist_ok=True)
    public = Path(nlpcourse.__file__).resolve().parent
    stand_ins = f"{COURSE}/nlpcourse/standins"  # whole answers; `wall.lending` says where they are lent
    return {
        "base": str(base),
        "visible": visible_trees(),
        "placed": {
            f"{COURSE}/nlpcourse": str(public),
            f"{stand_ins}/__init__.py": str(public / "standins" / "__init__.py"),
        },
        "blank": [*blank_paths(), stand_ins],
        "scratch_bytes": limits.scratch_bytes,
        "processes": limits.processes,
        "cpu_seconds": limits.cpu_seconds_notebook + CPU_SLACK,
        "groups": [],
    }


def visible_trees() -> list[str]:
    """The Python installation and the virtual environment; where one is a link, what it leads to as well."""
    named = {sys.base_prefix, sys.prefix, sys.base_exec_prefix, sys.exec_prefix}
    return sorted(named | {str(Path(tree).resolve()) for tree in named})


def blank_paths() -> list[str]:
    """What must not show inside a visible tree: the course, wherever it is installed; its public half has a place."""
    blank = [Path(__file__).resolve().parents[2]]
    named = {Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))}
    for folder in named | {folder.resolve() for folder in named}:
        blank += [folder / name for name in ("solutions", "autograder", "nlpcourse")]
        blank += folder.glob("__editable__*nlpcourse*")
        for info in folder.glob("nlpcourse-*.dist-info"):
            blank += [info / name for name in ("RECORD", "direct_url.json", "entry_points.txt")]
    return [str(path) for path in blank]


def runtime_folder() -> Path:
    """A new private folder whose path is short enough for Unix sockets; removes what killed graders left."""
    for old in Path(tempfile.gettempdir()).glob("nlp-*"):
        with contextlib.suppress(OSError):
            found = old.lstat()
            if found.st_uid == os.geteuid() and time.time() - found.st_mtime > STALE_SECONDS:
                shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix="nlp-"))
    if len(str(folder)) > LONGEST_FOLDER:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="nlp-", dir="/tmp"))
    return folder
