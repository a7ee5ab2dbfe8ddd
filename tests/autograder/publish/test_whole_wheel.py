"""The wheel of the whole course holds every file of its packages, so that it works without a checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from nlpcourse.paths import project_root

ROOT = project_root(Path(__file__).parent)
PACKAGES = ("nlpcourse", "solutions", "autograder")

pytestmark = pytest.mark.slow


def test_the_wheel_of_the_whole_course_lacks_no_file(tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    for name in PACKAGES:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text"):
        shutil.copy(ROOT / name, copy / name)
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--quiet", "--wheel-dir", str(tmp_path)]
    expected = {
        path.relative_to(copy).as_posix()
        for name in PACKAGES
        for path in (copy / name).rglob("*")
        if path.is_file()
    }
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, str(copy)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        packed = {name for name in opened.namelist() if name.split("/")[0] in PACKAGES}
    assert "nlpcourse/site/static/course.css" in packed
    assert packed == expected
