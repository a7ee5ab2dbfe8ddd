"""A grader and its kernel on one CPU, while they take turns and no longer."""

import json
import os
import sys

import pytest

from autograder.sandbox.placement import one_cpu

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2, reason="needs Linux and a choice of two CPUs"
)

WHERE = "import json, os; print(json.dumps(sorted(os.sched_getaffinity(0))))"


def test_the_block_has_one_cpu_and_then_all_again() -> None:
    before = os.sched_getaffinity(0)
    with one_cpu():
        assert len(os.sched_getaffinity(0) & before) == 1
    assert os.sched_getaffinity(0) == before


def test_an_exception_gives_them_back() -> None:
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), one_cpu():
        raise KeyError
    assert os.sched_getaffinity(0) == before


def test_a_kernel_runs_where_its_grader_does_wherever_the_template_was_started(fresh) -> None:
    everywhere = sorted(os.sched_getaffinity(0))
    with fresh() as kernel:  # the template starts here at the latest
        assert json.loads(kernel.run(WHERE).text) == everywhere
    for cpu in everywhere[:2]:
        os.sched_setaffinity(0, {cpu})
        try:
            with fresh() as kernel:
                assert json.loads(kernel.run(WHERE).text) == [cpu]
        finally:
            os.sched_setaffinity(0, everywhere)
