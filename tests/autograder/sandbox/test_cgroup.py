"""Control groups, on a folder that plays the system's and, where one can be had, on the system's own."""

import os
from pathlib import Path

import pytest

from autograder.sandbox import cgroup
from autograder.sandbox.limits import GIB, Limits


def test_nothing_is_made_where_nothing_may_be(monkeypatch) -> None:
    def refuse() -> dict[str, Path]:
        raise OSError("no")

    monkeypatch.setattr(cgroup, "parents", refuse)
    assert cgroup.create(Limits()) is None


def test_a_half_made_group_is_taken_back(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    monkeypatch.setattr(
        cgroup, "parents", lambda: {"memory": tmp_path / "memory", "pids": tmp_path / "missing" / "x"}
    )
    assert cgroup.create(Limits()) is None
    assert list((tmp_path / "memory").iterdir()) == []


def test_what_a_killed_grader_left_is_removed(monkeypatch, tmp_path: Path) -> None:
    dead, alive = tmp_path / "nlpcourse-999999999-a", tmp_path / f"nlpcourse-{os.getpid()}-b"
    dead.mkdir()
    alive.mkdir()
    cgroup.remove_leftovers(tmp_path)
    assert not dead.exists() and alive.exists()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("cpuacct.usage", "2500000000\n", 2.5),
        ("cpu.stat", "usage_usec 1500000\nuser_usec 1\n", 1.5),
        ("other", "", 0.0),
    ],
)
def test_cpu_time_is_read_in_both_versions(tmp_path: Path, name: str, text: str, expected: float) -> None:
    (tmp_path / name).write_text(text)
    assert cgroup.Group({"cpu": tmp_path}).cpu_seconds() == expected


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("memory.events", "low 0\nmax 3\noom 1\noom_kill 1\n", True),
        ("memory.events", "low 0\nmax 3\noom 0\noom_kill 0\n", False),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n", True),
        ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", False),
        ("other", "", False),
    ],
)
def test_a_kill_for_memory_is_seen_in_both_versions(
    tmp_path: Path, name: str, text: str, expected: bool
) -> None:
    (tmp_path / name).write_text(text)
    assert cgroup.Group({"memory": tmp_path}).ran_out_of_memory() is expected


def test_a_kernel_is_in_its_group_and_the_group_goes_with_it(fresh) -> None:
    probe = cgroup.create(Limits())
    if probe is None:
        pytest.skip("this user may not make a control group")
    probe.remove()
    with fresh() as kernel:
        group = kernel.kernel.provisioner.group
        for folder in group.folders.values():
            assert (
                len((folder / "cgroup.procs").read_text().split()) == 3
            )  # gatekeeper, first process, kernel
        assert group.cpu_seconds() > 0 and not group.ran_out_of_memory()
    assert not any(folder.exists() for folder in group.folders.values())


def test_memory_that_no_process_map_shows_ends_the_kernel(fresh, monkeypatch) -> None:
    """The system kills for the group's memory; the verdict says memory, not crash."""
    probe = cgroup.create(Limits())
    if probe is None:
        pytest.skip("this user may not make a control group")
    probe.remove()
    monkeypatch.setattr(cgroup, "SLACK_BYTES", -GIB // 2)
    with fresh(Limits(memory_bytes=GIB, wall_factor=1000)) as kernel:
        assert kernel.run("x = bytearray(700 << 20)").verdict == "memory"
