"""A kernel provisioner for any Jupyter client: the kernel it starts is in the jail before the first line runs."""

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Bool, Dict

import nlpcourse
from autograder.sandbox import launch
from autograder.sandbox.kernelapp import CHANNELS
from autograder.sandbox.limits import Limits
from autograder.sandbox.watch import JailProcesses, PlainProcesses, Watch
from nlpcourse.errors import CourseError

#: Where the public package lies inside the jail.
COURSE = "/course"
HOME = "/home/student"
START_SECONDS = 120
#: The longest address of a Unix socket, with room for the channel's suffix.
LONGEST_SOCKET = 100
#: CPU time that the system itself allows one process beyond the notebook's limit, should the watch fail.
CPU_SLACK = 60

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


class SandboxProvisioner(KernelProvisionerBase):  # type: ignore[misc]
    """Starts, watches and ends one jailed kernel. The transport is always ipc (tcp only with `unsafe`)."""

    limits = Dict(help="Fields of `Limits` that differ from their defaults.").tag(config=True)
    agent = Bool(False, help="Run the grader's agent in the kernel; `channel` is then connected to it.").tag(config=True)
    unsafe = Bool(False, help="Run without any jail: only for code of one's own.").tag(config=True)

    process: subprocess.Popen | None = None
    watch: Watch | None = None
    channel: socket.socket | None = None
    live: dict[str, Any] | None = None
    seconds: dict[str, float] | None = None
    folder: Path | None = None
    handles: dict[str, int] | None = None
    lifeline: socket.socket | None = None
    """Closing it, or the end of this process, ends the kernel."""

    @property
    def has_process(self) -> bool:
        return self.process is not None

    async def poll(self) -> int | None:
        return self.process.poll() if self.process else 0

    async def wait(self) -> int | None:
        if self.process is None:
            return 0
        while (code := self.process.poll()) is None:
            await asyncio.sleep(0.01)
        self.release()
        return code

    async def send_signal(self, signum: int) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        if self.handles is None:
            self.process.send_signal(signum)
        elif signum == signal.SIGKILL:
            self.kill_now()
        else:
            signal.pidfd_send_signal(self.handles["kernel"], signum)

    async def kill(self, restart: bool = False) -> None:
        self.kill_now()

    async def terminate(self, restart: bool = False) -> None:
        self.kill_now()  # the kernel has nothing to save

    def kill_now(self) -> None:
        """End every process of the kernel at once."""
        if self.handles is not None:
            try:
                signal.pidfd_send_signal(self.handles["first"], signal.SIGKILL)
            except ProcessLookupError:
                return
        elif self.process is not None:
            self.process.kill()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        manager = self.parent
        self.folder = runtime_folder()
        manager.connection_file = str(self.folder / "c.json")
        manager.transport = "tcp" if self.unsafe else "ipc"
        manager.cache_ports = False
        manager.ip = "127.0.0.1" if self.unsafe else str(self.folder / "k")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=command(), **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel and wait until it is shut in.

        Raises:
            CourseError: the jail could not be made; the message says at which step.
        """
        limits = Limits(**self.limits)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.start, cmd, limits)
        return self.connection_info

    def start(self, cmd: list[str], limits: Limits) -> None:
        config: dict[str, Any] = {
            "connection": self.connection_info | {"key": self.connection_info["key"].decode()},  # type: ignore[attr-defined]
            "descriptors": {},
            "output_bytes": limits.output_bytes_cell,
            "memory_bytes": limits.memory_bytes,
            "channel": None,
            "jail": None,
            "status": None,
        }
        if self.unsafe:
            self.start_plain(cmd, limits, config)
        else:
            self.start_jailed(cmd, limits, config)

    def start_jailed(self, cmd: list[str], limits: Limits, config: dict[str, Any]) -> None:
        folder = self.folder
        assert folder is not None
        listeners = {}
        for name in CHANNELS:
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(f"{self.connection_info['ip']}-{self.connection_info[f'{name}_port']}")  # type: ignore[literal-required]
            listener.listen(16)
            listeners[name] = listener
        status, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        given = [*listeners.values(), theirs]
        if self.agent:
            self.channel, channel = socket.socketpair()
            given.append(channel)
            config["channel"] = channel.fileno()
        base = folder / "r"
        base.mkdir()
        config["descriptors"] = {name: listener.fileno() for name, listener in listeners.items()}
        config["status"] = theirs.fileno()
        config["jail"] = {
            "base": str(base),
            "visible": visible_trees(),
            "placed": {f"{COURSE}/nlpcourse": str(Path(nlpcourse.__file__).resolve().parent)},
            "blank": blank_paths(),
            "files": {},
            "scratch_bytes": limits.scratch_bytes,
            "processes": limits.processes,
            "cpu_seconds": limits.cpu_seconds_notebook + CPU_SLACK,
        }
        environment = ENVIRONMENT | {
            "HOME": HOME,
            "USER": "student",
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH": COURSE,
        }
        descriptors = [each.fileno() for each in given]
        self.process = self.spawn(cmd, config, environment, "/", pass_fds=descriptors)
        for each in given:
            each.close()
        self.lifeline = status
        self.handles = self.await_jail(status)
        self.watch = Watch(JailProcesses.of(process_id(self.handles["first"])), limits, self.kill_now)

    def await_jail(self, status: socket.socket) -> dict[str, int]:
        """Receive the handles on the jail's processes and the word that it is closed."""
        handles: dict[str, int] = {}
        status.settimeout(START_SECONDS)
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(status, 1 << 16, 4)
            except TimeoutError:
                data, descriptors = b"", []
            if not data:
                self.abandon()
                raise CourseError("the sandbox did not start and gave no reason; run `nlpcourse doctor`")
            message = json.loads(data)
            if "error" in message:
                self.abandon()
                raise CourseError(f"the sandbox did not start: {message['error']}; run `nlpcourse doctor`")
            if "process" in message:
                handles[message["process"]] = descriptors[0]
            else:
                self.live, self.seconds = message["ready"], message["seconds"]
                return handles

    def start_plain(self, cmd: list[str], limits: Limits, config: dict[str, Any]) -> None:
        folder = self.folder
        assert folder is not None
        token = secrets.token_bytes(32)
        with socket.create_server(("127.0.0.1", 0)) as server:
            if self.agent:
                config["channel"] = [*server.getsockname(), token.hex()]
            environment = dict(os.environ) | ENVIRONMENT
            self.process = self.spawn(cmd, config, environment, str(folder))
            if self.agent:
                self.channel = accept_known(server, token)
        self.watch = Watch(PlainProcesses(self.process.pid), limits, self.kill_now)

    def spawn(
        self, cmd: list[str], config: dict[str, Any], environment: dict[str, str], cwd: str, **more: Any
    ) -> subprocess.Popen:
        process = subprocess.Popen(
            cmd,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=None,
            env=environment,
            cwd=cwd,
            start_new_session=True,
            **more,
        )
        process.communicate_input = None  # type: ignore[attr-defined]
        assert process.stdin is not None
        with process.stdin as stdin:
            stdin.write(json.dumps({"sources": sources(), "config": config}).encode())
        process.stdin = None
        return process

    def abandon(self) -> None:
        """Give up on a kernel that did not start."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.release()

    def release(self) -> None:
        """Let go of everything that belonged to the finished process."""
        if self.watch is not None:
            self.watch.stop()
        for handle in (self.handles or {}).values():
            os.close(handle)
        for end in (self.channel, self.lifeline):
            if end is not None:
                end.close()
        self.process = self.handles = self.channel = self.lifeline = None

    async def cleanup(self, restart: bool = False) -> None:
        if self.process is not None:
            self.kill_now()
            await self.wait()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def command() -> list[str]:
    """The interpreter, without site packages (they come in the jail), user site and the working directory."""
    return [sys.executable, "-S", "-s", "-P", "-c", launch.BOOTSTRAP]


def sources() -> dict[str, str]:
    """The text of everything of ours that the kernel's process runs."""
    here = Path(__file__).parent
    files = {name: here / f"{name}.py" for name in (*launch.OUTSIDE, *launch.INSIDE, "launch")}
    files |= {name: here.parent / "wall" / f"{name}.py" for name in ("wire", "agent")}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items()}


