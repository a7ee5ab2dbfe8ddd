"""ipykernel inside the jail: sockets that were opened outside, and output that is cut at its source.

Runs in the student's process, so nothing here is trusted: the grader cuts again on its own side.
"""

import codecs
import os
import select
import sys
import threading
import time
from pathlib import Path
from typing import Any

import zmq
from ipykernel import kernelapp
from ipykernel.heartbeat import Heartbeat
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.session import Session
from tornado.ioloop import IOLoop
from traitlets import DottedObjectName, Type
from traitlets.config import Config
from zmq.eventloop.zmqstream import ZMQStream

#: Counted for each message on top of its text, so that many small ones come to an end too.
MESSAGE_COST = 512
TRACEBACK_LENGTH = 64 * 1024
PIPE_BYTES = 1 << 16
#: How long the end of a cell waits for what it wrote to a file descriptor; a process it left behind may write for ever.
DRAIN_SECONDS = 0.5
NOTICE = "\n[output cut: the limit is {limit} bytes a cell]\n"
#: Messages whose content the student's code makes.
OUTPUTS = {"stream", "display_data", "execute_result", "update_display_data", "clear_output"}


class BoundedSession(Session):
    """A session that lets at most `limit` bytes of output through until the next cell begins."""

    limit = 1 << 20
    spent = 0
    noticed = False

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *rest: Any, **more: Any) -> Any:
        """Send a message, its output cut to what is left of the cell's share."""
        message = msg_or_type
        if isinstance(message, dict):
            kind, content = message["header"]["msg_type"], message["content"]
        else:
            kind = message
        if kind == "execute_input":
            self.spent, self.noticed = 0, False
        cut = self.cut(kind, content)
        if cut is None and content is not None:
            return None
        if isinstance(message, dict):
            return super().send(stream, message | {"content": cut}, None, *rest, **more)
        return super().send(stream, message, cut, *rest, **more)

    def cut(self, kind: str, content: Any) -> Any:
        """What may be sent of `content`; None when there is none, or the message is to be dropped."""
        if content is None:
            return None
        if kind == "execute_reply" and measure(content.get("payload")) > self.limit:
            content = content | {"payload": []}
        if kind in ("error", "execute_reply"):
            return shorten_error(content)
        if kind not in OUTPUTS and not kind.startswith("comm_"):
            return content
        left = self.limit - self.spent - MESSAGE_COST
        size = measure(content)
        self.spent += MESSAGE_COST + min(size, max(left, 0))
        if size <= left:
            return content
        if self.noticed:
            return None
        self.noticed = True
        self.spent = self.limit
        notice = NOTICE.format(limit=self.limit)
        if kind == "stream":
            kept = content["text"][: max(left, 0)].encode(errors="replace")[: max(left, 0)]
            return content | {"text": kept.decode(errors="ignore") + notice}
        return (
            content | {"data": {"text/plain": notice.strip()}, "metadata": {}} if "data" in content else None
        )


def measure(value: Any) -> int:
    """Roughly how many bytes `value` takes as JSON, without making it."""
    total, rest = 0, [value]
    while rest:
        each = rest.pop()
        if isinstance(each, dict):
            rest.extend(each)
            rest.extend(each.values())
        elif isinstance(each, list | tuple):
            rest.extend(each)
        elif isinstance(each, str):
            total += len(each) if each.isascii() else 4 * len(each)
        elif isinstance(each, bytes | bytearray | memoryview):
            total += len(each) * 4 // 3
        total += 8
    return total


def shorten_error(content: Any) -> Any:
    """An error's or a reply's content with a name, message and traceback of bearable length."""
    if not isinstance(content, dict) or "traceback" not in content:
        return content
    lines, left = [], TRACEBACK_LENGTH
    for line in content["traceback"]:
        if left <= 0:
            break
        lines.append(line[:left])
        left -= len(line)
    short = {"ename": str(content.get("ename"))[:200], "evalue": str(content.get("evalue"))[:2000]}
    return content | short | {"traceback": lines}


class JailedHeartbeat(Heartbeat):
    """The heartbeat on a socket that already listens."""

    descriptor: int | None = None

    def _try_bind_socket(self) -> Any:
        if self.descriptor is not None:
            self.socket.setsockopt(zmq.USE_FD, self.descriptor)
        return super()._try_bind_socket()


class JailedIOPubThread(IOPubThread):
    """Output of forked processes comes back over an abstract socket: there is no TCP in the jail."""

    address = "ipc://@notebook-output"

    def _setup_pipe_in(self) -> None:
        self._pipe_uuid = b"notebook-output-"
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(self.address)
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self) -> tuple[zmq.Context, zmq.Socket]:
        context: zmq.Context = zmq.Context()
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(self.address)
        return context, pipe


