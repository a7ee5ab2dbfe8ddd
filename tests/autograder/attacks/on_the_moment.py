"""Attacks that choose their moment: between two calls, at a later call, while an answer is read, in a second notebook.

What the grader reads once is not read again; who ends or floods the kernel loses his own exercises and no more.
"""

import json

import nbformat
from attack import Attack, cell_of
from nbformat.notebooknode import NotebookNode
from nbformat.v4 import new_code_cell

from autograder.sandbox.limits import GIB, Limits

ONE_SECOND = Limits(cpu_seconds_cell=1, cpu_seconds_notebook=100, wall_factor=100)
SMALL = Limits(cpu_seconds_cell=2, cpu_seconds_notebook=100, wall_factor=100, memory_bytes=GIB)

SLOW_LATER = """
import time
calls = []
def absolute(x):
    calls.append(x)
    while len(calls) > 2: pass
    return x
"""

#: The answer goes out, and then the process ends before the next question comes.
DIES_BETWEEN = """
import os, threading, time
def absolute(x):
    threading.Timer(0.0, os._exit, (0,)).start()
    return x
"""

AGENT = """
import gc, json, struct
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
def framed(message):
    text = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack("<4sIQ", b"wall", len(text), 0) + text
def answer_with(value):
    agent._reply = lambda request, buffers: framed(b'{"number": %d, %s}' % (request["number"], value))
"""

#: Answers to the questions that will come, under the numbers that they will have.
ANSWERS_AHEAD = (
    AGENT
    + """
old = agent._reply
def reply(request, buffers):
    number = request["number"]
    ahead = b"".join(framed({"number": n, "value": True}) for n in range(number + 1, number + 40))
    return old(request, buffers) + ahead
agent._reply = reply
"""
)
DEEP_REPLY = AGENT + """answer_with(b'"value": ' + b'["list",' * 400_000 + b"]" * 400_000)"""
LONG_NUMBER = AGENT + """answer_with(b'"value": ' + b"9" * 4_000_000)"""
CROWDED_REPLY = AGENT + """answer_with(b'"value": ["set"' + b",0" * 900_000 + b"]")"""
NO_ERROR = AGENT + """answer_with(b'"error": ["StudentDied", "passed", "", 1000000000000000000000]')"""

FLOOD_FROM_A_THREAD = """
import threading, time
kernel = get_ipython().kernel
def flood():
    message = {"name": "stdout", "text": "z" * 1000}
    for _ in range(20_000):
        try: kernel.session.send(kernel.iopub_socket, "stream", message, parent=kernel.get_parent("shell"))
        except Exception: time.sleep(0.01)
threading.Thread(target=flood, daemon=True).start()
"""
TINY_MESSAGES = """
import zmq
from ipykernel.iostream import IOPubThread
kernel = get_ipython().kernel
kernel.session.limit = 10 ** 12
for n in range(20_000): kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "busy"})
"""

#: Memory that two readers see change: a map of a file that a thread writes, under a tensor, an array, an interface.
CHANGING = """
import mmap, threading, numpy, torch
file = open("/tmp/changing", "w+b")
file.truncate(4096)
memory = mmap.mmap(file.fileno(), 4096)
values = numpy.frombuffer(memory, dtype=numpy.int64)
def turn():
    while True:
        values[0] = 3
        values[0] = -3
threading.Thread(target=turn, daemon=True).start()
class Seen:
    __array_interface__ = {"shape": (), "typestr": "<i8", "data": memory, "version": 3}
def absolute(x):
    return WAY
"""


def _look_alikes(notebook: NotebookNode) -> None:
    """Cells whose ids look like those of graded cells, or are those that the grader gives to added ones."""
    for name in (
        "\uff41bsolute-check",
        "absolute\u2010check",
        "absolute-check\u200b",
        "ABSOLUTE-CHECK",
        " absolute-check",
    ):
        cell = new_code_cell("absolute = abs")
        cell.metadata["nbgrader"] = dict(cell_of(notebook, "absolute-check").metadata.nbgrader) | {
            "grade_id": name
        }
        notebook.cells.insert(0, cell)
        notebook.cells.append(new_code_cell("3", id=f"added-{len(notebook.cells)}"))


