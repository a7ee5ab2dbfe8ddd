"""Attacks by taking too much (rows 26 to 32 and 43): only the exercise, or the submission, is lost.

The limits are small, so that each form takes about a second. Time is measured in CPU seconds.
"""

from attack import QUICK, Attack
from tiny import WRONG

from autograder.sandbox.limits import GIB, Limits

ONE_SECOND = Limits(cpu_seconds_cell=1, cpu_seconds_notebook=100, wall_factor=100)
SMALL = Limits(cpu_seconds_cell=2, cpu_seconds_notebook=100, wall_factor=100, memory_bytes=GIB)
IMPATIENT = Limits(cpu_seconds_cell=1, cpu_seconds_notebook=20, wall_factor=3)
SHORT_NOTEBOOK = Limits(cpu_seconds_cell=2, cpu_seconds_notebook=4, wall_factor=100)

WORK = """
import time
until = time.process_time() + {seconds}
while time.process_time() < until: pass
"""

FORK = """
import os, threading, time
def absolute(x):
    while True:
        try: os.fork()
        except OSError: time.sleep(0.01)
"""
THREADS = """
import threading, time
def absolute(x):
    try:
        while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        return x
"""
DAEMON = """
import os, time
children = []
def absolute(x):
    if not children and os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(0.1)
        os._exit(0)
    children.append(x)
    return x
"""
SPOOL = """
import subprocess
def absolute(x):
    for command in ("crontab -l", "at now", "systemctl status", "setsid sleep 60", "nohup sleep 60"):
        try: subprocess.Popen(command.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except OSError: pass
    return x
"""

FLOODS = {
    "a hundred MB of text": "print('x' * 100_000_000)",
    "a hundred thousand displays": "from IPython.display import display\nfor n in range(100_000): display(n)",
    "a huge repr": "class Big:\n    def __repr__(self): return 'r' * 300_000_000\nBig()",
    "a huge picture": "from IPython.display import Image, display\n"
    "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + b'0' * 30_000_000, format='png'))",
    "colours and carriage returns": "import sys\nfor n in range(100_000): sys.stderr.write('\\r\\x1b[31m' + 'y' * 100)",
}
MEMORY = {
    "a list": "    return [0] * (1 << 40)",
    "a tensor": "    import torch\n    return torch.ones(1 << 36)",
    "a map": "    import mmap\n    return mmap.mmap(-1, 1 << 40, flags=mmap.MAP_PRIVATE)[0]",
    "bytes, slowly": "    kept = []\n    while True: kept.append(bytearray(1 << 24))",
    "shared memory": "    with open('/dev/shm/big', 'wb') as file:\n        while True: file.write(b'x' * (1 << 20))",
}
DISK = {
    "one file": "    with open('big', 'wb') as file:\n        while True: file.write(b'x' * (1 << 20))",
    "many files": "    for n in range(10 ** 6): open(f'/tmp/{n}', 'w').close()",
    "a sparse file": "    with open('sparse', 'wb') as file: file.truncate(1 << 50)",
}
LOOPS = {
    "plain": "def absolute(x):\n    while True: pass",
    "interrupts ignored": "import signal\ndef absolute(x):\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "    while True: pass",
    "everything caught": "def absolute(x):\n    while True:\n        try:\n            while True: pass\n"
    "        except BaseException: pass",
    "in C": "def absolute(x):\n    return sum(iter(int, 1))",
}

ATTACKS = (
    Attack(26, "forks", "C", answer=FORK, limits=ONE_SECOND, harmless=False),
    Attack(26, "threads", "N", answer=THREADS, lost=("total", "largest"), limits=ONE_SECOND, harmless=False),
    *(
        Attack(27, name, "C", answer=f"def absolute(x):\n{body}", limits=SMALL, harmless=False)
        for name, body in MEMORY.items()
    ),
    *(
        Attack(28, name, "C", answer=f"def absolute(x):\n{body}", harmless=False)
        for name, body in DISK.items()
    ),
    *(
        Attack(29, name, "N", (body,), never=("x" * 2_000_000,), limits=SMALL, harmless=False)
        for name, body in FLOODS.items()
    ),
    *(Attack(30, name, "C", answer=text, limits=ONE_SECOND, harmless=False) for name, text in LOOPS.items()),
    Attack(
        30,
        "sleeping for ever",
        "C",
        answer="import time\ndef absolute(x):\n    time.sleep(1e6)",
        limits=IMPATIENT,
        harmless=False,
    ),
    Attack(
        31,
        "each cell just within its limit, in front",
        "C",
        (WORK.format(seconds=1),) * 6,
        lost=("total", "largest"),
        limits=SHORT_NOTEBOOK,
        harmless=False,
    ),
    Attack(
        31,
        "each cell just within its limit, behind",
        "N",
        after=(WORK.format(seconds=1),) * 6,
        limits=SHORT_NOTEBOOK,
        harmless=False,
    ),
    Attack(32, "a double fork", "N", answer=DAEMON, harmless=False),
    Attack(32, "programs that outlive it", "N", answer=SPOOL, harmless=False),
    Attack(
        43,
        "all threads and processors",
        "N",
        (
            "import os, torch\n"
            "os.environ.update(OMP_NUM_THREADS='64', MKL_NUM_THREADS='64')\n"
            "torch.set_num_threads(64)\n"
            "try: os.sched_setaffinity(0, range(os.cpu_count()))\n"
            "except OSError as error: print(error)\n"
            "(torch.ones(500, 500) @ torch.ones(500, 500)).sum()",
        ),
        harmless=False,
    ),
    Attack(
        43,
        "threads that never rest",
        "C",
        (
            "import threading\n"
            "def spin():\n    while True: pass\n"
            "for _ in range(8): threading.Thread(target=spin, daemon=True).start()",
        ),
        lost=("total", "largest"),
        limits=Limits(cpu_seconds_cell=1, cpu_seconds_notebook=10, wall_factor=100),
        harmless=False,
    ),
    Attack(
        43, "no graphics card", "N", answer=WRONG + "\nimport torch\ntorch.cuda.is_available()", limits=QUICK
    ),
)
