"""The grader's side of the wall: `Student` looks like the notebook, and every answer is plain data."""

import contextlib
import functools
import socket
import time
import unicodedata
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from autograder.wall import lending, wire
from autograder.wall.probe import Probe

POLL_SECONDS = 0.05
MESSAGE_LENGTH = 200

_SENTENCES = {
    "timeout": "your code ran longer than it may",
    "memory": "your code used more memory than it may",
    "interrupted": "the machine was too busy to finish; run it again",
    "crash": "your code ended the Python process",
}


class StudentError(Exception):
    """The student's code raised, or what it gave cannot cross. Holds text only, cleaned and cut.

    Attributes:
        kind: name of the exception type, or Result, Signature, Parameter for the wall's own sentences.
        message: at most 200 characters.
        line: the line of the student's own code, or "".
        number: its number within its cell, or 0.
    """

    def __init__(self, kind: str, message: str, line: str = "", number: int = 0) -> None:
        super().__init__(kind, message, line, number)
        self.kind, self.message, self.line, self.number = kind, message, line, number

    def __str__(self) -> str:
        where = f" (line {self.number}: {self.line})" if self.line else ""
        return ": ".join(filter(None, (self.kind, self.message))) + where


class StudentDied(Exception):
    """The student's process is gone, or was stopped.

    Attributes:
        reason: "timeout", "crash", "memory" or "interrupted".
        sentence: the same for the student.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(reason, sentence)
        self.reason, self.sentence = reason, sentence

    def __str__(self) -> str:
        return self.sentence


class Generator:
    """Becomes `torch.Generator().manual_seed(seed)` on the student's side, a fresh one in each call."""

    def __init__(self, seed: int) -> None:
        self.seed = seed


class Student:
    """What the notebook defines: `student.f(...)` is a value, `student.SomeClass(...)` a `Handle`.

    Args:
        channel: a stream socket to the agent.
        alive: polled while an answer is awaited: None while all is well, else why the process was stopped
            ("timeout", "crash", "memory", "interrupted").
    """

    def __init__(self, channel: socket.socket, *, alive: Callable[[], str | None] = lambda: None) -> None:
        channel.settimeout(POLL_SECONDS)
        self._channel = channel
        self._alive = alive
        self._number = 0
        self._drop: list[int] = []
        self._seed: int | None = None
        self._died: StudentDied | None = None

    def __getattr__(self, name: str) -> "Function":
        if name.startswith("_"):
            raise AttributeError(name)
        return Function(self, name)

    @property
    def died(self) -> StudentDied | None:
        """Why no further call can be answered, or None."""
        return self._died

    def probe(self, function: "Callable[..., Any] | Probe", /, *args: Any, **kwargs: Any) -> Any:
        """What `function(names, *args, **kwargs)` returns there; `names.f` is the notebook's `f`."""
        probe = function if isinstance(function, Probe) else Probe(function)
        return self._ask("probe", "your code", probe=probe, args=args, kwargs=kwargs)

    def generator(self, seed: int) -> Generator:
        """An argument that arrives as a seeded `torch.Generator`."""
        return Generator(seed)

    def seed(self, number: int) -> None:
        """Seed Python, NumPy and torch there, with the next request and before it."""
        self._seed = number % 2**63

    def defined(self, name: str) -> bool:
        """Whether the notebook defines `name`."""
        return self._ask("defined", "asking", name=name) is True

    @contextlib.contextmanager
    def stand_ins(self, names: dict[str, str]) -> Iterator[None]:
        """Within the block, `names` ({"sgns_loss": "package.module:object"}) stand for the student's own."""
        self._ask("stand_in", "a stand-in", names=names, modules=lending.modules_for(names))
        try:
            yield
        finally:
            if self._died is None:
                self._ask("restore", "a stand-in")

    def lend(self, names: dict[str, str]) -> None:
        """Let the modules of the stand-ins `names` be imported there; they hold these objects only."""
        if modules := lending.modules_for(names):
            self._ask("lend", "a stand-in", modules=modules)

    def take_back(self, names: dict[str, str]) -> None:
        """Let what was lent be imported no more."""
        if modules := lending.modules_for(names):
            self._ask("take_back", "a stand-in", modules=list(modules))

    def keep_names(self) -> None:
        """Remember what the notebook's names mean, until `bring_names_back`."""
        self._ask("keep_names", "your names")

    def bring_names_back(self) -> None:
        """Let every name mean what it meant: a cell of the course may have used one for something else."""
        self._ask("bring_names_back", "your names")

    # --- requests ---

    def _ask(self, operation: str, what: str, /, **fields: Any) -> Any:
        if self._died is not None:
            raise self._died
        drop = self._drop.copy()
        del self._drop[: len(drop)]
        self._number += 1
        try:
            packed, buffers = wire.encode(fields, _pack)
        except wire.Uncrossable as refusal:
            raise TypeError(f"an argument for {what} is {refusal}") from None
        message = {
            "number": self._number,
            "operation": operation,
            "what": what,
            "drop": drop,
            "seed": self._seed,
            "fields": packed,
        }
        self._seed = None
        try:
            self._send(wire.frame(message, buffers))
            reply, received = wire.receive(self._read)
            error = _error(reply["error"]) if "error" in reply else None
            if reply.get("number") != self._number:
                raise wire.Malformed("an answer to another question")
            value = None if error else wire.decode(reply.get("value"), received, self._unpack)
        except StudentDied:
            raise
        except (wire.Closed, OSError):
            raise self._stop(self._reason()) from None
        except (
            KeyboardInterrupt
        ):  # our own Ctrl-C: the answer to this question must not become that of the next
            self._stop("interrupted")
            raise
        except Exception as unreadable:  # whatever an answer sets off in reading it, it came from over there
            raise self._stop(
                "crash", "the notebook's process gave an answer that cannot be read"
            ) from unreadable
        if error is not None:
            raise error
        return value

    def _stop(self, reason: str, sentence: str | None = None) -> StudentDied:
        if reason not in _SENTENCES:
            reason, sentence = "crash", sentence or reason
        self._died = StudentDied(reason, sentence or _SENTENCES[reason])
        return self._died

    def _reason(self) -> str:
        """Why the channel closed; the watcher may need a moment to see the process's end."""
        for _ in range(10):
            if (reason := self._alive()) is not None:
                return reason
            time.sleep(POLL_SECONDS)
        return "crash"

    def _check_alive(self) -> None:
        if (reason := self._alive()) is not None:
            raise self._stop(reason)

    def _send(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._channel.send(rest) :]
            except TimeoutError:
                self._check_alive()

    def _read(self, count: int) -> bytes:
        """Exactly `count` bytes; a trickle of them must not hide a limit that was passed."""
        parts = bytearray()
        checked = time.monotonic()
        while len(parts) < count:
            part = None
            with contextlib.suppress(TimeoutError):
                part = self._channel.recv(min(count - len(parts), 2**20))
            if part == b"":
                raise wire.Closed
            parts += part or b""
            if part is None or time.monotonic() - checked > POLL_SECONDS:
                self._check_alive()
                checked = time.monotonic()
        return bytes(parts)

    def _unpack(self, kind: str, fields: list[Any]) -> Any:
        if (
            kind != "handle"
            or len(fields) != 2
            or type(fields[0]) is not int
            or not isinstance(fields[1], str)
        ):
            raise wire.Malformed("a value of an unknown kind")
        return Handle(self, fields[0], clean(fields[1], 80))