def runtime_folder() -> Path:
    """A new private folder whose path is short enough for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="nlp-"))
    if len(str(folder)) > LONGEST_SOCKET:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="nlp-", dir="/tmp"))  # noqa: S108
    return folder


def visible_trees() -> list[str]:
    """The Python installation and the virtual environment."""
    return sorted({sys.base_prefix, sys.prefix, sys.base_exec_prefix, sys.exec_prefix})


def blank_paths() -> list[str]:
    """What must not show inside a visible tree: the course's private half, wherever it is installed."""
    root = Path(__file__).resolve().parents[2]
    blank = [root]
    for folder in {Path(entry) for entry in sys.path if entry.endswith(("site-packages", "dist-packages"))}:
        blank += [folder / "solutions", folder / "autograder"]
        blank += folder.glob("__editable__*nlpcourse*")
        for info in folder.glob("nlpcourse-*.dist-info"):
            blank += [info / name for name in ("RECORD", "direct_url.json", "entry_points.txt")]
    return [str(path) for path in blank]


def process_id(handle: int) -> int:
    """The process id, out here, of a process handle."""
    for line in Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii").splitlines():
        if line.startswith("Pid:"):
            return int(line.split()[1])
    raise CourseError("the kernel ended while it started; run it again")


def accept_known(server: socket.socket, token: bytes) -> socket.socket:
    """Accept the connection that shows `token`."""
    server.settimeout(START_SECONDS)
    while True:
        channel, _ = server.accept()
        if channel.recv(len(token), socket.MSG_WAITALL) == token:
            return channel
        channel.close()
