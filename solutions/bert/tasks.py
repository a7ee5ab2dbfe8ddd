"""Four tasks whose labels the docstring corpus gives for free.

Splits are those of the corpus: by file. No text of dev or test stands in train word for word. What a task draws at
random is drawn from a seed of its own: two machines with the same corpus get the same examples.
"""

import random
from collections.abc import Callable, Hashable
from itertools import groupby
from typing import NamedTuple, TypeAlias, TypeVar

from nlpcourse.data import docstrings, words
from nlpcourse.data.published import Tagged
from solutions.bert.corpus import sentences

PACKAGES = (
    "stdlib",
    "numpy",
    "matplotlib",
    "torch",
    "torch._inductor",
    "torch.distributed",
    "torch._dynamo",
    "torch.ao",
    "torch.fx",
)
"""Classes of `packages`; `torch` is what is in none of its parts."""

Example = TypeVar("Example")
Splits: TypeAlias = dict[str, list[Example]]
"""Examples of `train`, `dev` and `test`."""

_FEWEST_WORDS, _FEWEST_BODY = 4, 20
_LONGEST_ENTRY, _LONGEST_TAGGED = 20, 60


class Classified(NamedTuple):
    """A text, or two, with a class."""

    first: str
    second: str
    """"" for a single text."""
    label: int


class Asked(NamedTuple):
    """A question whose answer is a stretch of the text."""

    question: str
    text: str
    start: int
    """Of the answer, in characters."""
    end: int
    """Behind the answer's last character."""


def packages() -> Splits[Classified]:
    """From which of nine packages a docstring is; short ones are left out."""
    found: Splits[Classified] = {split: [] for split in docstrings.SPLITS}
    for record in docstrings.load().records:
        if len(words(record.docstring)) >= 2 * _FEWEST_WORDS:
            part = ".".join(record.module.split(".")[:2])
            label = PACKAGES.index(part if part in PACKAGES else record.package)
            found[record.split].append(Classified(" ".join(sentences(record.docstring)), "", label))
    return _each_once(found, key=lambda example: example.first)


def summaries() -> Splits[Classified]:
    """A summary line and a body: 1 when they are of one docstring, 0 in half of the cases.

    An exchanged body is of another docstring of the same package, so that the topic alone does not tell.
    """
    pairs: Splits[tuple[str, str, str]] = {split: [] for split in docstrings.SPLITS}
    for record in docstrings.load().records:
        if len(words(record.summary)) >= _FEWEST_WORDS and len(words(record.body)) >= _FEWEST_BODY:
            body = " ".join(sentences(record.body))
            pairs[record.split].append((record.package, record.summary, body))
    found: Splits[Classified] = {}
    for split, of_split in _each_once(pairs, key=lambda pair: pair[2]).items():
        draw, found[split] = random.Random(f"summaries {split}"), []
        for _, of_package in groupby(sorted(of_split), key=lambda pair: pair[0]):
            texts = [pair[1:] for pair in of_package]
            for place, (summary, body) in enumerate(texts):
                label = draw.randrange(2) if len(texts) > 1 else 1
                if not label:
                    other = draw.randrange(len(texts) - 1)
                    body = texts[other + (other >= place)][1]
                found[split].append(Classified(summary, body, label))
    return found


def questions() -> Splits[Asked]:
    """What is this parameter? The answer is the first sentence that describes it.

    The question is the parameter's name, the text the whole docstring on one line. Parameters without a description of
    three words, or with one that stands there twice, are left out.
    """
    found: Splits[Asked] = {split: [] for split in docstrings.SPLITS}
    for record in docstrings.load().records:
        text = " ".join(record.docstring.split())
        for parameter in record.parameters:
            answer = next(iter(sentences(parameter.description)), "")
            if len(words(answer)) >= 3 and text.count(answer) == 1:
                start = text.index(answer)
                name = parameter.name.lstrip("*")
                found[record.split].append(Asked(name, text, start, start + len(answer)))
    return _each_once(found, key=lambda example: example[:2])


def entries() -> Splits[Tagged]:
    """Words of parameter sections with the tags NAME and TYPE.

    The marks that set entries apart (line ends, colons) are left out, and of a description all but its beginning: what
    is a name must be read from the words. Several entries of a docstring make one text, as far as they fit.
    """
    found: Splits[Tagged] = {split: [] for split in docstrings.SPLITS}
    for record in docstrings.load().records:
        parameters = record.parameters
        if not any(parameter.type for parameter in parameters):
            continue
        tagged: list[tuple[str, str]] = []
        for parameter in parameters:
            kind = parameter.type.split()
            entry = [
                (parameter.name, "B-NAME"),
                *zip(kind, ["B-TYPE"] + ["I-TYPE"] * (len(kind) - 1), strict=False),
                *((word, "O") for word in parameter.description.split()[:_LONGEST_ENTRY]),
            ]
            if tagged and len(tagged) + len(entry) > _LONGEST_TAGGED:
                found[record.split].append(_tagged(tagged))
                tagged = []
            tagged += entry
        found[record.split].append(_tagged(tagged))
    return _each_once(found, key=lambda example: example.tokens)


def _tagged(pairs: list[tuple[str, str]]) -> Tagged:
    return Tagged(tuple(word for word, _ in pairs), tuple(tag for _, tag in pairs))


def _each_once(examples: Splits[Example], key: Callable[[Example], Hashable]) -> Splits[Example]:
    """Leave out what stands in an earlier split, or earlier in the same: documentation is copied from file to file."""
    seen: set[Hashable] = set()
    found: Splits[Example] = {}
    for split in docstrings.SPLITS:
        found[split] = []
        for example in examples[split]:
            if key(example) not in seen:
                seen.add(key(example))
                found[split].append(example)
    return found
