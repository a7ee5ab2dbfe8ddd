"""A sandboxed kernel as the grader holds it: a client, the agent's channel, and the last word on limits."""

import contextlib
import logging
import signal
import time
from dataclasses import asdict
from queue import Empty
from typing import Any, cast

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec

from autograder.sandbox.channels import BoundedKernelClient, bound_sockets
from autograder.sandbox.limits import Limits
from autograder.sandbox.provisioner import SandboxProvisioner
from autograder.sandbox.watch import Usage
from nlpcourse.errors import CourseError

READY_SECONDS = 120
ASK_AGAIN_SECONDS = 0.5
#: A process that ends closes its connections before its end can be seen.
PATIENCE_SECONDS = 2.0

#: What the manager has to say is said again, in one line, by the exceptions of this module.
_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_log.propagate = False


class SandboxedKernel:
    """One kernel, from `async with` to its end.

    ```python
    async with SandboxedKernel(Limits()) as kernel:
        kernel.begin_cell()
        kernel.client.execute("1 + 1")
    ```

    Attributes:
        client: an asynchronous Jupyter client whose channels are open and cut what is too much.
        manager: the kernel's manager.
        channel: the socket to the agent in the kernel.
    """

    def __init__(self, limits: Limits | None = None, *, unsafe: bool = False) -> None:
        """`unsafe` runs the kernel without any jail, for code of one's own on a system that has none."""
        self.limits = limits or Limits()
        config = {"limits": asdict(self.limits), "agent": True, "unsafe": unsafe}
        self.manager = AsyncKernelManager(kernel_name="python3", log=_log)
        self.manager._kernel_spec = KernelSpec(
            argv=[],
            display_name="notebook",
            language="python",
            metadata={"kernel_provisioner": {"provisioner_name": "nlpcourse-sandbox", "config": config}},
        )
        self.manager.client_factory = BoundedKernelClient
        bound_sockets(self.manager.context)
        self.unsafe = unsafe
        self._connected = False
        self._reason: str | None = None
        self._sentence = ""

    async def __aenter__(self) -> "SandboxedKernel":
        await self.start()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start the kernel and wait until it answers.

        Raises:
            CourseError: it cannot be shut in, or it does not answer.
        """
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        await self.manager.start_kernel()
        provisioner = self.manager.provisioner
        if not isinstance(provisioner, SandboxProvisioner):
            raise CourseError(
                f"the kernel came from {type(provisioner).__name__}, expected SandboxProvisioner; "
                "install the course with its instructor's extra"
            )
        self.provisioner = provisioner
        assert provisioner.channel is not None and provisioner.watch is not None
        self.channel = provisioner.channel
        self.watch = provisioner.watch
        self.gate = provisioner.held
        self.client = cast(BoundedKernelClient, self.manager.client())
        self._connected = True
        self.client.bound(self.limits.output_bytes_cell)
        self.client.start_channels(hb=False, stdin=False)
        await self._wait_until_heard()

    async def _wait_until_heard(self) -> None:
        """Wait until the kernel answers, and until what it publishes is heard here.

        What is published before the subscription reaches the kernel is lost, so the kernel is asked until the state
        that it publishes with its answer comes too. Jupyter's own `wait_for_ready` waits a fifth of a second longer.
        """
        until = time.monotonic() + READY_SECONDS
        asked = set()
        while time.monotonic() < until and self.verdict() is None:
            asked.add(self.client.kernel_info())
            with contextlib.suppress(Empty):
                await self.client.shell_channel.get_msg(timeout=ASK_AGAIN_SECONDS)
                while True:
                    heard = await self.client.iopub_channel.get_msg(timeout=ASK_AGAIN_SECONDS)
                    if heard["parent_header"].get("msg_id") in asked:
                        return
        raise CourseError(
            f"the kernel does not answer ({self.sentence or f'{READY_SECONDS} s'}); run `nlpcourse doctor`"
        )

    async def stop(self) -> None:
        """Kill the kernel and remove what belongs to it."""
        if self._connected:
            self.client.stop_channels()
            self.client.context.destroy(linger=0)
        provisioner = self.manager.provisioner
        if provisioner is not None:
            await provisioner.kill()
            await provisioner.wait()
        await self.manager.cleanup_resources()

    def begin_cell(self, cpu_seconds: int | None = None) -> None:
        """Give the next cell, or the next check, its own share of time and output.

        Args:
            cpu_seconds: its CPU time, when that is less than the limits give.
        """
        self.watch.begin_cell(cpu_seconds or self.limits.cpu_seconds_cell)
        self.client.begin_cell()

    def end_by(self, deadline: float) -> None:
        """Let the kernel be interrupted at `deadline`, by `time.monotonic`, if it still runs."""
        self.watch.deadline = deadline

    def usage(self) -> Usage:
        """What the kernel and all it started have used so far."""
        self.verdict()
        return self.watch.last

    def verdict(self) -> str | None:
        """None while all is well, else why the kernel ended: "timeout", "memory", "interrupted" or "crash".

        Looks at every limit and kills the kernel when one is passed. Cheap: call it often.
        """
        if self._reason is None:
            process = self.provisioner.process
            ended = process is None or process.poll() is not None
            self._reason = self.watch.look()
            self._sentence = self.watch.sentence
            if self._reason is None and not ended and self._connected and self.client.lost():
                ended = self.gate is not None and self.gate.ends(PATIENCE_SECONDS)
                if not ended:
                    self.kill()
                    self._reason, self._sentence = "crash", "it broke off its connection to the grader"
            if self._reason is None and ended:
                self._reason, self._sentence = "crash", describe_end(process.returncode if process else None)
        return self._reason

    @property
    def sentence(self) -> str:
        """The verdict in words; empty while there is none."""
        self.verdict()
        return self._sentence

    def kill(self) -> None:
        """End the kernel and everything it started, at once; returns when that is done."""
        self.provisioner.kill_now()
        if self.provisioner.process is not None:
            self.provisioner.process.wait()

    @property
    def live(self) -> dict[str, Any] | None:
        """What the jail reported when it closed; None when `unsafe`."""
        return None if self.gate is None else self.gate.report


def describe_end(code: int | None) -> str:
    """How a process that nobody killed for a limit came to its end."""
    if code is not None and (number := code - 128 if code > 128 else -code) > 0:
        try:
            return f"Python was ended by {signal.Signals(number).name}"
        except ValueError:
            pass
    return f"Python ended by itself (exit code {code})"
