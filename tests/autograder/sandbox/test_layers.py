"""What the course says about the walls is what was tried."""

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import gate, jail, layers
from nlpcourse.errors import CourseError


@pytest.fixture(autouse=True)
def forget():
    layers.layers.cache_clear()
    yield
    layers.layers.cache_clear()


def missing() -> list[str]:
    """Walls that do not stand, but for the one that an ordinary user seldom has."""
    return [each.name for each in layers.layers() if not each.live and each.name != "control group"]


def test_all_walls_stand_here(sandbox) -> None:
    found = {each.name: each for each in layers.layers()}
    assert all(each.live for each in found.values() if each.name != "control group"), found
    assert {each.covers for each in found.values()} == {"files", "network", "processes", "resources"}
    layers.require()
    assert not [finding for finding in layers.findings() if finding.ok is False]


def test_other_systems_have_none_and_say_so(monkeypatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not any(each.live for each in layers.layers())
    with pytest.raises(CourseError, match=r"private root \(files\): there is no sandbox on darwin") as error:
        layers.require()
    assert "network namespace (network)" in str(error.value) and "process namespace (processes)" in str(
        error.value
    )
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("answers", "named", "unnamed"),
    [
        (
            {"alone": {"user": "x", "network": "PermissionError: unshare"}, "error": "e"},
            "network namespace",
            "zzz",
        ),
        ({"alone": {}, "error": "the jail fell"}, "the jail fell", "zzz"),
        ({"alone": {"landlock": "none"}, "inside": {}, "watch": ""}, "", "landlock"),
    ],
)
def test_what_is_missing_is_named(monkeypatch, answers, named: str, unnamed: str) -> None:
    whole = {key: "" for _, _, key, _, _ in layers.WALLS}
    if "inside" in answers:
        answers["inside"] = whole
    monkeypatch.setattr(gate, "probe", lambda *arguments: answers)
    if named:
        with pytest.raises(CourseError, match=named):
            layers.require()
    else:
        layers.require()  # Landlock is a second fence
        assert missing() == [unnamed]


def test_a_hole_is_found(sandbox, monkeypatch, tmp_path: Path) -> None:
    """With a wall taken away the trial must see it: here the private half is among the trees that show."""
    settings = gate.jail_settings
    repository = str(Path(__file__).resolve().parents[3])

    def with_a_hole(*arguments):
        return settings(*arguments) | {"placed": {repository: repository}, "blank": []}

    monkeypatch.setattr(gate, "jail_settings", with_a_hole)
    assert missing() == ["private root"]
    with pytest.raises(CourseError, match="can be seen"):
        layers.require()


def test_without_linux_everything_can_be_imported_and_says_that_there_is_no_sandbox() -> None:
    program = (
        "import os, signal, socket, sys\n"
        "import multiprocessing, asyncio, typer, zmq, jupyter_client, torch, numpy, nbformat\n"
        "import nlpcourse.doctor, ipykernel.kernelapp\n"
        "sys.modules['resource'] = sys.modules['fcntl'] = None\n"
        "del signal.pidfd_send_signal, os.sysconf, os.O_DIRECTORY, socket.recv_fds\n"
        "from autograder.sandbox import kernel, kernelapp, layers, provisioner\n"
        "sys.platform = 'win32'\n"
        "print({each.detail for each in layers.layers()}, [finding.ok for finding in layers.findings()].count(True))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{'there is no sandbox on win32'} 0", done.stderr


def test_unused_uids_differ_and_lie_in_the_map() -> None:
    rows = [tuple(map(int, row.split())) for row in Path("/proc/self/uid_map").read_text().splitlines()]
    uid = jail.unused_uid()
    assert any(start <= uid < start + count for start, _, count in rows)