class Function:
    """A function or class of the notebook."""

    def __init__(self, student: Student, name: str) -> None:
        self._student, self._name = student, name

    def __repr__(self) -> str:
        return f"student.{self._name}"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._student._ask(
            "call", f"`{self._name}`", target=self._name, method=None, args=args, kwargs=kwargs
        )

    def grads(self, *args: Any, cotangent: Any = None, **kwargs: Any) -> tuple[Any, ...]:
        """Gradients with respect to each floating tensor argument, in order.

        Args:
            cotangent: what the result is multiplied with before it is summed, of the result's shape; a tuple
                for a tuple of results. None: the result must be one number.
        """
        return self._student._ask(
            "grads",
            f"`{self._name}`",
            target=self._name,
            method=None,
            args=args,
            kwargs=kwargs,
            cotangent=cotangent,
        )


class Handle:
    """An object that stays on the student's side; calls, methods, `len`, `in` and indexing reach it there."""

    __iter__ = None

    def __init__(self, student: Student, number: int, class_name: str) -> None:
        self._student, self._number, self._class = student, number, class_name
        weakref.finalize(self, student._drop.append, number).atexit = False

    def __repr__(self) -> str:
        return f"<the student's {self._class}>"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return functools.partial(self._call, name)

    def _call(self, method: str | None, /, *args: Any, **kwargs: Any) -> Any:
        what = f"`{self._class}.{method}`" if method else f"`{self._class}`"
        return self._student._ask("call", what, target=self, method=method, args=args, kwargs=kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(None, *args, **kwargs)

    def __len__(self) -> int:
        return self._call("__len__")

    def __bool__(self) -> bool:
        return True

    def __contains__(self, value: Any) -> bool:
        return self._call("__contains__", value) is True

    def __getitem__(self, key: Any) -> Any:
        return self._call("__getitem__", key)

    def grads(self, *args: Any, cotangent: Any = None, **kwargs: Any) -> dict[str, Any]:
        """{parameter name: gradient} of `handle(...)` for every trained parameter; zeros where unused."""
        return self._student._ask(
            "grads",
            f"`{self._class}`",
            target=self,
            method=None,
            args=args,
            kwargs=kwargs,
            cotangent=cotangent,
        )

    def state(self) -> dict[str, Any]:
        """The module's `state_dict()`."""
        return self._student._ask("state", f"`{self._class}.state_dict`", target=self)

    def load_state(self, state: dict[str, Any]) -> "Handle":
        """Load all parameters; other names or shapes are a `StudentError` that says which."""
        self._student._ask("load_state", f"`{self._class}.load_state_dict`", target=self, state=state)
        return self


def clean(text: object, length: int) -> str:
    """Text from the other side, fit for one line of a report: no control characters or surrogates, cut."""
    if not isinstance(text, str):
        return ""
    short = text[: 4 * length].encode("utf-8", "replace").decode()
    plain = "".join(" " if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp") else each for each in short)
    plain = " ".join(plain.split())
    return plain if len(plain) <= length else plain[: length - 1] + "…"


def _error(fields: object) -> StudentError:
    if not isinstance(fields, list) or len(fields) != 4:
        raise wire.Malformed("an error that is none")
    kind, message, line, number = fields
    number = number if type(number) is int and 0 <= number < 10**6 else 0
    return StudentError(
        clean(kind, 80) or "Exception", clean(message, MESSAGE_LENGTH), clean(line, MESSAGE_LENGTH), number
    )


def _pack(value: Any) -> list[Any] | None:
    if isinstance(value, Handle):
        return ["handle", value._number]
    if isinstance(value, Generator):
        return ["generator", value.seed]
    if isinstance(value, Probe):
        return ["probe", value.name, value.source, *value.bound]
    return None
