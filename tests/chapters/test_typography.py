"""A number and its per cent sign stand on one line."""

import pytest
from docutils import nodes
from docutils.utils import new_document

from nlpcourse.site.typography import keep_together


def text_of(*children: nodes.Node) -> str:
    document = new_document("page")
    document += nodes.paragraph("", "", *children)
    keep_together(None, document, "page")
    return document.astext()


@pytest.mark.parametrize(
    ("children", "expected"),
    [
        (
            [nodes.Text("15 % of 85 %, and 100% too")],
            "15\N{NO-BREAK SPACE}% of 85\N{NO-BREAK SPACE}%, and 100% too",
        ),
        ([nodes.inline("", "37.5"), nodes.Text(" % of them")], "37.5\N{NO-BREAK SPACE}% of them"),
        ([nodes.emphasis("", "many"), nodes.Text(" % signs")], "many % signs"),
        ([nodes.Text(" % at the begin, 5 words")], " % at the begin, 5 words"),
        ([nodes.literal("", "7 % 2")], "7 % 2"),
        ([nodes.inline("", "9"), nodes.Text(" % and 3 %")], "9\N{NO-BREAK SPACE}% and 3\N{NO-BREAK SPACE}%"),
    ],
    ids=["in a text", "after a figure of the page", "after a word", "after nothing", "code", "both"],
)
def test_the_space_before_the_sign_is_fixed(children: list[nodes.Node], expected: str) -> None:
    assert text_of(*children) == expected
