"""Where a grader and its kernel run."""

import contextlib
import os
import sys
from collections.abc import Iterator

from autograder.sandbox.linux import library


@contextlib.contextmanager
def one_cpu() -> Iterator[None]:
    """Within the block this thread, and what it starts, stays on the CPU on which it is.

    The grader and its kernel take turns, several hundred times a submission. On two CPUs each turn wakes one that has
    fallen asleep, which takes longer than most questions; and beside a second worker there is none to spare. Between
    two blocks the system may move the thread to where there is less to do. Elsewhere than on Linux nothing happens.
    """
    if sys.platform != "linux":
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {library().sched_getcpu()})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
