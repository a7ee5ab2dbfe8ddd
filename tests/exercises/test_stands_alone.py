"""A notebook stands alone: every free name is bound in it and means what it means in the reference."""

from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.assignment import Assignment
from autograder.authoring.names import Scope, names_of
from autograder.authoring.release import released_notebook
from nlpcourse.errors import CourseError

Writer = Callable[..., Path]


def test_a_second_topic_that_uses_torch_only_builds(second_topic: Writer) -> None:
    assignment = Assignment.load("mlp", second_topic())
    assert [(each.id, each.points) for each in assignment.exercises] == [("scaled", 2)]
    released = released_notebook(assignment)
    assert "raise NotImplementedError()" in released
    assert "doubled" not in released


def test_an_object_of_another_topic_is_refused(second_topic: Writer) -> None:
    root = second_topic(
        imports="import torch\nfrom solutions.embeddings.skipgram import sgns_loss", body="sgns_loss(x, x, x)"
    )
    with pytest.raises(CourseError, match=r"layers\.py: scaled uses `sgns_loss`.*of another topic"):
        Assignment.load("mlp", root)


def test_a_setup_cell_may_not_import_another_topic(second_topic: Writer) -> None:
    root = second_topic(
        setup="import torch\nfrom torch import Tensor\nfrom solutions.embeddings import skipgram"
    )
    with pytest.raises(CourseError, match=r"exercise\.md, cell 2.*may import the standard library"):
        Assignment.load("mlp", root)


def test_an_import_inside_the_reference_is_seen(second_topic: Writer) -> None:
    root = second_topic(body="__import__('torch') and 2 * x\n    import sklearn")
    with pytest.raises(CourseError, match=r"`import sklearn`"):
        Assignment.load("mlp", root)


def test_a_helper_of_the_reference_module_that_no_cell_has_is_refused(second_topic: Writer) -> None:
    root = second_topic(imports="import torch\n\ndef helper(x):\n    return 2 * x\n", body="helper(x)")
    with pytest.raises(CourseError, match=r"uses `helper`.*no earlier answer cell"):
        Assignment.load("mlp", root)


def test_a_name_that_no_cell_binds_is_refused(second_topic: Writer) -> None:
    root = second_topic(imports="import math\nimport torch", body="math.sqrt(4) * x")
    with pytest.raises(
        CourseError, match=r"uses `math` \(math\), but no earlier cell of the notebook binds it"
    ):
        Assignment.load("mlp", root)


def test_a_name_that_means_something_else_is_refused(second_topic: Writer) -> None:
    root = second_topic(
        imports="import torch\nimport torch.nn.functional as F",
        body="F.relu(x)",
        setup="import numpy as F\nimport torch\nfrom torch import Tensor",
    )
    with pytest.raises(
        CourseError, match=r"uses `F` \(torch\.nn\.functional\), but in the notebook it stands for numpy"
    ):
        Assignment.load("mlp", root)


def test_another_spelling_of_the_same_import_is_the_same(second_topic: Writer) -> None:
    root = second_topic(
        imports="import torch\nimport torch.nn.functional as F",
        body="F.relu(x)",
        setup="import torch\nfrom torch import Tensor\nfrom torch.nn import functional as F",
    )
    assert Assignment.load("mlp", root).exercises


def test_a_constant_of_the_same_value_is_the_same(second_topic: Writer) -> None:
    setup = "import torch\nfrom torch import Tensor\nFACTOR = 2"
    root = second_topic(imports="import torch\n\nFACTOR = 2", body="FACTOR * x", setup=setup)
    assert Assignment.load("mlp", root).exercises


def test_a_constant_of_another_value_is_refused(second_topic: Writer) -> None:
    setup = "import torch\nfrom torch import Tensor\nFACTOR = 3"
    root = second_topic(imports="import torch\n\nFACTOR = 2", body="FACTOR * x", setup=setup)
    with pytest.raises(CourseError, match=r"`FACTOR` \(2\), but in the notebook it stands for 3"):
        Assignment.load("mlp", root)


def test_a_test_cell_that_uses_an_unbound_name_is_refused(second_topic: Writer) -> None:
    root = second_topic(setup="from torch import Tensor", imports="")
    with pytest.raises(CourseError, match=r"cell 5 uses `torch`, which no earlier cell binds"):
        Assignment.load("mlp", root)


def test_a_later_cell_may_not_rebind_what_an_answer_needs() -> None:
    scope = Scope()
    scope.add("import math", "setup")
    scope.add_answer(
        "def root(x):\n    return math.sqrt(x)", "ref", ("root", "solutions.mlp.a.root"), {"math": "math"}.get
    )
    scope.add("import math", "again")  # the same meaning
    with pytest.raises(CourseError, match=r"check cell binds `math` anew.*choose another name"):
        scope.add("math = 3", "check cell")
    with pytest.raises(CourseError, match="binds `root` anew"):
        scope.add("root = 3", "check cell")


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("y = x", {"x"}),
        ("x = 1\ny = x", set()),
        ("x = x + 1", {"x"}),
        ("x += 1", {"x"}),
        ("for x in xs:\n    print(x)", {"xs", "print"}),
        ("def f(a, b=c) -> D:\n    return a + e + f", {"c", "D", "e"}),
        ("class A(B):\n    def m(self):\n        return A, z", {"B", "z"}),
        ("[v * w for v in vs]", {"w", "vs"}),
        ("with a as b:\n    b.c", {"a"}),
        ("f = lambda q: q + r", {"r"}),
        ("import os.path\nos.path.join(h)", {"h"}),
        ("def f():\n    global g\n    return g", {"g"}),
        ("def f():\n    return later\nlater = 1", set()),
        ("@decorate\ndef f(): pass", {"decorate"}),
    ],
)
def test_free_names(code: str, reads: set[str]) -> None:
    assert names_of(code, "cell").reads == reads


@pytest.mark.parametrize(
    "code", ["%matplotlib inline", "from torch import *", "from . import x", "import pandas"]
)
def test_what_a_cell_may_not_have(code: str) -> None:
    with pytest.raises(CourseError, match="cell"):
        names_of(code, "cell")
