"""Cells that take too much: only their own kernel is lost, the reason is known, and nothing is left behind."""

import os
import time
from pathlib import Path

import pytest

from autograder.sandbox.limits import GIB, MIB, Limits
from nlpcourse.errors import CourseError

#: The wall clock must not decide here, however slow the machine is.
SHORT = Limits(cpu_seconds_cell=2, cpu_seconds_notebook=20, wall_factor=1000)


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "while True: pass",
        "pow(3, 10 ** 9)",
        "import torch\nwhile True: torch.randn(500, 500) @ torch.randn(500, 500)",
        "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')",
        "import threading\nfor _ in range(4): threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()",
        "import os\nwhile True:\n    if not os.fork(): os._exit(sum(range(10 ** 6)) * 0)\n    os.wait()",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
    ids=[
        "plain",
        "signals ignored",
        "C level",
        "torch",
        "regex",
        "threads",
        "short-lived children",
        "catching",
    ],
)
def test_endless_work_ends(fresh, source: str) -> None:
    with fresh(SHORT) as kernel:
        answer = kernel.run(source + "\nimport time; time.sleep(1000)", seconds=300)
        assert answer.verdict == "timeout"
        assert "2 s" in kernel.kernel.sentence


def test_ignored_children_are_counted(fresh) -> None:
    """With SIGCHLD ignored the system adds finished children to nobody's account."""
    with fresh(SHORT) as kernel:
        answer = kernel.run(
            "import os, signal, time; signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
            "while True:\n"
            "    if not os.fork():\n"
            "        until = time.process_time() + 0.3\n"
            "        while time.process_time() < until: pass\n"
            "        os._exit(0)\n"
            "    time.sleep(0.3)"
        )
        assert answer.verdict == "timeout"


def test_sleeping_is_ended_by_the_wall_clock_and_said_to_be_so(fresh) -> None:
    with fresh(Limits(cpu_seconds_cell=1, wall_factor=2)) as kernel:
        assert kernel.run("import time; time.sleep(1000)").verdict == "interrupted"
        assert "run it again" in kernel.kernel.sentence


def test_a_deadline_ends_a_kernel_whose_own_limits_allow_more(fresh) -> None:
    with fresh(Limits(wall_factor=1000)) as kernel:
        kernel.kernel.end_by(time.monotonic() + 1)
        assert kernel.run("import time; time.sleep(1000)").verdict == "interrupted"
        assert "the whole submission" in kernel.kernel.sentence


def test_many_cells_just_below_the_limit_pass_the_notebooks(fresh) -> None:
    with fresh(Limits(cpu_seconds_cell=2, cpu_seconds_notebook=5, wall_factor=1000)) as kernel:
        verdicts = []
        for _ in range(6):
            answer = kernel.run(
                "import time; t = time.process_time()\nwhile time.process_time() < t + 1: pass"
            )
            verdicts.append(answer.verdict)
            if answer.verdict:
                break
        assert verdicts[0] is None and verdicts[-1] == "timeout"
        assert "the notebook" in kernel.kernel.sentence


def test_a_cell_within_its_share_is_left_alone(fresh) -> None:
    with fresh(SHORT) as kernel:
        for _ in range(3):
            answer = kernel.run(
                "import time; t = time.process_time()\nwhile time.process_time() < t + 1: pass\nprint('ok')"
            )
            assert (answer.text, answer.verdict) == ("ok\n", None)


@pytest.mark.parametrize(
    "source",
    [
        "x = [0] * (1 << 30)",
        "import torch; x = torch.ones(1 << 31)",
        "import torch; x = torch.empty(1 << 31); x.fill_(1)",
        "import numpy; x = numpy.ones(1 << 30)",
        "import mmap; x = mmap.mmap(-1, 8 << 30, flags=mmap.MAP_PRIVATE); x.write(b'x' * (8 << 30))",
        "x = b'x' * (8 << 30)",
        "x = []\nwhile True: x.append(bytearray(1 << 20))",
    ],
)
def test_one_process_taking_8_gib_gets_an_error_or_ends(fresh, source: str) -> None:
    with fresh() as kernel:
        answer = kernel.run(source)
        assert answer.verdict == "memory" or "Memory" in answer.error or "allocate" in answer.error, answer
        if answer.verdict is None:
            assert kernel.run("print('alive')").text == "alive\n"


