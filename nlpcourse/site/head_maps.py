"""What the heads of a small Transformer look at: a model in a record, which a script runs on the reader's own text.

Letters: `L` decoder layers, `H` heads, `S` characters of the text, `T` characters written.
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

_FOR_THE_SCRIPT = ("num_heads", "characters", "longest", "target_length", "weights")
_ORDER = ("first", "second", "third", "fourth")


def setup(app: Sphinx) -> None:
    """Add the directive."""
    app.add_directive("head-maps", HeadMapsDirective)


class HeadMapsDirective(Generated):
    """The model in `records/<topic>/heads.json`. Argument: the topic's name. Without a record, a sentence says so."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = topic(self.arguments[0]).name
        path = self.depends_on(Path(self.env.srcdir) / "records" / name / "heads.json")
        if not path.is_file():
            text = f"Not run: there is no records/{name}/heads.json, so there are no heads to show here."
            return [nodes.paragraph("", "", nodes.emphasis(text=text))]
        try:
            return [html(figure(read_model(path)))]
        except CourseError as error:
            raise self.error(str(error)) from error


def read_model(path: Path) -> dict[str, Any]:
    """Read a model as `nlpcourse train dates-pocket --preset laptop --record` writes it.

    Raises:
        CourseError: the file is no such model.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        text, written, weights = (found["example"][key] for key in ("text", "written", "weights"))
        fits = found["weights"] and all(
            len(head) == min(len(written) + 1, found["target_length"])
            and all(len(row) == len(text) for row in head)
            for layer in weights
            for head in layer
        )
        fits = (
            fits
            and all(len(layer) == found["num_heads"] for layer in weights)
            and len(weights) <= len(_ORDER)
        )
        fine = fits and 0 <= found["exact match"] <= 1 and found["tested"] > 0 and found["parameters"] > 0
        missing = [key for key in (*_FOR_THE_SCRIPT, "run") if key not in found]
    except (ValueError, TypeError, KeyError) as error:
        raise CourseError(f"{path} is no model with its heads ({error!r}); make the record again") from error
    if missing or not fine:
        why = f"has no {', '.join(missing)}" if missing else "holds an example that does not fit its model"
        raise CourseError(f"{path} {why}; make the record again")
    return found


def sharpest(weights: list[list[list[list[float]]]]) -> tuple[int, int]:
    """Layer and head, of weights (L, H, T, S), whose largest weights are the largest on average."""
    heads = [(layer, head) for layer, heads in enumerate(weights) for head in range(len(heads))]
    return max(heads, key=lambda each: sum(max(row) for row in weights[each[0]][each[1]]))


def figure(found: dict[str, Any]) -> str:
    """The model as HTML: controls and a drawing for the script, and an example of one head as a table without it."""
    example, weights = found["example"], found["example"]["weights"]
    layer, head = sharpest(weights)
    data = {key: found[key] for key in _FOR_THE_SCRIPT} | {"shown": {"layer": layer, "head": head}}
    kinds = {
        "cross": "cross: output looks at text",
        "encoder": "encoder: text at itself",
        "decoder": "decoder: output at itself",
    }
    options = "".join(f'<option value="{key}">{title}</option>' for key, title in kinds.items())
    return f"""<figure class="course-heads" data-course-script="head-maps.js">
<script type="application/json" data-course-script="pocket-transformer.js">{_json(data)}</script>
<div class="course-heads-view" hidden>
<div class="course-heads-controls">
<label>A date <input name="text" type="text" value="{escape(example["text"])}" autocomplete="off" spellcheck="false"
aria-describedby="course-heads-problem"></label>
<label>Attention <select name="kind">{options}</select></label>
<fieldset><legend>Masks</legend>
<label><input name="causal" type="checkbox" checked> causal</label>
<label><input name="padding" type="checkbox" checked> padding</label></fieldset>
</div>
<p class="course-heads-problem" id="course-heads-problem" role="alert"></p>
<div class="course-heads-maps">
<p class="course-heads-output" aria-live="polite"></p>
<fieldset class="course-heads-choice"><legend>Layer and head</legend></fieldset>
<div class="course-heads-scroll"><svg class="course-heads-drawing" role="listbox"></svg></div>
<p class="course-heads-said" aria-live="polite"></p>
</div>
</div>
<noscript><p>With JavaScript on, the model reads a date that you type, and shows the map of every head.</p></noscript>
<figcaption>A Transformer with {found["parameters"]:,} parameters, computed by this page. It writes
{round(found["exact match"] * found["tested"]):,} of {found["tested"]:,} test dates without a mistake (record
{escape(found["run"])}).
Each row of a map adds up to 1. ␣ is a space, □ padding and ▸ the start; a stroke marks what a mask hides.</figcaption>
<details><summary>The same as a table</summary>
<div tabindex="0" role="region" aria-label="Table of the weights of one head">
{_table(example, weights[layer][head], f"Cross-attention, {_ORDER[layer]} layer, head {head}")}
</div></details>
</figure>"""


def _table(example: dict[str, Any], weights: list[list[float]], title: str) -> str:
    """The weights (T, S) of one head for the example."""
    heads = "".join(f'<th scope="col">{_shown(each)}</th>' for each in example["text"])
    read, write = ["start", *example["written"]], [*example["written"], "end"]
    rows = "\n".join(
        f'<tr><th scope="row">{_shown(before)} → {_shown(after)}</th>'
        f"{''.join(f'<td>{weight:.2f}</td>' for weight in row)}</tr>"
        for before, after, row in zip(read, write, weights, strict=False)  # the end may be missing
    )
    return f"""<table class="table">
<caption>{title}, for {escape(example["text"])}</caption>
<thead><tr><th scope="col">Position</th>{heads}</tr></thead>
<tbody>
{rows}
</tbody></table>"""


def _shown(character: str) -> str:
    return "␣" if character == " " else escape(character)


def _json(data: dict[str, Any]) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
