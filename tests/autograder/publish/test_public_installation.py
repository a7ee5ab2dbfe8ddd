"""The public tree, built into a wheel and installed where this checkout cannot be seen, does what students need."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.assignment import Assignment
from autograder.publish.command import publish
from nlpcourse.exercises import read_assignment
from nlpcourse.paths import project_root
from nlpcourse.site.canary import leaks
from nlpcourse.site.telling import secrets
from nlpcourse.topics import topics

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("public-installation")]  # one environment serves all

ROOT = project_root(Path(__file__).parent)
READY = [each.name for each in topics() if each.ready]

IMPORTS = """
import importlib.util, pkgutil, sys
import nlpcourse

assert nlpcourse.__file__.startswith(sys.prefix), nlpcourse.__file__
for module in pkgutil.walk_packages(nlpcourse.__path__, "nlpcourse."):
    if module.name.rpartition(".")[2] != "released":
        importlib.import_module(module.name)
for secret in ("autograder", "solutions"):
    assert importlib.util.find_spec(secret) is None, secret
    assert secret not in sys.modules, secret
"""

CONFIGURATION = """
import io, sys
from pathlib import Path
from jupyter_book.config import get_final_config
from sphinx.application import Sphinx

source, output = Path(sys.argv[1]), Path(sys.argv[2])
given = {"external_toc_path": str(source / "_toc.yml"), "latex_individualpages": False}  # what its command gives
config, _ = get_final_config(
    user_yaml=source / "_config.yml", cli_config=given, sourcedir=source, raise_on_invalid=True
)
warnings = io.StringIO()
app = Sphinx(
    source, None, output / "html", output / "trees", "html", confoverrides=config, status=None, warning=warnings
)
app.env.find_files(app.config, app.builder)
assert not warnings.getvalue(), warnings.getvalue()
print(*sorted(app.env.found_docs), sep="\\n")
"""

ALONE = """
import importlib.util
for secret in ("autograder", "solutions"):
    assert importlib.util.find_spec(secret) is None, f"{secret} can be imported in a student's kernel"
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The public tree of this checkout."""
    folder = tmp_path_factory.mktemp("published") / "public"
    publish(ROOT, folder)
    return folder


@pytest.fixture(scope="module")
def wheel(public: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip makes of it, without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(public)], check=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def run(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs a program of an environment with that wheel, and with everything of this one but the course itself.

    Folders that a `.pth` file names are searched, but their own `.pth` files are not read: so the packages installed
    here are there, and the editable installation of this checkout is not.
    """
    home = tmp_path_factory.mktemp("student")
    venv = home / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    (python,) = venv.glob("bin/python")
    options = ["--no-deps", "--no-index", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)], check=True
    )
    (packages,) = venv.glob("lib/python*/site-packages")
    others = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (packages / "others.pth").write_text("".join(f"{path}\n" for path in others))
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "NLPCOURSE_", "JUPYTER", "XDG_", "VIRTUAL_ENV"))
    }
    environment = kept | {"HOME": str(home), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}

    def started(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(venv / "bin" / program), *arguments]
        return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=300)

    return started


