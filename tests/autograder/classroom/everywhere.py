"""What the comparison of ways to grade needs in processes of its own: a worker with cold kernels, other work."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

from autograder.classroom import worker

SPIN = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(10_000))"


def make_cold(*arguments: Any) -> Callable[[Any], Any]:
    """`worker.make`, in a process whose kernels each start with an interpreter of their own."""
    grade = worker.make(*arguments)
    from autograder.sandbox import gate, provisioner

    def start(*given: Any) -> gate.Gate:
        return gate.start("launch", *given)

    provisioner.warm.start = start  # type: ignore[attr-defined]
    return grade


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Twice as many other processes at work as there are processors."""
    count = 2 * len(os.sched_getaffinity(0))
    others = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(count)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()