def test_many_processes_taking_memory_together_end(fresh) -> None:
    with fresh(Limits(memory_bytes=GIB)) as kernel:
        answer = kernel.run(
            "import os, time\n"
            "for _ in range(20):\n"
            "    if not os.fork():\n"
            "        x = bytearray(os.urandom(1 << 20) * 100); time.sleep(60)\n"
            "time.sleep(60)"
        )
        assert answer.verdict == "memory"


def test_memory_shared_by_children_is_counted_once(fresh) -> None:
    """The kernel's own libraries, seen by ten children, are not ten times the memory."""
    with fresh(Limits(memory_bytes=GIB)) as kernel:
        answer = kernel.run(
            "import os, time; x = bytearray(100 << 20)\n"
            "children = []\n"
            "for _ in range(10):\n"
            "    child = os.fork()\n"
            "    if not child: time.sleep(1); os._exit(0)\n"
            "    children.append(child)\n"
            "for child in children: os.waitpid(child, 0)\n"
            "print('done')"
        )
        assert (answer.text, answer.verdict) == ("done\n", None)


@pytest.mark.parametrize(
    "source",
    [
        "x = open('big', 'wb')\nwhile True: x.write(b'x' * (1 << 20))",
        "x = open('/tmp/big', 'wb')\nwhile True: x.write(b'x' * (1 << 20))",
        "x = open('/dev/shm/big', 'wb')\nwhile True: x.write(b'x' * (1 << 20))",
        "import os; os.posix_fallocate(os.open('big', os.O_CREAT | os.O_WRONLY), 0, 1 << 40)",
        "import os; os.truncate(os.open('sparse', os.O_CREAT | os.O_WRONLY), 1 << 40)",
        "import torch; torch.save(torch.ones(1 << 27), 'tensor.pt')",
        "for i in range(10 ** 6): open(f'small{i}', 'w').close()",
        "import os\nfor i in range(10 ** 6): os.mkdir(f'folder{i}')",
        "for n in range(1000):\n    with open(f'f{n}', 'wb') as f: f.write(b'x' * (1 << 20))",
    ],
)
def test_disk_and_files_come_to_an_end(kernel, source: str) -> None:
    before = os.statvfs("/").f_bavail, os.statvfs("/tmp").f_bavail
    answer = kernel.run(f"import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n{source}")
    assert "Error" in answer.error and answer.verdict is None, answer
    after = os.statvfs("/").f_bavail, os.statvfs("/tmp").f_bavail
    assert before[0] - after[0] < 64 * MIB // 4096 and before[1] - after[1] < 64 * MIB // 4096
    kernel.run(
        "x = None\nimport shutil, os\nfor top in ('/home/student', '/tmp', '/dev/shm'):\n"
        "    for name in os.listdir(top):\n        path = os.path.join(top, name)\n"
        "        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)"
    )


@pytest.mark.parametrize(
    "source",
    [
        "import os\nn = 0\ntry:\n    for _ in range(300):\n        if not os.fork(): signal.pause()\n        n += 1\n"
        "except BlockingIOError as e: print('STOPPED', n)",
        "import threading, time\nn = 0\ntry:\n    for _ in range(300):\n"
        "        threading.Thread(target=time.sleep, args=(5,), daemon=True).start(); n += 1\n"
        "except RuntimeError as e: print('STOPPED', n)",
    ],
    ids=["fork", "threads"],
)
def test_300_processes_or_threads_are_refused(fresh, source: str) -> None:
    with fresh() as kernel:
        answer = kernel.run("import signal\n" + source)
        assert answer.text.startswith("STOPPED"), answer
        assert 32 <= int(answer.text.split()[1]) <= 96