@pytest.fixture(params=READY)
def topic(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def released(public: Path, topic: str) -> NotebookNode:
    return nbformat.read(public / "exercises" / topic / f"{topic}.ipynb", as_version=4)


@pytest.fixture
def exercises(public: Path, topic: str) -> list[str]:
    return [each.id for each in read_assignment(public / "exercises" / topic / f"{topic}.ipynb").exercises]


@pytest.fixture
def check(run: Run, tmp_path: Path) -> Callable[[NotebookNode], tuple[int, list[str]]]:
    """Saves a notebook far from any checkout and checks it there: the exit status and the lines."""

    def checked(notebook: NotebookNode) -> tuple[int, list[str]]:
        path = tmp_path / "mine.ipynb"
        nbformat.write(notebook, path)
        done = run("nlpcourse", "check", str(path))
        assert not done.stderr.strip(), done.stderr
        return done.returncode, done.stdout.splitlines()

    return checked


def test_the_wheel_holds_the_library_the_notebooks_and_no_secret(public: Path, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    inside = {name for name in names if ".dist-info/" not in name}
    library = {path.relative_to(public).as_posix() for path in (public / "nlpcourse").rglob("*")}
    expected = {name for name in library if (public / name).is_file() and "__pycache__" not in name}
    assert inside == expected | {
        f"nlpcourse/released/{path.relative_to(public / 'exercises').as_posix()}"
        for path in (public / "exercises").rglob("*.ipynb")
    }
    assert leaks(wheel.parent, secrets(ROOT)) == []


def test_the_library_is_there_and_the_instructors_half_is_not(run: Run) -> None:
    done = run("python", "-c", IMPORTS)
    assert done.returncode == 0, done.stderr


def test_help_shows_no_command_of_the_instructors(run: Run) -> None:
    shown = run("nlpcourse", "--help").stdout
    assert all(f"│ {command} " in shown for command in ("doctor", "site", "check", "data"))
    for command in ("exercises", "publish", "class", "grade", "report", "demo", "train"):
        assert f"│ {command} " not in shown


def test_the_data_are_listed(run: Run) -> None:
    done = run("nlpcourse", "data", "list")
    assert done.returncode == 0, done.stderr
    assert "docstrings" in done.stdout


def test_a_fresh_notebook_runs_and_nothing_is_written_yet(
    exercises: list[str], released: NotebookNode, check: Callable[[NotebookNode], tuple[int, list[str]]]
) -> None:
    status, lines = check(released)
    assert status == 0
    assert [line.split(maxsplit=1) for line in lines] == [[name, "not written yet"] for name in exercises]


def test_wrong_answers_fail_with_a_sentence(
    exercises: list[str], released: NotebookNode, check: Callable[[NotebookNode], tuple[int, list[str]]]
) -> None:
    for cell in released.cells:
        cell.source = cell.source.replace("raise NotImplementedError()", "return None")
    status, lines = check(released)
    assert status == 1
    for name, line in zip(exercises, lines, strict=True):
        exercise, outcome, sentence = line.split(maxsplit=2)
        assert (exercise, outcome) == (name, "failed:")
        assert len(sentence.split()) >= 3, line


def test_the_references_pass_and_damaged_cells_are_repaired_from_the_package(
    topic: str,
    exercises: list[str],
    released: NotebookNode,
    check: Callable[[NotebookNode], tuple[int, list[str]]],
) -> None:
    solved = {cell.id: cell.source for cell in Assignment.load(topic, ROOT).source.cells}
    for cell in released.cells:
        if cell.id in exercises:
            cell.source = f"{solved[cell.id]}\n{ALONE}"
        if cell.id == f"{exercises[0]}-check":
            cell.source = "assert False, 'changed by the student'"
    released.cells = [cell for cell in released.cells if cell.id != "setup-1"]
    status, lines = check(released)
    assert lines[:2] == [
        "note: cell setup-1 was missing; the released one is used",
        f"note: cell {exercises[0]}-check was changed; the released one is used",
    ]
    assert [line.split() for line in lines[2:]] == [[name, "passed"] for name in exercises]
    assert status == 0


def test_the_sites_configuration_is_valid(public: Path, run: Run, tmp_path: Path) -> None:
    done = run("python", "-c", CONFIGURATION, str(public), str(tmp_path))
    assert done.returncode == 0, done.stderr
    pages = {path.relative_to(public).with_suffix("").as_posix() for path in public.glob("chapters/**/*.md")}
    planned = {f"chapters/{each.name}" for each in topics() if not each.ready}
    assert set(done.stdout.split()) == {page for page in pages if page.rpartition("/")[0] not in planned}


def test_the_released_notebook_installs_what_is_published(
    topic: str, released: NotebookNode, public: Path
) -> None:
    """The Colab cell's address and tag are those of the tree that is pushed there."""
    from nlpcourse import settings

    (colab,) = [cell.source for cell in released.cells if cell.id == "colab"]
    assert f"nlpcourse @ git+{settings.REPOSITORY}@{settings.TAG}" in colab
    assert json.loads((public / "exercises" / topic / f"{topic}.ipynb").read_text())["nbformat"] == 4
