"""Reading progress: boxes to tick at a topic's objectives, and bars of them all. The browser keeps it, nobody else."""

import json
from collections.abc import Sequence
from html import escape

from nlpcourse.topics import Topic

_HOW = (
    "Tick what you can do. Your browser keeps the ticks on this machine; nothing is sent anywhere. "
    "The front page adds them up."
)


def note(topic: Topic) -> str:
    """What stands below the objectives of `topic`, as HTML."""
    ids = escape(" ".join(objective.id for objective in topic.objectives))
    return (
        f'<div class="course-ticks" data-course-script="progress.js" data-objectives="{ids}">'
        f'<p class="course-ticks-note" hidden>{_HOW}</p>'
        "<noscript><p>With JavaScript on, you can tick what you can do.</p></noscript></div>"
    )


def bars(topics: Sequence[Topic]) -> str:
    """One bar for each topic that is ready and has objectives, and the buttons that save and load, as HTML.

    The script fills it; without JavaScript a sentence says what is missing.
    """
    counted = [
        {"title": each.title, "objectives": [objective.id for objective in each.objectives]}
        for each in topics
        if each.ready and each.objectives
    ]
    data = json.dumps(counted, ensure_ascii=True).replace("<", "\\u003c")
    return f"""<section class="course-progress" data-course-script="progress.js" aria-label="Your progress">
<script type="application/json">{data}</script>
<div class="course-progress-bars" hidden></div>
<p class="course-progress-buttons" hidden>
<button type="button" data-action="save">Save to a file</button>
<button type="button" data-action="load">Load from a file</button>
<button type="button" data-action="clear">Clear</button>
<input type="file" accept=".json,application/json" aria-label="A file of saved progress" hidden>
</p>
<p class="course-progress-said" role="status"></p>
<noscript><p>With JavaScript on, this page shows how many objectives you have ticked.</p></noscript>
</section>"""
