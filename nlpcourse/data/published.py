"""Readers of public benchmark sets, from files in their published format under `$NLPCOURSE_DATA`.

Nothing is downloaded and nothing is kept: what stands in the files is what a reader returns.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from nlpcourse.errors import CourseError
from nlpcourse.settings import data_directory


@dataclass(frozen=True)
class Published:
    """A benchmark set: what it is and the files it is published in."""

    name: str
    description: str
    terms: str
    files: tuple[str, ...]
    """Below `$NLPCOURSE_DATA/<name>`."""


class Rated(NamedTuple):
    """A sentence with its sentiment."""

    text: str
    label: int
    """0 very negative .. 4 very positive."""


class Tagged(NamedTuple):
    """A sentence as tokens, each with its BIO tag."""

    tokens: tuple[str, ...]
    tags: tuple[str, ...]


_MULTI30K = {"train": "train", "dev": "val", "test": "test_2016_flickr"}

SETS = {
    each.name: each
    for each in (
        Published(
            "sst5",
            "Stanford Sentiment Treebank, sentences in five classes (Socher et al., 2013)",
            "terms unspecified",
            ("train.tsv", "dev.tsv"),
        ),
        Published(
            "multi30k",
            "Multi30k task 1, image captions in English, German and French (Elliott et al., 2016)",
            "the data set's own terms",
            tuple(f"{stem}.{language}.gz" for stem in _MULTI30K.values() for language in ("en", "de", "fr")),
        ),
        Published(
            "wnut17",
            "WNUT-17, emerging entities in social media (Derczynski et al., 2017)",
            "CC BY 4.0",
            ("train.conll", "dev.conll", "test.conll"),
        ),
    )
}


def missing_files(name: str) -> list[str]:
    """The files of a set that are not under `$NLPCOURSE_DATA`; all of them when it is not set."""
    folder = data_directory()
    files = SETS[name].files
    return list(files) if folder is None else [file for file in files if not (folder / name / file).is_file()]


def sst5(split: str) -> list[Rated]:
    """The sentences of `train` or `dev`, tokens separated by spaces as published.

    Raises:
        CourseError: the file is absent, or a line has another form.
    """
    path = _file("sst5", split, {"train": "train.tsv", "dev": "dev.tsv"})
    rows = []
    for number, line in list(_lines(path))[1:]:  # the first line names the columns
        fields = line.split("\t")
        if len(fields) != 4 or fields[3] not in ("0", "1", "2", "3", "4"):
            raise _malformed(path, number, "index, id, sentence and a sentiment 0-4, separated by tabs")
        rows.append(Rated(fields[2].strip(), int(fields[3])))
    return rows


def multi30k(split: str, source: str = "en", target: str = "de") -> list[tuple[str, str]]:
    """Pairs of a caption and its translation; languages are `en`, `de` and `fr`.

    Raises:
        CourseError: a file is absent, or the two have different numbers of lines.
    """
    sides = []
    for language in (source, target):
        path = _file("multi30k", split, {key: f"{stem}.{language}.gz" for key, stem in _MULTI30K.items()})
        sides.append([line.strip() for _, line in _lines(path)])
    if len(sides[0]) != len(sides[1]):
        counts = f"{len(sides[0])} lines of {source} and {len(sides[1])} of {target}"
        raise CourseError(f"multi30k {split}: {counts}, expected as many; fetch the files again")
    return list(zip(*sides, strict=True))


def wnut17(split: str) -> list[Tagged]:
    """The sentences of `train`, `dev` or `test`.

    Raises:
        CourseError: the file is absent, or a line has another form.
    """
    path = _file("wnut17", split, {key: f"{key}.conll" for key in ("train", "dev", "test")})
    sentences = []
    tokens: list[tuple[str, str]] = []
    for number, line in [*_lines(path), (0, "")]:
        if line.strip():
            token, tab, tag = line.partition("\t")
            if not tab or not (tag == "O" or tag.startswith(("B-", "I-"))):
                raise _malformed(path, number, "a token, a tab and a BIO tag")
            tokens.append((token, tag))
        elif tokens:
            sentences.append(Tagged(tuple(token for token, _ in tokens), tuple(tag for _, tag in tokens)))
            tokens = []
    return sentences


def _file(name: str, split: str, files: dict[str, str]) -> Path:
    if split not in files:
        raise CourseError(f"{name} has no split {split!r}; splits are {', '.join(files)}")
    folder = data_directory()
    if folder is None:
        place = f"{name}/{files[split]}"
        raise CourseError(f"{name} is not here: set NLPCOURSE_DATA to the folder that has {place}")
    path = folder / name / files[split]
    if not path.is_file():
        raise CourseError(
            f"{name} is not here: there is no {path}; put {files[split]} there as it is published"
        )
    return path


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines, cut at line feeds alone: tweets hold other characters that `splitlines` cuts at."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = content.decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CourseError(f"cannot read {path}: {error}; fetch the file again") from error
    yield from enumerate(text.removesuffix("\n").replace("\r\n", "\n").split("\n"), start=1)


def _malformed(path: Path, number: int, expected: str) -> CourseError:
    return CourseError(f"{path}, line {number}: expected {expected}; fetch the file again")
