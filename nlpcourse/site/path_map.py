"""The course as a picture: topics in order down a line, and an arc from each topic to those that build on it."""

from collections.abc import Callable, Sequence
from html import escape

from nlpcourse.topics import Topic

_WIDTH, _ROW, _TOP = 360, 48, 26
_LINE, _LABEL, _RADIUS = 108, 132, 14
"""Horizontal places of the line and of the labels, and the radius of a stop, in units of the picture."""
_ARC, _ARC_STEP, _ARC_MOST = 22, 13, 92
"""How far to the left an arc reaches: at least, more for each topic that it passes, at most."""


def draw(topics: Sequence[Topic], address: Callable[[Topic], str]) -> str:
    """The path through `topics` as an inline SVG; a topic that is ready is a link to `address(topic)`.

    It takes its colours from the page, and fits a screen of 390 pixels. What it shows also stands in the table
    that `{topics}` writes.
    """
    places = {each.name: _TOP + _ROW * row for row, each in enumerate(topics)}
    height = _TOP + _ROW * len(topics) - _ROW // 3
    what = f"The {len(topics)} topics of the course in order, with arcs to the topics that build on them"
    parts = [
        f'<figure class="course-path"><svg viewBox="0 0 {_WIDTH} {height}" role="group" aria-label="{what}">',
        '<defs><marker id="course-path-head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8"'
        ' markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>',
        f'<path class="course-path-line" d="M{_LINE} {_TOP}V{max(places.values())}"/>',
    ]
    parts += [_arc(places[earlier], places[later]) for earlier, later in dependencies(topics)]
    parts += [_stop(number, each, places[each.name], address) for number, each in enumerate(topics, start=1)]
    return "\n".join([*parts, "</svg></figure>"])


def dependencies(topics: Sequence[Topic]) -> list[tuple[str, str]]:
    """Pairs (a topic, a later topic that needs an objective of it), each once, in course order."""
    owner = {objective.id: each.name for each in topics for objective in each.objectives}
    pairs = {(owner[need], each.name): None for each in topics for need in each.needs}
    return list(pairs)


def _arc(start: int, end: int) -> str:
    left = _LINE - min(_ARC + _ARC_STEP * (end - start) // _ROW, _ARC_MOST)
    edge = _LINE - _RADIUS
    return (
        f'<path class="course-path-arc" marker-end="url(#course-path-head)"'
        f' d="M{edge} {start}C{left} {start} {left} {end} {edge} {end}"/>'
    )


def _stop(number: int, each: Topic, place: int, address: Callable[[Topic], str]) -> str:
    state = "" if each.ready else " · planned"
    drawn = (
        f'<circle cx="{_LINE}" cy="{place}" r="{_RADIUS}"/>'
        f'<text class="course-path-number" x="{_LINE}" y="{place + 5}" aria-hidden="true">{number}</text>'
        f'<text class="course-path-title" x="{_LABEL}" y="{place}">{escape(each.title)}</text>'
        f'<text class="course-path-more" x="{_LABEL}" y="{place + 17}">'
        f'<tspan lang="zh-Hans">{escape(each.chinese)}</tspan>{state}</text>'
    )
    if each.ready:
        return f'<a class="course-path-stop" href="{escape(address(each))}">{drawn}</a>'
    return f'<g class="course-path-stop course-path-planned">{drawn}</g>'
