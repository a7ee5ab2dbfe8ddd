"""What a BERT guesses at a hidden word, layer by layer: a record that a script shows, and a table of the first guesses.

Letters: `L` layers.
"""

import json
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from nlpcourse.errors import CourseError
from nlpcourse.site.generated import Generated, html
from nlpcourse.topics import topic


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("masked-words", MaskedWordsDirective)


class MaskedWordsDirective(Generated):
    """The guesses in `records/<topic>/masked-words.json`. Argument: the topic's name. Without a record, a sentence."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = topic(self.arguments[0]).name
        path = self.depends_on(Path(self.env.srcdir) / "records" / name / "masked-words.json")
        if not path.is_file():
            text = f"Not run: there is no records/{name}/masked-words.json, so there are no guesses to show here."
            return [nodes.paragraph("", "", nodes.emphasis(text=text))]
        try:
            return [html(figure(read_guesses(path)))]
        except CourseError as error:
            raise self.error(str(error)) from error


def read_guesses(path: Path) -> dict[str, Any]:
    """Read guesses as `nlpcourse train bert-layers --preset laptop --record` writes them.

    Raises:
        CourseError: the file holds no such guesses.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        texts, run = found["texts"], found["run"]
        depth = {len(layers) for text in texts for layers in (*text["guesses"], *text["truth"])}
        counts = {len(layer) for text in texts for layers in text["guesses"] for layer in layers}
        shares = [share for text in texts for layers in text["truth"] for share in layers]
        shares += [
            share
            for text in texts
            for layers in text["guesses"]
            for layer in layers
            for token, share in layer
            if token
        ]
        fits = all(len(text["tokens"]) == len(text["guesses"]) == len(text["truth"]) for text in texts)
    except (ValueError, TypeError, KeyError) as error:
        raise CourseError(
            f"{path} holds no guesses at hidden words ({error!r}); make the record again"
        ) from error
    if not (run and fits and len(depth) == len(counts) == 1 and all(0 <= share <= 1 for share in shares)):
        raise CourseError(f"{path}: the guesses do not fit the words; make the record again")
    return found


def figure(found: dict[str, Any]) -> str:
    """The guesses as HTML: controls for the script, and the first guess of each layer as a table without it."""
    texts = found["texts"]
    last = len(texts[0]["truth"][0]) - 1
    options = "".join(
        f'<option value="{number}">{escape(" ".join(text["tokens"]))}</option>'
        for number, text in enumerate(texts)
    )
    heads = "".join(f'<th scope="col">After layer {number}</th>' for number in range(last + 1))
    rows = "\n".join(_rows(text, number) for number, text in enumerate(texts, start=1))
    return f"""<figure class="course-masked" data-course-script="masked-words.js">
<script type="application/json">{_json(texts)}</script>
<div class="course-masked-view" hidden>
<label>Sentence <select>{options}</select></label>
<fieldset><legend>Hide a word</legend><div class="course-masked-words"></div></fieldset>
<p class="course-masked-said" aria-live="polite"></p>
<div class="course-masked-scroll" tabindex="0" role="region" aria-label="Guesses after each layer"></div>
</div>
<noscript><p>With JavaScript on, you choose the word that is hidden, and see more guesses.</p></noscript>
<figcaption>What the head guesses at a hidden word from the vector after each of {last} layers; layer 0 is the
embedding. The word that was hidden is marked with ✓. (Record {escape(found["run"])}.)</figcaption>
<details><summary>The first guesses as a table</summary>
<div tabindex="0" role="region" aria-label="Table of the first guess at each word"><table class="table">
<caption>The most probable word at each place, when the word there is hidden</caption>
<thead><tr><th scope="col">Sentence</th><th scope="col">Hidden</th>{heads}</tr></thead>
<tbody>
{rows}
</tbody></table></div></details>
</figure>"""


def _rows(text: dict[str, Any], number: int) -> str:
    """A row for each word of the text."""
    lines = []
    for word, layers in zip(text["tokens"], text["guesses"], strict=True):
        cells = "".join(f"<td>{escape(layer[0][0])} {layer[0][1]:.2f}</td>" for layer in layers)
        lines.append(f'<tr><td>{number}</td><th scope="row">{escape(word)}</th>{cells}</tr>')
    return "\n".join(lines)


def _json(data: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
