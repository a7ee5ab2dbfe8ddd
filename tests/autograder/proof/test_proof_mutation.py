"""Mutants are one change each, of every kind that is promised, and hashes see syntax and nothing else."""

import ast
from textwrap import indent

import pytest

from autograder.proof.keys import tree_key
from autograder.proof.mutation import mutants

SOURCE = '''
class Model(Base):
    """A model of 3 words."""

    def __init__(self, *, size: int = 4):
        super().__init__()
        self.first = make(size, 2)
        self.second = make(size, -1)

    def forward(self, x, y):
        """Return 1."""
        total = self.first(x) - self.second(y)
        total += x
        if not x < y:
            total = total.sum(dim=-1)
        return F.scale(total, keep=True)
'''


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return {mutant.id: mutant.source for mutant in mutants(SOURCE)}


@pytest.mark.parametrize(
    "expected",
    [
        "self.first(x) + self.second(y)",
        "total -= x",
        "if not x <= y",
        "if x < y",
        "make(size, 3)",
        "make(size, 1)",
        "make(size, -2)",
        "make(size, 0)",
        "make(2, size)",
        "self.second(x) - self.second(y)",
        "self.first(y) - self.second(y)",
        "x - self.second(y)",
        "total.sum()",
        "total.mean(dim=-1)",
        "total.sum(dim=-2)",
        "total = total\n",
        "F.scale(total, keep=False)",
        "F.scale(total)",
        "return total",
        "return\n",
    ],
)
def test_every_kind_of_change_is_made(sources: dict[str, str], expected: str) -> None:
    assert any(expected in f"{source}\n" for source in sources.values())


def test_statements_are_dropped_one_at_a_time(sources: dict[str, str]) -> None:
    dropped = [source for name, source in sources.items() if name.startswith("without `")]
    assert len(dropped) == 6
    assert all(source.count("pass") == 1 for source in dropped)


def test_each_mutant_is_python_and_not_the_source(sources: dict[str, str]) -> None:
    plain = ast.dump(ast.parse(SOURCE))
    assert len(sources) > 25
    assert len(set(sources.values())) > 0.9 * len(sources)
    for source in sources.values():
        assert ast.dump(ast.parse(source)) != plain


def test_docstrings_and_annotations_are_left_alone(sources: dict[str, str]) -> None:
    for source in sources.values():
        assert "A model of 3 words." in source
        assert "Return 1." in source
        assert "size: int" in source


@pytest.mark.parametrize(
    ("source", "asked"),
    [
        ("if a % 2:\n    raise ValueError(f'{a} is odd')", False),
        ("if a % 2:\n    raise IndexError(a)", True),
        ("if a % 2:\n    a = a\n    raise ValueError(a)", True),
        ("torch.ones(a, device=a.device)", True),
        ("a.transpose(1, 2)", True),
    ],
)
def test_what_no_exercise_asks_for_stays(source: str, asked: bool) -> None:
    found = [each.source for each in mutants("def f(a, b):\n" + indent(source, "    "))]
    assert bool(found) == asked
    assert all("device=a.device" in each for each in found if "ones" in each)
    assert not any("transpose(2, 1)" in each for each in found)


def test_a_key_sees_syntax_and_nothing_else() -> None:
    key = tree_key("def f(x):\n    return x + 1")
    assert key == tree_key('def f(x):\n    """Words."""\n    # more words\n    return (x+1)')
    assert key != tree_key("def f(x):\n    return x + 2")
    assert key != tree_key("def f(y):\n    return y + 1")
    assert tree_key("a", "b") != tree_key("a\nb")
