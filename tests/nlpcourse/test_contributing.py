"""CONTRIBUTING's "Add an exercise", followed to the letter in a copy, gives a graded exercise."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("contributing")  # one copy of the checkout serves all

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"(New file|Append to) `([^`]+)`:\n\n(?P<fence>`{3,})\w+\n(.*?)^(?P=fence)$", re.MULTILINE | re.DOTALL
)

GRADE = """if True:
    import json
    from pathlib import Path
    from autograder.assignment import Assignment
    from autograder.authoring.command import generate
    from autograder.checks.variants import read_variants
    from autograder.grading.session import CheckSession
    from autograder.wall.local import local_student

    checks = Path.cwd() / "autograder" / "checks" / "embeddings"
    released = json.loads(generate("embeddings", Path.cwd()))
    exercise = Assignment.load("embeddings", Path.cwd()).exercise("keep_probability")
    session = CheckSession(checks)

    def grade(source):
        with local_student("import torch\\n" + source) as student:
            outcomes = session.run("keep_probability", student, lambda check: 7, {})
        return {each.id: each.status for each in outcomes}

    reference = Path("solutions/embeddings/subsampling.py").read_text()
    variants = [each for each in read_variants(checks) if each.exercise == "keep_probability"]
    cells = {cell["id"]: "".join(cell["source"]) for cell in released["cells"]}
    print(json.dumps({
        "points": exercise.points,
        "further": exercise.further,
        "stub": cells["keep_probability"],
        "reference": grade(reference),
        "variants": {each.name: [each.kind, each.fails, grade(each.source)] for each in variants},
    }))
"""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the new exercise is once every block is in its file."""
    copy = tmp_path_factory.mktemp("checkout")
    for room in ("solutions", "autograder"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    blocks = BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    assert len(blocks) == 4
    for how, name, _, text in blocks:
        path = copy / name
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        assert bool(before) == (how == "Append to"), f"{how} {name}"
        path.write_text(f"{before}\n\n{text}" if before else text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, "-c", GRADE], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_points_are_those_of_its_checks(followed: dict) -> None:
    assert (followed["points"], followed["further"]) == (2, True)


def test_the_released_cell_has_no_solution(followed: dict) -> None:
    assert "raise NotImplementedError()" in followed["stub"]
    assert "clamp" not in followed["stub"]


def test_reference_and_right_variants_pass(followed: dict) -> None:
    right = [outcome for kind, _, outcome in followed["variants"].values() if kind == "right"]
    assert len(right) == 4
    for outcome in (followed["reference"], *right):
        assert set(outcome.values()) == {"passed"}


def test_wrong_variants_fail_where_they_say(followed: dict) -> None:
    wrong = [(fails, outcome) for kind, fails, outcome in followed["variants"].values() if kind == "wrong"]
    assert len(wrong) == 4
    for fails, outcome in wrong:
        assert [name for name, status in outcome.items() if status == "failed"] == fails


def test_cheats_pass_nothing(followed: dict) -> None:
    cheats = [outcome for kind, _, outcome in followed["variants"].values() if kind == "cheat"]
    assert len(cheats) == 4
    for outcome in cheats:
        assert "passed" not in outcome.values()
