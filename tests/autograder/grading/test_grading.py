"""Real submissions in the real sandbox: honest work is not punished, and a dead kernel costs one exercise."""

import time
from types import SimpleNamespace
from typing import ClassVar

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell
from tiny import HONEST, WRONG, in_row
from tiny_course import by_id, report, scores

from autograder.grading import kernels
from autograder.grading.record import INTERRUPTED
from autograder.grading.restore import blank
from autograder.sandbox.kernel import SandboxedKernel
from autograder.sandbox.limits import Limits
from autograder.sandbox.watch import Usage

NOISE = """%matplotlib inline
import random, sys, warnings
import numpy as np, torch
import matplotlib.pyplot as plt
random.seed(1); np.random.seed(1); torch.manual_seed(1)
warnings.warn("a warning on stderr")
print("一些输出 🎉", file=sys.stderr)
for step in range(20):  # a progress bar
    print(f"\\r{step}/20", end="", file=sys.stderr)
plt.plot([1, 2]); plt.show()
print("x" * 100_000)
"""
FULL = {"absolute": 3, "total": 4, "largest": 2}


def test_an_honest_noisy_notebook_gets_everything_twice_the_same(tiny):
    answer = "# 绝对值 🎉\nimport sys\n\ndef helper(x):\n    return -x\n\n" + HONEST["absolute"].replace(
        "-x", "helper(x)"
    )
    notebook = tiny.notebook(absolute=answer + "\nprint('done', file=sys.stderr)")
    notebook.cells.insert(0, new_code_cell(NOISE))
    notebook.cells.insert(7, new_code_cell("import warnings\nwarnings.warn('again')"))
    notebook.cells.insert(8, new_markdown_cell("我的笔记: `a < b` 🎉"))
    notebook.cells.append(new_code_cell("raise ValueError('an experiment that went wrong')"))
    notebook.metadata = {"colab": {}, "kernelspec": {"name": "python3", "display_name": "Python 3"}}
    for cell in notebook.cells:
        cell.metadata["id"] = "x"
        cell.metadata["vscode"] = {"languageId": "python"}
    graded = tiny.grade(notebook)
    assert scores(graded) == FULL
    assert (graded.record.score, graded.record.max) == (7, 7)
    assert graded.record.flags == ()
    assert graded.record.sandbox
    assert {(exercise.status, exercise.visible) for exercise in graded.record.exercises} == {("ok", "passed")}
    assert "image/png" in graded.notebook.decode()
    assert tiny.grade(notebook).record.to_json() == graded.record.to_json()


def test_a_helper_may_have_a_name_that_the_visible_test_uses(tiny):
    answer = (
        "def found(numbers):\n    return max(numbers)\n\ndef largest(numbers):\n    return found(numbers)"
    )
    graded = tiny.grade(tiny.notebook(largest=answer))
    assert scores(graded) == FULL
    assert by_id(graded)["largest"].visible == "passed"


def test_an_untouched_notebook_scores_nothing_and_says_so(tiny):
    graded = tiny.grade(blank(tiny.assignment))
    assert scores(graded) == {"absolute": 0, "total": 0, "largest": 0}
    assert {exercise.status for exercise in graded.record.exercises} == {"missing"}
    assert report(graded, "total") == (
        "2. total: 0 of 4 points; not begun: the answer is as it was handed out\n"
    )
    assert graded.record.unanswered == ("why",)
    checks = [check for exercise in graded.record.exercises for check in exercise.checks]
    assert {(check.status, check.hint) for check in checks} == {("not tried", "")}


def test_an_emptied_answer_is_not_begun_and_an_emptied_question_not_answered(tiny):
    notebook = blank(tiny.assignment)
    cells = {cell.id: cell for cell in notebook.cells}
    cells["absolute"].source, cells["why"].source = " ", "\n"
    graded = tiny.grade(notebook)
    assert report(graded, "absolute") == "1. absolute: 0 of 3 points; not begun: the answer is empty\n"
    assert graded.record.unanswered == ("why",)
    cells["why"].source = "Because."
    assert tiny.grade(notebook).record.unanswered == ()


def test_a_line_left_from_the_stub_is_the_one_thing_said(tiny):
    graded = tiny.grade(
        tiny.notebook(absolute="def absolute(x):\n    y = abs(x)\n    raise NotImplementedError()")
    )
    result = by_id(graded)["absolute"]
    assert (result.status, result.score) == ("ok", 0)
    assert "raises NotImplementedError is still there: delete it" in result.reason
    assert "line 3" in result.error
    assert not [check for check in result.checks if check.hint]


