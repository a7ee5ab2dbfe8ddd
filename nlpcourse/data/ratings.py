"""SimLex-999 and WordSim-353: pairs of words that people rated, from files as published under `$NLPCOURSE_DATA`."""

import csv
from pathlib import Path
from typing import NamedTuple

from nlpcourse.errors import CourseError
from nlpcourse.settings import data_directory

_FILES = {
    "simlex999": ("SimLex-999.txt", "\t", ("word1", "word2", "SimLex999")),
    "wordsim353": ("combined.csv", ",", ("Word 1", "Word 2", "Human (mean)")),
}
"""By name of the folder: the file, what stands between its columns, and the columns to read."""


class RatedPair(NamedTuple):
    """Two words, and how close people say they are, from 0 to 10."""

    first: str
    second: str
    rating: float


def simlex999() -> list[RatedPair]:
    """SimLex-999 (Hill et al., 2015), ratings of similarity: the columns word1, word2 and SimLex999.

    Raises:
        CourseError: the file is absent, or has another form.
    """
    return _read("simlex999")


def wordsim353() -> list[RatedPair]:
    """WordSim-353 (Finkelstein et al., 2002), ratings of relatedness: `Word 1`, `Word 2` and `Human (mean)`.

    Raises:
        CourseError: the file is absent, or has another form.
    """
    return _read("wordsim353")


def here() -> dict[str, list[RatedPair]]:
    """The sets whose files are on this machine, by name.

    Raises:
        CourseError: a file has another form.
    """
    folder = data_directory()
    if folder is None:
        return {}
    return {name: _read(name) for name, (file, *_) in _FILES.items() if (folder / name / file).is_file()}


def _read(name: str) -> list[RatedPair]:
    file, delimiter, columns = _FILES[name]
    folder = data_directory()
    if folder is None:
        raise CourseError(f"{name} is not here: set NLPCOURSE_DATA to the folder that has {name}/{file}")
    path: Path = folder / name / file
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=delimiter))
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"{name} is not here: cannot read {path}; put {file} there as it is published"
        ) from error
    if not rows or not set(columns) <= set(rows[0]):
        raise CourseError(f"{path}, line 1: expected the columns {', '.join(columns)}; fetch the file again")
    places = [rows[0].index(column) for column in columns]
    pairs = []
    for number, row in enumerate(rows[1:], start=2):
        try:
            first, second, rating = (row[place] for place in places)
            pairs.append(RatedPair(first.lower(), second.lower(), float(rating)))
        except (IndexError, ValueError) as error:
            raise CourseError(
                f"{path}, line {number}: expected two words and a rating; fetch the file again"
            ) from error
    return pairs
