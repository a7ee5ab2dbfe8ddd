"""A kernel provisioner for any Jupyter client: its kernels are in the jail before the first line runs."""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Bool, Dict

from autograder.sandbox import cgroup, gate, warm
from autograder.sandbox.limits import Limits
from autograder.sandbox.watch import JailProcesses, PlainProcesses, Watch

CHANNELS = ("shell", "iopub", "stdin", "hb", "control")


class SandboxProvisioner(KernelProvisionerBase):
    """Starts, watches and ends one jailed kernel. The transport is always ipc (tcp only with `unsafe`)."""

    limits = Dict(help="Fields of `Limits` that differ from their defaults.").tag(config=True)
    agent = Bool(False, help="Run the grader's agent too, at the other end of `channel`.").tag(config=True)
    unsafe = Bool(False, help="Run without any jail: only for code of one's own.").tag(config=True)

    process: subprocess.Popen | gate.Forked | None = None
    held: gate.Gate | None = None
    watch: Watch | None = None
    channel: socket.socket | None = None
    folder: Path | None = None
    group: cgroup.Group | None = None

    @property
    def has_process(self) -> bool:
        return self.process is not None

    async def poll(self) -> int | None:
        return self.process.poll() if self.process else 0

    async def wait(self) -> int | None:
        if self.process is None:
            return 0
        while (code := self.process.poll()) is None:
            await asyncio.sleep(0.005)
        self.release()
        return code

    async def send_signal(self, signum: int) -> None:
        if self.held is not None:
            self.held.signal(signum)
        elif self.process is not None and self.process.poll() is None:
            self.process.send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        self.kill_now()

    async def terminate(self, restart: bool = False) -> None:
        self.kill_now()  # the kernel has nothing to save

    def kill_now(self) -> None:
        """End every process of the kernel at once."""
        if self.held is not None:
            self.held.kill()
        elif self.process is not None:
            self.process.kill()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        manager: Any = self.parent
        self.folder = self.folder or gate.runtime_folder()
        manager.connection_file = str(self.folder / "c.json")
        manager.cache_ports = False
        manager.transport = "tcp" if self.unsafe else "ipc"
        manager.ip = "127.0.0.1" if self.unsafe else str(self.folder / "k")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel and wait until it is shut in; the caller's command and environment are not used.

        Raises:
            CourseError: the jail could not be made; the message says at which step.
        """
        start = self.start_plain if self.unsafe else self.start_jailed
        await asyncio.get_running_loop().run_in_executor(None, start, Limits(**self.limits))
        return self.connection_info

    def payload(self, limits: Limits) -> dict[str, Any]:
        """What `launch` is told, without the ways of being reached."""
        return {
            "connection": self.connection_info | {"key": self.connection_info["key"].decode()},  # type: ignore[attr-defined]
            "descriptors": {},
            "output_bytes": limits.output_bytes_cell,
            "memory_bytes": limits.memory_bytes,
            "channel": None,
            "jail": None,
        }

    def start_jailed(self, limits: Limits) -> None:
        assert self.folder is not None
        config = self.payload(limits)
        with ExitStack() as ours:
            given = []
            for name in CHANNELS:
                listener = ours.enter_context(socket.socket(socket.AF_UNIX))
                listener.bind(f"{self.connection_info['ip']}-{self.connection_info[f'{name}_port']}")  # type: ignore[literal-required]
                listener.listen(16)
                config["descriptors"][name] = listener.fileno()
                given.append(listener.fileno())
            if self.agent:
                self.channel, theirs = socket.socketpair()
                config["channel"] = ours.enter_context(theirs).fileno()
                given.append(theirs.fileno())
            self.group = cgroup.create(limits)
            jail = gate.jail_settings(self.folder, limits)
            for path in self.group.paths if self.group else []:
                parent = os.open(Path(path).parent, os.O_RDONLY | os.O_DIRECTORY)
                ours.callback(os.close, parent)
                jail["groups"].append((parent, Path(path).name))
                given.append(parent)
            self.held = warm.start(config, jail, given)
        self.process = self.held.process
        processes = JailProcesses.of(gate.process_id(self.held.first), self.group)
        self.watch = Watch(processes, limits, self.kill_now)

    def start_plain(self, limits: Limits) -> None:
        config = self.payload(limits)
        token = secrets.token_bytes(32)
        with socket.create_server(("127.0.0.1", 0)) as server:
            if self.agent:
                config["channel"] = [*server.getsockname(), token.hex()]
            self.process = gate.spawn("launch", config, dict(os.environ) | gate.ENVIRONMENT, str(self.folder))
            if self.agent:
                self.channel = accept_known(server, token)
        self.watch = Watch(PlainProcesses(self.process.pid), limits, self.kill_now)

    def release(self) -> None:
        """Let go of everything that belonged to the finished process."""
        if self.watch is not None:
            self.watch.stop()
        if self.held is not None:
            self.held.release()
        if self.channel is not None:
            self.channel.close()
        if self.group is not None:
            self.group.remove()
        self.process = self.held = self.watch = self.channel = self.group = None

    async def cleanup(self, restart: bool = False) -> None:
        self.kill_now()
        await self.wait()
        self.release()
        if self.folder is not None and not restart:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def accept_known(server: socket.socket, token: bytes) -> socket.socket:
    """Accept the connection that shows `token`."""
    server.settimeout(gate.START_SECONDS)
    while True:
        channel, _ = server.accept()
        if channel.recv(len(token), socket.MSG_WAITALL) == token:
            return channel
        channel.close()
