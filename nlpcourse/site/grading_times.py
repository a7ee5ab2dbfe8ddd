"""How fast a class is graded, beside other graders, and where the time goes: read from the record of a run."""

import json
import statistics
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from nlpcourse.errors import CourseError
from nlpcourse.site.generated import Generated

RECORD = "records/grading.json"
SCALE = "records/scale.json"


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("grading-times", GradingTimesDirective)


class GradingTimesDirective(Generated):
    """Two tables, seconds of a submission at each grader and what ours consist of; then the fate of a large class."""

    def markdown(self) -> str:
        path = self.depends_on(Path(self.env.srcdir) / RECORD)
        if not path.is_file():
            return "*Not run: `bench/grading.py` has left no record yet.*"
        record = read_record(path)
        seconds, parts = record["seconds a submission"], record["seconds of the parts"]
        repeats, whole = min(map(len, seconds.values())), sum(parts.values())
        lines = ["| Grader | Seconds for a submission | Pace, nbgrader is 1 |", "|---|---:|---:|"]
        lines += [
            f"| {name} | {statistics.median(values):.2f} | {record['against nbgrader'][name]:.1f} |"
            for name, values in seconds.items()
        ]
        lines += [
            "",
            f"A class of {record['students']}, graded whole by each in turn, "
            f"{'once' if repeats == 1 else f'{repeats} times; the middle one is shown'}. "
            f"Two workers are {record['two workers against one']:.2f} times as fast as one.",
            "",
            "| Our time for one submission | Seconds | Share |",
            "|---|---:|---:|",
        ]
        lines += [f"| {name} | {value:.3f} | {value / whole:.0%} |" for name, value in parts.items()]
        scale = self.depends_on(Path(self.env.srcdir) / SCALE)
        lines += ["", of_a_large_class(scale) if scale.is_file() else "*Not run: `bench/scale.py`.*"]
        return "\n".join(lines)


def of_a_large_class(path: Path) -> str:
    """What `bench/scale.py` measured, in sentences; it writes its record only when all that they say held.

    Raises:
        CourseError: the record is of another form.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        kills = len(record["records after each kill"]) - 1
        return (
            f"A class of {record['students']:,}, with {record['workers']} workers: "
            f"{record['submissions a minute']:.0f} submissions a minute, and at most "
            f"{record['largest memory, GiB']:.1f} GiB of memory for all processes together. "
            f"Then the same class once more: {kills} times, in the middle of its work, a worker was killed and soon "
            "after it the grader, which was started again. No record was lost, none was written twice, and the "
            "scores were those of the first run. The gradebook was deleted, made again from the records in "
            f"{record['gradebook made again, s']:.0f} s, and was the same."
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"{path} is no record of a large class ({error!r}); run bench/scale.py again"
        ) from error


def read_record(path: Path) -> dict[str, Any]:
    """The record of the run.

    Raises:
        CourseError: it is of another form.
    """
    try:
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        seconds = record["seconds a submission"]
        if record["students"] < 1 or record["against nbgrader"].keys() != seconds.keys():
            raise ValueError("no students, or graders without a pace")
        if not all(each > 0 for values in seconds.values() for each in values or [0]):
            raise ValueError("a grader without a time")
        if not sum(record["seconds of the parts"].values()) > 0 < record["two workers against one"]:
            raise ValueError("parts without a time")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"{path} is no record of grading times ({error!r}); run bench/grading.py again"
        ) from error
    return record
