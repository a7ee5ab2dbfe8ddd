"""Dates and their texts: one reading each, splits apart, and the same pairs for the same seed."""

import pytest

from nlpcourse.data import dates
from nlpcourse.errors import CourseError


def test_no_two_dates_share_a_text() -> None:
    owner: dict[str, str] = {}
    for split in dates.SPLITS:
        for day in dates.dates_of(split)[::7]:
            for written in dates.FORMATS:
                assert owner.setdefault(written(day).lower(), day.isoformat()) == day.isoformat()
    assert len(owner) > 80_000


SHORT = [n for n, written in enumerate(dates.FORMATS) if len(written(dates.dates_of("dev")[0])) < 11]


@pytest.mark.parametrize("number", SHORT)
def test_short_forms_of_all_dates_are_apart(number: int) -> None:
    """A year of two digits has one meaning."""
    days = [day for split in dates.SPLITS for day in dates.dates_of(split)]
    assert len({dates.FORMATS[number](day) for day in days}) == len(days) == 36525


def test_the_splits_share_no_date() -> None:
    splits = [set(dates.dates_of(split)) for split in dates.SPLITS]
    assert sum(map(len, splits)) == len(set().union(*splits)) == 36525


def test_the_seed_decides_the_pairs() -> None:
    pairs = dates.date_pairs("dev", 300, seed=4)
    assert pairs == dates.date_pairs("dev", 300, seed=4) != dates.date_pairs("dev", 300, seed=5)
    assert {date for _, date in pairs} <= {day.isoformat() for day in dates.dates_of("dev")}
    assert len({text for text, _ in pairs}) > 250


def test_texts_become_numbers_and_come_back() -> None:
    pairs = dates.date_pairs("test", 500)
    source = dates.encode([text for text, _ in pairs])
    target = dates.encode([date for _, date in pairs], marks=True)
    assert target.shape == (500, dates.TARGET_LENGTH)
    assert source.max() < dates.vocabulary_size()
    assert [dates.decode(row) for row in source.tolist()] == [text for text, _ in pairs]
    assert [dates.decode(row) for row in target.tolist()] == [date for _, date in pairs]
    assert (target[:, 0] == dates.START).all() and (target[:, -1] == dates.END).all()
    assert dates.encode([]).shape == (0, 0)


def test_what_is_no_date() -> None:
    with pytest.raises(CourseError, match="'q1' holds 'q'"):
        dates.encode(["q1"])
    with pytest.raises(CourseError, match="no split 'validation' of the dates; there are train, dev, test"):
        dates.date_pairs("validation", 1)
