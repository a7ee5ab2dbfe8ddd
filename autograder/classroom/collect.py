"""Taking a learning platform's download into the class: whose file it is, which attempt counts, when it came."""

import hashlib
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from rich.progress import track

from autograder.classroom.archives import Entry, Refused, open_archive
from autograder.classroom.folder import Classroom, make_folder
from autograder.classroom.names import one_line, student_id
from autograder.classroom.received import Receipt, read_receipts, utc, write_receipts
from nlpcourse.errors import CourseError
from nlpcourse.files import write_atomically

# name[_LATE]_user_file_original name; the leftmost reading, as only the end is the student's to choose
_CANVAS = re.compile(
    r"(?P<name>.+?)(?P<late>_late)?_(?P<user>\d+)_(?P<file>\d+)_(?P<original>.+)", re.IGNORECASE | re.DOTALL
)
_MOODLE = re.compile(r"(?P<name>.+)_(?P<participant>\d+)_assignsubmission_file_?", re.DOTALL)
_ATTEMPT = re.compile(r"[-_ (]*(\d+)\)?$")

#: A notebook larger than this is not searched for its topic; the grader says that it is too large.
_METADATA_BYTES = 20 * 2**20


@dataclass(frozen=True)
class Candidate:
    """A notebook of the archive and what its path says about it."""

    key: str
    """What tells this student from all others; the id is made from it."""
    name: str
    lms: str
    late: bool | None
    """What the platform says; None when it does not say."""
    attempt: int
    original: str
    """The student's own file name."""
    entry: Entry


@dataclass
class Collected:
    taken: list[Receipt] = field(default_factory=list)
    unchanged: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason)"""


def identify(entry: Entry) -> Candidate:
    """Who handed in `entry`, by its path.

    Raises:
        Refused: it is no notebook, or its path names no student.
    """
    path = entry.path
    if path.suffix.lower() != ".ipynb":
        raise Refused("not a notebook")
    if match := _MOODLE.fullmatch(path.parts[0]) if len(path.parts) > 1 else None:
        name, participant = match["name"], match["participant"]
        return Candidate(f"{name}_{participant}", name, participant, None, 0, path.name, entry)
    if match := _CANVAS.fullmatch(path.name) if len(path.parts) == 1 else None:
        key = f"{match['name']}_{match['user']}"
        late = match["late"] is not None
        return Candidate(
            key, match["name"], match["user"], late, int(match["file"][:18]), match["original"], entry
        )
    if len(path.parts) > 1 and path.parts[0].strip():
        return Candidate(path.parts[0], path.parts[0], "", None, 0, path.name, entry)
    raise Refused(
        "no student's name in the path; expected STUDENT/NOTEBOOK.ipynb or a Canvas or Moodle download"
    )


def topic_of(candidate: Candidate, data: bytes, released: list[str]) -> str:
    """The released topic that a notebook answers: what it says itself, else its file name, else the only one.

    Raises:
        Refused: none of these names a released topic.
    """
    said = None
    if len(data) <= _METADATA_BYTES:
        try:
            said = json.loads(data)["metadata"]["nlpcourse"]["topic"]
        except (ValueError, TypeError, KeyError, RecursionError):
            said = None  # unreadable or foreign: the grader will say so
    if said in released:
        return str(said)
    stem = PurePosixPath(candidate.original).stem.lower()
    named = [topic for topic in released if re.match(rf"{re.escape(topic)}(?![a-z])", stem)]
    if len(named) == 1:
        return named[0]
    if len(released) == 1:
        return released[0]
    raise Refused(
        f"which topic? neither the notebook nor its name says one of {', '.join(released)}; use --topic"
    )


def _order(candidate: Candidate, topic: str) -> tuple[int, bool, int, str]:
    """Later attempts sort higher: the platform's number, else `topic.ipynb` itself, else the number in the name."""
    stem = PurePosixPath(candidate.original).stem
    number = _ATTEMPT.search(stem)
    return candidate.attempt, stem == topic, int(number[1][:9]) if number else 0, str(candidate.entry.path)


