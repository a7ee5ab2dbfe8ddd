"""A tiny assignment for tests of the grader: three one-line exercises, a question, a long cell."""

from pathlib import Path

TOPIC = "mlp"

MANUSCRIPT = '''---
title: Tiny
topic: mlp
kernelspec:
  name: python3
  display_name: Python 3
  language: python
---

# Tiny

```{code-cell} ipython3
:role: setup
import math
```

+++ {"exercise": "absolute", "difficulty": 1, "objectives": [], "needs": [], "may-not-use": ["fabs"], "stand-in": "builtins:abs", "further": false}

## 1. Absolute value

1. `a-1` The result is the number without its sign.
2. `a-2` Floats work too.

```{code-cell} ipython3
:reference: tiny.absolute
```

```{code-cell} ipython3
:check: absolute
assert absolute(-3) == 3, "absolute(-3) must be 3"
print("fine")
```

+++ {"exercise": "total", "difficulty": 1, "objectives": [], "needs": ["absolute"], "may-not-use": [], "stand-in": null, "further": false}

## 2. Sum of absolute values

1. `t-1` The result is the sum of the absolute values.

```{code-cell} ipython3
:role: example
print(abs(-1) + abs(2))
```

```{code-cell} ipython3
:reference: tiny.total
```

```{code-cell} ipython3
:check: total
assert total([]) == 0
```

+++ {"exercise": "largest", "difficulty": 1, "objectives": [], "needs": [], "may-not-use": [], "stand-in": null, "further": true}

## 3. Largest

1. `l-1` The result is the largest number.

```{code-cell} ipython3
:reference: tiny.largest
```

```{code-cell} ipython3
:check: largest
assert largest([1, 2]) == 2
```

+++ {"question": "why", "points": 4, "rubric": "One point for each TOP-SECRET reason."}

## 4. Why?

Say why.

+++

## 5. Run it

```{code-cell} ipython3
:role: long
total([1, 2])
```
'''

REFERENCE = '''"""References."""


def absolute(x):
    """Absolute value."""
    ### BEGIN SOLUTION
    return x if x >= 0 else -x
    ### END SOLUTION


def total(values):
    """Sum of absolute values."""
    ### BEGIN SOLUTION
    return sum(absolute(value) for value in values)
    ### END SOLUTION


def largest(values):
    """Largest number."""
    ### BEGIN SOLUTION
    return max(values)
    ### END SOLUTION
'''

CHECKS = {
    "absolute": '''"""Checks of absolute."""

import torch

from autograder.checks import check


def numbers(rng):
    return torch.randint(-999, 999, (20,), generator=rng).tolist()


@check(points=2, requires="a-1")
def test_values(student, rng):
    """Hint: the sign goes."""
    for number in numbers(rng):
        got = student.absolute(number)
        assert type(got) is int
        assert got == abs(number)


@check(points=1, requires="a-2", after="test_values")
def test_floats(student, rng):
    """Hint: floats."""
    for number in numbers(rng):
        assert student.absolute(number + 0.5) == abs(number + 0.5)
''',
    "total": '''"""Checks of total."""

import torch

from autograder.checks import check


@check(points=3, requires="t-1")
def test_sum(student, rng):
    """Hint: sum."""
    numbers = torch.randint(-999, 999, (20,), generator=rng).tolist()
    assert student.total(numbers) == sum(map(abs, numbers))


@check(points=1, requires="t-1", after="test_sum")
def test_empty(student, rng):
    """Hint: empty."""
    assert student.total([]) == 0
''',
    "largest": '''"""Checks of largest."""

import torch

from autograder.checks import check


@check(points=2, requires="l-1")
def test_largest(student, rng):
    """Hint: largest."""
    numbers = torch.randint(-999, 999, (20,), generator=rng).tolist()
    assert student.largest(numbers) == max(numbers)
''',
}

HONEST = {
    "absolute": "def absolute(x):\n    return x if x >= 0 else -x",
    "total": "def total(values):\n    return sum(absolute(value) for value in values)",
    "largest": "def largest(values):\n    return max(values)",
    "why": "Because 1 < 2.",
}

WRONG = "def absolute(x):\n    return x"
"""Passes no hidden check."""


def write_tiny(root: Path) -> Path:
    """Write the assignment's files below `root`, as a checkout has them."""
    solutions, checks = root / "solutions" / TOPIC, root / "autograder" / "checks" / TOPIC
    solutions.mkdir(parents=True)
    checks.mkdir(parents=True)
    (solutions / "exercise.md").write_text(MANUSCRIPT, encoding="utf-8")
    (solutions / "tiny.py").write_text(REFERENCE, encoding="utf-8")
    for name, text in CHECKS.items():
        (checks / f"test_{name}.py").write_text(text, encoding="utf-8")
    return root
