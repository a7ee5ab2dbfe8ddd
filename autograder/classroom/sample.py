"""Ten sample submissions of `embeddings`, as a Canvas download: what a class hands in, from all right to tampered."""

import copy
import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbformat.notebooknode import NotebookNode

from autograder.assignment import Assignment
from autograder.checks.variants import read_variants
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically

TOPIC = "embeddings"

ANSWER = """A high score means that two words stand near each other. With one table a word's score with itself would
be the squared length of its vector, never negative, though a word is rarely its own neighbour; two tables let it be
low."""

SYNTAX_ERROR = """def sgns_loss(center, context, negatives):
    positive = (center * context).sum(-1
    return -F.logsigmoid(positive).mean()
"""

ENDLESS = """def train_skipgram(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    epoch, losses = 0, []
    while epoch < epochs:  # epoch never grows
        batch = pairs[torch.randperm(len(pairs), generator=generator)[:batch_size]]
    return losses
"""

CRASH = """def train_skipgram(model, pairs, noise, *, epochs, batch_size, lr, num_negatives, generator):
    import ctypes

    return [float(ctypes.c_float.from_address(0).value) for epoch in range(epochs)]  # reads where nothing is
"""

NOISY = """import sys
import warnings

warnings.warn("this optimiser is experimental")
print("epoch 1/3 [=====>    ] loss 0.69", file=sys.stderr)
"""

CHEAT = """class Equal:
    def __eq__(self, other):
        return True

    def __abs__(self):
        return self

    def __lt__(self, other):
        return True


def sgns_loss(center, context, negatives):
    return Equal()
"""


@dataclass(frozen=True)
class Sample:
    """One pretended student."""

    name: str
    """As Canvas writes it into file names."""
    about: str
    answers: Mapping[str, str] = field(default_factory=dict)
    """By exercise or question; what is not here stays as it was handed out."""
    added: str = ""
    """A code cell of the student's own, after the first answer."""
    late: bool = False
    tampered: bool = False


def samples(root: Path) -> list[Sample]:
    """The ten, their answers taken from the reference and the known variants of the checkout at `root`."""
    assignment = Assignment.load(TOPIC, root)
    right = {
        cell.metadata["nbgrader"]["grade_id"]: re.sub(r"(?m)^ *### (BEGIN|END) SOLUTION\n?", "", cell.source)
        for cell in assignment.source.cells
        if cell.metadata.get("nlpcourse", {}).get("role") == "answer"
    }
    core = {each.id: right[each.id] for each in assignment.exercises if not each.further}
    half = dict(list(core.items())[: len(core) // 2])
    variants = read_variants(root / "autograder" / "checks" / TOPIC)
    wrong = {each.name: {each.exercise: each.source} for each in variants if each.kind == "wrong"}
    mistakes = wrong["mean_over_the_negatives"] | wrong["mean_of_the_batches"]
    other = {
        each.exercise: each.source for each in variants if each.kind == "right" and each.exercise in core
    }
    answer = {question.id: ANSWER for question in assignment.questions}
    return [
        Sample("linada", "everything right", right | answer),
        Sample("chenwei", "half done", half),
        Sample("zhaolei", "handed in untouched", late=True),
        Sample("王小明", "two typical mistakes", core | mistakes | answer),
        Sample("garciasofia", "a syntax error in the loss", core | {"sgns_loss": SYNTAX_ERROR}),
        Sample("okafortobi", "an endless loop in the training", core | {"train_skipgram": ENDLESS}),
        Sample("patelravi", "a hard crash in the training", core | {"train_skipgram": CRASH} | answer),
        Sample("novakjana", "right, with warnings on stderr", core | answer, added=NOISY, late=True),
        Sample("satoyuki", "right, by other algorithms", core | other | answer),
        Sample("mallorymax", "tampered with", {"sgns_loss": CHEAT} | answer, tampered=True),
    ]


def write_sample(archive: Path, *, released: Path, root: Path) -> list[Sample]:
    """Write the ten submissions as the zip file that Canvas would hand out.

    Args:
        archive: the file to write.
        released: the notebook that students were given.
        root: the checkout that holds the reference and the variants.

    Raises:
        CourseError: a file is missing or cannot be written.
    """
    try:
        blank = nbformat.read(released, as_version=4)
    except OSError as error:
        raise CourseError(f"{released} cannot be read; run `nlpcourse exercises {TOPIC}`") from error
    made = samples(root)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as opened:
        for number, sample in enumerate(made):
            late = "_LATE" if sample.late else ""
            name = f"{sample.name}{late}_{4001 + number}_{70001 + 7 * number}_{TOPIC}.ipynb"
            entry = zipfile.ZipInfo(name, date_time=(2026, 3, 1, 12, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            opened.writestr(entry, nbformat.writes(fill(blank, sample)))
    write_atomically(archive, packed.getvalue())
    return made


def fill(blank: NotebookNode, sample: Sample) -> NotebookNode:
    """The released notebook as this student hands it in."""
    notebook = copy.deepcopy(blank)
    for index, cell in reversed(list(enumerate(notebook.cells))):
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in sample.answers:
            cell.source = sample.answers[grade_id]
            if sample.added and grade_id == next(iter(sample.answers)):
                notebook.cells.insert(index + 1, nbformat.v4.new_code_cell(sample.added, id="mine"))
    if sample.tampered:
        _tamper(notebook)
    return notebook


def _tamper(notebook: NotebookNode) -> None:
    """Empty the tests, raise the points, mark cells to be skipped, copy one."""
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    for cell in checks:
        if cell.cell_type == "code":
            cell.source = "100"
            cell.metadata["tags"] = ["skip-execution", "raises-exception"]
            cell.metadata["nbgrader"]["points"] = 100
    twin = copy.deepcopy(checks[0])
    twin["id"] = "twin"
    notebook.cells.append(twin)
