"""An interactive figure of position vectors: a page gives the vectors, a script draws them, tables hold the same."""

import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray


class PositionWaves:
    """Position vectors of several widths; the reader chooses a width, a position and a distance.

    Letters: `T` positions, `D` width of a vector. On a page of the site, the script `position-waves.js` draws the
    entries as waves and the cosines as a curve. Elsewhere the tables remain.

    Args:
        encodings: by width D, the vectors (T, D) of positions 0 to T - 1; all widths have the same T. Each two
            neighbouring entries, from the first, are drawn together.
        shown: the width that is shown first, and whose vectors stand in a table.

    Raises:
        ValueError: the vectors do not have these shapes, or an entry is not between -1 and 1.
    """

    def __init__(self, encodings: Mapping[int, ArrayLike], *, shown: int) -> None:
        self.encodings = {width: np.round(np.asarray(vectors), 4) for width, vectors in encodings.items()}
        self.shown = shown
        if shown not in self.encodings:
            raise ValueError(f"shown is {shown}, expected one of the widths {sorted(self.encodings)}")
        self.length = len(self.encodings[shown])
        for width, vectors in self.encodings.items():
            if vectors.shape != (self.length, width) or width % 2 or self.length % 2:
                raise ValueError(
                    f"the vectors of width {width} have shape {vectors.shape}, expected ({self.length}, {width}) "
                    f"with both numbers even"
                )
            if not (abs(vectors) <= 1).all():
                raise ValueError(f"the vectors of width {width} have an entry outside -1 to 1; scale them")

    def __repr__(self) -> str:
        widths = ", ".join(str(width) for width in self.encodings)
        return f"Position vectors of width {widths} for positions 0 to {self.length - 1}."

    def _repr_html_(self) -> str:
        half = self.length // 2
        data = json.dumps(
            {width: each.tolist() for width, each in self.encodings.items()}, separators=(",", ":")
        )
        widths = "".join(
            f"<option{' selected' if width == self.shown else ''}>{width}</option>"
            for width in self.encodings
        )
        cosines = np.stack([_cosines(each)[: half + 1] for each in self.encodings.values()], axis=1)
        first = _table(
            "Cosine of the vectors of two positions, by their distance",
            ["Distance", *(f"width {width}" for width in self.encodings)],
            cosines,
        )
        second = _table(
            f"The vectors of width {self.shown}",
            ["Position", *(f"entry {entry}" for entry in range(self.shown))],
            self.encodings[self.shown],
        )
        return f"""<figure class="course-waves" data-course-script="position-waves.js">
<script type="application/json">{data}</script>
<div class="course-waves-view" hidden>
<div class="course-waves-controls">
<label>Position <input name="position" type="range" min="0" max="{half - 1}" value="{half // 4}"></label>
<label>Distance <input name="distance" type="range" min="0" max="{half}" value="{half // 4}"></label>
<label>Width <select name="width">{widths}</select></label>
</div>
<svg class="course-waves-drawing" role="img"></svg>
<p class="course-waves-said" aria-live="polite"></p>
</div>
<noscript><p>With JavaScript on, the waves are drawn here, and you choose position, distance and width.</p></noscript>
<figcaption>Above: the entries of the vectors, two to a row, the first solid and the second dashed. Below: the cosine of
the chosen position's vector with that of every position.</figcaption>
<details><summary>The same as tables</summary>
{first}
{second}
</details>
</figure>"""


def _cosines(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The cosine of the first vector with each: (T, D) to (T,)."""
    length = np.linalg.norm(vectors, axis=1)
    return vectors @ vectors[0] / (length * length[0])


def _table(caption: str, heads: list[str], rows: NDArray[np.float64]) -> str:
    """A table that can be scrolled; each row begins with its number."""
    head = "".join(f'<th scope="col">{each}</th>' for each in heads)
    body = "\n".join(
        f'<tr><th scope="row">{number}</th>{"".join(f"<td>{entry:.2f}</td>" for entry in row)}</tr>'
        for number, row in enumerate(rows)
    )
    return f"""<div tabindex="0" role="region" aria-label="{caption}"><table class="table">
<caption>{caption}</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody></table></div>"""
