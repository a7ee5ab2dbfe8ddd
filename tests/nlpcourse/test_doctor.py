"""The doctor speaks about every part, the missing and the broken ones too."""

import io
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from rich.console import Console

from nlpcourse import doctor
from nlpcourse.doctor import Finding, as_table, examine, read_pins


def contribute() -> list[Finding]:
    return [Finding("extra", False, "missing [part]; install it")]


def fail() -> list[Finding]:
    raise OSError("no such layer")


@pytest.fixture
def entry_points(monkeypatch: pytest.MonkeyPatch) -> list[EntryPoint]:
    """What is installed in the group `nlpcourse.doctor`, as far as the doctor can see."""
    installed: list[EntryPoint] = []
    monkeypatch.setattr(
        doctor, "entry_points", lambda group: installed if group == "nlpcourse.doctor" else []
    )
    return installed


def entry_point(function: object, monkeypatch: pytest.MonkeyPatch) -> EntryPoint:
    monkeypatch.setattr(EntryPoint, "load", lambda self: function)
    return EntryPoint("layer", "some.module:function", "nlpcourse.doctor")


def test_every_part_is_there(entry_points: list[EntryPoint]) -> None:
    names = [finding.name for finding in examine()]
    assert names == [
        *["Python", "cores", "memory", "GPU", "versions", "docstring corpus", "public sets", "Chromium"]
    ]


def test_contributed_findings(entry_points: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    entry_points.append(entry_point(contribute, monkeypatch))
    assert examine()[-1] == contribute()[0]


def test_a_broken_part_is_a_finding(entry_points: list[EntryPoint], monkeypatch: pytest.MonkeyPatch) -> None:
    entry_points.append(entry_point(fail, monkeypatch))
    assert examine()[-1] == Finding("layer", False, "some.module:function failed: OSError: no such layer")


def test_the_table_shows_brackets_as_they_are() -> None:
    out = io.StringIO()
    Console(file=out, width=100).print(
        as_table([*contribute(), Finding("good", True, ""), Finding("so", None, "")])
    )
    lines = out.getvalue().splitlines()
    assert "no" in lines[1]
    assert "missing [part]; install it" in lines[1]
    assert "yes" in lines[2]


def test_pins_are_read() -> None:
    path = Path(doctor.__file__).parent.parent / "constraints.txt"
    assert read_pins(path)["torch"] == "2.13.0"


def test_a_version_that_is_not_the_pinned_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "constraints.txt").write_text("# set\npytest==0.1\nnot-installed-at-all==3\n")
    monkeypatch.setattr(doctor, "project_root", lambda: tmp_path)
    found = doctor._versions()
    assert found.ok is False
    assert found.detail.startswith("pytest ")
    assert "(pinned 0.1)" in found.detail
    assert "not-installed" not in found.detail


def test_a_build_for_other_hardware_is_the_same_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "constraints.txt").write_text("torch==2.13.0\n")
    monkeypatch.setattr(doctor, "project_root", lambda: tmp_path)
    monkeypatch.setattr(doctor, "version", lambda name: "2.13.0+cpu")
    assert doctor._versions().ok


def test_a_missing_browser_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    assert doctor._chromium().ok is None


def test_missing_public_sets_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NLPCOURSE_DATA", str(tmp_path))
    assert doctor._public_sets() == Finding(
        "public sets", False, f"none in {tmp_path}; not sst5, multi30k, wnut17"
    )
