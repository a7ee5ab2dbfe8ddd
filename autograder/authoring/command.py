"""`nlpcourse exercises`: writes the released notebooks, or checks that they are what the sources give."""

import difflib
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from nlpcourse.errors import CourseError
from nlpcourse.exercises import notebook_path
from nlpcourse.files import write_atomically
from nlpcourse.paths import project_root
from nlpcourse.topics import topic as registered
from nlpcourse.topics import topics as all_topics


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command(rich_help_panel="For instructors")(exercises)


def exercises(
    topics: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TOPIC ...",
            help="Topics whose notebook to write; all that are ready and have a manuscript when none is given.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; fail when a notebook is not what its manuscript gives."),
    ] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show", help="Also write each notebook as a page, as students see it, into _build/preview."
        ),
    ] = False,
) -> None:
    """Write the students' notebooks from the manuscripts in `solutions/`.

    Example: nlpcourse exercises embeddings
    """
    root = project_root()
    if check:
        refuse_drift(root, topics)
        typer.echo("the exercises are what their sources give")
        return
    for topic in topics or manuscripts(root):
        text = _generate(topic, root)
        path = notebook_path(topic, root)
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            typer.echo(f"{path.relative_to(root)} is up to date")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
            typer.echo(f"wrote {path.relative_to(root)}")
        if show:
            page = root / "_build" / "preview" / f"{topic}.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(page, as_page(text))
            typer.echo(f"open {page.relative_to(root)} to see it as a student does")


def refuse_drift(root: Path, topics: list[str] | None = None) -> None:
    """Make sure that released notebooks are what their sources give.

    Args:
        root: the checkout.
        topics: those to look at; all, and notebooks that no source makes, when None or empty.

    Raises:
        CourseError: naming each notebook that is not, and its first difference.
    """
    stale: list[str] = []
    for topic in topics or manuscripts(root):
        path = notebook_path(topic, root)
        if difference := drift(path, _generate(topic, root)):
            stale.append(f"{path.relative_to(root)}: {difference}")
    if not topics:
        stale += [
            f"{extra.relative_to(root)}: no manuscript makes it; delete it" for extra in strangers(root)
        ]
    if stale:
        raise CourseError(f"{'; '.join(stale)}; to renew: nlpcourse exercises")


def _generate(topic: str, root: Path) -> str:
    """The released notebook of a registered topic, with a sign of life on the terminal."""
    registered(topic)
    with Console(stderr=True).status(f"generating {topic}"):
        return generate(topic, root)


def manuscripts(root: Path) -> list[str]:
    """The ready topics that have a manuscript, in course order; that of a planned one is built by its name alone."""
    return [
        each.name
        for each in all_topics()
        if each.ready and (root / "solutions" / each.name / "exercise.md").is_file()
    ]


def strangers(root: Path) -> list[Path]:
    """Notebooks below `exercises/` that no manuscript makes."""
    made = {root / "exercises" / topic / f"{topic}.ipynb" for topic in manuscripts(root)}
    found = (root / "exercises").rglob("*.ipynb")
    return sorted(path for path in found if path not in made and ".ipynb_checkpoints" not in path.parts)


def generate(topic: str, root: Path) -> str:
    """The released notebook of one topic.

    Raises:
        CourseError: the manuscript breaks a rule, or requirements and checks do not match.
    """
    from autograder.assignment import Assignment  # these load nbgrader, which takes seconds
    from autograder.authoring.coverage import unmatched
    from autograder.authoring.release import released_notebook

    assignment = Assignment.load(topic, root)
    if complaints := unmatched(assignment):
        raise CourseError(f"{topic}: {'; '.join(complaints)}; add the check or correct its `requires`")
    return released_notebook(assignment)


def as_page(notebook: str) -> str:
    """A notebook as one HTML page, the way JupyterLab shows it to a student who has just opened it."""
    import nbformat
    from nbconvert import HTMLExporter

    page, _ = HTMLExporter().from_notebook_node(nbformat.reads(notebook, as_version=4))
    return str(page)


def drift(path: Path, expected: str) -> str | None:
    """The first difference of the notebook at `path` from `expected`, in words; None when they are equal."""
    if not path.is_file():
        return "the file is missing"
    found = path.read_bytes()
    if found == expected.encode():
        return None
    try:
        old, old_hash = _content(found)
    except (ValueError, KeyError, TypeError):
        return "the file is no notebook"
    new, new_hash = _content(expected)
    for cell in [*new, *old]:
        if cell not in old or cell not in new:
            return f"cell {cell} is {'missing' if cell in new else 'not in the sources'}"
        for line in difflib.unified_diff(
            old[cell].splitlines(), new[cell].splitlines(), "", "", n=0, lineterm=""
        ):
            if line[0] in "+-" and line.strip("+- "):
                return (
                    f"cell {cell} {'lacks' if line[0] == '+' else 'still has'} the line {line[1:].strip()!r}"
                )
    if old_hash != new_hash:
        return "the text of a solution or a rubric has changed"
    return "the metadata or the order of the cells differs"


def _content(text: str | bytes) -> tuple[dict[str, str], str]:
    """The cells of a notebook by id, and the hash of the sources it was made from."""
    notebook = json.loads(text)
    cells = {cell["id"]: "".join(cell["source"]) for cell in notebook["cells"]}
    return cells, notebook["metadata"]["nlpcourse"]["sources"]
