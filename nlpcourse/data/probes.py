"""The course's own probe set of word vectors, `probes.toml`: analogies and neighbours that documentation can teach."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from nlpcourse.errors import CourseError

PROBES = Path(__file__).with_name("probes.toml")


@dataclass(frozen=True)
class Kind:
    """One kind of question: it has pairs (analogies) or near (neighbours)."""

    name: str
    title: str
    pairs: tuple[tuple[str, str], ...]
    """Every ordered couple of pairs is a question: a is to b as c is to d."""
    near: tuple[tuple[str, frozenset[str]], ...]
    """A word, and the words of which one should be its nearest neighbour."""

    @property
    def words(self) -> set[str]:
        """All words that stand in this kind."""
        found = {word for pair in self.pairs for word in pair}
        return found.union(*({word, *words} for word, words in self.near))


def load(path: Path = PROBES) -> tuple[Kind, ...]:
    """The kinds of the probe set.

    Raises:
        CourseError: a kind has neither pairs nor near, a pair is not two words, or an item stands twice.
    """
    kinds = []
    for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        pairs = tuple(tuple(pair.split()) for pair in table.get("pairs", ()))
        near = tuple((row["word"], frozenset(row["words"].split())) for row in table.get("near", ()))
        if bool(pairs) == bool(near):
            raise CourseError(
                f"{path.name}: {name} has {len(pairs)} pairs and {len(near)} near; expected one of both"
            )
        for pair in pairs:
            if len(set(pair)) != 2 or len(pair) != 2:
                raise CourseError(f"{path.name}: {name}: {' '.join(pair)!r} is not a pair of words")
        for word, words in near:
            if not words or word in words:
                raise CourseError(f"{path.name}: {name}: {word!r} has no answers, or is its own answer")
        firsts = [pair[0] for pair in pairs] + [word for word, _ in near]
        if twice := {word for word in firsts if firsts.count(word) > 1}:
            raise CourseError(f"{path.name}: {name}: {', '.join(sorted(twice))} stands twice")
        kinds.append(Kind(name, table["title"], pairs, near))
    return tuple(kinds)


def among(kinds: Iterable[Kind], words: Iterable[str]) -> tuple[Kind, ...]:
    """The kinds with only the questions and answers whose words are all among `words`; kinds left empty are dropped."""
    known = set(words)
    found = []
    for kind in kinds:
        pairs = tuple(pair for pair in kind.pairs if known.issuperset(pair))
        near = tuple(
            (word, answers & known) for word, answers in kind.near if word in known and answers & known
        )
        if len(pairs) > 1 or near:
            found.append(replace(kind, pairs=pairs, near=near))
    return tuple(found)
