"""A kernel that tests can talk to in plain sentences, and the machine's own half of each wall."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from autograder.sandbox.kernel import SandboxedKernel
from autograder.sandbox.layers import layers
from autograder.sandbox.limits import Limits

ROOT = Path(__file__).resolve().parents[3]
ANSI = re.compile(r"\x1b\[[0-9;]*m")


@dataclass
class Answer:
    """What one cell led to."""

    text: str
    """Everything it printed or displayed as text."""
    error: str
    """Name and message of the exception, or empty."""
    verdict: str | None
    """Why the kernel ended, or None."""


class Talk:
    """A started kernel, asked and answered one cell at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, kernel: SandboxedKernel) -> None:
        self.loop, self.kernel = loop, kernel

    def run(self, source: str, seconds: float = 60) -> Answer:
        return self.loop.run_until_complete(self._run(source, seconds))

    async def _run(self, source: str, seconds: float) -> Answer:
        self.kernel.begin_cell()
        client = self.kernel.client
        request = client.execute(source)
        text, error, until = [], "", time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                message = await client.get_iopub_msg(timeout=0.1)
            except Empty:
                if (verdict := self.kernel.verdict()) is not None:
                    return Answer("".join(text), error, verdict)
                continue
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "stream":
                text.append(content["text"])
            elif kind in ("execute_result", "display_data"):
                text.append(str(content["data"].get("text/plain")))
            elif kind == "error":
                error = ANSI.sub("", f"{content['ename']}: {content['evalue']}")
            elif kind == "status" and content["execution_state"] == "idle":
                break
        return Answer("".join(text), error, self.kernel.verdict())


@contextmanager
def talk(limits: Limits | None = None, **options: Any) -> Iterator[Talk]:
    loop = asyncio.new_event_loop()
    kernel = SandboxedKernel(limits, **options)
    try:
        loop.run_until_complete(kernel.start())
        yield Talk(loop, kernel)
    finally:
        loop.run_until_complete(kernel.stop())
        loop.close()


@pytest.fixture(scope="session")
def sandbox() -> None:
    """Skips, with the reason, where there is no sandbox."""
    missing = [each for each in layers() if not each.live and not each.optional]
    if missing:
        pytest.skip("; ".join(f"{each.name}: {each.detail}" for each in missing))


@pytest.fixture(scope="module")
def kernel(sandbox: None) -> Iterator[Talk]:
    """One kernel for all tests of a module that leave it alive."""
    with talk() as started:
        yield started


@pytest.fixture
def fresh(sandbox: None) -> Callable[..., Any]:
    """Makes a kernel of one's own: `with fresh(Limits(...)) as kernel`."""
    return talk


@pytest.fixture
def spec(tmp_path: Path, monkeypatch) -> str:
    """The name of an installed kernel that asks for the sandbox."""
    folder = tmp_path / "kernels" / "walled"
    folder.mkdir(parents=True)
    provisioner = {"provisioner_name": "nlpcourse-sandbox", "config": {"limits": {"cpu_seconds_cell": 20}}}
    content = {
        "argv": ["python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "walled",
        "language": "python",
        "metadata": {"kernel_provisioner": provisioner},
    }
    (folder / "kernel.json").write_text(json.dumps(content))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    assert "walled" in KernelSpecManager().find_kernel_specs()
    return "walled"


@pytest.fixture
def as_ordinary_user() -> Iterator[Callable[..., subprocess.CompletedProcess]]:
    """Runs this Python as a user without privileges, in a place where that user may read the interpreter."""
    if os.geteuid() != 0:
        pytest.skip("the tests run as an ordinary user already")
    home = tempfile.mkdtemp(prefix="ordinary-")

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(Path(__file__).with_name("ordinary_user.py")), home, *arguments],
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=False,
            **options,
        )

    yield run
    shutil.rmtree(home)
