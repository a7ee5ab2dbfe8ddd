"""Makes pages usable by everyone: described figures, code that scrolls by keyboard, Chinese marked so."""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

logger = logging.getLogger(__name__)

_CHINESE = re.compile(r"([\u3400-\u9fff]+)(?![^<]*>)")
_DRAWN_OR_DATA = re.compile(r"(<(svg|script)\b.*?</\2>)", re.DOTALL)
"""What marks its own language, or has none: HTML inside it would break it."""
_FEWEST_WORDS = 5
_REPAIRS = (
    ('<div class="highlight"><pre>', '<div class="highlight"><pre tabindex="0">'),
    (
        'role="doc-biblioentry"',
        'role="listitem"',
    ),  # a list, which is what surrounds them, may hold only items
)


def setup(app: Sphinx) -> None:
    """Connect the checks and the repairs."""
    app.connect("doctree-read", require_alternative_text)
    app.connect("html-page-context", repair_page)


def require_alternative_text(app: Sphinx, doctree: nodes.document) -> None:
    """Warn (an error in our builds) of each figure whose alternative text is not a sentence."""
    for image in doctree.findall(nodes.image):
        alt = str(image.get("alt", ""))
        if len(alt.split()) < _FEWEST_WORDS:
            logger.warning(
                "figure %s has the alternative text %r; give it a sentence of at least %d words "
                "(cell metadata `mystnb: {image: {alt: ...}}`)",
                image.get("uri", ""),
                alt,
                _FEWEST_WORDS,
                location=image if image.line else app.env.docname,
                type="course",
                subtype="alt",
            )


def repair_page(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Mark Chinese as Chinese and let the keyboard reach what scrolls sideways."""
    body = context.get("body")
    if not isinstance(body, str):
        return
    body = mark_chinese(body)
    for stock, repaired in _REPAIRS:
        body = body.replace(stock, repaired)
    context["body"] = body


def mark_chinese(body: str) -> str:
    """`body`, a page's HTML, with each run of Chinese outside drawings and scripts in a `span` that says so."""
    marked, end = [], 0
    for found in _DRAWN_OR_DATA.finditer(body):
        marked += [_CHINESE.sub(r'<span lang="zh-Hans">\1</span>', body[end : found.start()]), found[0]]
        end = found.end()
    return "".join([*marked, _CHINESE.sub(r'<span lang="zh-Hans">\1</span>', body[end:])])
