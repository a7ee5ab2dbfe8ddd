"""A checkout in miniature, whose manuscripts, references and checks a test may change."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nlpcourse.paths import project_root

ROOT = project_root(Path(__file__).parent)

MANUSCRIPT = """\
---
title: "A second topic"
topic: mlp
---

# A second topic

```{code-cell} ipython3
:role: setup
SETUP
```

+++ {"exercise": "scaled", "difficulty": 1, "objectives": [], "needs": [], "may-not-use": [], "stand-in": null, "further": false}

## 1. Scale a tensor

1. `scaled-1` The result is twice the input.

```{code-cell} ipython3
:reference: layers.scaled
```

```{code-cell} ipython3
:check: scaled
assert scaled(torch.ones(2)).tolist() == [2, 2], "The result must be twice the input."
```
"""  # noqa: E501

REFERENCE = '''\
"""A reference of one function."""

IMPORTS
from torch import Tensor


def scaled(x: Tensor) -> Tensor:
    """Twice `x`, of the same shape."""
    ### BEGIN SOLUTION
    doubled = BODY
    return doubled
    ### END SOLUTION
'''

CHECKS = '''\
"""Checks of scaled."""

from autograder.checks import check


@check(points=2, requires="scaled-1")
def test_values(student, rng):
    """Is the factor right?"""
'''


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what makes the exercises of `embeddings`; its root."""
    (tmp_path / "_toc.yml").write_text("root: chapters/index\n")
    (tmp_path / "chapters").mkdir()
    for folder in ("solutions/embeddings", "autograder/checks/embeddings", "exercises/embeddings"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.fixture
def second_topic(tmp_path: Path) -> Callable[..., Path]:
    """Writes a tiny topic `mlp`; its reference may import and use what a test wants to try."""

    def write(
        *,
        imports: str = "import torch",
        body: str = "2 * x",
        setup: str = "import torch\nfrom torch import Tensor",
        change: tuple[str, str] = ("", ""),
    ) -> Path:
        assert change[0] in MANUSCRIPT
        solutions, checks = tmp_path / "solutions" / "mlp", tmp_path / "autograder" / "checks" / "mlp"
        solutions.mkdir(parents=True)
        checks.mkdir(parents=True)
        (solutions / "exercise.md").write_text(MANUSCRIPT.replace("SETUP", setup).replace(*change))
        (solutions / "layers.py").write_text(REFERENCE.replace("IMPORTS", imports).replace("BODY", body))
        (checks / "test_scaled.py").write_text(CHECKS)
        return tmp_path

    return write
