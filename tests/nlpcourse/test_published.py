"""Readers of public sets: on tiny files of the published formats, and on the real ones where they are."""

import gzip
from pathlib import Path

import pytest

from nlpcourse.data import published
from nlpcourse.errors import CourseError
from nlpcourse.settings import data_directory

SST5 = '\tid\tsentence\tsentiment\n0\tab\t Good film .\t4\n1\tcd\t "Bad" film .\t0\n'
WNUT17 = "The\tO\nEmpire\tB-location\nState\tI-location\n\t\nHi\u2028there\tO\n\n\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sst5").mkdir()
    (tmp_path / "sst5" / "train.tsv").write_text(SST5, encoding="utf-8")
    (tmp_path / "wnut17").mkdir()
    (tmp_path / "wnut17" / "dev.conll").write_text(WNUT17, encoding="utf-8")
    (tmp_path / "multi30k").mkdir()
    for language, lines in {
        "en": "A dog.\nA cat.\n",
        "de": "Ein Hund.\nEine Katze.\n",
        "fr": "Un chien.\n",
    }.items():
        (tmp_path / "multi30k" / f"val.{language}.gz").write_bytes(gzip.compress(lines.encode(), mtime=0))
    monkeypatch.setenv("NLPCOURSE_DATA", str(tmp_path))
    return tmp_path


def test_sst5(folder: Path) -> None:
    assert published.sst5("train") == [("Good film .", 4), ('"Bad" film .', 0)]


def test_multi30k(folder: Path) -> None:
    assert published.multi30k("dev") == [("A dog.", "Ein Hund."), ("A cat.", "Eine Katze.")]


def test_multi30k_sides_must_match(folder: Path) -> None:
    with pytest.raises(CourseError, match="2 lines of en and 1 of fr"):
        published.multi30k("dev", target="fr")


def test_multi30k_unknown_language(folder: Path) -> None:
    with pytest.raises(CourseError, match=r"val\.cs\.gz"):
        published.multi30k("dev", target="cs")


def test_wnut17(folder: Path) -> None:
    assert published.wnut17("dev") == [
        (("The", "Empire", "State"), ("O", "B-location", "I-location")),
        (("Hi\u2028there",), ("O",)),
    ]


def test_the_last_sentence_needs_no_blank_line(folder: Path) -> None:
    (folder / "wnut17" / "dev.conll").write_text("Hi\tO")
    assert published.wnut17("dev") == [(("Hi",), ("O",))]


def test_without_the_variable_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NLPCOURSE_DATA", raising=False)
    with pytest.raises(CourseError, match=r"set NLPCOURSE_DATA to the folder that has sst5/dev\.tsv"):
        published.sst5("dev")


def test_an_absent_file_is_named(folder: Path) -> None:
    with pytest.raises(CourseError, match=r"wnut17 is not here: there is no .*test\.conll"):
        published.wnut17("test")
    assert published.missing_files("wnut17") == ["train.conll", "test.conll"]


def test_an_unknown_split_lists_all(folder: Path) -> None:
    with pytest.raises(CourseError, match="sst5 has no split 'test'; splits are train, dev"):
        published.sst5("test")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sst5/train.tsv", b"h\n0\tab\tgood\t7\n", "line 2: expected index"),
        ("wnut17/dev.conll", b"The O\n", "line 1: expected a token, a tab and a BIO tag"),
        ("multi30k/val.en.gz", b"not gzip", "cannot read .*val.en.gz"),
        ("multi30k/val.en.gz", gzip.compress(b"A dog.\n" * 99, mtime=0)[:-9], "cannot read .*val.en.gz"),
        ("sst5/train.tsv", b"\xff\xfe\n", "cannot read"),
    ],
)
def test_a_damaged_file_is_one_line(folder: Path, name: str, content: bytes, message: str) -> None:
    (folder / name).write_bytes(content)
    with pytest.raises(CourseError, match=message):
        {"sst5": published.sst5, "wnut17": published.wnut17, "multi30k": published.multi30k}[
            name.split("/")[0]
        ]("train" if name.startswith("sst5") else "dev")


@pytest.mark.skipif(data_directory() is None, reason="needs the public sets: NLPCOURSE_DATA is not set")
def test_the_published_sizes() -> None:
    assert [len(published.sst5(split)) for split in ("train", "dev")] == [8_544, 1_101]
    assert [len(published.multi30k(split, "de", "fr")) for split in ("train", "dev", "test")] == [
        29_000,
        1_014,
        1_000,
    ]
    assert [len(published.wnut17(split)) for split in ("train", "dev", "test")] == [3_394, 1_009, 1_287]
