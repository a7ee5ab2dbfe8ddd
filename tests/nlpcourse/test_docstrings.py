"""The docstring corpus: what it is made of, that it is the same each time, and that its cache cannot lie."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nlpcourse.data import docstrings, words
from nlpcourse.data.docstrings import Corpus, build, read_cache, split_of
from nlpcourse.errors import CourseError

VERSIONS = {"builder": "1", "python": "3", "alpha": "1.0"}
MODULES = {"stdlib": ["one", "absent"], "alpha": ["alpha", "alpha.deep", "alpha.broken"]}


@pytest.fixture
def packages(tmp_path: Path) -> dict[str, Path]:
    """Two tiny packages that must not be imported: every file raises."""
    files = {
        "lib/one.py": '"""One module, seven words in all."""\nraise RuntimeError\n',
        "site/alpha/__init__.py": (
            '"""Alpha."""\nraise RuntimeError\n'
            'add_docstr(alpha.f, "A [function] in C.")\ndef g():\n    """Shared."""\n'
        ),
        "site/alpha/deep.py": (
            'raise RuntimeError\ndef h():\n    """Shared."""\n\nclass K:\n    """K’s docstring."""\n'
        ),
        "site/alpha/broken.py": "def (:\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return {"stdlib": tmp_path / "lib", "alpha": tmp_path / "site"}


@pytest.fixture
def small(packages: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`load` works on the tiny packages; returns the file its cache has."""
    monkeypatch.setenv("NLPCOURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(docstrings, "installed_versions", lambda: VERSIONS)
    monkeypatch.setattr(docstrings, "module_list", lambda: MODULES)
    monkeypatch.setattr(docstrings, "roots", lambda: packages)
    return docstrings.cache_path(VERSIONS)


def test_records_say_where_each_docstring_stands(packages: dict[str, Path]) -> None:
    corpus = build(MODULES, packages, VERSIONS)
    assert [(r.package, r.module, r.name, r.kind, r.docstring) for r in corpus.records] == [
        ("stdlib", "one", "one", "module", "One module, seven words in all."),
        ("alpha", "alpha", "alpha", "module", "Alpha."),
        ("alpha", "alpha", "alpha.f", "attached", "A [function] in C."),
        ("alpha", "alpha", "alpha.g", "function", "Shared."),
        ("alpha", "alpha.deep", "alpha.deep.K", "class", "K’s docstring."),
    ]


def test_counts(packages: dict[str, Path]) -> None:
    info = build(MODULES, packages, VERSIONS).info
    assert (info.files, info.missing, info.docstrings) == (3, 2, 5)
    assert info.words == 6 + 1 + 4 + 1 + 2
    assert info.by_package == {"stdlib": 1, "alpha": 4}
    assert sum(info.by_split.values()) == 5


def test_two_builds_are_equal(packages: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(MODULES, packages, VERSIONS)
    monkeypatch.setattr("nlpcourse.data.reading._CHUNK", 1)
    monkeypatch.setattr("nlpcourse.data.reading.cores", lambda: 3)
    assert build(MODULES, packages, VERSIONS) == first


def test_the_hash_follows_the_text(packages: dict[str, Path]) -> None:
    before = build(MODULES, packages, VERSIONS).info.sha256
    (packages["stdlib"] / "one.py").write_text('"""One module, changed."""\n')
    assert build(MODULES, packages, VERSIONS).info.sha256 != before


def test_splits_are_by_file_and_fixed() -> None:
    assert [split_of(name) for name in ("torch._torch_docs", "torch._tensor_docs", "json")] == [
        "dev",
        "test",
        "train",
    ]
    assert {split_of(f"module{number}") for number in range(100)} == {"train", "dev", "test"}


def test_texts_of_a_split(packages: dict[str, Path]) -> None:
    corpus = build(MODULES, packages, VERSIONS)
    texts = [text for split in ("train", "dev", "test") for text in corpus.texts(split)]
    assert sorted(texts) == sorted(record.docstring for record in corpus.records)
    with pytest.raises(CourseError, match="no split 'valid'; splits are train, dev, test"):
        corpus.texts("valid")


def test_the_second_load_reads_the_cache(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = docstrings.load()

    def never(*_: object) -> Corpus:
        raise AssertionError("built again")

    monkeypatch.setattr(docstrings, "build", never)
    assert docstrings.load() == built


def test_building_says_counts_and_hash(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = docstrings.load()
    assert (
        f"3 files (2 of the list are not here), 5 docstrings, 14 words, sha256 {corpus.info.sha256[:12]}"
        in (capsys.readouterr().err)
    )


@pytest.mark.parametrize("keep", [0, 1, 40, -1, -20])
def test_a_cache_cut_off_is_rebuilt_with_one_line(
    small: Path, capsys: pytest.CaptureFixture[str], keep: int
) -> None:
    built = docstrings.load()
    whole = small.read_bytes()
    small.write_bytes(whole[:keep])
    capsys.readouterr()
    assert docstrings.load() == built
    said = [line for line in capsys.readouterr().err.splitlines() if "damaged" in line]
    assert len(said) == 1
    assert "building it again" in said[0]
    assert small.read_bytes() == whole


def test_a_changed_byte_is_noticed(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    docstrings.load()
    small.write_bytes(small.read_bytes().replace(b"Shared", b"Bhared"))
    assert read_cache(small) is None
    assert "damaged" in capsys.readouterr().err


def test_the_cache_is_keyed_by_versions(small: Path) -> None:
    assert docstrings.cache_path(VERSIONS) != docstrings.cache_path({**VERSIONS, "alpha": "1.1"})
    assert docstrings.cache_path(VERSIONS) == docstrings.cache_path(dict(reversed(VERSIONS.items())))


def test_a_cache_that_cannot_be_written_is_one_line(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.parent.write_text("a file where the folder should be")
    assert docstrings.load().info.docstrings == 5
    assert "is not kept and will be built again next time" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_one_line(packages: dict[str, Path]) -> None:
    with pytest.raises(
        CourseError, match="cannot read the docstrings of installed packages: FileNotFoundError"
    ):
        docstrings.read_files([packages["stdlib"] / "gone.py"])


def test_words() -> None:
    assert words("Don't re-use x_1: it’s naïve, a TENSOR of 3×4.") == [
        *["don't", "re", "use", "x", "it’s", "naïve", "a", "tensor", "of"]
    ]


@pytest.mark.slow
def test_the_corpus_of_this_installation(tmp_path: Path) -> None:
    """Builds the real thing in a fresh process, where no package of it may be imported."""
    program = """if True:
        import json, sys
        from nlpcourse.data import docstrings
        corpus = docstrings.load()
        held_out = set(corpus.texts("dev")) | set(corpus.texts("test"))
        print(json.dumps({
            "imported": [name for name in ("numpy", "torch", "matplotlib") if name in sys.modules],
            "missing": corpus.info.missing, "words": corpus.info.words, "packages": corpus.info.by_package,
            "overlap": len(held_out & set(corpus.texts("train"))), "again": docstrings.load() == corpus,
            "summaries": sum(bool(record.body) for record in corpus.records),
            "parameters": sum(bool(record.parameters) for record in corpus.records),
        }))
    """
    environment = {**os.environ, "NLPCOURSE_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["imported"] == []
    assert found["overlap"] == 0
    assert found["again"]
    assert found["missing"] < 100
    assert 1_300_000 < found["words"] < 1_900_000
    assert set(found["packages"]) == {"stdlib", "numpy", "torch", "matplotlib"}
    assert found["summaries"] > 10_000
    assert found["parameters"] > 4_000
