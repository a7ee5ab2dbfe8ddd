"""The student's side of the wall: answers requests about the notebook's objects with data, never a verdict.

Stands alone with `wire.py`: the sandbox makes modules `wire` and `agent` from the two files before the jail
closes. Nothing in this process is secret and nothing it says is trusted; the code here only has to be fair to
honest students and robust against what their code does by accident.
"""

import contextlib
import functools
import importlib
import inspect
import io
import linecache
import math
import operator
import random
import signal
import socket
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

# In the sandbox no package `autograder` exists, and the launcher has made the module `wire`.
wire = importlib.import_module("autograder.wall.wire" if __name__ == "autograder.wall.agent" else "wire")

MESSAGE_LENGTH = 200


class Refusal(Exception):
    """The student's code cannot be used as the check asks; the message is a sentence for the student."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Names:
    """What the notebook defines, as attributes: the first argument of a probe."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self.__dict__ = namespace

    def __getattr__(self, name: str) -> Any:
        raise undefined(name)


def undefined(name: str) -> Refusal:
    return Refusal("NameError", f"the notebook does not define `{name}`; keep the name that the stub has")


class Agent:
    """Serves requests that arrive on `channel` about the objects in `namespace`."""

    def __init__(self, channel: socket.socket, namespace: dict[str, Any]) -> None:
        self.channel = channel
        self.namespace = namespace
        self.kept: dict[str, Any] = {}
        self.objects: dict[int, Any] = {}
        self.count = 0
        self.probes: dict[str, Callable[..., Any]] = {}
        self.replaced: list[dict[str, Any]] = []

    # --- serving ---

    def serve_one(self) -> bool:
        """Answer one request; False when the grader has gone."""
        try:
            request, buffers = wire.receive(wire.reader(self.channel))
            self.channel.sendall(self._reply(request, buffers))
        except (wire.Closed, OSError):
            return False
        return True

    def _reply(self, request: dict[str, Any], buffers: bytes) -> bytes:
        number, target = request["number"], request["what"]
        try:
            try:
                with _quiet(), _interruptible():
                    for dropped in request["drop"]:
                        self.objects.pop(dropped, None)
                    if request["seed"] is not None:
                        seed(request["seed"])
                    fields = wire.decode(request["fields"], buffers, self._unpack)
                    value, parts = wire.encode(self._perform(request["operation"], fields), self._pack)
                    return wire.frame({"number": number, "value": value}, parts)
            except wire.Uncrossable as refusal:
                raise Refusal("Result", f"{target} gave {refusal}") from None
        except BaseException as error:  # noqa: BLE001 - also SystemExit, KeyboardInterrupt
            return wire.frame({"number": number, "error": self._describe(error)}, [])

    def _describe(self, error: BaseException) -> list[Any]:
        """Kind, message, and text and number of the student's line: the deepest frame from the notebook."""
        try:
            message = str(error)
        except BaseException:  # noqa: BLE001 - the student's own `__str__`
            message = ""
        line, number = "", 0
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_globals is self.namespace:
                number = trace.tb_lineno or 0
                line = linecache.getline(trace.tb_frame.f_code.co_filename, number).strip()
            trace = trace.tb_next
        kind = error.kind if isinstance(error, Refusal) else type(error).__name__
        return [str(kind)[:80], str.__str__(message)[: 2 * MESSAGE_LENGTH], line[:MESSAGE_LENGTH], number]

    # --- operations ---

    def _perform(self, operation: str, fields: dict[str, Any]) -> Any:
        return getattr(self, f"_do_{operation}")(**fields)

    def _do_call(self, target: Any, method: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return _called(self._target(target, method), args, kwargs)

    def _do_grads(
        self, target: Any, method: str | None, args: tuple[Any, ...], kwargs: dict[str, Any], cotangent: Any
    ) -> Any:
        """Gradients with respect to the floating arguments of a function, or the parameters of a module."""
        with torch.enable_grad():
            if isinstance(target, str):
                every = [*args, *kwargs.values()]
                inputs = [value.requires_grad_() for value in every if _is_floating(value)]
                names = None
            else:
                trained = {name: p for name, p in _module(target).named_parameters() if p.requires_grad}
                names, inputs = list(trained), list(trained.values())
            result = _called(self._target(target, method), args, kwargs)
            found = _gradients(result, inputs, cotangent)
        return tuple(found) if names is None else dict(zip(names, found, strict=True))

    def _do_state(self, target: Any) -> dict[str, Any]:
        return dict(_module(target).state_dict())

    def _do_load_state(self, target: Any, state: dict[str, Any]) -> None:
        """Every parameter must be given, and nothing else; buffers, such as a mask, are free."""
        own = _module(target).state_dict()
        for name, value in state.items():
            if name not in own:
                raise Refusal("Parameter", f"there is no parameter `{name}`; there is {_listed(own)}")
            if tuple(own[name].shape) != tuple(value.shape):
                shapes = f"{tuple(own[name].shape)}, expected {tuple(value.shape)}"
                raise Refusal("Parameter", f"`{name}` has shape {shapes}")
        for name, _ in target.named_parameters():
            if name not in state:
                raise Refusal(
                    "Parameter", f"there is a parameter `{name}`, which the exercise does not ask for"
                )
        target.load_state_dict(state, strict=False)

    def _do_probe(self, probe: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return probe(Names(self.namespace), *args, **kwargs)

    def _do_defined(self, name: str) -> bool:
        return name in self.namespace

    def _do_stand_in(self, names: dict[str, str], modules: dict[str, str]) -> None:
        """`modules`, given as text, are for these names alone: nobody can import them."""
        lent = {name: _made(name, text) for name, text in modules.items()}
        new = {}
        for name, address in names.items():
            module, _, attribute = address.partition(":")
            new[name] = getattr(lent.get(module) or importlib.import_module(module), attribute)
        self.replaced.append({name: self.namespace.get(name, _ABSENT) for name in new})
        self.namespace.update(new)

    def _do_restore(self) -> None:
        for name, value in self.replaced.pop().items():
            if value is _ABSENT:
                self.namespace.pop(name, None)
            else:
                self.namespace[name] = value

    def _do_lend(self, modules: dict[str, str]) -> None:
        """Let `modules`, given as text, be imported until they are taken back."""
        sys.modules.update({name: _made(name, text) for name, text in modules.items()})

    def _do_take_back(self, modules: list[str]) -> None:
        for name in modules:
            sys.modules.pop(name, None)

    def _do_keep_names(self) -> None:
        """Remember what each name of the notebook means."""
        self.kept = {name: value for name, value in self.namespace.items() if not name.startswith("_")}

    def _do_bring_names_back(self) -> None:
        """Let each name mean again what it meant; names that are new stay."""
        self.namespace.update(self.kept)
        self.kept = {}

    # --- objects that stay on this side ---

    def _target(self, target: Any, method: str | None) -> Any:
        if isinstance(target, str):
            if target not in self.namespace:
                raise undefined(target)
            target = self.namespace[target]
        if method is None:
            return target
        if method in _OPERATORS:
            return functools.partial(_OPERATORS[method], target)
        if not hasattr(target, method):
            raise Refusal("AttributeError", f"`{type(target).__name__}` has no method `{method}`")
        return getattr(target, method)

    def _pack(self, value: Any) -> list[Any] | None:
        """Modules, functions and objects of the notebook's classes stay here; the grader gets a handle."""
        kind = type(value)
        if issubclass(kind, _PLAIN) or hasattr(kind, "__next__") or hasattr(kind, "__await__"):
            return None
        own = kind.__module__ == "__main__" or self.namespace.get(kind.__name__) is kind
        if not own and not issubclass(kind, (torch.nn.Module, types.FunctionType, types.MethodType)):
            return None
        self.count += 1
        self.objects[self.count] = value
        return ["handle", self.count, kind.__name__]

    def _unpack(self, kind: str, fields: list[Any]) -> Any:
        if kind == "handle":
            return self.objects[fields[0]]
        if kind == "generator":
            return torch.Generator().manual_seed(fields[0])
        if kind == "probe":
            name, source, *bound = fields
            if source not in self.probes:
                self.probes[source] = _compiled(name, source)
            return functools.partial(self.probes[source], *bound) if bound else self.probes[source]
        raise wire.Malformed(f"kind {kind}")


def seed(number: int) -> None:
    """Seed Python, NumPy and torch; gradients are wanted again, whatever a cell has switched off.

    Raises:
        Refusal: the notebook has broken one of them. No check can take that for an error that it waits for.
    """
    try:
        random.seed(number)
        np.random.seed(number % 2**32)
        torch.default_generator.manual_seed(number)
        torch.set_grad_enabled(True)
    except BaseException:  # noqa: BLE001 - the notebook's own, of which nothing is asked
        raise Refusal("Seed", "Python, NumPy and torch cannot be seeded any more in this notebook") from None


_ABSENT = object()
_PLAIN = (
    str,
    int,
    float,
    complex,
    bytes,
    list,
    tuple,
    dict,
    set,
    frozenset,
    torch.Tensor,
    np.ndarray,
    np.generic,
)
_OPERATORS: dict[str, Callable[..., Any]] = {
    "__len__": len,
    "__contains__": operator.contains,
    "__getitem__": operator.getitem,
}


def _called(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call; arguments that do not fit the signature become a sentence about names instead of a TypeError."""
    try:
        return function(*args, **kwargs)
    except TypeError:
        inner = function.forward if isinstance(function, torch.nn.Module) else function
        try:
            signature = inspect.signature(inner)
        except (TypeError, ValueError):
            signature = None
        if signature is None or _binds(signature, args, kwargs):
            raise
        given = [f"{len(args)} by position"] if args else []
        given += [f"{name}=" for name in kwargs]
        name = getattr(inner, "__qualname__", type(inner).__name__)
        raise Refusal(
            "Signature",
            f"`{name}{signature}` was called with {', '.join(given) or 'nothing'}; keep the stub's names",
        ) from None


def _binds(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    try:
        signature.bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def _gradients(result: Any, inputs: list[torch.Tensor], cotangent: Any) -> list[torch.Tensor]:
    """Vector-Jacobian products; zeros for an input that the result does not depend on."""
    results = result if isinstance(result, tuple) else (result,)
    cotangents = cotangent if isinstance(cotangent, tuple) else (cotangent,)
    if len(cotangents) != len(results):
        raise Refusal("Result", f"there are {len(results)} results where {len(cotangents)} are expected")
    for value, weight in zip(results, cotangents, strict=True):
        if not isinstance(value, torch.Tensor):
            raise Refusal(
                "Result", f"the result is a {type(value).__name__} where a tensor with gradients is expected"
            )
        if not value.requires_grad:
            raise Refusal(
                "Result",
                "the result carries no gradient; use torch alone, without detach, item, numpy or no_grad",
            )
        expected = () if weight is None else tuple(weight.shape)
        if tuple(value.shape) != expected and not (weight is None and value.numel() == 1):
            raise Refusal("Result", f"the result has shape {tuple(value.shape)}, expected {expected}")
    weights = [
        torch.ones_like(value) if weight is None else weight.to(value.dtype)
        for value, weight in zip(results, cotangents, strict=True)
    ]
    found = torch.autograd.grad(results, inputs, weights, allow_unused=True)
    return [torch.zeros_like(at) if grad is None else grad for at, grad in zip(inputs, found, strict=True)]


def _is_floating(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _module(target: Any) -> torch.nn.Module:
    if not isinstance(target, torch.nn.Module):
        raise Refusal(
            "TypeError", f"`{type(target).__name__}` is no `nn.Module`; derive the class from `nn.Module`"
        )
    return target


def _listed(names: Any) -> str:
    shown = [f"`{name}`" for name in names]
    return ", ".join(shown[:6]) + (", ..." if len(shown) > 6 else "") if shown else "none"


def _made(name: str, text: str) -> types.ModuleType:
    """A module from its text; it is not left where it could be imported."""
    module = types.ModuleType(name)
    before = sys.modules.get(name)
    sys.modules[name] = module  # some decorators of classes look there
    try:
        exec(compile(text, f"<{name}>", "exec"), module.__dict__)  # noqa: S102 - the text is the grader's
    finally:
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
    return module


def _compiled(name: str, source: str) -> Callable[..., Any]:
    """A probe from its text, with `probe.NAMES` in sight."""
    nn = torch.nn
    space: dict[str, Any] = {"torch": torch, "nn": nn, "F": nn.functional, "Tensor": torch.Tensor}
    space |= {"np": np, "numpy": np, "math": math}
    exec(compile(source, "<probe>", "exec"), space)  # noqa: S102 - the text is the grader's
    return space[name]


class _Nowhere(io.TextIOBase):
    """Text written here is gone."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing printed or displayed during a call reaches the notebook."""
    out, err = sys.stdout, sys.stderr
    shown = None
    if (ipython := sys.modules.get("IPython")) is not None and (shell := ipython.get_ipython()) is not None:
        shown, publish = shell.display_pub, shell.display_pub.publish
        shown.publish = lambda *args, **kwargs: None
    sys.stdout = sys.stderr = _Nowhere()
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err
        if shown is not None:
            shown.publish = publish


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT during a call is a KeyboardInterrupt in the student's code; a kernel ignores it otherwise."""
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def attach(channel: socket.socket, namespace: dict[str, Any], loop: Any) -> Agent:
    """Answer requests from `loop`, the event loop of the thread that runs the cells, between two cells.

    Args:
        channel: a connected stream socket; made blocking.
        namespace: the notebook's global names (`shell.user_ns`).
        loop: an asyncio loop, or a tornado loop on top of one (`kernel.io_loop`).
    """
    channel.setblocking(True)
    loop = getattr(loop, "asyncio_loop", loop)
    agent = Agent(channel, namespace)

    descriptor = channel.fileno()

    def on_request() -> None:
        if not agent.serve_one():
            loop.remove_reader(descriptor)

    loop.add_reader(descriptor, on_request)
    return agent


def serve(channel: socket.socket, namespace: dict[str, Any]) -> None:
    """Answer requests until the grader goes."""
    agent = Agent(channel, namespace)
    while agent.serve_one():
        pass