def test_what_is_wrong_is_said_where_it_is_wrong(row):
    graded = row.grade(
        row.notebook(
            **in_row(
                "y = 1\ndef absolute(x:\n    return x",
                "values = [1]\nprint(unknown)\n" + HONEST["absolute"],
                "def absolute(values):\n    numbers = 1\n    raise ValueError('no \\x1b[31mluck ' + 'x' * 500)",
                "def absolute(x):\n    return 0 if x != int(x) else abs(x)",
                WRONG,
                "def absolute(x):\n    return type(x)(math.fabs(x))",
                "import os\ndef absolute(x):\n    return abs(x) if x == int(x) else os._exit(1)",
                HONEST["absolute"] + "\n1 / 0",
            )
        )
    )
    found = by_id(graded)
    assert list(scores(graded).values()) == [0, 0, 0, 2, 0, 0, 2, 3, 3, 3]

    assert [found[name].status for name in ("f0", "f1", "f2", "f6", "f7")] == [
        "missing",
        "missing",
        "ok",
        "crash",
        "ok",
    ]
    assert found["f0"].reason.startswith("f0 is not defined; the answer cell stopped with SyntaxError: ")
    assert found["f0"].reason.endswith("(line 2: def f0(x:)")
    assert "NameError: name 'unknown' is not defined (line 2: print(unknown))" in found["f1"].reason
    assert (
        found["f7"].reason
        == "the answer cell stopped with ZeroDivisionError: division by zero (line 3: 1 / 0)"
    )

    assert found["f2"].error.startswith("ValueError: no [31mluck xxx")
    assert "line 3" in found["f2"].error
    assert len(found["f2"].error) < 400
    assert "Your code stopped with ValueError" in report(graded, "f2")
    assert found["f2"].reason == "your code stopped with an error before it gave anything to judge"
    assert {(check.status, check.hint) for check in found["f2"].checks} == {("not tried", "")}
    assert "Your code stopped" in report(graded, "f2")

    assert report(graded, "f3").startswith("4. f3: 2 of 3 points\n")
    assert "Hint: Hint: floats." in report(graded, "f3")
    assert "The tests in the notebook: passed" in report(graded, "f3")
    assert [check.status for check in found["f4"].checks] == ["failed", "not tried"]
    assert report(graded, "f4").count("Hint: Hint") == 1
    assert "stopped with AssertionError" in report(graded, "f4")

    assert found["f5"].reason == "the answer uses fabs (line 2), which this exercise rules out"
    assert all(check.status == "passed" for check in found["f5"].checks)

    assert [check.status for check in found["f6"].checks] == ["passed", "failed"]
    assert "called by a hidden check, ended the Python process" in found["f6"].reason


def test_a_kernel_that_ends_costs_the_exercise_it_ended_in(row):
    deaths = {
        "import os\ndef absolute(x):\n    os._exit(0)": "crash: a test in the notebook ended the Python process",
        "import os\nos.kill(os.getpid(), 9)": "crash: the answer cell ended the Python process",
        "import ctypes\ndef absolute(x):\n    if x == -3:\n        return 3\n    ctypes.string_at(0)": (
            "crash: your code, called by a hidden check, ended the Python process"
        ),
        "def absolute(x):\n    while True:\n        pass": (
            "timeout: a test in the notebook ran longer than 1 s of CPU time"
        ),
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass": (
            "timeout: the answer cell ran longer than 1 s of CPU time"
        ),
        "def absolute(x):\n    return 3 if x == -3 else sum(iter(int, 1))": (
            "timeout: your code, called by a hidden check, ran longer than 1 s of CPU time"
        ),
    }
    limits = Limits(cpu_seconds_cell=1, cpu_seconds_notebook=100, wall_factor=100)
    graded = row.grade(row.notebook(**in_row(*deaths)), limits=limits)
    assert list(scores(graded).values()) == [0] * 6 + [3] * 4
    outcomes = [f"{exercise.status}: {exercise.reason}" for exercise in graded.record.exercises]
    assert outcomes[:6] == list(deaths.values())
    assert graded.record.status == "graded"


