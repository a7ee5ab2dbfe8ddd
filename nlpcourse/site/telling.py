"""Which lines tell a student what the instructors keep: of solutions, hidden checks, known answers and rubrics.

The rule. A line is a secret when it stands between the markers of a reference, in a check module or a known answer of
a topic, or is a sentence of a rubric, and

* it is long enough to be nobody's common Python: at least `SHORTEST` characters, white space and comment not counted;
* it is no idiom of `IDIOMS`, which everybody who writes such code writes;
* it is not public by right. What a stub gives (the lines around the markers) is public. A check or a known answer may
  also share lines with what students read in the manuscript (visible tests, worked examples, the statement) and with
  the stand-ins, which are lent to them on purpose. A solution may not: a statement, an example or a stand-in that
  holds one of its lines is a leak.

A public checkout has none of these sources, so nothing is secret there.
"""

import ast
import html
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

SHORTEST = 20
"""Characters, white space not counted, below which a line proves nothing (`loss.backward()`)."""

IDIOMS = (
    (r"(from|import) .*", "what a file imports says nothing of how it is used"),
    (
        r"@torch\.(no_grad|inference_mode)\(\)|with torch\.(no_grad|inference_mode)\(\):",
        "turns gradients off",
    ),
    (r"\w+\.(zero_grad|backward|step|train|eval)\(.*\)", "a step of every training loop"),
    (r"(return|yield|self\.)?\s*\w+( = \w+)?", "one name, given or returned"),
    (r'"\w+",?', "one name in quotes, an argument on a line of its own"),
    (r"for \w+ in range\([\w.]+\):", "a loop that counts"),
    (r"class \w+\(nn\.Module\):", "a module begins; what it does is told by other lines"),
    (r"(def __init__|def forward|super\(\).__init__)\([\w, ]*\)( -> None)?:?", "how every module begins"),
    (r"(torch|\w+ = torch\.Generator\(\))\.manual_seed\(\w+\)", "a generator with a seed"),
    (r"except \w+( as \w+)?:", "catches an error, and says nothing of what raises it"),
)
"""Patterns of whole lines that are not telling, each with the reason."""

_IDIOM = re.compile("|".join(f"(?:{pattern})" for pattern, _ in IDIOMS))

_AROUND = re.compile(r'\s\s+#.*|^#.*|^"""|"""$')
"""What a line is compared without: its comment, and the quotes of a docstring."""

_METADATA = re.compile(r"^\+\+\+ (\{.*\})$", re.MULTILINE)
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")


def secrets(root: Path) -> dict[str, str]:
    """The telling lines of the checkout at `root`: from each line's flat form to the line and where it stands."""
    found: dict[str, str] = {}
    given: set[str] = set()
    for path in _modules(root / "solutions"):
        inside, around = _regions(path)
        given |= {flattened(_bare(line)) for line in around}
        _add(found, inside, path, root)
    for flat in given:
        found.pop(flat, None)
    public = "\n".join([*sorted(given), *_shared(root)])
    checks: dict[str, str] = {}
    for path in _modules(root / "autograder" / "checks"):
        if path.parent != root / "autograder" / "checks":  # there lies what all topics' checks use
            _add(checks, path.read_text(encoding="utf-8").splitlines(), path, root)
    found |= {flat: line for flat, line in checks.items() if flat not in public and flat not in found}
    for path in sorted((root / "solutions").glob("*/exercise.md")):
        _add(found, _rubrics(path), path, root)
    return found


def flattened(text: str) -> str:
    """A text in the form in which lines are compared: no white space, HTML entity, backslash or JSON escape."""
    text = _ESCAPED.sub(lambda escape: chr(int(escape[1], 16)), html.unescape(text))
    return re.sub(r"\\n|[\s\\]", "", text)


def _modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _regions(path: Path) -> tuple[list[str], list[str]]:
    """The lines between the markers of a file, and those around them in the functions and classes they stand in."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    inside: set[int] = set()
    begun = None
    for number, line in enumerate(lines):
        if line.strip() == BEGIN:
            begun = number
        elif line.strip() == END and begun is not None:
            inside |= set(range(begun + 1, number))
            begun = None
    around: set[int] = set()
    for node in ast.parse(text).body:
        body = set(range(node.lineno - 1, node.end_lineno or node.lineno))
        if body & inside:  # an object without a region is in no notebook, so nothing of it is given
            around |= body - inside
    return [lines[number] for number in sorted(inside)], [lines[number] for number in sorted(around)]


def _add(found: dict[str, str], lines: Iterable[str], path: Path, root: Path) -> None:
    name = path.relative_to(root).as_posix()
    for line in lines:
        bare = _bare(line)
        flat = flattened(bare)
        if len(flat) >= SHORTEST and flat not in found and not _IDIOM.fullmatch(bare):
            found[flat] = f"{bare!r} of {name}"


def _bare(line: str) -> str:
    """A line without indentation, comment and a docstring's quotes."""
    return _AROUND.sub("", line.strip()).strip()


def _shared(root: Path) -> list[str]:
    """Flat texts of what a check or a known answer may share with what students read."""
    manuscripts = sorted((root / "solutions").glob("*/exercise.md"))
    texts = [_METADATA.sub("", path.read_text(encoding="utf-8")) for path in manuscripts]
    texts += [path.read_text(encoding="utf-8") for path in _modules(root / "nlpcourse" / "standins")]
    return [flattened(text) for text in texts]


def _rubrics(path: Path) -> Iterator[str]:
    """The sentences of a manuscript's rubrics."""
    for metadata in _METADATA.findall(path.read_text(encoding="utf-8")):
        yield from re.split(r"(?<=[.;:?!])\s+", json.loads(metadata).get("rubric", ""))
