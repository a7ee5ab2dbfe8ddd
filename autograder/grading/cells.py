"""Runs one cell in the sandboxed kernel over the Jupyter protocol. What comes back is the student's word, no more."""

import asyncio
import re
from dataclasses import dataclass, field
from typing import Any

import zmq
from nbformat.notebooknode import NotebookNode

from autograder.grading.sanitize import clean_outputs, plain, well_formed
from autograder.sandbox.kernel import SandboxedKernel
from autograder.wall.student import StudentDied

POLL_MS = 20
#: How long to wait for the last outputs of a cell once it has been answered.
PATIENCE_POLLS = 50

# Every repetition is bounded: a traceback is the student's text, and must be read in one go.
_FRAME = re.compile(
    r"(?:Cell In\[(\d{1,9})\]|<ipython-input-(\d{1,9})[^<>\n]{0,60}>)(?:, |:)?(?:line )?(\d{1,9})?"
)
#: What Python adds to the message of a SyntaxError: IPython's own name for the cell.
_PLACE = re.compile(r" \(\d+\.py, line \d+\)$")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_SENT_BY_KERNEL = ("stream", "display_data", "execute_result", "error")


@dataclass(frozen=True)
class CellError:
    """The error a cell stopped with."""

    kind: str
    message: str
    number: int
    """Line within the cell, 0 when unknown."""
    line: str
    """Text of that line."""

    def __str__(self) -> str:
        where = f" (line {self.number}: {self.line})" if self.line else ""
        return f"{self.kind}: {self.message}{where}"


@dataclass
class CellRun:
    """What a cell showed, and the error it stopped with, if any."""

    outputs: list[NotebookNode] = field(default_factory=list)
    error: CellError | None = None


class Stopped(Exception):
    """The kernel ended while the cell ran.

    Attributes:
        run: what the cell had shown by then.
        cpu_seconds: what it was allowed.
    """

    def __init__(self, died: StudentDied, run: CellRun, cpu_seconds: int) -> None:
        super().__init__(died.reason)
        self.died, self.run, self.cpu_seconds = died, run, cpu_seconds


async def run_cell(
    kernel: SandboxedKernel, source: str, *, max_output: int, cpu_seconds: int | None = None
) -> CellRun:
    """Run `source` and wait until it has been answered.

    Args:
        kernel: a started kernel.
        source: text of a code cell.
        max_output: characters that the cell may show; the rest is dropped as it arrives.
        cpu_seconds: CPU time of this cell, when that is less than what the kernel's limits give.

    Raises:
        Stopped: the kernel ended or a limit was passed.
    """
    cpu_seconds = min(cpu_seconds or kernel.limits.cpu_seconds_cell, kernel.limits.cpu_seconds_cell)
    kernel.begin_cell(cpu_seconds)
    client = kernel.client
    request = client.execute(source, allow_stdin=False, stop_on_error=False)
    poller = zmq.Poller()  # asyncio's own takes longer than the message
    channels = {channel.plain: channel for channel in (client.iopub_channel, client.shell_channel)}
    for socket in channels:
        poller.register(socket, zmq.POLLIN)
    raw: list[dict[str, Any]] = []
    room = max_output
    reply: dict[str, Any] | None = None
    idle = False
    polls_left = PATIENCE_POLLS
    while not (reply is not None and (idle or polls_left <= 0)):
        ready = poller.poll(POLL_MS)
        # while messages come nothing is looked at here: the watch, on its thread, silences who is over a limit
        if not ready:
            await asyncio.sleep(0)  # Ctrl-C is heard here
            if (reason := kernel.verdict()) is not None:
                raise Stopped(
                    StudentDied(reason, reason), CellRun(clean_outputs(raw, max_output)), cpu_seconds
                )
        if reply is not None:
            polls_left -= 1
        for socket, _ in ready:
            message = channels[socket].accept(socket.recv_multipart())
            if message is None or message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "execute_reply":
                reply = content
            elif kind == "status" and content.get("execution_state") == "idle":
                idle = True
            elif kind in _SENT_BY_KERNEL and room > 0:
                raw.append({"output_type": kind, **content})
                room -= _size(content)
    return CellRun(clean_outputs(raw, max_output), _error(reply, source))


def _size(content: dict[str, Any]) -> int:
    """Characters of an output message, near enough for a limit."""
    data = content.get("data")
    return (
        sum(len(str(part)) for part in (data.values() if isinstance(data, dict) else content.values())) + 50
    )


def _error(reply: dict[str, Any] | None, source: str) -> CellError | None:
    if reply is None or reply.get("status") == "ok":
        return None
    number = _line_number(reply)
    lines = source.splitlines()
    line = plain(lines[number - 1]) if 0 < number <= len(lines) else ""
    message = plain(_PLACE.sub("", well_formed(reply.get("evalue"))))
    return CellError(plain(reply.get("ename"), 80) or "Exception", message, number if line else 0, line)


def _line_number(reply: dict[str, Any]) -> int:
    """The innermost line of the failing cell that the traceback names; 0 when it names none."""
    traceback = reply.get("traceback")
    count = reply.get("execution_count")
    if not isinstance(traceback, list):
        return 0
    text = _ANSI.sub("", well_formed("\n".join(map(str, traceback)))[:100_000])
    numbers = [
        int(number)
        for first, second, number in _FRAME.findall(text)
        if number and (first or second) == str(count) and len(number) < 7
    ]
    return numbers[-1] if numbers else 0