def _hidden_names(notebook: NotebookNode) -> None:
    """Cell ids of checks, of their functions, and of what the grader calls things."""
    for name in ("test_values", "absolute-hidden", "added-0", "__start__", "results"):
        notebook.cells.insert(0, new_code_cell("absolute = abs", id=name))


def _another_kernel(notebook: NotebookNode) -> bytes:
    """The file asks for another language and kernel."""
    content = json.loads(nbformat.writes(notebook))
    content["metadata"]["kernelspec"] = {
        "name": "bash",
        "display_name": "sh",
        "language": "bash",
        "argv": ["/bin/sh"],
    }
    content["metadata"]["language_info"] = {"name": "R", "mimetype": "text/x-r", "file_extension": "/../../x"}
    content["metadata"]["kernel_info"] = {"name": "../../../bin/sh"}
    return json.dumps(content).encode()


def _help_lines(notebook: NotebookNode) -> None:
    """Lines that IPython reads a cell again for, and one that takes it a time with the square of its length."""
    notebook.cells += [new_code_cell(";f x\n" * 39 + "#" * 20_000), new_code_cell("a." * 90_000 + "?")]
    notebook.cells.append(new_code_cell(";f x\n" * 600))


ATTACKS = (
    Attack(30, "slow from the third call on", "C", answer=SLOW_LATER, limits=ONE_SECOND, harmless=False),
    Attack(14, "the process ends between two calls", "C", answer=DIES_BETWEEN, lost=("total", "largest")),
    Attack(42, "answers to later questions", "N", (ANSWERS_AHEAD,), lost=("total", "largest")),
    Attack(9, "an answer nested without end", "N", (DEEP_REPLY,), lost=("total", "largest")),
    Attack(9, "an answer of four million digits", "N", (LONG_NUMBER,), lost=("total", "largest")),
    Attack(9, "an answer of a million equal keys", "N", (CROWDED_REPLY,), lost=("total", "largest")),
    Attack(9, "an error that is made up", "N", (NO_ERROR,), lost=("total", "largest")),
    Attack(
        29,
        "a flood from a thread between the calls",
        "N",
        (FLOOD_FROM_A_THREAD,),
        limits=SMALL,
        harmless=False,
    ),
    Attack(29, "messages that say nothing", "N", (TINY_MESSAGES,), limits=SMALL, harmless=False),
    *(
        Attack(
            10,
            f"a value that changes: {way}",
            "N",
            answer=CHANGING.replace("WAY", way),
            lost=("total", "largest"),
        )
        for way in ("values[0]", "torch.from_numpy(values)[0]", "values", "Seen()")
    ),
    Attack(3, "ids that look like others", "N", edit=_look_alikes),
    Attack(3, "ids of hidden things", "N", edit=_hidden_names),
    Attack(6, "another kernel is asked for", "N", edit=_another_kernel),
    Attack(6, "cells that take minutes to read", "N", edit=_help_lines),
    Attack(
        44,
        "files of all kernels leased and watched",
        "N",
        (
            "import ctypes, fcntl, os, torch\n"
            "folder = os.path.dirname(torch.__file__)\n"
            "ways = [lambda: fcntl.fcntl(os.open(torch.__file__, os.O_RDONLY), 1024, 0),\n"
            "        lambda: fcntl.fcntl(os.open(folder, os.O_RDONLY), 1026, 0x3F)]\n"
            "for way in ways:\n"
            "    try: way()\n"
            "    except OSError as error: print('REFUSED', error)\n"
            "    else: print('GOT')\n"
            "print('REFUSED' if ctypes.CDLL(None).inotify_init1(0) == -1 else 'GOT')",
        ),
    ),
)
