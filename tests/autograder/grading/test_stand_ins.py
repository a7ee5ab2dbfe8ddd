"""Stand-ins are whole answers: lent where they are due, and nobody's own work."""

import copy
from dataclasses import replace

import nbformat
import pytest
from nbformat.v4 import new_code_cell
from tiny_course import Course, by_id, scores

from autograder.assignment import Assignment
from autograder.grading.restore import blank
from autograder.grading.run import Graded, grade_notebook
from autograder.grading.session import CheckSession
from autograder.proof.answers import reference_answers
from autograder.sandbox.limits import Limits
from autograder.wall import lending
from nlpcourse.errors import CourseError
from nlpcourse.paths import project_root

LIMITS = Limits(cpu_seconds_cell=20, cpu_seconds_notebook=100, wall_factor=100)
WANTED = ("sgns_loss", "SkipGram", "train_skipgram")

TAKE = """
import importlib.util, marshal, pathlib, sys
def attempt(way):
    try: way()
    except BaseException as error: print(type(error).__name__)
    else: print('GOT', way.__name__)
def star(): exec('from nlpcourse.standins.embeddings import *', globals())
def entered(): stand_ins(globals(), 'embeddings', 'sgns_loss', 'SkipGram').__enter__()
def files():
    for tree in {*sys.path, '/course', sys.prefix}:
        for file in pathlib.Path(tree or '.').rglob('standins/**/*'):
            if file.is_file() and file.name != '__init__.py' and not file.name.startswith('__init__.'):
                text = file.read_bytes()
                code = marshal.loads(text[16:]) if file.suffix == '.pyc' else text
                exec(code, globals())
                return
    raise FileNotFoundError
def loaded():
    spec = importlib.util.spec_from_file_location('mine', '/course/nlpcourse/standins/embeddings.py')
    module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); module.sgns_loss
    globals().update(vars(module))
for way in (star, entered, files, loaded): attempt(way)
"""
#: Takes all that can be taken while a test in the notebook has something lent to it.
HARVEST = """class SkipGram(nn.Module):
    def __init__(self, *, vocabulary_size, dimension):
        import sys
        import nlpcourse.standins.embeddings as lent
        globals().update({name: value for name, value in vars(lent).items() if name != 'torch'})
        sys.modules['kept'] = lent
        raise ValueError(f"harvested {sorted(vars(lent).keys() & {'sgns_loss', 'SkipGram'})}")
"""


@pytest.fixture(scope="module")
def embeddings() -> Course:
    root = project_root()
    return Course(Assignment.load("embeddings"), CheckSession(root / "autograder" / "checks" / "embeddings"))


def grade(course: Course, answers: dict[str, str], *, after: dict[str, str] | None = None) -> Graded:
    """Grade the blank notebook with `answers`, and with added cells below the answers named in `after`."""
    notebook = blank(course.assignment)
    for at, cell in reversed(list(enumerate(notebook.cells))):
        cell.source = answers.get(cell.id, cell.source)
        if after and cell.id in after:
            notebook.cells.insert(at + 1, new_code_cell(after[cell.id]))
    content = nbformat.writes(notebook).encode()
    return grade_notebook(
        content, course.assignment, course.session, student="ada", salt=b"0123456789abcdef", limits=LIMITS
    )


def printed(graded: Graded) -> str:
    """What the cells that are not graded printed."""
    notebook = nbformat.reads(graded.notebook.decode(), as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def test_an_untouched_stub_earns_nothing_by_a_stand_in(embeddings) -> None:
    graded = grade(embeddings, {}, after=dict.fromkeys(WANTED, TAKE))
    assert set(scores(graded).values()) == {0}
    text = printed(graded)
    assert "GOT" not in text, text
    assert text.count("ModuleNotFoundError") == 3 and text.count("CourseError") == 3, text  # all was tried


def test_what_a_test_in_the_notebook_is_lent_is_no_answer_still_to_be_graded(embeddings) -> None:
    later = "sgns_loss = __import__('sys').modules['kept'].sgns_loss\n" + TAKE
    graded = grade(embeddings, {"SkipGram": HARVEST}, after={"train_skipgram": later})
    assert set(scores(graded).values()) == {0}
    assert "harvested ['sgns_loss']" in by_id(graded)["SkipGram"].visible
    assert "GOT" not in printed(graded) and "CourseError" in printed(graded), printed(graded)


def test_honest_work_is_lent_what_it_needs(embeddings) -> None:
    references = reference_answers(embeddings.assignment)
    graded = grade(embeddings, references)
    assert graded.record.score == graded.record.max
    assert {each.visible for each in graded.record.exercises} == {"passed"}
    assert graded.record.flags == ()


@pytest.mark.parametrize("alone", ["SkipGram", "train_skipgram"])
def test_an_exercise_alone_is_lent_what_it_needs(embeddings, alone: str) -> None:
    graded = grade(embeddings, {alone: reference_answers(embeddings.assignment)[alone]})
    result = by_id(graded)[alone]
    assert (result.score, result.visible) == (result.max, "passed")
    assert graded.record.score == result.score


def test_a_locked_cell_is_not_lent_an_answer_still_to_be_graded(embeddings) -> None:
    """An example that shows what an exercise should give must not hand the answer to the cells below it."""
    source = copy.deepcopy(embeddings.assignment.source)
    example = next(cell for cell in source.cells if cell.id == "sgns_loss-example-1")
    example.source = 'with stand_ins(globals(), "embeddings", "sgns_loss"):\n    taken = sgns_loss'
    course = Course(replace(embeddings.assignment, source=source), embeddings.session)
    graded = grade(course, {"sgns_loss": "def sgns_loss(*given):\n    return taken(*given)"})
    assert set(scores(graded).values()) == {0}
    assert "there are no stand-ins for topic 'embeddings' here" in graded.notebook.decode()


TEXT = '''"""Stand-ins."""
import math
from torch import nn

SCALE = 2

def helper(x):
    return SCALE * x

def first(x):
    return math.exp(helper(x))

class Second(nn.Module):
    def forward(self, x):
        return first(x)

def third(x):
    return x
'''


@pytest.mark.parametrize(
    ("name", "defined"),
    [
        ("first", {"math", "nn", "SCALE", "helper", "first"}),
        ("Second", {"math", "nn", "SCALE", "helper", "first", "Second"}),
        ("third", {"math", "nn", "third"}),
    ],
)
def test_only_what_is_asked_for_and_what_it_uses_is_lent(name: str, defined: set[str]) -> None:
    space: dict = {}
    exec(lending.cut(TEXT, [name]), space)
    assert space.keys() - {"__builtins__"} == defined


def test_objects_of_torch_and_python_need_no_loan() -> None:
    assert lending.modules_for({"f": "math:comb", "g": "torch.nn:Linear"}) == {}
    assert list(lending.modules_for({"f": "nlpcourse.standins.embeddings:sgns_loss"})) == [
        "nlpcourse.standins.embeddings"
    ]
    with pytest.raises(CourseError, match=r"no module nlpcourse\.standins\.none"):
        lending.modules_for({"f": "nlpcourse.standins.none:f"})


def test_what_a_cell_asks_for_is_read_from_its_text() -> None:
    cell = 'with stand_ins(globals(), "embeddings", "a", "b"):\n    f()\nwith stand_ins(globals(), "mlp", "c"): pass'
    expected = {name: f"nlpcourse.standins.embeddings:{name}" for name in "ab"}
    assert lending.asked_for(cell) == expected | {"c": "nlpcourse.standins.mlp:c"}
    assert lending.asked_for("f(stand_ins)") == {}