@pytest.mark.parametrize("calls", [42, 45])
def test_an_exercise_whose_own_helper_ends_the_kernel_gets_a_second_try(tiny, calls):
    # `absolute` is called once by its own visible test and 40 times by its checks; call 42 comes from the visible
    # test of `total`, call 45 from its hidden checks
    helper = (
        "import os\ncalls = []\n"
        f"def absolute(x):\n    calls.append(x)\n    return abs(x) if len(calls) < {calls} else os._exit(1)"
    )
    total = "def total(values):\n    absolute(1)\n    return sum(absolute(value) for value in values)"
    graded = tiny.grade(tiny.notebook(absolute=helper, total=total))
    assert scores(graded) == FULL
    assert ("a test in the notebook" if calls == 42 else "a hidden check") in by_id(graded)["total"].reason
    assert "stand-ins" in by_id(graded)["total"].reason


@pytest.mark.parametrize("answer", [WRONG, "import os\ndef absolute(x):\n    os._exit(1)"])
def test_a_dependency_costs_its_own_marks_only(tiny, answer):
    graded = tiny.grade(tiny.notebook(absolute=answer))
    assert scores(graded) == {"absolute": 0, "total": 4, "largest": 2}
    assert (
        by_id(graded)["total"].reason == ""
    )  # the culprit was not run again, so nothing ended a second time


class ImpatientKernel(SandboxedKernel):
    """A kernel that the wall clock stops at a given share of work (a cell, or the hidden checks of an exercise)."""

    stop_at: ClassVar[list[int]] = []
    begun, last = 0, 0

    async def start(self):
        self.last = self.stop_at.pop(0)
        await super().start()

    def begin_cell(self, cpu_seconds=None):
        super().begin_cell(cpu_seconds)
        self.begun += 1
        if self.begun == self.last:
            self.kill()

    def verdict(self):
        return "interrupted" if self.last and self.begun >= self.last else super().verdict()


def test_what_the_wall_clock_stops_is_interrupted_and_never_a_silent_zero(tiny, monkeypatch):
    # colab, setup, absolute: answer, tests, checks (5), total: example, answer, tests, checks (9)
    # second try: colab, setup, absolute, total, checks (5)
    monkeypatch.setattr(ImpatientKernel, "stop_at", [9, 5, 0])
    monkeypatch.setattr(kernels, "SandboxedKernel", ImpatientKernel)
    graded = tiny.grade(tiny.notebook())
    assert ImpatientKernel.stop_at == []
    assert scores(graded) == {"absolute": 3, "total": 0, "largest": 2}
    assert by_id(graded)["total"].status == "timeout"
    assert by_id(graded)["total"].reason.startswith(INTERRUPTED)
    assert graded.record.interrupted
    assert any(INTERRUPTED in flag for flag in graded.record.flags)


class SpentKernel(ImpatientKernel):
    """A kernel that is stopped for its CPU time at the checks of the first exercise, having used it all."""

    def verdict(self):
        return "timeout" if super().verdict() else None

    def usage(self):
        return Usage(99.5, 0, 0)


def test_when_the_notebooks_time_is_used_up_the_rest_says_so(tiny, monkeypatch):
    monkeypatch.setattr(ImpatientKernel, "stop_at", [5])
    monkeypatch.setattr(kernels, "SandboxedKernel", SpentKernel)
    graded = tiny.grade(tiny.notebook())
    assert scores(graded) == {"absolute": 0, "total": 0, "largest": 0}
    assert {exercise.status for exercise in graded.record.exercises} == {"timeout"}
    assert "longer than 2 s" in by_id(graded)["absolute"].reason
    assert by_id(graded)["largest"].reason == "the notebook used its 100 s of CPU time before this exercise"


def test_the_whole_submission_has_one_wall_time(row):
    """Every sleep stays within its kernel's own limits; together they pass the submission's."""
    sleepy = "import time\ntime.sleep(1000)\n" + HONEST["absolute"]
    limits = Limits(cpu_seconds_cell=1, cpu_seconds_notebook=4, wall_factor=3)
    began = time.monotonic()
    graded = row.grade(row.notebook(**in_row(*[sleepy] * 10)), limits=limits)
    assert (
        time.monotonic() - began < 60
    )  # ten times three seconds of sleep, and ten kernels, are more than the 12 s
    reasons = [exercise.reason for exercise in graded.record.exercises]
    assert all(reason.startswith(INTERRUPTED) for reason in reasons), reasons
    assert reasons[-1] == f"{INTERRUPTED}: the whole submission was not done after 12 s, mostly waiting"
    assert graded.record.interrupted and graded.record.score == 0


