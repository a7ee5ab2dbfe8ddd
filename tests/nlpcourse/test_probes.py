"""The probe set: well formed, large enough, and every word of it in the corpus of this machine."""

from collections import Counter
from pathlib import Path

import pytest

from nlpcourse.data import docstrings, probes, words
from nlpcourse.errors import CourseError


def test_four_kinds_with_a_hundred_items() -> None:
    kinds = probes.load()
    assert [kind.name for kind in kinds] == ["plural", "inverse", "colour", "library"]
    assert sum(len(kind.pairs) + len(kind.near) for kind in kinds) >= 100
    for kind in kinds:
        assert kind.title
        assert len(kind.pairs) + len(kind.near) >= 10
        for word in kind.words:
            assert words(word) == [word], "a probe asks for words as the corpus cuts them"


def test_every_word_is_frequent_enough_to_have_a_vector() -> None:
    counts = Counter(word for text in docstrings.load().texts("train") for word in words(text))
    rare = {word: counts[word] for kind in probes.load() for word in kind.words if counts[word] < 5}
    assert not rare


def test_a_part_of_the_corpus_is_asked_what_it_can_know() -> None:
    plural, near = probes.among(probes.load(), ["list", "lists", "file", "files", "red", "green", "sin"])
    assert plural.pairs == (("list", "lists"), ("file", "files"))
    assert near.near == (("red", frozenset({"green"})), ("green", frozenset({"red"})))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('pairs = ["a b"]\nnear = [{ word = "a", words = "b" }]', "1 pairs and 1 near"),
        ("pairs = []", "0 pairs and 0 near"),
        ('pairs = ["a b c"]', "'a b c' is not a pair"),
        ('pairs = ["a a"]', "'a a' is not a pair"),
        ('near = [{ word = "a", words = "b a" }]', "'a' has no answers, or is its own"),
        ('pairs = ["a b", "a c"]', "a stands twice"),
    ],
)
def test_a_malformed_set_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "probes.toml"
    path.write_text(f'[kind]\ntitle = "x"\n{content}\n')
    with pytest.raises(CourseError, match=message):
        probes.load(path)
