"""What gives something away is found in every form in which it is published, and ordinary lines are not."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from nlpcourse.site.canary import leaks
from nlpcourse.site.telling import IDIOMS, SHORTEST, flattened, secrets

SOLUTION = 'scores = softmax(query @ keys.mT, dim=-1) if limit < 5 else "none"'
CHECK = "assert_same(student.attend(query, mask), reference.attend(query, mask))"
HINT = "Is the mask laid on before the softmax?"
KNOWN = "return (query * keys).sum(dim=0) / query.shape[0] ** 0.25"
RUBRIC = "A good answer names the two tables and says why one is kept."
SECRETS = {"solution": SOLUTION, "check": CHECK, "hint": HINT, "known answer": KNOWN, "rubric": RUBRIC}

REFERENCE = f'''
from torch.nn.functional import softmax

def attend(query, keys, limit):
    """The weighted mean of the values of all positions."""
    given = query.reshape(len(query), -1, 8)
    ### BEGIN SOLUTION
    {SOLUTION}  # (B, T)
    given = query.reshape(len(query), -1, 8)
    optimizer.zero_grad(set_to_none=True)
    return scores
    ### END SOLUTION

def attend_fast(query, keys, limit):
    {SOLUTION}
'''

MANUSCRIPT = f"""
+++ {json.dumps({"question": "why", "points": 2, "rubric": "Two points. " + RUBRIC})}

## Why?

```{{code-cell}} ipython3
:check: attend
example = attend(torch.arange(12.0).view(3, 4), mask, 5)
```
"""

CHECKS = f'''
from autograder.checks import check

@check(points=2, requires="att-1")
def test_mask(student, rng):
    """{HINT}"""
    example = attend(torch.arange(12.0).view(3, 4), mask, 5)
    table = torch.zeros(len(words), 16)[words]
    theirs = make(
        "MultiHeadAttention",
    )
    {CHECK}
'''

LENT = "table = torch.zeros(len(words), 16)[words]"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A whole checkout in miniature."""
    root = tmp_path / "checkout"
    texts = {
        "solutions/tiny/attention.py": REFERENCE,
        "solutions/tiny/exercise.md": MANUSCRIPT,
        "autograder/checks/common.py": "def what_every_topic_uses(student, reference):\n    return 1\n",
        "autograder/checks/tiny/test_attend.py": CHECKS,
        "autograder/checks/tiny/known/attend.py": f"def attend_summed(query, keys):\n    {KNOWN}\n",
        "nlpcourse/standins/tiny.py": LENT,
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def page(line: str, folder: Path) -> None:
    coloured = highlight(f"if True:\n    {line}\n", PythonLexer(), HtmlFormatter())
    (folder / "page.html").write_text(f"<html>{coloured}</html>", encoding="utf-8")


def source_page(line: str, folder: Path) -> None:
    (folder / "_sources").mkdir()
    (folder / "_sources" / "page.md").write_text(f"```python\n\t{line}\n```\n", encoding="utf-8")


def wrapped_prose(line: str, folder: Path) -> None:
    (folder / "page.md").write_text("The line is\n> " + line.replace(" ", "\n  "), encoding="utf-8")


def search_index(line: str, folder: Path) -> None:
    index = json.dumps({"titles": ["One", line], "terms": {"mask": [0, 1]}})
    (folder / "searchindex.js").write_text(f"Search.setIndex({index})", encoding="utf-8")


def notebook(line: str, folder: Path) -> None:
    cells = [nbformat.v4.new_code_cell(f"def f():\n    负 = 1\n    {line}\n    return 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "download.ipynb")


def wheel(line: str, folder: Path) -> None:
    with zipfile.ZipFile(folder / "course-1-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("course/", "")
        archive.writestr("course/module.py", f"def f():\n    {line}\n")


FORMS = (page, source_page, wrapped_prose, search_index, notebook, wheel)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", SECRETS)
def test_a_planted_line_is_found(
    kind: str, form: Callable[[str, Path], None], checkout: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    public.mkdir()
    form(SECRETS[kind], public)
    found = leaks(public, secrets(checkout))
    assert len(found) == 1, found
    assert found[0].partition(" holds ")[2].startswith(repr(SECRETS[kind])[:20])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "line",
    [
        pytest.param("return scores", id="short"),
        pytest.param("optimizer.zero_grad(set_to_none=True)", id="an idiom"),
        pytest.param("from torch.nn.functional import softmax", id="an import"),
        pytest.param("given = query.reshape(len(query), -1, 8)", id="given by the stub"),
        pytest.param("example = attend(torch.arange(12.0).view(3, 4), mask, 5)", id="in a visible test"),
        pytest.param(LENT, id="in a stand-in"),
        pytest.param("def what_every_topic_uses(student, reference):", id="of no topic"),
        pytest.param('"MultiHeadAttention",', id="a name in quotes"),
        pytest.param("scores = softmax(key @ query.mT, dim=-1)", id="alike only"),
    ],
)
def test_an_ordinary_line_is_not(
    line: str, form: Callable[[str, Path], None], checkout: Path, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    public.mkdir()
    form(line, public)
    assert leaks(public, secrets(checkout)) == []


def test_a_stand_in_or_a_statement_may_not_hold_a_line_of_the_solution(checkout: Path) -> None:
    for name in ("nlpcourse/standins/tiny.py", "solutions/tiny/exercise.md"):
        with (checkout / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{SOLUTION}\n")
    assert [leak.partition(" holds ")[0] for leak in leaks(checkout / "nlpcourse", secrets(checkout))] == [
        "standins/tiny.py"
    ]


def test_only_the_named_files_are_looked_at(checkout: Path, tmp_path: Path) -> None:
    public = tmp_path / "public"
    public.mkdir()
    page(SOLUTION, public)
    (public / "other.html").write_text("<p>nothing</p>", encoding="utf-8")
    assert leaks(public, secrets(checkout), [public / "other.html"]) == []
    assert len(leaks(public, secrets(checkout), [public / "page.html"])) == 1


def test_a_marker_is_found_except_where_the_library_speaks_of_it(tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text('"### BEGIN SOLUTION"', encoding="utf-8")
    (tmp_path / "canary.py").write_text('"### BEGIN SOLUTION"', encoding="utf-8")
    assert leaks(tmp_path, {}) == ["index.js holds 'BEGIN SOLUTION'"]


def test_a_public_checkout_has_no_secrets(tmp_path: Path) -> None:
    assert secrets(tmp_path) == {}


def test_every_idiom_has_a_reason_and_the_shortest_line_is_what_it_says(checkout: Path) -> None:
    assert all(reason for _, reason in IDIOMS)
    assert {len(flat) >= SHORTEST for flat in secrets(checkout)} == {True}
    assert flattened("a\\u8d1f &lt; \\n b") == "a负<b"
