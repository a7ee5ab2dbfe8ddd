"""`nlpcourse publish`: what is in the public tree, what refuses it, and what happens to a folder that has one."""

import gzip
import json
import shutil
import tomllib
import zipfile
from pathlib import Path

import pytest

from autograder.publish import command
from autograder.publish.command import publish
from autograder.publish.place import MARKER
from nlpcourse import cli
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from nlpcourse.topics import topics

ROOT = project_root(Path(__file__).parent)

ROOMS = ("autograder/checks", "chapters", "exercises", "nlpcourse", "records", "solutions")

SOLUTION = "positive_scores = (center * context).sum(dim=-1)"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of all that publishing reads, to be changed; released notebooks count as up to date."""
    root = tmp_path / "checkout"
    for room in ROOMS:
        shutil.copytree(ROOT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for path in ROOT.iterdir():
        if path.is_file() and path.name != ".git":
            shutil.copy(path, root / path.name)
    monkeypatch.setattr(command, "refuse_drift", lambda root: None)
    return root


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path, `.git` left out."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


def test_the_tree_holds_the_public_half_and_nothing_else(checkout: Path, tmp_path: Path) -> None:
    for name in ("mlp/run.json", "mlp/attention.npz", "bench/times.json"):
        (checkout / "records" / name).parent.mkdir(exist_ok=True)
        (checkout / "records" / name).write_text("{}")
    for name in ("nlpcourse/__pycache__/a.pyc", "chapters/.ipynb_checkpoints/a.md", "exercises/mine.ipynb"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("a file left over")
    written = publish(checkout, tmp_path / "public")
    tree = contents(tmp_path / "public")
    assert sorted({*written, MARKER}) == list(tree)
    assert {name.partition("/")[0] for name in tree if "/" in name} == {
        "chapters",
        "exercises",
        "nlpcourse",
        "records",
    }
    kept = {name for name in tree if name.startswith("records/")}
    benchmarks = {path.name for path in (ROOT / "records").glob("*.json")}
    trained = {each.name for each in topics() if (ROOT / "records" / each.name).is_dir()}
    assert {"records/mlp/attention.npz", "records/mlp/run.json"} <= kept
    assert {name.split("/")[1] for name in kept} == {*trained, "mlp", *benchmarks}
    assert {name for name in tree if name.endswith(".ipynb")} == {
        f"exercises/{each.name}/{each.name}.ipynb" for each in topics() if each.ready
    }
    assert not [name for name in tree if b"a file left over" in tree[name]]
    for name in ("_config.yml", "_toc.yml", "references.bib", "LICENSE", "LICENSE-text", "constraints.txt"):
        assert tree[name] == (ROOT / name).read_bytes()
    for name in tree:
        if name.startswith(("chapters/", "exercises/", "nlpcourse/")):
            assert tree[name] == (checkout / name).read_bytes()


def test_its_project_file_is_that_of_the_library_alone(checkout: Path, tmp_path: Path) -> None:
    publish(checkout, tmp_path / "public")
    text = (tmp_path / "public" / "pyproject.toml").read_text(encoding="utf-8")
    ours, whole = (tomllib.loads(each) for each in (text, (ROOT / "pyproject.toml").read_text()))
    assert ours["project"]["version"] == whole["project"]["version"]
    assert ours["project"]["scripts"] == {"nlpcourse": "nlpcourse.cli:main"}
    assert list(ours["project"]["optional-dependencies"]) == ["site"]
    assert "entry-points" not in ours["project"]
    assert "autograder" not in text and "nbgrader" not in text
    torch = [each for each in ours["project"]["dependencies"] if each.startswith("torch")]
    assert torch and all("==" not in each for each in torch), "Colab must be able to keep its own torch"
    assert {package.partition(".")[0] for package in ours["tool"]["setuptools"]["packages"]} == {"nlpcourse"}


def test_the_readme_gives_the_courses_addresses(checkout: Path, tmp_path: Path) -> None:
    from nlpcourse import settings

    publish(checkout, tmp_path / "public")
    text = (tmp_path / "public" / "README.md").read_text(encoding="utf-8")
    assert f"nlpcourse @ git+{settings.REPOSITORY}@{settings.TAG}" in text
    assert settings.BOOK in text
    assert "<BOOK>" not in text


def test_two_runs_are_equal_to_the_byte(checkout: Path, tmp_path: Path) -> None:
    publish(checkout, tmp_path / "one")
    publish(checkout, tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    publish(checkout, tmp_path / "one")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkout", "one", "two"]


def test_git_and_added_files_stay_and_withdrawn_ones_go(checkout: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    (public / ".git").mkdir(parents=True)
    (public / ".git" / "HEAD").write_text(f"ref: refs/heads/main {SOLUTION}")
    (checkout / "chapters" / "old").mkdir()
    (checkout / "chapters" / "old" / "page.md").write_text("# Old\n")
    publish(checkout, public)
    (public / "CNAME").write_text("course.example.org\n")
    (public / "README.md").write_text("edited by hand")
    shutil.rmtree(checkout / "chapters" / "old")
    publish(checkout, public)
    assert SOLUTION in (public / ".git" / "HEAD").read_text()
    assert (public / "CNAME").read_text() == "course.example.org\n"
    assert not (public / "chapters" / "old").exists()
    assert (public / "README.md").read_text().startswith("# A course")


def test_a_folder_with_something_else_is_refused(checkout: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    public.mkdir()
    (public / "thesis.tex").write_text("mine")
    with pytest.raises(CourseError, match=r"is not empty and has no \.nlpcourse-public"):
        publish(checkout, public)
    assert contents(public) == {"thesis.tex": b"mine"}
    with pytest.raises(CourseError, match="is a file; give a folder"):
        publish(checkout, public / "thesis.tex")
    for inside in (checkout, checkout / "chapters" / "public"):
        with pytest.raises(CourseError, match="lies inside the checkout"):
            publish(checkout, inside)


@pytest.mark.parametrize("name", ["../precious.txt", "/precious.txt", "linked/precious.txt", ".git/HEAD"])
def test_a_marker_that_names_files_elsewhere_is_refused(checkout: Path, tmp_path: Path, name: str) -> None:
    public = tmp_path / "public"
    publish(checkout, public)
    (tmp_path / "precious.txt").write_text("mine")
    (public / "linked").symlink_to(tmp_path)
    with (public / MARKER).open("a") as file:
        file.write(f"{name}\n")
    with pytest.raises(CourseError, match="which is not published"):
        publish(checkout, public)
    assert (tmp_path / "precious.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("place", "text"),
    [
        pytest.param("chapters/embeddings/glove.md", f"\n```python\n{SOLUTION}\n```\n", id="page"),
        pytest.param("nlpcourse/standins/embeddings.py", f"\n# {SOLUTION}\n", id="stand-in"),
        pytest.param("records/embeddings/run.json", json.dumps({"source": f"a\n{SOLUTION}\n"}), id="record"),
        pytest.param("_build/html/searchindex.js", json.dumps({"titles": [SOLUTION]}), id="built book"),
        pytest.param("../public/notes.txt", SOLUTION, id="file of the folder's owner"),
        pytest.param("_config.yml", "\n# see autograder/checks\n", id="settings"),
    ],
)
def test_a_leak_is_refused_and_nothing_is_written(
    checkout: Path, tmp_path: Path, place: str, text: str
) -> None:
    public = tmp_path / "public"
    publish(checkout, public)
    before = contents(public)
    (checkout / "_toc.yml").write_text("changed\n")
    path = checkout / place
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
    name = place.removeprefix("../")
    with pytest.raises(CourseError, match=f"nothing was published: {name} holds '"):
        publish(checkout, public)
    assert {**before, "notes.txt": b""} == {**contents(public), "notes.txt": b""}


@pytest.mark.parametrize("name", ["solutions.pdf", "solutions.tar", "solutions.txt", "inner.zip"])
def test_what_nobody_can_read_is_refused(checkout: Path, tmp_path: Path, name: str) -> None:
    """A packed or printed copy of the solutions holds none of their lines as text."""
    content = {"solutions.txt": SOLUTION.encode("utf-16")}.get(name, gzip.compress(SOLUTION.encode()))
    path = checkout / "chapters" / "embeddings" / name
    if name == "inner.zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("solutions.zip", content)
    else:
        path.write_bytes(content)
    with pytest.raises(CourseError, match=f"nothing was published: chapters/embeddings/{name}.* is no text"):
        publish(checkout, tmp_path / "public")
    assert not (tmp_path / "public").exists()


def test_a_stale_notebook_is_refused(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    path = checkout / "exercises" / "embeddings" / "embeddings.ipynb"
    path.write_text(
        path.read_text(encoding="utf-8").replace("# YOUR CODE HERE", "# CODE", 1), encoding="utf-8"
    )
    with pytest.raises(CourseError, match="cell prose-1 still has the line"):
        publish(checkout, tmp_path / "public")
    assert not (tmp_path / "public").exists()


def test_a_symbolic_link_and_a_public_checkout_are_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "chapters" / "link.md").symlink_to(checkout / "solutions" / "embeddings" / "exercise.md")
    with pytest.raises(CourseError, match=r"link\.md is a symbolic link"):
        publish(checkout, tmp_path / "public")
    (checkout / "chapters" / "link.md").unlink()
    publish(checkout, tmp_path / "public")
    with pytest.raises(CourseError, match="so it is a public tree"):
        publish(tmp_path / "public", tmp_path / "again")


def test_stopped_half_way_the_next_run_ends_the_work(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = tmp_path / "public"
    (checkout / "chapters" / "old.md").write_text("# Old\n")
    publish(checkout, public)
    (checkout / "chapters" / "old.md").unlink()
    (checkout / "chapters" / "a_new.md").write_text("# New\n")
    replace, moved = Path.replace, []

    def failing(self: Path, target: Path) -> Path:
        moved.append(target)
        if len(moved) == 12:
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", failing)
        with pytest.raises(KeyboardInterrupt):
            publish(checkout, public)
    assert (public / "chapters" / "a_new.md").is_file()
    (checkout / "chapters" / "a_new.md").unlink()
    publish(checkout, public)
    publish(checkout, tmp_path / "fresh")
    assert contents(public) == contents(tmp_path / "fresh")


def test_a_place_that_cannot_be_written_is_one_line(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match=r"cannot write .*file/public"):
        publish(checkout, tmp_path / "file" / "public")


def test_the_command_says_what_to_do_next(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(checkout)
    with pytest.raises(SystemExit) as ended:
        cli.main(["publish", str(tmp_path / "public")])
    assert not ended.value.code
    assert "git add --all && git commit" in capsys.readouterr().out
