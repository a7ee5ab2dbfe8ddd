"""Looks for instructors' material in a built site: no page, search index or download may hold a solution."""

import re
from pathlib import Path

_MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "HIDDEN TESTS", "autograder")
_REGION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)
_SHORTEST = 24
"""Characters below which a line of a solution is common Python (`loss.backward()`) and proves nothing."""


def solution_lines(root: Path) -> set[str]:
    """The telling lines of all marked regions under `root/solutions`, without indentation and comments."""
    lines = set()
    for path in sorted((root / "solutions").rglob("*.py")):
        for region in _REGION.findall(path.read_text(encoding="utf-8")):
            stripped = (line.strip() for line in region.splitlines())
            lines |= {line for line in stripped if len(line) >= _SHORTEST and not line.startswith("#")}
    return lines


def leaks(html: Path, root: Path) -> list[str]:
    """What the site at `html` shows and must not, one sentence each; empty when all is well.

    Files are compared as plain text with markup, JSON escapes and white space taken out, so that a coloured
    or quoted copy of a line is found too.
    """
    needles = {_flat(line): line for line in [*_MARKERS, *solution_lines(root)]}
    found = []
    for path in sorted(html.rglob("*")):
        if not path.is_file() or path.suffix in {".png", ".woff", ".woff2", ".ttf", ".inv", ".pyc"}:
            continue
        if "mathjax" in path.relative_to(html).parts:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        text = _flat(re.sub(r"<[^>]*>", "", text)) + _flat(text)
        found += [
            f"{path.relative_to(html)} holds {line!r}" for flat, line in needles.items() if flat in text
        ]
    return found


def _flat(text: str) -> str:
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        text = text.replace(entity, character)
    return re.sub(r"\\n|[\s\\]", "", text)
