"""The agent inside a real ipykernel: it answers between cells, in their thread, and its calls stay silent."""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

from autograder.wall import agent
from autograder.wall.student import Student, StudentDied, StudentError

#: As the sandbox does it: the two modules are made from their files, where no package `autograder` exists.
LAUNCHER = """
import importlib.util, json, socket, sys
from ipykernel.kernelapp import IPKernelApp
from tornado.ioloop import IOLoop

folder, connection, descriptor = sys.argv[1:]
app = IPKernelApp.instance(connection_file=connection)
app.initialize([])
for name in ("wire", "agent"):
    spec = importlib.util.spec_from_file_location(name, f"{folder}/{name}.py")
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])
sys.modules["agent"].attach(socket.socket(fileno=int(descriptor)), app.shell.user_ns, IOLoop.current())
app.start()
"""


class Kernel:
    """A kernel process, its client, and the student in it."""

    def __init__(self, folder: Path) -> None:
        connection, _ = write_connection_file(
            str(folder / "kernel.json"), transport="ipc", ip=str(folder / "ipc")
        )
        here, there = socket.socketpair()
        descriptor = there.fileno()
        wall = str(Path(agent.__file__).parent)
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, wall, connection, str(descriptor)],
            pass_fds=[descriptor],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        there.close()
        self.polls = 0
        self.student = Student(here, alive=self.alive)
        self.client = BlockingKernelClient(connection_file=connection)
        self.client.load_connection_file()
        self.client.start_channels(hb=False)

    def alive(self) -> str | None:
        """The reason why no answer can come any more; after minutes of waiting there is one."""
        self.polls += 1
        if self.process.poll() is not None:
            return "crash"
        return "interrupted" if self.polls > 4800 else None

    def cell(self, source: str) -> list[dict]:
        """Run a cell; the contents of its outputs."""
        outputs: list[dict] = []
        self.client.execute_interactive(
            source, timeout=240, output_hook=lambda message: outputs.append(message["content"])
        )
        return [each for each in outputs if "execution_state" not in each and "code" not in each]

    def unread(self) -> list[str]:
        """Kinds of the messages that the kernel has published since the last cell."""
        found = []
        while True:
            try:
                found.append(self.client.get_iopub_msg(timeout=0.5)["msg_type"])
            except queue.Empty:
                return found


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("kernel"))
    try:
        kernel.client.wait_for_ready(timeout=240)
        yield kernel
    finally:
        kernel.client.stop_channels()
        kernel.process.kill()
        kernel.process.wait()


@pytest.fixture
def scaled(kernel):
    """The kernel with a function `f` that multiplies by 3."""
    kernel.cell("def f(x):\n    return x * scale")
    kernel.cell("scale = 3")
    return kernel


def test_cells_define_and_calls_use(scaled):
    assert scaled.student.f(2) == 6
    scaled.cell("scale = 4")
    assert scaled.student.f(2) == 8


def test_calls_run_in_the_thread_of_the_cells(kernel):
    kernel.cell(
        "import threading\ncell = threading.get_ident()\ndef where(): return threading.get_ident() == cell"
    )
    assert kernel.student.where() is True


def test_a_call_waits_for_the_cell_that_runs(scaled):
    results = []
    request = scaled.client.execute("import time\ntime.sleep(0.3)\nscale = 5")
    while scaled.client.get_iopub_msg(timeout=240)["content"].get("execution_state") != "busy":
        pass
    caller = threading.Thread(target=lambda: results.append(scaled.student.f(2)))
    caller.start()
    caller.join()
    assert scaled.client.get_shell_msg(timeout=240)["parent_header"]["msg_id"] == request
    assert results == [10]


def test_an_error_names_the_line_of_the_cell(kernel):
    kernel.cell("# a comment\ndef g(x):\n    return x / 0")
    with pytest.raises(StudentError) as error:
        kernel.student.g(1)
    assert (error.value.kind, error.value.line, error.value.number) == (
        "ZeroDivisionError",
        "return x / 0",
        3,
    )


def test_what_a_call_prints_or_displays_goes_nowhere(kernel):
    kernel.cell(
        "import sys\nfrom IPython.display import display\n"
        "def loud():\n    print('out')\n    print('err', file=sys.stderr)\n    display('shown')\n    return 1"
    )
    kernel.unread()
    assert kernel.student.loud() == 1
    assert kernel.unread() == []
    outputs = kernel.cell("loud()")
    assert [each["text"] for each in outputs if "text" in each] == ["out\n", "err\n"]
    assert [each["data"]["text/plain"] for each in outputs if "data" in each] == ["'shown'", "1"]


def test_classes_of_the_notebook_give_handles(kernel):
    kernel.cell("class Counter:\n    n = 0\n    def add(self):\n        self.n += 1\n        return self.n")
    counter = kernel.student.Counter()
    assert [counter.add(), counter.add()] == [1, 2]


def test_an_interrupt_ends_the_call_and_not_the_kernel(scaled):
    scaled.cell(
        "import time\ndef forever():\n    open('began', 'w').close()\n    while True: time.sleep(0.01)"
    )
    began = Path(f"/proc/{scaled.process.pid}/cwd/began")

    def interrupt():
        while not began.exists():
            pass
        os.kill(scaled.process.pid, signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(StudentError, match="KeyboardInterrupt"):
        scaled.student.forever()
    assert scaled.student.f(2) == 6
    assert [each["data"]["text/plain"] for each in scaled.cell("1 + 1") if "data" in each] == ["2"]


def test_an_interrupt_between_calls_is_ignored(scaled):
    os.kill(scaled.process.pid, signal.SIGINT)
    assert scaled.student.f(2) == 6


def test_the_end_of_the_kernel_is_a_crash(kernel):
    kernel.cell("import os\ndef leave(): os._exit(0)")
    with pytest.raises(StudentDied) as died:
        kernel.student.leave()
    assert died.value.reason == "crash"
