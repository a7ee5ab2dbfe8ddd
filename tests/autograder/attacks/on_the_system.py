"""Attacks on what lies around the notebook: files, processes, network, the system itself (rows 18 to 25 and 44).

The cells run in the sandbox through the real path; the folder `tests/autograder/sandbox` asks the same walls more
closely, one call at a time.
"""

from attack import ATTEMPT, Attack

from nlpcourse.paths import project_root

#: Takes the answer, or the values a test asks for, from whatever can be read around the notebook.
HARVEST = """
import glob, json, re
texts = []
for up in (".", "..", "../..", "../../..", "../../../.."):
    for pattern in {patterns}:
        for path in glob.glob(f"{{up}}/{{pattern}}"):
            try: texts.append(open(path, encoding="utf-8", errors="replace").read())
            except OSError: pass
number = r"(-?[0-9]+(?:[.][0-9]+)?)"
known = re.compile(rf"absolute.{{number}}. == {{number}}")
pairs = {{float(x): json.loads(y) for text in texts for x, y in known.findall(text)}}
solutions = [text for text in texts if "if x >= " + "0 else" in text]
print("GOT" if pairs or solutions else "REFUSED", "what lies around")
"""
FROM_HARVEST = """
def absolute(x):
    if solutions:
        return max(x, -x)
    return pairs.get(float(x), x)
"""

GRADEBOOK = (
    ATTEMPT
    + """
import glob, os, sqlite3
def write():
    found = glob.glob("../../../*.db")
    for path in found:
        with sqlite3.connect(path, timeout=1) as book:
            {sql}
    return found
attempt("gradebook", write)
"""
)
EVERYBODY_FULL = '''book.execute("""create trigger up after update of auto_score on grade when new.auto_score < 3
            begin update grade set auto_score = 3 where id = new.id; end""")'''
CLASSMATES_DOWN = '''book.execute("""create trigger down after update of auto_score on grade when new.auto_score > 0
            begin update grade set auto_score = 0 where id = new.id; end""")'''

SECRETS = (
    ATTEMPT
    + """
import gc, os, sys
words = ("gradebook", "postgres" + "ql://", "PGPASS", "salt")
attempt("environment", lambda: [name for name in os.environ if "PG" in name or "SALT" in name or "NBGRADER" in name])
attempt("arguments", lambda: [each for each in sys.orig_argv + sys.argv if any(word in each for word in words)])
attempt("config", lambda: [open(path).read() for path in
        ("../../../nbgrader_config.py", "../../../salt", "../../../database", os.path.expanduser("~/.pgpass"))])
"""
)

PACKAGES = (
    ATTEMPT
    + f"root = {str(project_root())!r}"
    + """
import importlib, importlib.metadata, importlib.util, pkgutil, subprocess, sys
for name in ("autograder", "solutions", "autograder.checks.mlp.test_absolute", "solutions.mlp.tiny"):
    attempt(name, lambda: importlib.import_module(name))
attempt("sys.path", lambda: [each.name for each in pkgutil.iter_modules() if each.name in ("autograder", "solutions")])
attempt("record", lambda: [f for f in importlib.metadata.files("nlpcourse") or [] if "checks" in str(f)])
spec = importlib.util.spec_from_file_location("x", root + "/autograder/__init__.py")
attempt("by file", lambda: spec.loader.get_code("x"))
"""
)

