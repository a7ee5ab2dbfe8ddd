"""The program that becomes a kernel: it jails itself, then runs ipykernel with the grader's agent beside it.

Standard input gives it, as JSON, the configuration and the sources of the modules that it needs, so that it
need not be allowed to read the grader's folders. Stands alone: standard library only.
"""

import contextlib
import importlib
import json
import os
import socket
import sys
import time
import types
from collections.abc import Iterator

#: Source files in the order in which they import each other; the first group runs before the jail closes.
OUTSIDE = ("linux", "landlock", "seccomp", "root", "jail")
INSIDE = ("kernelapp",)
PACKAGES = ("autograder", "autograder.sandbox")

#: What the interpreter runs: it reads everything else from standard input.
BOOTSTRAP = (
    "import json, sys; payload = json.load(sys.stdin.buffer); space = {'__name__': 'launch'}; "
    "exec(compile(payload['sources']['launch'], '<launch>', 'exec'), space); space['run'](payload)"
)


def define(name: str, source: str) -> types.ModuleType:
    """Make module `name` from its source text."""
    module = types.ModuleType(name)
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)
    exec(compile(source, f"<{name}>", "exec"), module.__dict__)  # noqa: S102 (the grader's own files)
    return module


def run(payload: dict) -> None:
    """Run the program that the payload names."""
    for package in PACKAGES:
        sys.modules[package] = types.ModuleType(package)
    if payload["program"] == "launch":
        main(payload)
    else:
        program = payload["program"]
        define(f"autograder.sandbox.{program}", payload["sources"][program]).main(payload, define)


def main(payload: dict) -> None:
    """Jail this process unless told not to, and run the kernel until it is shut down."""
    sources, config = payload["sources"], payload["config"]
    began = time.perf_counter()
    status = live = None
    if config["jail"] is not None:
        for name in OUTSIDE:
            define(f"autograder.sandbox.{name}", sources[name])
        jail = sys.modules["autograder.sandbox.jail"]
        status = socket.socket(fileno=config["status"])
        live = jail.enter(jail.Jail(**config["jail"]), status)
    be_quiet()
    add_site()
    with reported(status):
        prepare(sources, agent=config["channel"] is not None)
    become_kernel(config, status, live, began)


def be_quiet() -> None:
    """Let standard input, output and error lead nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def add_site() -> None:
    """Add the site packages, left out so far (-S): what is read for it must be what the jail shows."""
    importlib.invalidate_caches()
    import site

    site.main()


@contextlib.contextmanager
def reported(status: socket.socket | None) -> Iterator[None]:
    """Tell the grader of an exception, in one line, before it ends this process."""
    try:
        yield
    except Exception as error:
        if status is not None:
            status.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        raise


def prepare(sources: dict[str, str], *, agent: bool) -> None:
    """Define what runs beside the student's code, the agent too if asked; this imports all that it needs."""
    define("autograder.sandbox.kernelapp", sources["kernelapp"])
    if agent:
        define("wire", sources["wire"])
        define("agent", sources["agent"])


def become_kernel(config: dict, status: socket.socket | None, live: dict | None, began: float) -> None:
    """Run the kernel until it is killed.

    Args:
        config: what the grader asks for.
        status: where to say that the kernel is ready; None without a jail.
        live: what the jail reported.
        began: when the start began, by `time.perf_counter`.
    """
    app = sys.modules["autograder.sandbox.kernelapp"]
    with reported(status):
        kernel = app.prepare(config)
        channel = connect(config["channel"])
        if channel is not None:
            sys.modules["agent"].attach(channel, kernel.shell.user_ns, kernel.loop())
        if status is not None:
            app.limit_memory(config["memory_bytes"])
    for name in list(sys.modules):
        if name in ("wire", "agent") or name.partition(".")[0] == "autograder":
            del sys.modules[name]
    if status is not None:
        status.send(json.dumps({"ready": live, "seconds": time.perf_counter() - began}).encode())
        status.close()
    kernel.start()
    while True:  # the notebook stopped the loop; who started the kernel ends it
        kernel.loop().start()


def connect(address: int | list | None) -> socket.socket | None:
    """The channel to the grader: an inherited descriptor, or [host, port, token] where there is no jail."""
    if address is None:
        return None
    if isinstance(address, int):
        return socket.socket(fileno=address)
    host, port, token = address
    channel = socket.create_connection((host, port))
    channel.sendall(bytes.fromhex(token))
    return channel
