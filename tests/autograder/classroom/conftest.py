"""Class folders: one just far enough made to collect into, and a real one with `embeddings` released."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pytest

from autograder.classroom.folder import CONFIG, Classroom
from autograder.classroom.init import init
from autograder.classroom.release import release
from nlpcourse.paths import project_root

DUE = "2026-03-01T12:00:00+00:00"


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """A class with one released topic and nothing else."""
    made = Classroom(tmp_path / "class")
    made.pin("embeddings").mkdir(parents=True)
    (made.pin("embeddings") / "pin.json").write_text(json.dumps({"topic": "embeddings", "due": DUE}))
    (made.root / CONFIG).write_text("c = get_config()\n")
    made.salt_file.write_text("00" * 32)
    return made


@pytest.fixture
def notebook() -> bytes:
    """A small notebook that says which topic it answers."""
    content = nbformat.v4.new_notebook(metadata={"nlpcourse": {"topic": "embeddings"}})
    content.cells.append(nbformat.v4.new_markdown_cell("an answer", id="a"))
    return nbformat.writes(content).encode()


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Classroom:
    made = init(tmp_path_factory.mktemp("released") / "class")
    release(made, "embeddings", root=project_root(), due=datetime.fromisoformat(DUE).astimezone(UTC))
    return made


@pytest.fixture
def released(released_once: Classroom, tmp_path: Path) -> Classroom:
    """A real class of its own for one test, `embeddings` released to it."""
    return Classroom(Path(shutil.copytree(released_once.root, tmp_path / "real", symlinks=True)))