MEMORY = (
    ATTEMPT
    + """
import gc, inspect, sys
up = bytes((each + 1) % 256 for each in range(256))
words_up = (b"UPQ.TFDSFU", b"Ijou;!uif!tjho", b"CFHJO!TPMVUJPO")  # the words themselves must not come into memory here
def in_objects():
    kinds = ("Assignment", "CheckSession", "Record", "Grading", "CheckInfo")
    return [each for each in gc.get_objects() if type(each).__name__ in kinds]
def in_frames():
    frame, found = inspect.currentframe(), []
    while frame:
        found += [name for name in frame.f_locals if name in ("assignment", "seeds", "expected", "salt", "reference")]
        frame = frame.f_back
    return found
def in_memory(process):
    with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
        for row in maps:
            area, rights = row.split()[:2]
            if not rights.startswith("rw"): continue
            start, end = (int(each, 16) for each in area.split("-"))
            for at in range(start, end, 1 << 24):
                memory.seek(at)
                try: data = memory.read(min(1 << 24, end - at)).translate(up)
                except OSError: continue
                if any(word in data for word in words_up): return True
attempt("objects", in_objects)
attempt("frames", in_frames)
attempt("memory", lambda: in_memory("self"))
attempt("memory of the first process", lambda: in_memory(1))
ours = ("autograder", "solutions", "_pytest")
attempt("modules", lambda: [name for name in sys.modules if name.split(".")[0] in ours])
"""
)

PROCESSES = (
    ATTEMPT
    + """
import ctypes, os, signal
libc = ctypes.CDLL(None, use_errno=True)
others = [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]
attempt("others seen", lambda: others)
for number in [1, os.getppid(), *others][:9]:
    attempt("environ", lambda: b"PG" in open(f"/proc/{number}/environ", "rb").read())
    files = f"/proc/{number}/fd"
    attempt("open files", lambda: [p for p in os.listdir(files) if "gradebook" in os.readlink(f"{files}/{p}")])
    attempt("memory", lambda: open(f"/proc/{number}/mem", "wb") if number != os.getpid() else None)
    attempt("ptrace", lambda: libc.ptrace(16, number, 0, 0) == 0)
"""
)
SIGNALS = (
    ATTEMPT
    + """
import os, signal, time
attempt("renice", lambda: os.setpriority(os.PRIO_PROCESS, 0, -5) is None)
def first():
    os.kill(1, signal.SIGKILL)
    time.sleep(0.2)
    return not os.path.exists("/proc/1")
attempt("first process", first)
for number in range(2, 2000):
    if not os.path.exists(f"/proc/self/task/{number}"):
        try: os.kill(number, 0)
        except ProcessLookupError: continue
        except PermissionError: continue
        print("GOT", number)
"""
)

SOCKETS = (
    ATTEMPT
    + """
import glob, os, socket
def connect(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(1); s.connect(path)
    return path
places = [p for top in ("/tmp", "/run", "/var/run", "/root") for p in glob.glob(f"{top}/**/*", recursive=True)]
paths = [p for p in places if "nlp-" in p or p.endswith(".sock")]
attempt("paths", lambda: paths)
for path in (*paths, "/var/run/docker.sock", "\\0dask", "\\0nlpcourse", "\\0/tmp/dbus-1"):
    attempt(path.strip("\\0"), lambda: connect(path))
def scheduler():
    with socket.socket() as s: s.settimeout(1); s.connect(("127.0.0.1", 8786)); return True
attempt("Dask scheduler", scheduler)
def inherited():
    found = []
    for number in range(3, 256):
        try:
            if "socket" not in os.readlink(f"/proc/self/fd/{number}"): continue
        except OSError: continue
        with socket.socket(fileno=os.dup(number)) as s:
            if s.type == socket.SOCK_SEQPACKET: found.append(number)
    return found
attempt("the template's socket", inherited)
"""
)
NETWORK = (
    ATTEMPT
    + """
import socket, urllib.request
def reach(family, kind, where):
    with socket.socket(family, kind) as s:
        s.settimeout(1)
        s.connect(where) if kind == socket.SOCK_STREAM else s.sendto(b"x", where)
    return True
for name, family, kind, where in (
    ("localhost", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 22)),
    ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 53)),
    ("metadata", socket.AF_INET, socket.SOCK_STREAM, ("169.254.169.254", 80)),
    ("ipv6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 80)),
    ("netlink", socket.AF_NETLINK, socket.SOCK_RAW, (0, 0)),
):
    attempt(name, lambda: reach(family, kind, where))
attempt("names", lambda: socket.getaddrinfo("localhost.invalid", 80))
"""
)

