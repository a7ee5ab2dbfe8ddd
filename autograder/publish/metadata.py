"""The public tree's own `pyproject.toml` and README, made from those of the whole course."""

import json
import tomllib
from pathlib import Path, PurePosixPath

from nlpcourse.settings import BOOK, REPOSITORY, TAG

_PYPROJECT = """\
# Written by `nlpcourse publish`: the public half of the course as a package of its own.
[build-system]
requires = {requires}
build-backend = {backend}

[project]
name = "nlpcourse"
version = {version}
description = "A course on deep NLP: a book, exercises with visible tests, and the library that both use"
readme = "README.md"
requires-python = {python}
license = {license}
license-files = {license_files}
dependencies = {dependencies}

[project.optional-dependencies]
site = {site}

[project.scripts]
nlpcourse = "nlpcourse.cli:main"

[tool.setuptools]
packages = {packages}

# The released notebooks travel in the package, so that `nlpcourse check` can repair a copy without a checkout.
[tool.setuptools.package-dir]
"nlpcourse.released" = "exercises"

[tool.setuptools.package-data]
nlpcourse = {data}
"nlpcourse.released" = ["*/*.ipynb"]
"""


def public_pyproject(root: Path, names: set[str]) -> str:
    """The text of the public `pyproject.toml`.

    Args:
        root: the whole checkout; name, version and requirements come from its `pyproject.toml`.
        names: the files of the public tree, as POSIX paths; they say which packages and data there are.
    """
    whole = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    project = whole["project"]
    library = [PurePosixPath(name) for name in names if name.startswith("nlpcourse/")]
    packages = {".".join(path.parent.parts) for path in library if path.name == "__init__.py"}
    suffixes = {path.suffix for path in library if path.suffix not in ("", ".py")}
    return _PYPROJECT.format(
        requires=_toml(whole["build-system"]["requires"]),
        backend=_toml(whole["build-system"]["build-backend"]),
        version=_toml(project["version"]),
        python=_toml(project["requires-python"]),
        license=_toml(project["license"]),
        license_files=_toml(project["license-files"]),
        dependencies=_toml(project["dependencies"]),
        site=_toml(project["optional-dependencies"]["site"]),
        packages=_toml(sorted({*packages, "nlpcourse.released"})),
        data=_toml(sorted(f"**/*{suffix}" for suffix in suffixes)),
    )


def public_readme() -> str:
    """The text of the public README, with the course's addresses."""
    text = Path(__file__).with_name("readme.md").read_text(encoding="utf-8")
    for name, value in {"BOOK": BOOK, "REPOSITORY": REPOSITORY, "TAG": TAG}.items():
        text = text.replace(f"<{name}>", value)
    return text


def _toml(value: str | list[str]) -> str:
    """A string, or a list of strings with one a line, as TOML; JSON's quoting is TOML's too."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + "".join(f"    {json.dumps(each, ensure_ascii=False)},\n" for each in value) + "]"