def test_fork_bomb_is_contained_and_another_kernel_lives(fresh) -> None:
    with fresh(SHORT) as kernel, fresh() as neighbour:
        answer = kernel.run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
        assert answer.verdict == "timeout"
        assert neighbour.run("import os\nprint(os.waitpid(os.fork() or os._exit(0), 0)[1])").text == "0\n"


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("import os; os._exit(0)", "exit code 0"),
        ("import os; os._exit(7)", "exit code 7"),
        ("import os; os.abort()", "SIGABRT"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL"),
        ("import os; os.killpg(0, 9)", "SIGKILL"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.execv('/bin/true', ['true'])", "exit code 0"),
    ],
)
def test_a_crash_is_said_to_be_one(fresh, source: str, word: str) -> None:
    with fresh() as kernel:
        answer = kernel.run(source)
        assert answer.verdict == "crash", answer
        assert word in kernel.kernel.sentence


@pytest.mark.parametrize(
    "source", ["import sys; sys.exit(3)", "raise SystemExit", "raise KeyboardInterrupt", "exit()"]
)
def test_leaving_politely_is_no_harm(fresh, source: str) -> None:
    with fresh() as kernel:
        kernel.run(source)
        answer = kernel.run("print('here')")
        assert answer.text == "here\n" or answer.verdict == "crash"


def test_killing_everything_harms_nobody(fresh) -> None:
    with fresh() as kernel, fresh() as neighbour:
        kernel.run(
            "import os, signal\n"
            "for number in range(1, 65):\n"
            "    for target in (-1, 1, os.getppid()):\n"
            "        if number != signal.SIGCONT:\n"
            "            try: os.kill(target, number)\n"
            "            except OSError: pass"
        )
        assert neighbour.run("print('here')").text == "here\n"
    os.kill(os.getpid(), 0)


def test_no_process_survives(fresh) -> None:
    with fresh() as kernel:
        kernel.run(
            "import os, time\n"
            "if not os.fork():\n"
            "    os.setsid()\n"
            "    if not os.fork():\n"
            "        os.setsid(); os.execvp('sleep', ['sleep', '98765'])\n"
            "    os._exit(0)\n"
            "import subprocess; subprocess.Popen(['setsid', 'nohup', 'sleep', '98765'])\n"
            "time.sleep(0.3)"
        )
        assert sleeping() >= 2
        kernel.kernel.kill()
        until = time.monotonic() + 10
        while sleeping() and time.monotonic() < until:
            time.sleep(0.02)
        assert sleeping() == 0
        assert kernel.kernel.verdict() == "crash"


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def sleeping() -> int:
    count = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            count += path.read_bytes() == b"sleep\x0098765\x00"
        except OSError:
            continue
    return count


def test_orphans_are_collected(fresh) -> None:
    with fresh() as kernel:
        answer = kernel.run(
            "import os, time\n"
            "for _ in range(200):\n"
            "    child = os.fork()\n"
            "    if not child:\n"
            "        os.fork(); os._exit(0)\n"
            "    os.waitpid(child, 0)\n"
            "time.sleep(0.3); print(len([n for n in os.listdir('/proc') if n.isdigit()]))"
        )
        assert answer.text.strip() == "2", answer


def test_nothing_stays_when_a_kernel_ends(fresh) -> None:
    with fresh() as kernel:
        folder = kernel.kernel.provisioner.folder
        descriptors = open_files()
        assert folder.is_dir() and not list((folder / "r").iterdir())
    assert not folder.exists()
    assert open_files() < descriptors


def test_kernels_leave_no_descriptor(fresh) -> None:
    with fresh():
        pass
    before = open_files()
    for _ in range(3):
        with fresh():
            pass
    assert open_files() <= before


def test_limits_say_what_is_wrong() -> None:
    with pytest.raises(CourseError, match="processes is 0; expected a whole number"):
        Limits(processes=0)
    with pytest.raises(CourseError, match=r"memory_bytes is 1\.5"):
        Limits(memory_bytes=1.5)  # type: ignore[arg-type]
    with pytest.raises(CourseError, match="below cpu_seconds_cell"):
        Limits(cpu_seconds_cell=400)