def collect(
    classroom: Classroom,
    archive: Path,
    *,
    topic: str | None = None,
    received: datetime | None = None,
    now: datetime | None = None,
) -> Collected:
    """Take the notebooks of `archive` into `submitted/` and note them in received.csv.

    What cannot be taken is refused with a reason, and the rest goes on. A submission that a later one replaces is
    kept under `history/`. Collecting the same archive again changes nothing.

    Args:
        classroom: the class.
        archive: a Canvas or Moodle zip file, a folder or zip file of STUDENT/NOTEBOOK.ipynb, or one of them unpacked.
        topic: the topic of every notebook; without it each is asked.
        received: when the work was handed in; default now. A file that the platform knows to be on time is noted
            no later than the due date, if it answers the topic that most of the archive answers (or `topic`).
        now: the clock, for tests.

    Raises:
        CourseError: no archive, no released topic, or the class folder cannot be written.
    """
    released = classroom.topics()
    if topic is not None:
        classroom.read_pin(topic)
    if not released:
        raise CourseError(
            f"nothing is released to {classroom.root}; run `nlpcourse class release {classroom.root} TOPIC`"
        )
    moment = received or now or datetime.now(UTC)
    result = Collected()
    with open_archive(archive) as opened:
        result.refused += opened.refused
        groups: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
        for candidate in _candidates(opened.entries, result):
            try:
                found = topic or topic_of(candidate, candidate.entry.read(), released)
                groups[student_id(candidate.key), found].append(candidate)
            except (Refused, ValueError) as refusal:
                result.refused.append((str(candidate.entry.path), str(refusal)))
        asked = topic or _asked(groups)
        receipts = read_receipts(classroom)
        present = {(receipt.student, receipt.topic): receipt for receipt in receipts}
        for (student, found), candidates in track(sorted(groups.items()), "collecting", transient=True):
            candidates.sort(key=lambda each: _order(each, found))
            *others, best = candidates
            for other in others:
                result.refused.append(
                    (str(other.entry.path), f"an earlier attempt; {best.entry.path} counts")
                )
            try:
                received_at = _received(classroom, best, moment, found) if found == asked else moment
                receipt = _take(classroom, student, found, best, received_at, present.get((student, found)))
            except Refused as refusal:
                result.refused.append((str(best.entry.path), str(refusal)))
                continue
            if receipt is None:
                result.unchanged += 1
            else:
                result.taken.append(receipt)
    if result.taken:
        write_receipts(classroom, [*receipts, *result.taken])
    return result


def _candidates(entries: list[Entry], result: Collected) -> list[Candidate]:
    found = []
    for entry in entries:
        try:
            found.append(identify(entry))
        except Refused as refusal:
            result.refused.append((str(entry.path), str(refusal)))
    return found


def _asked(groups: dict[tuple[str, str], list[Candidate]]) -> str | None:
    """The topic that the platform asked for in this download: that of more than half of the students.

    What it says about lateness holds for that topic alone. Else last month's notebook, handed in with this month's,
    would be on time.
    """
    counts = Counter(topic for _, topic in groups)
    return next((topic for topic, count in counts.items() if 2 * count > counts.total()), None)


def _received(classroom: Classroom, candidate: Candidate, moment: datetime, topic: str) -> datetime:
    """When it was handed in: no later than the due date where the platform knows that it was on time."""
    due = classroom.read_pin(topic)["due"]
    return min(moment, datetime.fromisoformat(due)) if candidate.late is False and due else moment


def _take(
    classroom: Classroom,
    student: str,
    topic: str,
    candidate: Candidate,
    moment: datetime,
    present: Receipt | None,
) -> Receipt | None:
    """Store one notebook; None when it is the one that is there already.

    Raises:
        Refused: a later attempt is there, or the file cannot be read.
    """
    data = candidate.entry.read()
    digest = hashlib.sha256(data).hexdigest()
    target = classroom.submission(student, topic)
    standing = target.read_bytes() if target.is_file() else None
    if present and standing is not None and present.sha256 == digest == hashlib.sha256(standing).hexdigest():
        return None
    if present and present.attempt and candidate.attempt < int(present.attempt):
        raise Refused(f"an earlier attempt than the one collected on {present.received}")
    make_folder(target.parent)
    if standing is not None and standing != data:
        former = classroom.history(student, topic) / f"{hashlib.sha256(standing).hexdigest()[:16]}.ipynb"
        make_folder(former.parent)
        write_atomically(former, standing)
    write_atomically(target, data)
    write_atomically(
        classroom.timestamp(student, topic), moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC\n")
    )
    return Receipt(
        student=student,
        topic=topic,
        name=one_line(candidate.name),
        file=one_line(str(candidate.entry.path)),
        received=utc(moment),
        sha256=digest,
        late="yes" if candidate.late else "",
        lms=candidate.lms,
        attempt=str(candidate.attempt or ""),
    )
