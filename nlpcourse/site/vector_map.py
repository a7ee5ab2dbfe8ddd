"""The map of word vectors: a table of words and their true neighbours, which a script also draws in the plane."""

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
    app.add_directive("vector-map", VectorMapDirective)


class VectorMapDirective(Generated):
    """The map in `records/<topic>/map.json`. Argument: the topic's name. Without a record, a sentence says so."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = topic(self.arguments[0]).name
        path = self.depends_on(Path(self.env.srcdir) / "records" / name / "map.json")
        if not path.is_file():
            text = f"Not run: there is no records/{name}/map.json, so there is no map to show here."
            return [nodes.paragraph("", "", nodes.emphasis(text=text))]
        try:
            return [html(figure(read_map(path)))]
        except CourseError as error:
            raise self.error(str(error)) from error


def read_map(path: Path) -> dict[str, Any]:
    """Read a map: `choice`, `method` and `words`, each with `word`, `count`, `x`, `y` and `near`.

    Places are from -1 to 1; an entry of `near` is [word, cosine].

    Raises:
        CourseError: the file is no such map.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        for each in found["words"]:
            word, near = each["word"], each["near"]
            fine = max(abs(each["x"]), abs(each["y"])) <= 1 and each["count"] > 0 and near
            if not fine or any(not name or not -1.01 <= cosine <= 1.01 for name, cosine in near):
                raise CourseError(f"{path}: the entry of {word!r} is out of range; make the record again")
    except (ValueError, TypeError, KeyError) as error:
        raise CourseError(f"{path} is no map of words ({error!r}); make the record again") from error
    if not found["words"] or not isinstance(found.get("choice"), str):
        raise CourseError(f"{path} has no words, or does not say which; make the record again")
    return found


def figure(found: dict[str, Any]) -> str:
    """The map as HTML. The table is what the script draws from, so picture and table cannot differ."""
    words = found["words"]
    rows = [
        f'<tr data-x="{each["x"]}" data-y="{each["y"]}"><th scope="row">{escape(each["word"])}</th>'
        f"<td>{each['count']:,}</td>"
        f"<td>{', '.join(f'{escape(near)} {cosine:.2f}' for near, cosine in each['near'])}</td></tr>"
        for each in words
    ]
    what = f"{len(words)} words as points; arrow keys go from word to word"
    return f"""<figure class="course-map" data-course-script="vector-map.js">
<div class="course-map-view" hidden>
<p class="course-map-find"><label>Find a word <input type="search" autocomplete="off" spellcheck="false"></label></p>
<svg class="course-map-drawing" role="listbox" aria-label="{what}"></svg>
<p class="course-map-said" aria-live="polite"></p>
</div>
<noscript><p>With JavaScript on, a map of these words stands here.</p></noscript>
<figcaption>{len(words)} words in the plane: {escape(found["choice"])} ({escape(found["method"])}).
Choose one to see its nearest words in the full space, with their cosines.</figcaption>
<details><summary>The same as a table</summary>
<div tabindex="0" role="region" aria-label="Table of the words of the map"><table class="table">
<thead><tr><th scope="col">Word</th><th scope="col">Times</th><th scope="col">Nearest words</th></tr></thead>
<tbody>
{chr(10).join(rows)}
</tbody></table></div></details>
</figure>"""
