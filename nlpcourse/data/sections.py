"""Takes a docstring apart: summary line, body, and the parameters of a NumPy or Google style section."""

import re
import textwrap
from typing import NamedTuple


class Parameter(NamedTuple):
    """One documented parameter."""

    name: str
    type: str
    """As written, or "" when the docstring gives none."""
    description: str


_SIGNATURE = re.compile(r"[\w.]+ ?\(.*\)(\s*->.*)?", re.DOTALL)
_NUMPY_HEADING = re.compile(r"^(?:Parameters|Other Parameters)\n-{3,}\n", re.MULTILINE)
_UNDERLINED = re.compile(r"^\S.*\n-{3,}[ ]*$", re.MULTILINE)
_NUMPY_NAMES = re.compile(r"(\*{0,2}\w+(?:,\s*\*{0,2}\w+)*)\s*(?::\s*(.*))?$")
_GOOGLE_HEADING = re.compile(
    r"^(?:Args|Arguments|Parameters|Keyword args|Keyword Arguments):[ ]*\n", re.MULTILINE
)
_GOOGLE_ENTRY = re.compile(r"(\*{0,2}\w+)\s*(?:\(((?:[^()]|\([^()]*\))*)\))?\s*:\s+(.*)", re.DOTALL)


def summary_and_body(docstring: str) -> tuple[str, str]:
    """The first paragraph on one line, and what follows it.

    A signature in front, as functions written in C have it, belongs to neither.
    """
    paragraphs = docstring.split("\n\n")
    if len(paragraphs) > 1 and _SIGNATURE.fullmatch(paragraphs[0].strip()):
        del paragraphs[0]
    return " ".join(paragraphs[0].split()), "\n\n".join(paragraphs[1:]).strip("\n")


def parameters(docstring: str) -> tuple[Parameter, ...]:
    """The parameters that a NumPy or Google style section documents, in order; () without such a section."""
    return (*_numpy(docstring), *_google(docstring))


def _numpy(docstring: str) -> list[Parameter]:
    found = []
    for heading in _NUMPY_HEADING.finditer(docstring):
        rest = docstring[heading.end() :]
        following = _UNDERLINED.search(rest)
        for entry in _entries(rest[: following.start()] if following else rest):
            head, _, description = entry.partition("\n")
            if match := _NUMPY_NAMES.match(head):
                description = " ".join(description.split())
                found += [
                    Parameter(name.strip(), (match[2] or "").strip(), description)
                    for name in match[1].split(",")
                ]
    return found


def _google(docstring: str) -> list[Parameter]:
    found = []
    for heading in _GOOGLE_HEADING.finditer(docstring):
        lines = []
        for line in docstring[heading.end() :].splitlines():
            if line.strip() and not line.startswith((" ", "\t")):
                break
            lines.append(line)
        for entry in _entries(textwrap.dedent("\n".join(lines))):
            if match := _GOOGLE_ENTRY.match(entry):
                found.append(Parameter(match[1], (match[2] or "").strip(), " ".join(match[3].split())))
    return found


def _entries(block: str) -> list[str]:
    """The block cut before each line that is not indented."""
    return [entry.strip() for entry in re.split(r"\n(?=\S)", block.strip("\n")) if entry.strip()]
