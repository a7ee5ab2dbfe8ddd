"""What is public: the files of the public tree, by path, as they are in the checkout or as they are made here."""

from pathlib import Path

from autograder.authoring.command import manuscripts
from autograder.publish.metadata import public_pyproject, public_readme
from autograder.publish.place import MARKER, marker
from nlpcourse.errors import CourseError
from nlpcourse.exercises import notebook_path
from nlpcourse.topics import topics

AS_THEY_ARE = (
    ".gitignore",
    "LICENSE",
    "LICENSE-text",
    "_config.yml",
    "_toc.yml",
    "constraints.txt",
    "references.bib",
)
"""Files that are public by themselves."""

_LEFTOVERS = {"__pycache__", "node_modules"}


def public_tree(root: Path) -> dict[str, bytes]:
    """The files of the public half of the checkout at `root`: content by path, in the order of the paths.

    Of the records, only those that pages read are public (`records/<topic>/`, and those of benchmarks that lie in
    `records/` itself); records of variants and mutants name checks.

    Raises:
        CourseError: a file that must be there is missing, or a public folder holds a symbolic link.
    """
    paths = [root / name for name in AS_THEY_ARE]
    paths += [notebook_path(topic, root) for topic in manuscripts(root)]
    paths += sorted((root / "records").glob("*.json"))
    folders = [root / "chapters", root / "nlpcourse", *(root / "records" / each.name for each in topics())]
    for folder in folders:
        paths += _files(folder, root)
    tree = {}
    for path in paths:
        try:
            tree[path.relative_to(root).as_posix()] = path.read_bytes()
        except OSError as error:
            raise CourseError(
                f"cannot read {path}: {error.strerror}; it belongs to the public half"
            ) from error
    tree["pyproject.toml"] = public_pyproject(root, set(tree)).encode()
    tree["README.md"] = public_readme().encode()
    tree[MARKER] = marker(set(tree)).encode()
    return dict(sorted(tree.items()))


def _files(folder: Path, root: Path) -> list[Path]:
    """The files below a folder, without caches and hidden files."""
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(root).parts
        if _LEFTOVERS & set(parts) or any(part.startswith(".") for part in parts):
            continue
        if path.is_symlink():
            raise CourseError(
                f"{path} is a symbolic link; put a file in its place, a public tree has no links"
            )
        if path.is_file() and path.suffix != ".pyc":
            found.append(path)
    return found
