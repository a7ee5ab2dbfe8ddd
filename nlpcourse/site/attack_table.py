"""The table of what students may try, beside what each grader made of it: read from the record of a run."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from nlpcourse.errors import CourseError
from nlpcourse.site.generated import Generated

RECORD = "records/attacks.json"
NOT_RUN = "not run"

WORST_FIRST = (
    "full marks gained",
    "batch aborted",
    "classmate harmed",
    "got through",
    "blocked",
)
"""What an attack can come to."""


def setup(app: Sphinx) -> None:
    """Add the directives."""
    app.add_directive("attacks", AttacksDirective)
    app.add_directive("honest-notebooks", HonestDirective)


class AttacksDirective(Generated):
    """A table: every class of attack, and the worst that its forms came to at each grader."""

    def markdown(self) -> str:
        path = self.depends_on(Path(self.env.srcdir) / RECORD)
        if not path.is_file():
            return "*Not run: `bench/attacks.py` has left no record yet.*"
        record = read_record(path)
        graders = list(record["graders"])
        lines = header("What is tried", record)
        for row in sorted({form["row"] for form in record["forms"]} - {0}):
            forms = [form for form in record["forms"] if form["row"] == row]
            cells = [worst([form["outcomes"][grader] for form in forms]) for grader in graders]
            lines.append(f"| {forms[0]['title']} | {' | '.join(cells)} |")
        return "\n".join(lines)


class HonestDirective(Generated):
    """A table: the honest notebooks that lose something at one of the graders; and how many lose nothing anywhere."""

    def markdown(self) -> str:
        path = self.depends_on(Path(self.env.srcdir) / RECORD)
        if not path.is_file():
            return "*Not run.*"
        record = read_record(path)
        forms = [form for form in record["forms"] if form["row"] == 0]
        lines = header("Honest notebook", record)
        harmed = [form for form in forms if set(form["outcomes"].values()) - {"full marks", NOT_RUN}]
        lines += [f"| {form['name']} | {' | '.join(form['outcomes'].values())} |" for form in harmed]
        rest = (
            f"The other {len(forms) - len(harmed)} of {len(forms)} got full marks wherever they were tried."
        )
        return "\n".join([*lines, "", rest]) if harmed else rest


def read_record(path: Path) -> dict[str, Any]:
    """The record of the run.

    Raises:
        CourseError: it is missing or of another form.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        graders = set(record["graders"])
        if not all(set(form["outcomes"]) == graders and form["title"] for form in record["forms"]):
            raise ValueError("a form without an outcome of each grader")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(f"{path} is no record of attacks ({error}); run bench/attacks.py again") from error
    return record


def header(first: str, record: dict[str, Any]) -> list[str]:
    """The head of a table with a column for each grader."""
    graders = [f"{name} {number}" for name, number in record["graders"].items()]
    return [f"| {first} | {' | '.join(graders)} |", f"|{'---|' * (1 + len(graders))}"]


def worst(outcomes: list[str]) -> str:
    """The worst of several outcomes, and how many of the forms that were run came to it when not all did."""
    counts = Counter(each for each in outcomes if each != NOT_RUN)
    if not counts:
        return NOT_RUN
    word = min(counts, key=WORST_FIRST.index)
    return word if len(counts) == 1 else f"{word} ({counts[word]} of {counts.total()})"
