"""Two small assignments for tests of the grader.

`tiny` has three one-line exercises (one needs another, one is further), a question and a long cell. `row` asks for the
same function ten times under the names f0 to f9, so that one kernel can hold ten different answers.
"""

import shutil
from pathlib import Path

import autograder.checks as checks_package

TOPIC, ROW = "mlp", "cnn"
PLAIN = '"difficulty": 1, "objectives": []'

MANUSCRIPT = """---
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

+++ {"exercise": "absolute", PLAIN, "needs": [], "may-not-use": ["fabs"], "stand-in": "builtins:abs", "further": false}

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

+++ {"exercise": "total", PLAIN, "needs": ["absolute"], "may-not-use": [], "stand-in": null, "further": false}

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

+++ {"exercise": "largest", PLAIN, "needs": [], "may-not-use": [], "stand-in": null, "further": true}

## 3. Largest

1. `l-1` The result is the largest number.

```{code-cell} ipython3
:reference: tiny.largest
```

```{code-cell} ipython3
:check: largest
found = largest([1, 2])
assert found == 2
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
""".replace("PLAIN", PLAIN)

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


ROW_NAMES = tuple(f"f{number}" for number in range(10))

HEAD, REST = MANUSCRIPT.split("+++", 1)
ROW_MANUSCRIPT = HEAD.replace(TOPIC, ROW) + "\n".join(
    f"""
+++ {{"exercise": "{name}", {PLAIN}, "needs": [], "may-not-use": ["fabs"], "stand-in": null, "further": false}}

## {number}. Absolute value

1. `{name}-1` The result is the number without its sign.
2. `{name}-2` Floats work too.

```{{code-cell}} ipython3
:reference: row.{name}
```

```{{code-cell}} ipython3
:check: {name}
assert {name}(-3) == 3
```
"""
    for number, name in enumerate(ROW_NAMES, start=1)
)


def write(
    root: Path, topic: str, manuscript: str, references: dict[str, str], checks: dict[str, str]
) -> Path:
    """Write an assignment's files below `root`, as a checkout has them."""
    solutions, folder = root / "solutions" / topic, root / "autograder" / "checks" / topic
    solutions.mkdir(parents=True)
    folder.mkdir(parents=True)
    for folder_of_package in (solutions.parent, solutions, folder):
        (folder_of_package / "__init__.py").write_text('"""A package."""\n', encoding="utf-8")
    shutil.copy(checks_package.__file__, folder.parent / "__init__.py")
    (solutions / "exercise.md").write_text(manuscript, encoding="utf-8")
    for name, text in references.items():
        (solutions / f"{name}.py").write_text(text, encoding="utf-8")
    for name, text in checks.items():
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    return root


def write_tiny(root: Path) -> Path:
    """The assignment with three exercises."""
    return write(root, TOPIC, MANUSCRIPT, {"tiny": REFERENCE}, CHECKS)


def write_row(root: Path) -> Path:
    """The assignment with ten times the same."""
    function = REFERENCE.split("\n\n\n")[1]
    reference = "\n\n\n".join(function.replace("absolute", name) for name in ROW_NAMES)
    checks = {
        name: CHECKS["absolute"].replace("absolute", name).replace("a-", f"{name}-") for name in ROW_NAMES
    }
    return write(root, ROW, ROW_MANUSCRIPT, {"row": f'"""References."""\n\n\n{reference}\n'}, checks)


def in_row(*answers: str) -> dict[str, str]:
    """Answers to `row`, written for a function `absolute`; honest ones fill what is left."""
    texts = [*answers, *[HONEST["absolute"]] * (len(ROW_NAMES) - len(answers))]
    return {name: text.replace("absolute", name) for name, text in zip(ROW_NAMES, texts, strict=True)}
