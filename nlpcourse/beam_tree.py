"""An interactive figure of beam search: a page gives the rounds of its search, a script grows the tree step by step."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple


class Candidate(NamedTuple):
    """A beginning that a round of beam search looks at."""

    tokens: tuple[str, ...]
    """What is written so far, the token of this round last."""
    probability: float
    """The product of the probabilities of its tokens."""
    kept: bool
    """Whether it is among the best of its round."""


class BeamTree:
    """The searches of several beam sizes; the reader chooses a size and goes forward and back.

    On a page of the site, the script `beam-tree.js` draws the tree. Elsewhere the tables remain.

    Args:
        searches: by beam size, the rounds of the search; a round holds its candidates, each of which continues, by one
            token, a candidate that was kept in the round before.
        end: the token that finishes a sequence.

    Raises:
        ValueError: a search is empty, a round keeps none or more candidates than the beam size, or a candidate
            continues nothing that was kept and open.
    """

    def __init__(self, searches: Mapping[int, Sequence[Sequence[Candidate]]], *, end: str) -> None:
        self.searches = searches
        self.end = end
        if not searches or not all(searches.values()):
            raise ValueError(
                f"there are searches for the sizes {list(searches)}, expected at least one round in each"
            )
        for size, rounds in searches.items():
            open_before: set[tuple[str, ...]] = {()}
            for number, candidates in enumerate(rounds, start=1):
                kept = [each.tokens for each in candidates if each.kept]
                if not 1 <= len(kept) <= size:
                    raise ValueError(
                        f"size {size}, round {number}: {len(kept)} are kept, expected 1 to {size}"
                    )
                for each in candidates:
                    if each.tokens[:-1] not in open_before:
                        raise ValueError(
                            f"size {size}, round {number}: {' '.join(each.tokens)!r} continues nothing that was kept"
                        )
                open_before = {tokens for tokens in kept if tokens[-1] != end}

    def __repr__(self) -> str:
        sizes = ", ".join(str(size) for size in self.searches)
        return f"Beam search with beam sizes {sizes}."

    def _repr_html_(self) -> str:
        data = json.dumps({"end": self.end, "searches": self.searches}, separators=(",", ":")).replace(
            "<", "\\u003c"
        )
        sizes = "".join(f"<option>{size}</option>" for size in self.searches)
        tables = "\n".join(_table(size, rounds) for size, rounds in self.searches.items())
        return f"""<figure class="course-beam" data-course-script="beam-tree.js">
<script type="application/json">{data}</script>
<div class="course-beam-view" hidden>
<div class="course-beam-controls">
<label>Beam size <select>{sizes}</select></label>
<button type="button" name="back">Back</button>
<button type="button" name="step">Step</button>
<button type="button" name="again">Start again</button>
</div>
<div class="course-beam-scroll" tabindex="0" role="region" aria-label="The tree of the search">
<svg class="course-beam-drawing" role="img"></svg>
</div>
<p class="course-beam-said" aria-live="polite"></p>
</div>
<noscript><p>With JavaScript on, the tree grows here step by step, for the beam size that you choose.</p></noscript>
<figcaption>Each node is a beginning, with its probability. A filled node was kept, a crossed one was
dropped, and a square is a finished sequence.</figcaption>
<details><summary>The same as tables</summary>
{tables}
</details>
</figure>"""


def _table(size: int, rounds: Sequence[Sequence[Candidate]]) -> str:
    """The rounds of one search, the best candidates of each first."""
    rows = "\n".join(
        f'<tr><td>{number}</td><th scope="row">{escape(" ".join(each.tokens))}</th>'
        f"<td>{each.probability:.3f}</td><td>{'yes' if each.kept else 'no'}</td></tr>"
        for number, candidates in enumerate(rounds, start=1)
        for each in sorted(candidates, key=lambda each: -each.probability)
    )
    heads = "".join(f'<th scope="col">{each}</th>' for each in ("Round", "Beginning", "Probability", "Kept"))
    return f"""<div tabindex="0" role="region" aria-label="Table of the search with beam size {size}">
<table class="table">
<caption>Beam size {size}</caption>
<thead><tr>{heads}</tr></thead>
<tbody>
{rows}
</tbody></table></div>"""
