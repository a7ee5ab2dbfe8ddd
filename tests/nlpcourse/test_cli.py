"""The command line: help, errors in one line, a traceback only when asked for; and `nlpcourse data`."""

from pathlib import Path

import pytest

from nlpcourse import cli
from nlpcourse.data import docstrings
from nlpcourse.errors import CourseError


def run(*arguments: str) -> int:
    """The exit status of `nlpcourse ARGUMENTS`."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(arguments))
    return int(ended.value.code or 0)


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("NLPCOURSE_DATA", raising=False)
    monkeypatch.setenv("NLPCOURSE_CACHE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    out = capsys.readouterr().out
    for command in (
        "doctor",
        "demo",
        "site",
        "exercises",
        "check",
        "class",
        "grade",
        "report",
        "data",
        "publish",
    ):
        assert command in out


@pytest.mark.parametrize("command", ["doctor", "data list", "data show", "data fetch", "publish"])
def test_help_has_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*command.split(), "--help") == 0
    assert f"nlpcourse {command}" in capsys.readouterr().out


def test_an_error_is_one_line_on_stderr(no_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "show", "a[bold]b") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: there is no data set 'a[bold]b'; data sets are docstrings, sst5, multi30k, wnut17\n"


def test_debug_shows_where(no_data: Path) -> None:
    with pytest.raises(CourseError):
        cli.main(["data", "show", "nothing", "--debug"])


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("teach") == 2
    assert "teach" in capsys.readouterr().err


def test_doctor_never_fails(no_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("doctor") == 0
    assert "NLPCOURSE_DATA is not set" in capsys.readouterr().out


def test_list_says_what_is_absent(no_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "list") == 0
    out = capsys.readouterr().out
    assert "built at first use" in out
    assert out.count("no: set NLPCOURSE_DATA") == 3


def test_fetch_says_which_files_go_where(no_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "fetch", "sst5") == 1
    assert "put train.tsv, dev.tsv in $NLPCOURSE_DATA/sst5/" in capsys.readouterr().err


def test_show_and_fetch_of_a_public_set(
    no_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (no_data / "sst5").mkdir()
    for split in ("train", "dev"):
        (no_data / "sst5" / f"{split}.tsv").write_text(
            "\tid\tsentence\tsentiment\n0\tab\t [good] film .\t4\n"
        )
    monkeypatch.setenv("NLPCOURSE_DATA", str(no_data))
    assert run("data", "fetch", "sst5") == 0
    assert run("data", "show", "sst5") == 0
    out = capsys.readouterr().out
    assert "sst5: ready" in out
    assert "[good] film ." in out


def test_show_of_the_corpus(
    no_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docstrings, "module_list", lambda: {"stdlib": ["json", "textwrap", "shlex", "heapq"]})
    assert run("data", "show", "docstrings") == 0
    assert docstrings.load().info.sha256 in capsys.readouterr().out
