"""Schedules: they rise over the warm-up, and fall as their papers say."""

import math

import pytest

from solutions.training.schedules import SCHEDULES, constant, cosine, inverse_sqrt, linear


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("warmup", [1, 4, 10])
def test_all_rise_in_a_straight_line_and_never_above_one(name: str, warmup: int) -> None:
    values = [SCHEDULES[name](step, 40, warmup) for step in range(40)]
    assert values[:warmup] == pytest.approx([(step + 1) / warmup for step in range(warmup)])
    assert max(values) == pytest.approx(1.0)
    assert all(before >= after for before, after in zip(values[warmup:], values[warmup + 1 :], strict=False))


@pytest.mark.parametrize("name", SCHEDULES)
def test_without_a_warm_up_the_first_step_is_the_highest(name: str) -> None:
    assert SCHEDULES[name](0, 40, 0) == 1.0


def test_where_they_end() -> None:
    assert constant(40, 40, 10) == 1.0
    assert linear(40, 40, 10) == 0.0
    assert cosine(40, 40, 10) == pytest.approx(0.1)
    assert linear(25, 40, 10) == pytest.approx(0.5)
    assert cosine(25, 40, 10) == pytest.approx(0.55)


def test_the_inverse_square_root_is_that_of_the_paper() -> None:
    """Vaswani et al. (2017), equation 3: min(n ** -0.5, n * warmup ** -1.5) for n from 1 on, up to a factor."""
    for step in range(100):
        number = step + 1
        expected = min(number**-0.5, number * 16**-1.5) * math.sqrt(16)
        assert inverse_sqrt(step, 100, 16) == pytest.approx(expected)
