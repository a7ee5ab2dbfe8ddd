"""Every row of the list of attacks has its tests."""

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from attack import Attack
from forms import ATTACKS
from rows import ELSEWHERE, TITLES

TESTS = Path(__file__).resolve().parents[1]


@cache
def names_of(file: str) -> frozenset[str]:
    """The names of the tests of a file."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def test_the_list_is_whole() -> None:
    assert set(TITLES) == set(range(1, 45)) - {39}
    assert set(ELSEWHERE) <= set(TITLES) and {attack.row for attack in ATTACKS} <= set(TITLES)


@pytest.mark.parametrize("row", TITLES)
def test_every_row_has_two_forms(row: int) -> None:
    here = [attack for attack in ATTACKS if attack.row == row]
    elsewhere = ELSEWHERE.get(row, ())
    for place in elsewhere:
        file, _, name = place.partition("::")
        assert name in names_of(file), f"{place} is no test"
    assert len(here) + len(elsewhere) >= 2


def test_forms_are_told_apart() -> None:
    assert [name for name, count in Counter(attack.id for attack in ATTACKS).items() if count > 1] == []


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.id)
def test_code_of_attacks_can_be_read(attack: Attack) -> None:
    """A form that stops with a SyntaxError would be blocked by that alone."""
    for source in (*attack.before, attack.answer, *attack.after):
        ast.parse(source)
