"""A forked kernel is as shut in, and gives the same, as one with an interpreter of its own; and it is a fork."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import nlpcourse
from autograder.sandbox import gate, layers, provisioner, warm
from nlpcourse.errors import CourseError


@pytest.fixture(autouse=True)
def forget_refusals(monkeypatch) -> None:
    monkeypatch.setattr(warm, "_refused", {})


@pytest.fixture
def cold(fresh, monkeypatch) -> Callable:
    """Makes a kernel with an interpreter of its own."""

    def start(config, jail, descriptors):
        return gate.start("launch", config, jail, descriptors)

    def make(*arguments):
        monkeypatch.setattr(provisioner.warm, "start", start)
        return fresh(*arguments)

    return make


@pytest.fixture
def other_template() -> Iterator[None]:
    """For a test that changes what a template is made of: the next test gets a template of its own."""
    warm.forget()
    yield
    warm.forget()


def template_id() -> int:
    assert warm._current is not None
    return warm._current[1].process.pid


def session_of(kernel) -> int:
    return os.getsid(gate.process_id(kernel.kernel.gate.kernel))


def test_kernels_are_forked_from_one_template(fresh) -> None:
    with fresh() as one, fresh() as two:
        assert isinstance(one.kernel.gate.process, gate.Forked)
        assert isinstance(two.kernel.gate.process, gate.Forked)
        first = template_id()
        sessions = {session_of(one), session_of(two), os.getsid(first), os.getsid(0)}
        assert len(sessions) == 4, "a signal to one's own process group would reach another kernel"
    with fresh():
        assert template_id() == first


def test_a_template_that_was_got_ready_early_is_the_one_that_kernels_come_from(fresh, other_template) -> None:
    warm.prepare().join(60)
    first = template_id()
    with fresh() as kernel:
        assert isinstance(kernel.kernel.gate.process, gate.Forked)
        assert template_id() == first


#: Everything about a process that a wall is made of, or that may change what code does.
LOOK = """
import ctypes, gc, json, os, random, re, resource, signal, sys, threading, numpy, torch
def status(name):
    return re.search(rf'^{name}:\\s*(.*)$', open('/proc/self/status').read(), re.M).group(1)
def mounts():
    rows = [row.split() for row in open('/proc/self/mountinfo')]
    return sorted({(row[4], row[5], row[row.index('-') + 1]) for row in rows})
def kinds():
    paths = [f'/proc/self/fd/{name}' for name in os.listdir('/proc/self/fd')]
    return sorted({re.sub(r'\\d+', '', os.readlink(path)) for path in paths if os.path.lexists(path)})
def namespaces():
    return {name: os.readlink(f'/proc/self/ns/{name}') for name in os.listdir('/proc/self/ns')}
