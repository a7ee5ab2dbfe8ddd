"""The grader's ears: a Jupyter client that takes only so much, and only what is well formed, from a kernel.

The kernel's process is the student's: it has the signing key and can send what it likes. Every message is
therefore bounded before it is parsed, and dropped when it is not a message.
"""

import functools
import time
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from traitlets import Type

#: The largest part of a message that is received at all (a picture of a cell's whole output share fits).
PART_BYTES = 8 << 20
#: Messages that wait unread; with the size of a part this bounds the memory a flood takes.
WAITING = 256
DELIMITER = b"<IDS|MSG>"
PARTS = 5  # signature, header, parent header, metadata, content
DEPTH = 64
#: What every client takes for granted in a message's content.
CONTENT: dict[str, dict[str, type]] = {
    "stream": {"name": str, "text": str},
    "display_data": {"data": dict, "metadata": dict},
    "update_display_data": {"data": dict, "metadata": dict},
    "execute_result": {"data": dict, "metadata": dict},
    "error": {"ename": str, "evalue": str, "traceback": list},
    "execute_reply": {"status": str},
    "status": {"execution_state": str},
}
#: Messages of the kernel's own, small and few; they do not count as output.
UNCOUNTED = {"status", "execute_input", "iopub_welcome", "shutdown_reply"}


class BoundedChannel(AsyncZMQSocketChannel):
    """A channel that hands on well-formed messages, up to `limit` bytes between two calls of `begin_cell`."""

    limit: int | None = None
    spent = 0
    broken = False

    def begin_cell(self) -> None:
        self.spent = 0

    @functools.cached_property
    def plain(self) -> zmq.Socket:
        """The socket for a caller who waits without an event loop; what it receives is for `accept`."""
        return zmq.Socket.shadow(self.socket.underlying)

    async def get_msg(self, timeout: float | None = None) -> dict[str, Any]:  # type: ignore[override]
        """The next message that may be seen.

        Raises:
            queue.Empty: none came within `timeout` seconds.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = None if until is None else max(until - time.monotonic(), 0.0)
            if self.socket is None or not await self.socket.poll(None if left is None else int(left * 1000)):
                raise Empty
            message = self.accept(await self.socket.recv_multipart())
            if message is not None:
                return message
            if until is not None and time.monotonic() > until:
                raise Empty

    def send(self, msg: dict[str, Any]) -> None:
        """Send a message; when there is nobody left to send it to, remember that."""
        try:
            super().send(msg)
        except zmq.Again:
            self.broken = True

    def accept(self, parts: list[bytes]) -> dict[str, Any] | None:
        """A message made of `parts`, or None when it is not well formed or too much."""
        if DELIMITER not in parts:
            return None
        parts = parts[parts.index(DELIMITER) + 1 :]
        if len(parts) < PARTS or len(parts[0]) > 128:
            return None
        if self.limit is not None and not all(map(shallow, parts[1:PARTS])):
            return None
        try:
            message = self.session.deserialize(parts)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
            return None
        if not well_formed(message):
            return None
        if self.limit is not None and message["msg_type"] not in UNCOUNTED:
            self.spent += sum(map(len, parts))
            if self.spent > self.limit:
                return None
        return message


def shallow(data: bytes) -> bool:
    """Whether JSON text is nested at most `DEPTH` deep (brackets in strings count too: harmless here)."""
    if data.count(b"[") + data.count(b"{") <= DEPTH:
        return True
    depth, text, escaped = 0, False, False
    for byte in data:
        if text:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                text = False
        elif byte == 0x22:
            text = True
        elif byte in b"[{":
            depth += 1
            if depth > DEPTH:
                return False
        elif byte in b"]}":
            depth -= 1
    return True


def well_formed(message: dict[str, Any]) -> bool:
    """Whether the parts of a message have the types that every Jupyter client relies on."""
    return (
        all(
            isinstance(message.get(name), dict) for name in ("header", "parent_header", "metadata", "content")
        )
        and isinstance(message.get("msg_type"), str)
        and isinstance(message.get("msg_id"), str)
        and all(
            isinstance(message["content"].get(name), kind)
            for name, kind in CONTENT.get(message["msg_type"], {}).items()
        )
    )


def bound_sockets(context: zmq.Context) -> None:
    """Bound what the sockets that are made from now on hold, and how long they wait to send."""
    context.setsockopt(zmq.MAXMSGSIZE, PART_BYTES)
    context.setsockopt(zmq.RCVHWM, WAITING)
    context.setsockopt(zmq.SNDTIMEO, 0)  # a kernel that broke its connection must not hold the grader up


class BoundedKernelClient(AsyncKernelClient):
    """A client whose channels are bounded."""

    broken = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.monitors: list[zmq.Socket] = []

    shell_channel_class = Type(BoundedChannel)
    iopub_channel_class = Type(BoundedChannel)
    stdin_channel_class = Type(BoundedChannel)
    control_channel_class = Type(BoundedChannel)

    def bound(self, output_bytes: int) -> None:
        """Set the share of output of one cell; call it before the channels start."""
        bound_sockets(self.context)
        # what the kernel cuts at its source must fit here, with its headers
        self.iopub_channel.limit = 4 * output_bytes + (1 << 20)
        for channel in (self.iopub_channel, self.shell_channel):
            monitor = channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            self.monitors.append(zmq.Socket.shadow(monitor.underlying))

    def lost(self) -> bool:
        """Whether the kernel broke off a connection; a kernel that is well never does."""
        for monitor in self.monitors:
            try:
                monitor.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                continue
            self.broken = True
        return self.broken or self.iopub_channel.broken or self.shell_channel.broken

    def begin_cell(self) -> None:
        """Start a new share of output."""
        self.iopub_channel.begin_cell()
