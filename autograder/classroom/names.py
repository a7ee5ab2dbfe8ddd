"""Names of students: made into safe ids, and made safe for spreadsheets."""

import hashlib
import re
import unicodedata

_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_DERIVED = re.compile(r"-[0-9a-f]{12}\Z")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # names that Windows keeps for devices
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "＝",
    "＋",
    "－",
    "＠",
)  # the wide forms count in East Asian ones
_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def student_id(name: str) -> str:
    """An id that is a folder name on every system, for any name; different names give different ids.

    A plain name (lower-case ASCII letters, digits, `.`, `_`, `-`) is its own id. Any other becomes its letters and
    digits, of whatever script, and 12 hexadecimal digits of its SHA-256; plain names that end like that are treated
    as the others, so that the two kinds never meet.

    Raises:
        ValueError: the name is empty.
    """
    name = unicodedata.normalize("NFC", name)
    if not name.strip():
        raise ValueError("a student without a name")
    if (
        _PLAIN.fullmatch(name)
        and ".." not in name
        and not _DERIVED.search(name)
        and not _RESERVED.fullmatch(name)
    ):
        return name
    letters = re.sub(r"[\W_]+", "-", name.lower()).strip("-")[:32].strip("-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{letters or 'student'}-{digest}"


def escape_cell(text: str) -> str:
    """`text` as a spreadsheet cell that is never read as a formula; `unescape_cell` gives it back."""
    return f"'{text}" if text.startswith((*_FORMULA, "'")) else text


def unescape_cell(cell: str) -> str:
    """The text that `escape_cell` was given."""
    return cell.removeprefix("'")


def one_line(text: str) -> str:
    """`text` with `?` for every control character, line end and lone surrogate, so that a table can hold it."""
    return _BREAKS.sub("?", text)


def printable(text: str, limit: int = 80) -> str:
    """`text` for a terminal: one line, no control or direction characters, at most `limit` characters."""
    kept = "".join(
        character if unicodedata.category(character)[0] != "C" and character.isprintable() else "?"
        for character in text
    )
    return kept if len(kept) <= limit else kept[: limit - 1] + "…"