limits = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith('RLIMIT')}
del limits['RLIMIT_AS']  # above what the process uses by then
kinds_of_privilege = ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp', 'Groups')
found = {
    'privileges': [status(name) for name in kinds_of_privilege],
    'threads': threading.active_count(), 'limits': limits, 'mounts': mounts(), 'open': kinds(),
    'dumpable': ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), 'death': int(status('SigIgn'), 16),
    'caught': int(status('SigCgt'), 16), 'blocked': int(status('SigBlk'), 16), 'umask': status('Umask'),
    'oom': open('/proc/self/oom_score_adj').read(), 'nice': os.nice(0), 'session': os.getsid(0), 'group': os.getpgrp(),
    'environment': dict(os.environ), 'path': sys.path, 'flags': list(sys.flags), 'argv': [sys.argv, sys.orig_argv],
    'finders': [str(type(each)) for each in sys.meta_path], 'folder': os.getcwd(), 'pid': [os.getpid(), os.getppid()],
    'root': sorted(os.listdir('/')), 'processes': sorted(n for n in os.listdir('/proc') if n.isdigit()),
    'home': sorted(os.listdir('.')), 'temporary': os.listdir('/tmp'), 'course': sorted(os.listdir('/course/nlpcourse')),
    'passwd': re.sub(r'\\d+', '', open('/etc/passwd').read()), 'recursion': sys.getrecursionlimit(),
    'names': sorted(globals()), 'main': sys.modules['__main__'] is not None, 'torch threads': torch.get_num_threads(),
    'hash': hash('a'),
    'frozen': gc.get_freeze_count(),
    'types': str(torch.get_default_dtype()), 'grad': torch.is_grad_enabled(), 'host': os.uname().nodename,
}
draws = {'python': random.random(), 'numpy': numpy.random.rand(), 'torch': torch.rand(3).tolist()}
apart = draws | {'namespaces': namespaces()}
print(json.dumps([found, apart]))
"""


def test_a_forked_kernel_is_shut_in_like_one_of_its_own_interpreter(fresh, cold) -> None:
    with fresh() as one, fresh() as two:
        found, apart = json.loads(one.run(LOOK).text)
        _, neighbour = json.loads(two.run(LOOK).text)
    with cold() as kernel:
        assert not isinstance(kernel.kernel.gate.process, gate.Forked)
        expected, alone = json.loads(kernel.run(LOOK).text)
    for name, value in expected.items():
        assert found[name] == value, name
    grader = {each.name: str(each.readlink()) for each in Path("/proc/self/ns").iterdir()}
    for name in ("mnt", "pid", "net", "ipc", "uts"):
        assert len({apart["namespaces"][name], neighbour["namespaces"][name], grader[name]}) == 3, name
    own_user = alone["namespaces"]["user"] != grader["user"]
    assert (
        len({each["namespaces"]["user"] for each in (apart, neighbour)} | {grader["user"]}) == 3
    ) == own_user
    for name in ("python", "numpy", "torch"):
        assert apart[name] != neighbour[name], name


def test_what_was_imported_before_works_in_the_kernel(fresh) -> None:
    with fresh() as kernel:
        answer = kernel.run(
            "import sys; print('matplotlib.pyplot' in sys.modules, 'torch._dynamo' in sys.modules)\n"
            "import matplotlib.pyplot as plt, torch\n"
            "model = torch.nn.Linear(2, 2); optimizer = torch.optim.Adam(model.parameters())\n"
            "model(torch.ones(1, 2)).sum().backward(); optimizer.step()\n"
            "print(all(p.grad is not None for p in model.parameters()))\n"
            "plt.plot([1, 2]); plt.savefig('figure.png'); plt.close()\n"
            "import os; print(os.path.getsize('figure.png') > 1000)"
        )
        assert (answer.text.split(), answer.error) == (["False", "True", "True", "True"], "")


def test_a_kernel_learns_nothing_of_another(fresh) -> None:
    """The key of an earlier kernel is nowhere in a later one's memory; its own key is, so the search can find."""
    search = (
        "up = bytes((each + 1) % 256 for each in range(256))  # the key itself must not come into memory here\n"
        "def found(key_up):\n"
        "    count = 0\n"
        "    with open('/proc/self/maps') as maps, open('/proc/self/mem', 'rb', 0) as memory:\n"
        "        for row in maps:\n"
        "            area, rights = row.split()[:2]\n"
        "            if not rights.startswith('rw'): continue\n"
        "            start, end = (int(each, 16) for each in area.split('-'))\n"
        "            for at in range(start, end, 1 << 24):\n"
        "                memory.seek(at)\n"
        "                try: count += memory.read(min(1 << 24, end - at)).translate(up).count(key_up)\n"
        "                except OSError: pass\n"
        "    return count\n"
    )
    with fresh() as one, fresh() as two:
        keys = [each.kernel.provisioner.connection_info["key"] for each in (one, two)]
        two.run(search)
        shifted = [bytes(each + 1 for each in key).hex() for key in keys]
        others, own = (int(two.run(f"print(found(bytes.fromhex({key!r})))").text) for key in shifted)
    assert keys[0] != keys[1] and own > 0 and others == 0


def test_a_template_that_was_killed_is_replaced(fresh) -> None:
    with fresh() as kernel:
        first = template_id()
        os.kill(first, signal.SIGKILL)
        assert kernel.run("print('here')").text == "here\n", "a kernel needs its template no more"
        with fresh() as other:
            assert other.run("print('here')").text == "here\n"
            assert isinstance(other.kernel.gate.process, gate.Forked)
            assert template_id() != first


def test_a_template_that_dies_while_it_is_asked_is_replaced(fresh, monkeypatch) -> None:
    with fresh():
        first = template_id()
    os.kill(first, signal.SIGSTOP)
    wait, waits = gate.wait_until_ready, []

    def kill_first(*arguments):
        waits.append(arguments)
        if len(waits) == 1:
            os.kill(first, signal.SIGKILL)
        return wait(*arguments)

    monkeypatch.setattr(gate, "wait_until_ready", kill_first)
    with fresh() as kernel:
        assert isinstance(kernel.kernel.gate.process, gate.Forked)
        assert template_id() != first


