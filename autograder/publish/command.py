"""`nlpcourse publish`: makes the public tree beside its place, looks for leaks, and only then moves it there."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from autograder.authoring.command import refuse_drift
from autograder.publish.place import MARKER, adopted, place, strangers
from autograder.publish.tree import public_tree
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root
from nlpcourse.site.telling import secrets


def register(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command("publish", rich_help_panel="For instructors")(publish_command)


def publish_command(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Where to write: a new or empty folder, or one that `publish` wrote before."
        ),
    ],
) -> None:
    """Write a copy of the course that everybody may see: no solution, hidden check, known answer or rubric.

    When one of these would be in it, or a notebook is not what its manuscript gives, nothing is written.

    The folder's `.git` stays as it is, for you to commit and push.

    Example: [bold]nlpcourse publish ../nlpcourse-public[/]
    """
    written = publish(project_root(), folder)
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{len(written)} files in {folder}, nothing of the instructors' among them", markup=False)
    console.print(f"next: cd {folder} && git add --all && git commit", markup=False)


def publish(root: Path, folder: Path) -> list[str]:
    """Write the public half of the checkout at `root` into `folder`.

    Returns:
        The paths of the files in the public tree, in order.

    Raises:
        CourseError: the checkout is a public one, the folder holds something else, a notebook is not what its sources
            give, or something public gives away what is the instructors'. The folder is then as it was before.
    """
    from nlpcourse.site.canary import leaks  # loads numpy, which no other command has to wait for

    target = folder.expanduser().resolve()
    needles = secrets(root)
    if not needles:
        raise CourseError(
            f"{root} has no solutions to look for, so it is a public tree; publish a whole checkout"
        )
    if target.is_relative_to(root) and not target.is_relative_to(root / "_build"):
        raise CourseError(f"{folder} lies inside the checkout; give a folder outside it or below _build")
    before = adopted(target)
    refuse_drift(root)
    tree = public_tree(root)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as work:
            staged = Path(work) / "public"
            for name, content in tree.items():
                path = staged / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            with Console(stderr=True).status("looking for solutions, checks and rubrics in what is public"):
                found = leaks(staged, needles)
                found += [
                    f"{target.name}/{leak}" for leak in leaks(target, needles, strangers(target, before))
                ]
                found += [f"_build/html/{leak}" for leak in leaks(root / "_build" / "html", needles)]
            if found:
                more = f" ({len(found)} such places)" if len(found) > 1 else ""
                raise CourseError(
                    f"nothing was published: {found[0]}{more}; reword that line, or build again what holds it"
                )
            place(staged, target, before)
    except OSError as error:
        raise CourseError(
            f"cannot write {folder}: {error.strerror or error}; free or allow the place and run the command again"
        ) from error
    return sorted(set(tree) - {MARKER})
