"""The program that becomes a kernel: it jails itself, then runs ipykernel with the grader's agent beside it.

Standard input gives it, as JSON, the configuration and the sources of the modules that it needs, so that it
need not be allowed to read the grader's folders. Stands alone: standard library only.
"""

import importlib
import json
import os
import socket
import sys
import time
import types

#: Source files in the order in which they import each other; the first group runs before the jail closes.
OUTSIDE = ("linux", "landlock", "seccomp", "jail")
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
        define(payload["program"], payload["sources"][payload["program"]]).main(payload, define)


def main(payload: dict) -> None:
    """Jail this process unless told not to, and run the kernel until it is shut down."""
    sources, config = payload["sources"], payload["config"]
    status = None
    if config["jail"] is not None:
        began = time.perf_counter()
        for name in OUTSIDE:
            define(f"autograder.sandbox.{name}", sources[name])
        jail = sys.modules["autograder.sandbox.jail"]
        status = socket.socket(fileno=config["status"])
        loaded = time.perf_counter()
        live = jail.enter(jail.Jail(**config["jail"]), status)
        times = {"load": loaded - began, "jail": time.perf_counter() - loaded}
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)
    importlib.invalidate_caches()
    import site

    site.main()  # left out so far (-S): what it reads must be what the jail shows
    app = define("autograder.sandbox.kernelapp", sources["kernelapp"])
    try:
        kernel = app.prepare(config)
        channel = connect(config["channel"])
        if channel is not None:
            define("wire", sources["wire"])
            agent = define("agent", sources["agent"])
            agent.attach(channel, kernel.shell.user_ns, kernel.loop())
    except Exception as error:
        if status is not None:
            status.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        raise
    if config["jail"] is not None:
        app.limit_memory(config["memory_bytes"])
    for name in (*PACKAGES, "wire", "agent"):
        sys.modules.pop(name, None)
    for name in (*OUTSIDE, *INSIDE):
        sys.modules.pop(f"autograder.sandbox.{name}", None)
    if status is not None:
        times["start"] = time.perf_counter() - began
        status.send(json.dumps({"ready": live, "seconds": times}).encode())
        status.close()
    kernel.start()


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