def test_a_changed_package_or_course_makes_a_new_template(
    fresh, monkeypatch, tmp_path, other_template
) -> None:
    packages = tmp_path / "site-packages"
    (packages / "tool-1.0.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(packages)
    with fresh():
        first = template_id()
    with fresh():
        assert template_id() == first
    (packages / "tool-1.0.dist-info").rename(packages / "tool-1.1.dist-info")
    with fresh():
        assert template_id() != first


def test_the_stamp_follows_every_file_of_the_course(monkeypatch, tmp_path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("__init__.py", "data/words.py"):
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(nlpcourse, "__file__", str(tmp_path / "__init__.py"))
    before = warm.stamp()
    assert warm.stamp() == before
    os.utime(tmp_path / "data" / "words.py", ns=(1, 1))
    assert warm.stamp() != before


def test_without_a_template_kernels_start_cold_and_the_reason_is_known(
    fresh, monkeypatch, caplog, other_template
) -> None:
    sources = gate.sources()
    sources["agent"] += (
        "\nimport threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n"
    )
    monkeypatch.setattr(gate, "sources", lambda: sources)
    with fresh() as kernel:
        assert not isinstance(kernel.kernel.gate.process, gate.Forked)
        assert kernel.run("print('here')").text == "here\n"
    (message,) = [record.message for record in caplog.records if "cold" in record.message]
    assert "started 1 threads" in message
    began = time.monotonic()
    monkeypatch.setattr(warm, "Template", None)  # it is not tried again
    with fresh():
        assert time.monotonic() > began
    (finding,) = [each for each in layers.findings() if each.name == "sandbox: warm kernels"]
    assert finding.ok is None and "started 1 threads" in finding.detail and "cold" in finding.detail


def test_an_open_file_in_the_template_is_refused(fresh, monkeypatch, other_template) -> None:
    sources = gate.sources()
    sources["agent"] += "\nkept = open('/etc/passwd')\n"
    monkeypatch.setattr(gate, "sources", lambda: sources)
    with fresh() as kernel:
        assert not isinstance(kernel.kernel.gate.process, gate.Forked)
    (reason,) = warm._refused.values()
    assert "left files open" in reason and "/etc/passwd" in reason


def test_the_doctor_says_that_kernels_are_warm(sandbox) -> None:
    (finding,) = [each for each in layers.findings() if each.name == "sandbox: warm kernels"]
    assert finding.ok is True and "ms" in finding.detail


def test_the_template_shows_what_its_kernels_see_and_no_more(fresh) -> None:
    """It never had the checks, the solutions or a salt before it, so it cannot hold them."""
    with fresh():
        root = Path(f"/proc/{template_id()}/root")
        repository = Path(__file__).resolve().parents[3]
        for hidden in (repository / "autograder", repository / "solutions", Path("/etc/shadow")):
            assert not (root / hidden.relative_to("/")).exists(), hidden
        assert (root / "course/nlpcourse/__init__.py").is_file()
        environment = Path(f"/proc/{template_id()}/environ").read_text().split("\0")
        assert {each.partition("=")[0] for each in environment if each} == set(gate.environment())


def test_nbclient_gets_warm_kernels_without_the_grader(sandbox, spec: str) -> None:
    cells = ["import os; print(os.getcwd())", "import torch; print(torch.ones(2).sum().item())"]
    templates = set()
    for _ in range(2):
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        NotebookClient(notebook, kernel_name=spec, timeout=300).execute()
        assert [cell.outputs[0].text for cell in notebook.cells] == ["/home/student\n", "2.0\n"]
        templates.add(template_id())
    assert len(templates) == 1


def test_an_end_is_told_by_its_exit_code(fresh) -> None:
    with fresh() as kernel:
        kernel.run("import os; os._exit(7)")
        process = kernel.kernel.provisioner.process
        assert process.wait() == process.poll() == 7
    with fresh() as kernel:
        process = kernel.kernel.provisioner.process
        assert process.poll() is None
        process.kill()
        assert process.wait() == -signal.SIGKILL


def test_the_template_ends_with_the_grader(sandbox) -> None:
    program = (
        "import asyncio, os, signal\n"
        "from autograder.sandbox import warm\n"
        "from autograder.sandbox.kernel import SandboxedKernel\n"
        "async def main():\n"
        "    async with SandboxedKernel(): print(warm._current[1].process.pid, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip().isdigit(), done.stderr
    process, until = Path(f"/proc/{int(done.stdout)}"), time.monotonic() + 10
    while process.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not process.exists()


def test_a_jail_that_cannot_be_made_is_an_error_and_not_a_loop(
    sandbox, fresh, monkeypatch, other_template
) -> None:
    settings = gate.jail_settings
    monkeypatch.setattr(gate, "jail_settings", lambda *given: settings(*given) | {"base": "/nowhere"})
    with pytest.raises(CourseError, match=r"the sandbox did not start: .*nowhere"), fresh():
        pass