class JailedStream(OutStream):
    """A stream of which a cell's end can ask that nothing written to its file descriptor is still on the way."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.reading, self.sending = threading.Lock(), threading.Lock()
        super().__init__(*arguments, **named)

    def flush(self) -> None:
        """Send what was written; the thread that sends is not woken for nothing, as happens four times a cell."""
        if self._is_master_process():
            with self.sending:
                if not self._buffers:
                    return
        super().flush()

    def _flush(self) -> None:
        if self._is_master_process():
            with self.sending:
                super()._flush()
        else:  # a process that the cell forked may have been born with the lock taken
            super()._flush()

    def _watch_pipe_fd(self) -> None:
        descriptor = self._fid
        assert descriptor is not None
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        while self._should_watch:
            select.select([descriptor], [], [])
            with self.reading:
                if not (written := os.read(descriptor, PIPE_BYTES)):
                    return
                self.write(decoder.decode(written))

    def drain(self) -> None:
        """Wait, for a while, until all that was written to the file descriptor has become output."""
        if self._fid is None:
            return
        import fcntl  # absent on Windows, where no file descriptor is watched
        import termios

        until = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < until:
            with self.reading:
                if not any(fcntl.ioctl(self._fid, termios.FIONREAD, bytes(4))):
                    return
            time.sleep(0.001)


class JailedKernel(IPythonKernel):
    """A kernel that answers every cell; ipykernel is silent when a cell left a stream that cannot be flushed."""

    streams: dict[str, JailedStream]
    """The kernel's own `stdout` and `stderr`."""

    async def do_execute(self, *arguments: Any, **named: Any) -> Any:
        """Run a cell; a stream that it left unusable (None, closed, no stream at all) is the kernel's own again."""
        try:
            return await super().do_execute(*arguments, **named)
        finally:
            for name, own in self.streams.items():
                try:
                    own.drain()
                    getattr(sys, name).flush()
                except Exception:  # noqa: BLE001 - the student's own object
                    setattr(sys, name, own)

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """Nothing: who started the kernel ends it. A notebook that asks would end it in the middle of a later cell."""
        return {"status": "ok", "restart": restart}


class JailedKernelApp(kernelapp.IPKernelApp):
    """ipykernel with its connection given in memory."""

    kernel_class = Type(JailedKernel)
    outstream_class = DottedObjectName(f"{__name__}.JailedStream")
    connection: dict[str, Any]
    descriptors: dict[str, int]
    """Channel name -> listening socket; empty when the kernel opens its own."""

    def init_connection_file(self) -> None:
        self.load_connection_info(self.connection)  # type: ignore[arg-type]

    def write_connection_file(self, **kwargs: Any) -> None:
        """There is no file: the grader has the information already."""

    def init_iopub(self, context: zmq.Context) -> None:
        if not self.descriptors:
            super().init_iopub(context)
            return
        self.iopub_socket = context.socket(zmq.XPUB)
        self.iopub_socket.linger = 1000
        self.iopub_port = self._bind_socket(self.iopub_socket, self.iopub_port)
        self.configure_tornado_logger()
        self.iopub_thread = JailedIOPubThread(self.iopub_socket, pipe=True, session=self.session)
        self.iopub_thread.start()
        self.iopub_socket = self.iopub_thread.background_socket

    def init_control(self, context: zmq.Context) -> None:
        super().init_control(context)
        self.shell_channel_thread = None  # cells side by side, at two more hops a message: not wanted
        if self.descriptors:  # the debugger's own connection would look for a file that is not here
            self.debug_shell_socket.disconnect(self.shell_socket.getsockopt(zmq.LAST_ENDPOINT))

    def init_heartbeat(self) -> None:
        self.heartbeat = JailedHeartbeat(zmq.Context(), (self.transport, self.ip, self.hb_port))
        self.heartbeat.descriptor = self.descriptors.get("hb")
        self.heartbeat.start()

    def _try_bind_socket(self, s: Any, port: int) -> int:
        names = {getattr(self, f"{name}_port"): name for name in self.descriptors}
        descriptor = self.descriptors.get(names.get(port, ""))
        if descriptor is not None:
            s.setsockopt(zmq.USE_FD, descriptor)
        return super()._try_bind_socket(s, port)

    def loop(self) -> IOLoop:
        """The event loop of the thread that runs the cells."""
        return IOLoop.current()


def prepare(config: dict[str, Any]) -> JailedKernelApp:
    """Make the kernel, ready to be started."""
    settings = Config()
    settings.HistoryManager.enabled = False
    settings.IPKernelApp.log_level = 50
    app = JailedKernelApp.instance(config=settings)
    app.connection = config["connection"]
    app.descriptors = config["descriptors"]
    app.session = BoundedSession(parent=app, key=config["connection"]["key"].encode())
    app.session.limit = config["output_bytes"]
    app.initialize([])
    # ipykernel sleeps after each cell, so that its streams can send; these say themselves when they are empty
    app.kernel._execute_sleep = 0
    app.kernel.streams = {"stdout": sys.stdout, "stderr": sys.stderr}
    app.kernel.shell.ask_exit = stay
    return app


def stay() -> None:
    """What `exit` and `quit` do in a notebook: nothing. The kernel would end in the middle of a later cell."""


def limit_memory(memory_bytes: int) -> None:
    """Let an allocation that would take this process over `memory_bytes` fail: the notebook sees an error."""
    import resource  # absent on Windows, where the rest of this file runs too

    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
    total, resident = (int(number) * resource.getpagesize() for number in pages[:2])
    highest = total + max(memory_bytes - resident, 0)
    resource.setrlimit(resource.RLIMIT_AS, (highest, highest))