class TimedKernel(SandboxedKernel):
    """Remembers when it has to end."""

    deadlines: ClassVar[list[float]] = []

    def end_by(self, deadline):
        self.deadlines.append(deadline)
        super().end_by(deadline)


def test_every_kernel_of_a_submission_has_the_same_deadline(tiny, monkeypatch):
    monkeypatch.setattr(TimedKernel, "deadlines", [])
    monkeypatch.setattr(kernels, "SandboxedKernel", TimedKernel)
    began = time.monotonic()
    tiny.grade(tiny.notebook(absolute="import os\nos._exit(1)"))
    assert len(TimedKernel.deadlines) == 2 and len(set(TimedKernel.deadlines)) == 1
    assert 0 < TimedKernel.deadlines[0] - began - 100 * 50 < 60


def test_a_second_try_that_time_left_no_room_for_is_interrupted_too(tiny, monkeypatch):
    monkeypatch.setattr(ImpatientKernel, "stop_at", [9])
    monkeypatch.setattr(kernels, "SandboxedKernel", ImpatientKernel)
    clock = iter([0.0, 0.0])
    monkeypatch.setattr(kernels, "time", SimpleNamespace(monotonic=lambda: next(clock, 1e9)))
    monkeypatch.setattr(ImpatientKernel, "end_by", lambda self, deadline: None)
    graded = tiny.grade(tiny.notebook())
    assert scores(graded) == {"absolute": 3, "total": 0, "largest": 0}
    assert by_id(graded)["total"].reason.startswith(f"{INTERRUPTED}: the whole submission")
    assert graded.record.interrupted


def test_what_all_cells_show_has_one_limit(tiny, monkeypatch):
    """A thousand cells of a megabyte each would be a notebook that nbgrader and the formgrader cannot open."""
    monkeypatch.setattr(kernels, "MAX_SHOWN", 1000)
    notebook = tiny.notebook()
    cells = [new_code_cell("print('x' * 400)") for _ in range(9)] + [new_code_cell("1 / 0") for _ in range(9)]
    notebook.cells[3:3] = cells
    graded = tiny.grade(notebook)
    assert scores(graded) == FULL
    assert graded.notebook.count(b"x" * 100) <= 12
    assert graded.notebook.count(b"x" * 400) == 2
    assert graded.notebook.decode().count("ZeroDivisionError") <= 9 * 2


def test_cells_that_are_the_students_own_business(tiny):
    notebook = tiny.notebook()
    notebook.cells.insert(5, new_code_cell("import os\nprint('before')\nos._exit(1)"))
    long = next(cell for cell in notebook.cells if cell.id == "long-1")
    long.source = "import os\nprint('ran' + 'it')\nos._exit(1)"
    del long.metadata["nlpcourse"]
    graded = tiny.grade(notebook)
    assert scores(graded) == FULL
    (flag,) = graded.record.flags
    assert "left out: a cell you added ended the Python process" in flag
    assert "[stopped: a cell you added ended the Python process]" in graded.notebook.decode()
    assert "ranit" not in graded.notebook.decode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[" * 200_000,
        b"\x00" * (21 << 20),
        b'{"cells": [], "metadata": {"nlpcourse": {"topic": "cnn"}}}',
    ],
)
def test_an_unreadable_submission_is_recorded_as_failed(tiny, content):
    graded = tiny.grade(content)
    assert scores(graded) == {"absolute": 0, "total": 0, "largest": 0}
    assert graded.record.status == "failed"
    assert graded.record.reason
    assert graded.record.reason[:20].lower() in report(graded, "absolute").lower()
    assert "TOP-SECRET" not in graded.notebook.decode()


def test_what_runs_behind_the_check_rules_nothing_out(row):
    """A helper of the same name in an experiment below is none of the answer's; one above the check is."""
    notebook = row.notebook(**in_row(*["def absolute(x):\n    return size(x)"] * 2))
    own = new_code_cell("def size(x):\n    return x if x >= 0 else -x")
    experiment = new_code_cell("import math\ndef size(x):\n    return type(x)(math.fabs(x))")
    behind_first = 1 + next(at for at, cell in enumerate(notebook.cells) if cell.id == "f0-check")
    notebook.cells.insert(behind_first, experiment)
    notebook.cells.insert(1, own)
    found = by_id(row.grade(notebook))
    assert (found["f0"].score, found["f0"].reason) == (3, "")
    assert found["f1"].score == 0 and "fabs" in found["f1"].reason
