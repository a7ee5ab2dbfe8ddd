"""The program that waits with everything imported and forks kernels. Stands alone: standard library only.

It sees what its kernels see and nothing more (`jail.settle`), and each child shuts itself in as a kernel with an
interpreter of its own does (`jail.enter`). What is asked of a kernel, its key among it, is read after the fork, by the
child: the template never holds anything that one kernel could learn about another.
"""

import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import time
import types
from collections.abc import Callable
from typing import Any

OUTSIDE = ("linux", "landlock", "seccomp", "root", "jail")
#: What every kernel imports while it starts.
OF_KERNELS = (
    "ipykernel.debugger",
    "tornado.platform.asyncio",
    "tornado.queues",
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "IPython.utils.wildcard",
    "encodings.idna",
)
#: What notebooks import, and what that imports in its turn only when it is used: `torch.optim` imports
#: `torch._dynamo`, a figure looks for fonts. `matplotlib.pyplot` is left to the notebook: it asks whether it is in one.
OF_NOTEBOOKS = (
    "torch",
    "torch._dynamo",
    "numpy.random",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.config",
)
#: An order, as JSON, is not longer.
ORDER_BYTES = 1 << 17
DESCRIPTORS = 32


def main(payload: dict, define: Callable[[str, str], types.ModuleType]) -> None:
    """Import everything, say so, and fork a kernel for every order; ends when the grader closes the socket."""
    config, sources = payload["config"], payload["sources"]
    orders = socket.socket(fileno=config["status"])
    launch = define("autograder.sandbox.launch", sources["launch"])
    root, jail = [define(f"autograder.sandbox.{name}", sources[name]) for name in OUTSIDE][-2:]
    with launch.reported(orders):
        jail.settle(jail.Jail(**config["jail"]))
        launch.be_quiet()
        launch.add_site()
        launch.prepare(sources, agent=True)
        import_all()
        refuse_what_a_fork_breaks(orders)
    gc.collect()
    jail.send(orders, {"ready": {}})
    payload.clear()
    began, order = serve(orders)
    status = socket.socket(fileno=order["status"])
    jail.send(status, {"process": "gate"}, os.pidfd_open(os.getpid()))
    live = jail.enter(jail.Jail(**order["jail"] | {"base": root.NEST}), status)
    draw_anew()
    importlib.invalidate_caches()
    launch.become_kernel(order, status, live, began)


def import_all() -> None:
    """Import everything; the environment is left as a kernel has it that has imported nothing of a notebook's."""
    for name in OF_KERNELS:
        importlib.import_module(name)
    environment = dict(os.environ)
    for name in OF_NOTEBOOKS:
        importlib.import_module(name)
    os.environ.clear()
    os.environ.update(environment)


def draw_anew() -> None:
    """Seed Python, NumPy and torch from the system: all children of one template would draw the same otherwise."""
    random.seed()
    importlib.import_module("numpy.random").seed()
    importlib.import_module("torch").default_generator.seed()


def refuse_what_a_fork_breaks(orders: socket.socket) -> None:
    """Make sure that there is one thread, and no open file that kernels would share.

    Raises:
        RuntimeError: there is more; the message says what.
    """
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208 (only how many)
    if threads != 1:
        raise RuntimeError(f"importing the packages started {threads - 1} threads, which a fork would lose")
    names = {name: os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")}  # noqa: PTH208
    extra = [
        f"{name} ({path})"
        for name, path in names.items()
        if int(name) not in (0, 1, 2, orders.fileno()) and os.path.lexists(f"/proc/self/fd/{name}")
    ]
    if extra:
        raise RuntimeError(f"importing the packages left files open: {', '.join(extra)}")


def serve(orders: socket.socket) -> tuple[float, dict[str, Any]]:
    """Fork once for every order; returns in the children only: when the order was found, and the order."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system collects what ends
    poll = select.poll()
    poll.register(orders, select.POLLIN)
    while True:
        poll.poll()
        if not orders.recv(1, socket.MSG_PEEK):
            os._exit(0)
        began = time.perf_counter()
        waiting, taken = os.pipe()
        if not os.fork():
            os.setsid()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            order = take(orders)
            os.sched_setaffinity(0, order["cpus"])  # the asker's, not those of whoever started the template
            os.close(waiting)
            os.close(taken)
            return began, order
        os.close(taken)
        os.read(waiting, 1)  # comes back when the child has taken its order
        os.close(waiting)


def take(orders: socket.socket) -> dict[str, Any]:
    """The next order. The grader's numbers of the open files that come with it are replaced by the numbers here."""
    data, received, _, _ = socket.recv_fds(orders, ORDER_BYTES, DESCRIPTORS, socket.MSG_CMSG_CLOEXEC)
    orders.close()
    message = json.loads(data)
    order: dict[str, Any] = message["config"]
    here = dict(zip(message["numbers"], received, strict=True))
    order["status"] = here[order["status"]]
    order["channel"] = here.get(order["channel"])
    order["descriptors"] = {name: here[number] for name, number in order["descriptors"].items()}
    order["jail"]["groups"] = [(here[number], name) for number, name in order["jail"]["groups"]]
    return order
