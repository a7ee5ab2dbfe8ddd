"""The table of company that the lessons count: by hand, and against the plainest way to count."""

import numpy as np
import pytest

from nlpcourse.data.company import count_company


def plainly(texts: list[list[int]], size: int, weights: list[float]) -> np.ndarray:
    table = np.zeros((size, size))
    for text in texts:
        for i, one in enumerate(text):
            for j, other in enumerate(text):
                if i != j and abs(i - j) <= len(weights) and min(one, other) >= 0:
                    table[one, other] += weights[abs(i - j) - 1]
    return table


def test_by_hand() -> None:
    table = count_company([[0, 1, 0], [2], [1, -1, 2]], 4, weights=[1, 0.5])
    assert table.tolist() == [[1, 2, 0, 0], [2, 0, 0.5, 0], [0, 0.5, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("weights", [[1.0], [1, 1, 1, 1], [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 1 / 6]])
def test_as_counted_plainly(weights: list[float]) -> None:
    rng = np.random.default_rng(len(weights))
    texts = [rng.integers(-1, 9, length).tolist() for length in (0, 1, 2, 3, 5, 40)]
    assert np.allclose(count_company(texts, 9, weights=weights), plainly(texts, 9, weights))


def test_no_text_and_no_known_word() -> None:
    assert not count_company([], 3, weights=[1, 1]).any()
    assert not count_company([[], [-1, -1]], 3, weights=[1]).any()
