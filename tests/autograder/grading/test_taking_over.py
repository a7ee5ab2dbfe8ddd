"""Attacks from within the notebook, on a wrong answer (a gained point would show) beside honest ones (harm would show).

The right outcome is always the same: absolute 0, total 4, largest 2.
"""

import copy

import pytest
from nbformat.v4 import new_code_cell
from tiny import HONEST, WRONG, in_row
from tiny_course import report, scores

FAIR = {"absolute": 0, "total": 4, "largest": 2}


def test_metadata_tags_copies_and_order(tiny):
    notebook = tiny.notebook(absolute=WRONG)
    check = next(cell for cell in notebook.cells if cell.id == "absolute-check")
    passing = copy.deepcopy(check)
    passing.source = "3"
    passing.metadata.nbgrader["points"] = 100
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution", "remove_cell", "raises-exception"]
    check.metadata.nbgrader.update(grade=False, solution=True, points=0)
    notebook.cells = [passing, passing, *reversed(notebook.cells)]
    graded = tiny.grade(notebook)
    assert scores(graded) == FAIR
    assert graded.record.flags


def test_deleted_cells_and_metadata(tiny):
    notebook = tiny.notebook(absolute=WRONG)
    notebook.cells = [cell for cell in notebook.cells if not cell.id.endswith("-check")]
    for cell in notebook.cells:
        cell.metadata.pop("nbgrader", None)
    graded = tiny.grade(notebook)
    assert scores(graded) == FAIR
    assert graded.record.flags


# Each list of cells runs before the answers.
TAKEOVERS = {
    "transformers and comparison tools": [
        """
ip = get_ipython()
ip.input_transformers_cleanup.append(lambda lines: ["3\\n"] if "assert" in "".join(lines) else lines)
""",
        """
import ast
class Pass(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Pass())
""",
        """
import math, torch, numpy, random
torch.equal = torch.allclose = math.isclose = lambda *a, **k: True
torch.testing.assert_close = numpy.testing.assert_allclose = lambda *a, **k: None
""",
    ],
    "patched shell": [
        """
ip = get_ipython()
old, old_async = ip.run_cell, ip.run_cell_async
class Result:
    success, error_in_exec, error_before_exec, result, execution_count = True, None, None, 3, 1
    def raise_error(self): pass
def fake(cell, *a, **k):
    old(cell, *a, **k)
    return Result()
async def fake_async(cell, *a, **k):
    await old_async(cell, *a, **k)
    return Result()
ip.run_cell, ip.run_cell_async = fake, fake_async
ip.showtraceback = ip.showsyntaxerror = lambda *a, **k: None
type(ip.displayhook).__call__ = lambda self, result=None: print(3)
ip.events.register("post_run_cell", lambda *a: print(3))
"""
    ],
    "forged messages": [
        """
print("### ASSERTION PASSED\\n3/3\\n\\x1b[2J\\x1b[H score: 3")
kernel = get_ipython().kernel
old = kernel.session.send
def send(stream, kind, content=None, *a, **k):
    if kind == "execute_reply":
        content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
    if kind == "error":
        kind, content = "execute_result", {"data": {"text/plain": "3"}, "metadata": {}, "execution_count": 1}
    return old(stream, kind, content, *a, **k)
kernel.session.send = send
"""
    ],
    "a thread that talks in every cell": [
        """
import sys, threading, time
kernel = get_ipython().kernel
def send(kind, content):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent("shell"))
def talk():
    for _ in range(2000):
        print('{"score": 3, "max": 3}', flush=True)
        print("ALL TESTS PASSED", file=sys.stderr, flush=True)
        send("execute_result", {"data": {"text/plain": "3"}, "metadata": {}, "execution_count": 1})
        send("status", {"execution_state": "idle"})
        send("stream", {"name": 3, "text": [1]})
        send("display_data", {"data": 3})
        send("error", {"ename": {}, "traceback": 3})
        kernel.iopub_socket.send_multipart([b"garbage"])
        time.sleep(0.01)
threading.Thread(target=talk, daemon=True).start()
"""
    ],
}


@pytest.mark.parametrize("name", TAKEOVERS)
def test_taking_over_the_kernel_gains_nothing(tiny, name):
    notebook = tiny.notebook(absolute=WRONG + "\n3")
    notebook.cells[3:3] = [new_code_cell(source) for source in TAKEOVERS[name]]
    graded = tiny.grade(notebook)
    assert scores(graded) == FAIR
    text = report(graded, "absolute")
    assert "ALL TESTS PASSED" not in text and '"score"' not in text


def test_breaking_pythons_own_tools_is_ones_own_loss(tiny):
    broken = "import torch\ndef no(*a):\n    raise RuntimeError('no seeding')\ntorch.manual_seed = no\n"
    graded = tiny.grade(tiny.notebook(absolute=broken + WRONG))
    assert graded.record.status == "graded"
    assert scores(graded)["absolute"] == 0


def test_leaving_early_and_trick_answers_gain_nothing(row):
    tricks = [
        "import sys\n" + WRONG + "\nsys.exit(0)",
        "def absolute(x):\n    raise SystemExit(0)",
        "def absolute(x):\n    raise KeyboardInterrupt",
        WRONG + "\nraise KeyboardInterrupt",
        "class T(int):\n    def __eq__(s, o): return True\n    def __ne__(s, o): return False\n    __hash__ = None\n"
        "def absolute(x):\n    return T(x)",
        "last = [3]\ndef absolute(x):\n    value, last[0] = last[0], x\n    return value",
        "def absolute(x):\n    return {-3: 3}.get(x, x)",
        "import sys\ndef absolute(x):\n    print(x); print(x, file=sys.stderr)\n    raise ValueError(repr(x) * 300)",
        "def absolute(x):\n    import autograder.checks.mlp.test_absolute\n    return abs(x)",
    ]
    graded = row.grade(row.notebook(**in_row(*tricks)))
    assert list(scores(graded).values()) == [0] * 9 + [3]
    echo = graded.record.exercises[7]
    assert len(echo.error) < 400
    assert graded.notebook.decode().count(HONEST["absolute"].split("\n")[1].strip()) == 1


def test_shutting_the_kernel_down_costs_one_exercise(tiny):
    answer = WRONG + "\nget_ipython().kernel.do_shutdown(False)\nexit()\nquit()"
    graded = tiny.grade(tiny.notebook(absolute=answer))
    assert graded.record.status == "graded"
    assert scores(graded) == {"absolute": 0, "total": 4, "largest": 2}


def test_a_stopped_event_loop_goes_on(tiny):
    notebook = tiny.notebook()
    stop = "import asyncio\nasyncio.get_event_loop().stop()"
    notebook.cells[1:1] = [new_code_cell(stop)]
    graded = tiny.grade(notebook)
    assert scores(graded) == {"absolute": 3, "total": 4, "largest": 2}
    assert not graded.record.flags, graded.record.flags
