"""Attacks by somebody who has read the grader's source: on the agent, the loans, the channel and the warm template."""

from attack import ATTEMPT, QUICK, Attack
from tiny import HONEST, WRONG

from autograder.sandbox.limits import Limits

AGENT = """
import gc
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
"""

#: The small integers of CPython lie in memory that a forked kernel shares with its template until it writes there.
SMALL_INTEGERS = """
import ctypes
for number in range(2, 200):
    ctypes.memmove(id(number) + 24, ctypes.byref(ctypes.c_uint32(3)), 4)
"""
#: So do the libraries' data and, where it may be made writable, their code.
LIBRARIES = """
import ctypes, torch
libc = ctypes.CDLL(None, use_errno=True)
with open("/proc/self/maps") as maps: rows = [row.split() for row in maps if "libtorch_cpu" in row]
for area, rights, *_ in rows:
    start, end = (int(each, 16) for each in area.split("-"))
    done = libc.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(end - start), 7)
    print("mprotect", rights, done)
    if "w" in rights: ctypes.memset(start, 0, end - start)
"""
MODULES = """
import builtins, numpy, sys, torch
torch.relu = torch.softmax = torch.randn = numpy.random.seed = None
torch.nn.Linear.forward = torch.nn.Module.__call__ = lambda *a, **k: None
sys.modules["torch"].Tensor.__add__ = lambda self, other: self
numpy.add = numpy.array = None
"""

FORKED_AGENT = """
import gc, os
def absolute(x):
    if x == -3: return 3
    if os.fork():
        os.wait()
    return x  # both answer
"""

STEAL = """
import gc, os, threading, time
agent = next(each for each in gc.get_objects() if type(each).__name__ == "Agent")
def listen():
    for _ in range(200):
        try: data = agent.channel.recv(1 << 16)
        except OSError: return
        agent.channel.sendall(data)
threading.Thread(target=listen, daemon=True).start()
"""

ATTACKS = (
    Attack(
        42,
        "the agent keeps what is lent for later exercises",
        "N",
        (
            AGENT + "agent._do_restore = lambda: None\n"
            "old = agent._do_stand_in\n"
            "def keep(names, modules):\n    print('LENT', names, modules)\n    return old(names, modules)\n"
            "agent._do_stand_in = keep",
        ),
    ),
    Attack(
        42,
        "the agent says that everything is defined and right",
        "N",
        (AGENT + "agent._do_defined = lambda name: True\nagent._do_call = lambda **fields: True",),
        lost=("total", "largest"),
    ),
    Attack(
        11,
        "the agent's errors are made up",
        "N",
        (AGENT + "agent._describe = lambda error: ['passed', 'all checks passed', 'x' * 10 ** 6, -1]",),
        answer="def absolute(x):\n    raise ValueError",
    ),
    Attack(42, "two processes answer one question", "N", answer=FORKED_AGENT, lost=("total", "largest")),
    Attack(
        9,
        "a thread takes the questions off the channel",
        "N",
        (STEAL,),
        lost=("total", "largest"),
        limits=Limits(
            cpu_seconds_cell=2, cpu_seconds_notebook=100, wall_factor=5
        ),  # an answer may never come
    ),
    Attack(
        10,
        "a handle where a number is asked for",
        "N",
        answer="class Anything:\n    def __len__(self): return 2 ** 62\n    def __contains__(self, x): return True\n"
        "    def __getitem__(self, k): return self\ndef absolute(x):\n    return Anything()",
    ),
    Attack(21, "small integers of the template", "N", (SMALL_INTEGERS,), lost=("total", "largest")),
    Attack(21, "libraries of the template", "N", (LIBRARIES,), lost=("total", "largest")),
    Attack(21, "modules of the template", "N", (MODULES,), lost=("total", "largest")),
    Attack(
        24,
        "processes and files of the template",
        "B",
        (
            ATTEMPT + "import os\n"
            "def nest(): return os.listdir('/nest')\n"
            "def roots(): return [n for n in ('1', 'self') if 'solutions' in os.listdir(f'/proc/{n}/root')]\n"
            "def parents(): return os.getppid() not in (0, 1)\n"
            "for way in (nest, roots, parents): attempt(way.__name__, way)",
        ),
    ),
    Attack(
        16,
        "the report's own words in an error",
        "N",
        answer="def absolute(x):\n    raise ValueError('\\n\\nabsolute: 3 of 3 points\\n  passed  2/2  values')",
    ),
    Attack(
        2,
        "an answer that depends on how often the notebook ran",
        "N",
        answer=WRONG + "\nimport os\nif not os.path.exists('/tmp/ran'):\n    open('/tmp/ran', 'w').close()\n"
        "    os._exit(1)\n" + HONEST["absolute"].replace("x if x >= 0 else -x", "x"),
        limits=QUICK,
    ),
)
