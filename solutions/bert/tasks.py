"""Four tasks whose labels the docstring corpus gives for free. Splits are those of the corpus: by file.

What a task draws at random is drawn from a seed of its own, so that two machines with the same corpus get the same
examples.
"""

import random
from typing import NamedTuple

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


def packages(split: str) -> list[Classified]:
    """From which of nine packages a docstring is; short ones are left out."""
    found = []
    for record in docstrings.load().split(split):
        if len(words(record.docstring)) >= 2 * _FEWEST_WORDS:
            part = ".".join(record.module.split(".")[:2])
            name = part if part in PACKAGES else record.package
            found.append(Classified(" ".join(sentences(record.docstring)), "", PACKAGES.index(name)))
    return found


def summaries(split: str) -> list[Classified]:
    """A summary line and a body: 1 when they are of one docstring, 0 in half of the cases.

    An exchanged body is of another docstring of the same package, so that the topic alone does not tell.
    """
    pairs: dict[str, list[tuple[str, str]]] = {}
    for record in docstrings.load().split(split):
        if len(words(record.summary)) >= _FEWEST_WORDS and len(words(record.body)) >= _FEWEST_BODY:
            body = " ".join(sentences(record.body))
            pairs.setdefault(record.package, []).append((record.summary, body))
    draw, found = random.Random(f"summaries {split}"), []
    for of_package in pairs.values():
        for place, (summary, body) in enumerate(of_package):
            label = draw.randrange(2) if len(of_package) > 1 else 1
            if not label:
                other = draw.randrange(len(of_package) - 1)
                body = of_package[other + (other >= place)][1]
            found.append(Classified(summary, body, label))
    return found


def questions(split: str) -> list[Asked]:
    """What is this parameter? The answer is the first sentence that describes it.

    The question is the parameter's name, the text the whole docstring on one line. Parameters without a description of
    three words, or with one that stands there twice, are left out.
    """
    found = []
    for record in docstrings.load().split(split):
        text = " ".join(record.docstring.split())
        for parameter in record.parameters:
            answer = next(iter(sentences(parameter.description)), "")
            if len(words(answer)) >= 3 and text.count(answer) == 1:
                start = text.index(answer)
                found.append(Asked(parameter.name.lstrip("*"), text, start, start + len(answer)))
    return found


def entries(split: str) -> list[Tagged]:
    """Words of parameter sections with the tags NAME and TYPE.

    The marks that set entries apart (line ends, colons) are left out, and of a description all but its beginning: what
    is a name must be read from the words. Several entries of a docstring make one text, as far as they fit.
    """
    found = []
    for record in docstrings.load().split(split):
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
                found.append(_tagged(tagged))
                tagged = []
            tagged += entry
        found.append(_tagged(tagged))
    return found


def _tagged(pairs: list[tuple[str, str]]) -> Tagged:
    return Tagged(tuple(word for word, _ in pairs), tuple(tag for _, tag in pairs))
