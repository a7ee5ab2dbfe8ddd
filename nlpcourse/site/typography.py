"""What Markdown cannot say of a line: a number and its per cent sign stay together."""

import re

from docutils import nodes
from sphinx.application import Sphinx

#: No line ends here.
FIXED_SPACE = "\N{NO-BREAK SPACE}"
_INSIDE = re.compile(r"(?<=\d) (?=%)")
_VERBATIM = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.raw)


def setup(app: Sphinx) -> None:
    """Connect the event."""
    app.connect("doctree-resolved", keep_together)


def keep_together(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """Put a fixed space between a number and "%", also where the number is a figure that the page glues in."""
    for text in list(doctree.findall(nodes.Text)):
        if isinstance(text.parent, _VERBATIM):
            continue
        fixed = _INSIDE.sub(FIXED_SPACE, text)
        if text.startswith(" %") and _before(text)[-1:].isdigit():
            fixed = FIXED_SPACE + fixed[1:]
        if fixed != text:
            text.parent.replace(text, nodes.Text(fixed))


def _before(text: nodes.Text) -> str:
    """The text of the node before this one, "" where there is none."""
    place = text.parent.index(text)
    return text.parent[place - 1].astext() if place else ""