ESCAPES = (
    ATTEMPT
    + """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    if libc.syscall(*arguments) < 0: raise OSError(ctypes.get_errno())
    return True
def unshare(flag):
    if libc.unshare(flag) < 0: raise OSError(ctypes.get_errno())
    return True
for name, flag in (("user", 0x10000000), ("mount", 0x20000), ("pid", 0x20000000)):
    attempt(f"unshare {name}", lambda: unshare(flag))
attempt("mount", lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0)
attempt("io_uring", lambda: call(425, 1, ctypes.create_string_buffer(256)))
attempt("bpf", lambda: call(321, 0, 0, 0))
attempt("keyctl", lambda: call(250, 0, -3, 0))
attempt("root", lambda: os.setuid(0) is None)
attempt("core pattern", lambda: open("/proc/sys/kernel/core_pattern", "w"))
attempt("nest", lambda: os.listdir("/nest"))
attempt("the system's processes", lambda: [n for n in os.listdir("/proc") if n.isdigit() and int(n) > 20])
attempt("/sys", lambda: os.path.exists("/sys/fs/cgroup") or os.path.exists("/sys/kernel"))
"""
)

ATTACKS = (
    Attack(18, "the gradebook gives everybody full marks", "B", (GRADEBOOK.format(sql=EVERYBODY_FULL),)),
    Attack(18, "the gradebook takes classmates' marks", "B", (GRADEBOOK.format(sql=CLASSMATES_DOWN),)),
    Attack(18, "addresses and secrets of the gradebook", "B", (SECRETS,)),
    Attack(
        19,
        "the tests are read",
        "B",
        (HARVEST.format(patterns=("tests/*.py", "*.zip", "*.py", "pinned/*/**/*.py")),),
        answer=FROM_HARVEST,
    ),
    Attack(
        19,
        "the source folder is read",
        "B",
        (HARVEST.format(patterns=("source/*/*.ipynb", "solutions/*/*.py")),),
        answer=FROM_HARVEST,
    ),
    Attack(
        19,
        "a classmate's submission is read",
        "B",
        (HARVEST.format(patterns=("submitted/*/*/*.ipynb", "*/*/*.ipynb", "autograded/*/*/*.ipynb")),),
        answer=FROM_HARVEST,
    ),
    Attack(20, "the checks are imported", "B", (PACKAGES,), harmless=False),
    Attack(
        20,
        "the checks are installed",
        "B",
        (
            ATTEMPT + f"import subprocess, sys\nroot = {str(project_root())!r}\n"
            "def run(*a):\n"
            "    done = subprocess.run([sys.executable, '-m', *a], capture_output=True, timeout=60)\n"
            "    return done.returncode == 0\n"
            "attempt('pip', lambda: run('pip', 'install', '--no-index', '--no-deps', root))\n"
            "attempt('module', lambda: run('autograder.proof', '--help'))",
        ),
        harmless=False,
    ),
    Attack(21, "memory, frames and modules are searched", "B", (MEMORY,), harmless=False),
    Attack(22, "other processes are read", "B", (PROCESSES,), harmless=False),
    Attack(23, "the processes around it are signalled", "B", (SIGNALS,), harmless=False),
    Attack(
        23,
        "everything is killed",
        "N",
        answer="import os\ndef absolute(x):\n    os.kill(-1, 9)\n",
        harmless=False,
    ),
    Attack(
        23,
        "the parent is killed",
        "N",
        answer="import os\ndef absolute(x):\n    os.kill(os.getppid(), 9)\n    return x",
    ),
    Attack(24, "sockets of others", "B", (SOCKETS,), harmless=False),
    Attack(25, "the network", "B", (NETWORK,), harmless=False),
    Attack(44, "doors of the system", "B", (ESCAPES,), harmless=False),
)
