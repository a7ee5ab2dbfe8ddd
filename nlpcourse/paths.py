"""Finding the course's checkout, from anywhere inside it."""

from pathlib import Path

from nlpcourse.errors import CourseError


def is_project(folder: Path) -> bool:
    """Whether `folder` is the root of a checkout of the course (public or whole)."""
    return (folder / "_toc.yml").is_file() and (folder / "chapters").is_dir()


def project_root(start: Path | None = None) -> Path:
    """The checkout that holds `start` (default: the working directory), else the one this package is installed from.

    Raises:
        CourseError: neither is a checkout.
    """
    here = (start or Path.cwd()).resolve()
    installed = Path(__file__).resolve().parent.parent
    for folder in (here, *here.parents, installed):
        if is_project(folder):
            return folder
    raise CourseError(
        f"no course checkout at or above {here}; run the command inside one (it has _toc.yml and chapters/)"
    )
