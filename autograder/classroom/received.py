"""received.csv: what was collected, from whom, and when. The only times that are believed."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

from autograder.classroom.folder import Classroom
from autograder.classroom.names import escape_cell, unescape_cell
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically

_BEHIND_A_SEPARATOR = re.compile(r"([;\t]\s*+)(?=[=+\-@＝＋－＠])")


@dataclass(frozen=True)
class Receipt:
    """One file that was taken into the class."""

    student: str
    topic: str
    name: str
    """The student's name as the archive gave it."""
    file: str
    """The file's path in the archive."""
    received: str
    """UTC, ISO 8601, whole seconds."""
    sha256: str
    late: str
    """`yes` when the learning platform marked it late, else empty."""
    lms: str
    """The platform's number of the student (Canvas) or of the participant (Moodle), else empty."""
    attempt: str
    """The platform's number of the file: grows with every upload (Canvas), else empty."""

    @property
    def time(self) -> datetime:
        return datetime.fromisoformat(self.received)


def utc(moment: datetime) -> str:
    """`moment` as received.csv writes it."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def read_receipts(classroom: Classroom) -> list[Receipt]:
    """Every row, oldest first.

    Raises:
        CourseError: the file was edited into something else.
    """
    if not classroom.received_file.exists():
        return []
    names = [field.name for field in fields(Receipt)]
    try:
        text = classroom.received_file.read_bytes().decode("utf-8-sig")
        head, *rows = list(csv.reader(io.StringIO(text)))
        if head != names or any(len(row) != len(names) for row in rows):
            raise ValueError(f"expected the columns {','.join(names)}")
        receipts = [Receipt(*map(unescape_cell, row)) for row in rows]
        for receipt in receipts:
            if receipt.time.tzinfo is None:
                raise ValueError(f"{receipt.received} has no time zone")
    except (OSError, ValueError) as error:
        raise CourseError(
            f"{classroom.received_file} cannot be read: {error}; restore it from a copy"
        ) from error
    return receipts


def latest_receipts(classroom: Classroom) -> dict[tuple[str, str], Receipt]:
    """The last row of every (student, topic)."""
    return {(receipt.student, receipt.topic): receipt for receipt in read_receipts(classroom)}


def write_receipts(classroom: Classroom, receipts: Iterable[Receipt]) -> None:
    """Replace received.csv (UTF-8 with a byte-order mark, so that Excel reads every name)."""
    write_atomically(
        classroom.received_file, csv_bytes([field.name for field in fields(Receipt)], map(astuple, receipts))
    )


def csv_bytes(head: Iterable[str], rows: Iterable[Iterable[object]]) -> bytes:
    """A CSV file's bytes: every text cell safe from being read as a formula, numbers as they are."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    for row in rows:
        writer.writerow([escape_cell(_cell(cell)) if isinstance(cell, str) else cell for cell in row])
    return ("\ufeff" + text.getvalue()).encode("utf-8", "replace")


def _cell(text: str) -> str:
    """Text that a CSV reader gives back: its line ends as `\\n`, without other control characters.

    A spreadsheet of a country with decimal commas splits cells at `;`, quoted or not: no formula may stand behind one.
    """
    text = _BEHIND_A_SEPARATOR.sub(r"\1'", text)
    return "\n".join(re.sub(r"[^\t\x20-\x7e\xa0-\U0010ffff]", "?", line) for line in text.splitlines())
