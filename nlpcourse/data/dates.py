"""Dates as people write them, and the same dates as `yyyy-mm-dd`: a small translation task whose answers are certain.

Every text has one reading, by construction:

* Dates run from 1970-01-01 to 2069-12-31. A year of two digits from 70 up is of the 20th century, any other of the
  21st.
* In numbers alone, the separator tells the order: `3.5.2004` is day, month, year; `5/3/2004` is month, day, year;
  `2004-5-3` is year, month, day.
* The day of the week, where it is written, is the right one.

The splits have no date in common, so that a model cannot remember answers. Texts are in English, German, French and
Chinese; case varies.
"""

import random
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cache

import torch
from torch import Tensor

from nlpcourse.errors import CourseError

PAD, START, END = 0, 1, 2
"""Numbers of the three tokens that are no character."""

TARGET_LENGTH = 12
"""Tokens of an encoded target: start, ten characters, end."""

SPLITS = {"train": (0, 8), "dev": (8, 9), "test": (9, 10)}
"""Which tenths of all dates, in an order drawn once, are in which split."""

_FIRST, _LAST = date(1970, 1, 1), date(2069, 12, 31)

_ENGLISH = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_GERMAN = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
_FRENCH = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_ENGLISH_DAYS = (
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"
)  # fmt: skip
_GERMAN_DAYS = (
    "Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"
)  # fmt: skip
_FRENCH_DAYS = (
    "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"
)  # fmt: skip
_CHINESE_DAYS = "一二三四五六日"


def _ordinal(number: int) -> str:
    suffix = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


FORMATS: tuple[Callable[[date], str], ...] = (
    lambda d: f"{d.day}.{d.month}.{d.year}",
    lambda d: f"{d:%d.%m.%y}",
    lambda d: f"{d.month}/{d.day}/{d.year}",
    lambda d: f"{d:%m/%d/%y}",
    lambda d: f"{d.year}-{d.month}-{d.day}",
    lambda d: f"{d.day} {_ENGLISH[d.month - 1]} {d.year}",
    lambda d: f"{_ENGLISH[d.month - 1]} {d.day}, {d.year}",
    lambda d: f"the {_ordinal(d.day)} of {_ENGLISH[d.month - 1]} {d.year}",
    lambda d: f"{_ENGLISH[d.month - 1]} {_ordinal(d.day)}, {d.year}",
    lambda d: f"{_ENGLISH_DAYS[d.weekday()]}, {d.day} {_ENGLISH[d.month - 1]} {d.year}",
    lambda d: f"{_ENGLISH_DAYS[d.weekday()][:3]} {_ENGLISH[d.month - 1][:3]} {d.day} {d.year}",
    lambda d: f"{d.day}-{_ENGLISH[d.month - 1][:3]}-{d:%y}",
    lambda d: f"{d.day}. {_GERMAN[d.month - 1]} {d.year}",
    lambda d: f"{_GERMAN_DAYS[d.weekday()]}, {d.day}. {_GERMAN[d.month - 1]} {d.year}",
    lambda d: f"{'1er' if d.day == 1 else d.day} {_FRENCH[d.month - 1]} {d.year}",
    lambda d: f"{_FRENCH_DAYS[d.weekday()]} {d.day} {_FRENCH[d.month - 1]} {d.year}",
    lambda d: f"{d.year}年{d.month}月{d.day}日",
    lambda d: f"{d.year}年{d.month}月{d.day}日 星期{_CHINESE_DAYS[d.weekday()]}",
)
"""The ways a date may be written, each equally likely; the tests show that no two dates share a text."""

_CASES: tuple[Callable[[str], str], ...] = (str, str.lower, str.upper)


def dates_of(split: str) -> list[date]:
    """The dates of `train`, `dev` or `test`, in a fixed random order.

    Raises:
        CourseError: there is no such split.
    """
    if split not in SPLITS:
        raise CourseError(f"there is no split {split!r} of the dates; there are {', '.join(SPLITS)}")
    first, last = SPLITS[split]
    days = _shuffled_days()
    return days[len(days) * first // 10 : len(days) * last // 10]


@cache
def _shuffled_days() -> list[date]:
    days = [_FIRST + timedelta(days=number) for number in range((_LAST - _FIRST).days + 1)]
    random.Random("the splits of the dates").shuffle(days)
    return days


def date_pairs(split: str, count: int, *, seed: int = 0) -> list[tuple[str, str]]:
    """Pairs of a text and its date, such as ("the 3rd of May 2004", "2004-05-03").

    Args:
        split: `train`, `dev` or `test`.
        count: how many; dates may come more than once, in other formats.
        seed: two calls with the same seed give the same pairs.

    Raises:
        CourseError: there is no such split.
    """
    days, rng = dates_of(split), random.Random(f"{split} {seed}")
    chosen = [(rng.choice(days), rng.choice(FORMATS), rng.choice(_CASES)) for _ in range(count)]
    return [(case(written(day)), day.isoformat()) for day, written, case in chosen]


@cache
def characters() -> str:
    """Every character that a text or a date may hold, in order; the first has number `END` + 1."""
    year = [date(2001, 1, 1) + timedelta(days=number) for number in range(365)]
    texts = {case(written(day)) for day in year for written in FORMATS for case in _CASES}
    return "".join(sorted(set("0123456789-").union(*texts)))


def vocabulary_size() -> int:
    """How many tokens there are: the characters and the three that are none."""
    return END + 1 + len(characters())


def encode(texts: Sequence[str], *, marks: bool = False) -> Tensor:
    """Texts as token numbers.

    Args:
        texts: N texts.
        marks: whether `START` stands in front of each and `END` behind it.

    Returns:
        (N, T) long, where T is the length of the longest; the others are filled up with `PAD` on the right.

    Raises:
        CourseError: a text holds a character that no date has.
    """
    numbers = {character: number for number, character in enumerate(characters(), start=END + 1)}
    rows = []
    for text in texts:
        if strange := set(text) - numbers.keys():
            raise CourseError(
                f"{text!r} holds {min(strange)!r}, which is in no date; characters() lists those that are"
            )
        row = [numbers[character] for character in text]
        rows.append([START, *row, END] if marks else row)
    length = max(map(len, rows), default=0)
    filled = [row + [PAD] * (length - len(row)) for row in rows]
    return torch.tensor(filled, dtype=torch.long).view(len(rows), length)


def decode(numbers: Sequence[int]) -> str:
    """The text of token numbers, up to the first `END`; start and padding are left out."""
    known = characters()
    text = ""
    for number in numbers:
        if number == END:
            break
        if number > END:
            text += known[number - END - 1]
    return text
