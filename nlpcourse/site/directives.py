"""Directives whose text comes from the registry of topics and from released notebooks."""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

import nlpcourse
from nlpcourse.exercises import Exercise, notebook_path, read_assignment
from nlpcourse.site import launch, path_map, progress
from nlpcourse.site.generated import Generated, html
from nlpcourse.topics import Topic, topic, topics

_WORDS_A_MINUTE = 150
_REGISTRY = Path(nlpcourse.__file__).with_name("topics.toml")


def setup(app: Sphinx) -> None:
    """Add the directives."""
    app.add_directive("topics", TopicsDirective)
    app.add_directive("path", PathDirective)
    app.add_directive("progress", ProgressDirective)
    app.add_directive("objectives", ObjectivesDirective)
    app.add_directive("assignment", AssignmentDirective)
    app.add_directive("reading-time", ReadingTimeDirective)


class TopicsDirective(Generated):
    """The course as a table: every topic in order, what it needs first; planned ones are plain text."""

    def markdown(self) -> str:
        self.depends_on(_REGISTRY)
        rows = ["| No. | Topic | In Chinese | Needs first | State |", "|---:|---|---|---|---|"]
        owner = {objective.id: each.title for each in topics() for objective in each.objectives}
        rows += [_topic_row(number, each, owner) for number, each in enumerate(topics(), start=1)]
        return "\n".join(rows)


class PathDirective(Generated):
    """The course as a picture; links lead to the topics that are ready."""

    def run(self) -> list[nodes.Node]:
        self.depends_on(_REGISTRY)
        return [html(path_map.draw(topics(), self._address))]

    def _address(self, each: Topic) -> str:
        page = f"chapters/{each.name}/index"
        if page not in self.env.found_docs:
            raise self.error(
                f"topic {each.name} is ready, but there is no page {page}; write it, or plan the topic"
            )
        return self.env.app.builder.get_relative_uri(self.env.docname, page)


class ProgressDirective(Generated):
    """A bar for each topic: how many of its objectives the reader has ticked."""

    def run(self) -> list[nodes.Node]:
        self.depends_on(_REGISTRY)
        return [html(progress.bars(topics()))]


class ObjectivesDirective(Generated):
    """What a reader of a topic will be able to do, to be ticked. Argument: the topic's name."""

    required_arguments = 1

    def markdown(self) -> str:
        self.depends_on(_REGISTRY)
        return "\n".join(f"* **{each.id}**: {each.text}" for each in topic(self.arguments[0]).objectives)

    def run(self) -> list[nodes.Node]:
        written = super().run()
        objectives = topic(self.arguments[0]).objectives
        items = [item for node in written for item in node.findall(nodes.list_item)]
        for item, objective in zip(items, objectives, strict=True):
            item["ids"].append(objective.id)
        return [*written, html(progress.note(topic(self.arguments[0])))]


class ReadingTimeDirective(Generated):
    """One sentence: how long a topic takes to read and to work through. Argument: the topic's name."""

    required_arguments = 1

    def markdown(self) -> str:
        root = Path(self.env.srcdir)
        pages = sorted((root / "chapters" / self.arguments[0]).glob("*.md"))
        words = sum(_words_shown(self.depends_on(page).read_text(encoding="utf-8")) for page in pages)
        notebook = self.depends_on(notebook_path(self.arguments[0], root))
        reading = 5 * round(words / _WORDS_A_MINUTE / 5)
        working = read_assignment(notebook).minutes
        return f"About {reading} minutes to read, and about {working} minutes for the exercises."


class AssignmentDirective(Generated):
    """The table of an assignment and the ways to start it. Argument: the topic's name."""

    required_arguments = 1

    def markdown(self) -> str:
        name = self.arguments[0]
        released = read_assignment(self.depends_on(notebook_path(name, Path(self.env.srcdir))))
        rows = {exercise.number: _exercise_row(exercise) for exercise in released.exercises}
        rows |= {
            each.number: f"| {each.number} | {each.title} (in words, graded by a person) | {each.points} | | | |"
            for each in released.questions
        }
        table = [
            "| No. | Exercise | Points | Difficulty | Minutes | Objectives |",
            "|---:|---|---:|---|---:|---|",
            *(rows[number] for number in sorted(rows)),
        ]
        return "\n".join(
            [
                f"**{released.total}**, about **{released.minutes} minutes**, version {released.version}.",
                "",
                *table,
                "",
                f"* {{download}}`Download the notebook </exercises/{name}/{name}.ipynb>` "
                "and open it in JupyterLab or VS Code.",
                f"* [Open it in Google Colab]({launch.colab_address(name)}). "
                "Its first cell installs the course there.",
                "* Open it on a JupyterHub that has [nbgitpuller](https://nbgitpuller.readthedocs.io):",
            ]
        )

    def run(self) -> list[nodes.Node]:
        return [*super().run(), html(launch.hub_form(self.arguments[0]))]


def _words_shown(page: str) -> int:
    """Words of a page that a reader meets: cells whose code is folded or left out do not count."""
    cells = re.compile(r"^```\{code-cell\}.*?^```$", re.DOTALL | re.MULTILINE)
    shown = cells.sub(lambda cell: "" if re.search(r"hide-input|remove-cell", cell[0]) else cell[0], page)
    return len(re.findall(r"\w+", shown))


def _topic_row(number: int, each: Topic, owner: dict[str, str]) -> str:
    title = f"[{each.title}](/chapters/{each.name}/index.md)" if each.ready else each.title
    needs = ", ".join(f"{need} ({owner[need]})" for need in each.needs) or ("nothing" if each.ready else "")
    return f"| {number} | {title} | {each.chinese} | {needs} | {each.state} |"


def _exercise_row(exercise: Exercise) -> str:
    title = f"{exercise.title} (`{exercise.id}`)" + (
        ", further: outside the total" if exercise.further else ""
    )
    difficulty = f"{exercise.difficulty}/5 " + "●" * exercise.difficulty + "○" * (5 - exercise.difficulty)
    objectives = ", ".join(exercise.objectives)
    return f"| {exercise.number} | {title} | {exercise.points} | {difficulty} | {exercise.minutes} | {objectives} |"
