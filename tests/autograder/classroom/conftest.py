"""A class folder in which `embeddings` is released, as far as collecting needs one."""

import json
from pathlib import Path

import nbformat
import pytest

from autograder.classroom.folder import CONFIG, Classroom

DUE = "2026-03-01T12:00:00+00:00"


@pytest.fixture
def classroom(tmp_path: Path) -> Classroom:
    """A class with one released topic and nothing else."""
    made = Classroom(tmp_path / "class")
    for topic in ("embeddings",):
        made.pin(topic).mkdir(parents=True)
        (made.pin(topic) / "pin.json").write_text(json.dumps({"topic": topic, "due": DUE, "version": "1"}))
    (made.root / CONFIG).write_text("c = get_config()\n")
    made.salt_file.write_text("00" * 32)
    return made


@pytest.fixture
def notebook() -> bytes:
    """A small notebook that says which topic it answers."""
    content = nbformat.v4.new_notebook(metadata={"nlpcourse": {"topic": "embeddings"}})
    content.cells.append(nbformat.v4.new_markdown_cell("an answer", id="a"))
    return nbformat.writes(content).encode()
