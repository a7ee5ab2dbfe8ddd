"""Any Jupyter client can use the sandbox: by the provisioner's name, without the grader."""

import subprocess
import sys
import time
from importlib.metadata import entry_points
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from autograder.sandbox import gate
from autograder.sandbox.provisioner import SandboxProvisioner
from nlpcourse.errors import CourseError


def test_the_entry_point_is_registered() -> None:
    (found,) = entry_points(group="jupyter_client.kernel_provisioners", name="nlpcourse-sandbox")
    assert found.load() is SandboxProvisioner


def test_plain_nbclient_runs_a_notebook_in_the_sandbox(sandbox, spec: str) -> None:
    cells = [
        "import os; os.getcwd()",
        "%matplotlib inline\nimport matplotlib.pyplot as plt; plt.plot([1, 2]); plt.show()",
        "import socket\ntry: socket.socket()\nexcept PermissionError as e: print('refused')",
        f"import os; print(os.path.exists({str(Path(__file__).resolve().parents[3] / 'autograder')!r}))",
        "print('out'); import sys; print('err', file=sys.stderr)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name=spec, timeout=120).execute()
    outputs = [cell.outputs for cell in notebook.cells]
    assert outputs[0][0]["data"]["text/plain"] == "'/home/student'"
    assert "image/png" in outputs[1][0]["data"]
    assert [output.text for output in (outputs[2][0], outputs[3][0])] == ["refused\n", "False\n"]
    assert {output.name: output.text for output in outputs[4]} == {"stdout": "out\n", "stderr": "err\n"}


def test_an_error_in_a_notebook_is_the_notebooks(sandbox, spec: str) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 / 0")])
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        NotebookClient(notebook, kernel_name=spec, timeout=120).execute()


def test_the_interrupt_of_a_client_reaches_the_cell(fresh) -> None:
    with fresh() as kernel:
        request = kernel.kernel.client.execute("import time\nfor _ in range(1000): time.sleep(0.1)")
        time.sleep(1)
        kernel.loop.run_until_complete(kernel.kernel.manager.interrupt_kernel())
        reply = kernel.loop.run_until_complete(kernel.kernel.client._recv_reply(request, timeout=60))
        assert reply["content"]["ename"] == "KeyboardInterrupt"


def test_a_restarted_kernel_is_a_new_one(fresh) -> None:
    with fresh() as kernel:
        kernel.run("x = 1")
        kernel.loop.run_until_complete(kernel.kernel.manager.restart_kernel(now=True))
        kernel.loop.run_until_complete(kernel.kernel.client.wait_for_ready(timeout=60))
        assert kernel.run("print('x' in globals())").text == "False\n"


def test_the_agent_answers_over_the_channel(fresh) -> None:
    from autograder.wall.student import Student

    with fresh() as kernel:
        kernel.run("def double(x): return 2 * x")
        student = Student(kernel.kernel.channel, alive=kernel.kernel.verdict)
        assert student.double(21) == 42


def test_without_a_jail_the_same_kernel_runs(fresh) -> None:
    """The way of one's own demo on a system without a sandbox; it uses nothing that only Linux has."""
    from autograder.wall.student import Student

    with fresh(unsafe=True) as kernel:
        assert kernel.run("import nlpcourse, torch; print('ok')").text == "ok\n"
        kernel.run("def double(x): return 2 * x")
        assert Student(kernel.kernel.channel, alive=kernel.kernel.verdict).double(4) == 8
        assert kernel.kernel.usage().cpu_seconds > 0 and kernel.kernel.usage().memory_bytes > 1 << 20
        assert kernel.kernel.live is None
        kernel.kernel.kill()
        assert kernel.kernel.verdict() == "crash"


@pytest.mark.parametrize("place", ["/tmp", "/home/student"])
def test_a_course_kept_where_the_student_may_write(sandbox, fresh, monkeypatch, tmp_path, place) -> None:
    """An environment in /tmp, say, is shown there, and stays read-only."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "tool.py").write_text("answer = 42\n", encoding="ascii")
    (tmp_path / "kept" / "private.py").write_text("hidden = 1\n", encoding="ascii")
    shown = f"{place}/course/tools"
    settings = gate.jail_settings

    def with_tools(*arguments):
        given = settings(*arguments)
        placed = given["placed"] | {shown: str(tmp_path / "kept")}
        return given | {"placed": placed, "blank": [*given["blank"], f"{shown}/private.py"]}

    monkeypatch.setattr(gate, "jail_settings", with_tools)
    with fresh() as kernel:
        assert (
            kernel.run(f"import sys; sys.path.append({shown!r}); import tool; print(tool.answer)").text
            == "42\n"
        )
        assert kernel.run(f"print(open('{shown}/private.py').read())").text == "\n"
        assert "Read-only" in kernel.run(f"open('{shown}/tool.py', 'w')").error
        assert kernel.run(f"print(open('{place}/mine', 'w').write('mine'))").text == "4\n"


def test_a_jail_that_cannot_be_made_says_why(sandbox, fresh, monkeypatch) -> None:
    settings = gate.jail_settings
    monkeypatch.setattr(
        gate,
        "jail_settings",
        lambda *arguments: (
            settings(*arguments) | {"placed": {"/course/x": "/nowhere"}} | {"base": "/nowhere"}
        ),
    )
    with pytest.raises(CourseError, match=r"the sandbox did not start: .*nowhere"), fresh():
        pass


def test_the_grader_killed_takes_the_kernel_with_it(sandbox) -> None:
    program = (
        "import asyncio, os\n"
        "from autograder.sandbox.kernel import SandboxedKernel\n"
        "async def main():\n"
        "    kernel = SandboxedKernel(); await kernel.start()\n"
        '    kernel.client.execute(\'import os; os.execvp("sleep", ["sleep", "87654"])\')\n'
        "    await asyncio.sleep(1); print(os.getpid(), flush=True); os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip().isdigit(), done.stderr
    pid = int(done.stdout)
    until = time.monotonic() + 10
    while sleeping() and time.monotonic() < until:
        time.sleep(0.02)
    assert not sleeping()
    while list(Path("/sys/fs/cgroup").glob(f"*/**/nlpcourse-{pid}-*")) and time.monotonic() < until:
        time.sleep(0.02)
    assert not list(Path("/sys/fs/cgroup").glob(f"**/nlpcourse-{pid}-*"))


def sleeping() -> bool:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes() == b"sleep\x0087654\x00":
                return True
        except OSError:
            continue
    return False
