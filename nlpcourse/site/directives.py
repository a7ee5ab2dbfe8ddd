"""Directives whose text comes from the registry of topics and from released notebooks."""

import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import nlpcourse
from nlpcourse import settings
from nlpcourse.errors import CourseError
from nlpcourse.exercises import Exercise, notebook_path, read_assignment
from nlpcourse.topics import Topic, topic, topics

_WORDS_A_MINUTE = 150
_REGISTRY = Path(nlpcourse.__file__).with_name("topics.toml")


def setup(app: Sphinx) -> None:
    """Add the directives."""
    app.add_directive("topics", TopicsDirective)
    app.add_directive("objectives", ObjectivesDirective)
    app.add_directive("assignment", AssignmentDirective)
    app.add_directive("reading-time", ReadingTimeDirective)


class _Generated(SphinxDirective):
    """A directive that writes Markdown and has it parsed where it stands."""

    def markdown(self) -> str:
        raise NotImplementedError

    def depends_on(self, path: Path) -> Path:
        """Read the page again when `path` changes."""
        self.env.note_dependency(str(path))
        return path

    def run(self) -> list[nodes.Node]:
        try:
            return self.parse_text_to_nodes(self.markdown())
        except CourseError as error:
            raise self.error(str(error)) from error


class TopicsDirective(_Generated):
    """The course as a table: every topic in order, what it needs first; planned ones are plain text."""

    def markdown(self) -> str:
        self.depends_on(_REGISTRY)
        rows = ["| No. | Topic | In Chinese | Needs first | State |", "|---:|---|---|---|---|"]
        rows += [_topic_row(number, each) for number, each in enumerate(topics(), start=1)]
        return "\n".join(rows)


class ObjectivesDirective(_Generated):
    """What a reader of a topic will be able to do. Argument: the topic's name."""

    required_arguments = 1

    def markdown(self) -> str:
        self.depends_on(_REGISTRY)
        return "\n".join(f"* **{each.id}**: {each.text}" for each in topic(self.arguments[0]).objectives)


class ReadingTimeDirective(_Generated):
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


class AssignmentDirective(_Generated):
    """The table of an assignment and the ways to start it. Argument: the topic's name."""

    required_arguments = 1

    def markdown(self) -> str:
        name = self.arguments[0]
        released = read_assignment(self.depends_on(notebook_path(name, Path(self.env.srcdir))))
        table = ["| Exercise | Points | Difficulty | Minutes | Objectives |", "|---|---:|---|---:|---|"]
        table += [_exercise_row(exercise) for exercise in released.exercises]
        table += [
            f"| {each.title} (in words, graded by a person) | {each.points} | | | |"
            for each in released.questions
        ]
        return "\n".join(
            [
                f"**{released.points} points**, about **{released.minutes} minutes**, "
                f"version {released.version}.",
                "",
                *table,
                "",
                f"* {{download}}`Download the notebook </exercises/{name}/{name}.ipynb>` "
                "and open it in JupyterLab or VS Code.",
                f"* [Open it in Google Colab]({colab_address(name)}). "
                "Its first cell installs the course there.",
            ]
        )


def colab_address(topic: str) -> str:
    """The address that opens the released notebook of `topic`, at the course's tag, in Google Colab."""
    repository = settings.REPOSITORY.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{repository}/blob/{settings.TAG}/exercises/{topic}/{topic}.ipynb"


def _words_shown(page: str) -> int:
    """Words of a page that a reader meets: cells whose code is folded or left out do not count."""
    cells = re.compile(r"^```\{code-cell\}.*?^```$", re.DOTALL | re.MULTILINE)
    shown = cells.sub(lambda cell: "" if re.search(r"hide-input|remove-cell", cell[0]) else cell[0], page)
    return len(re.findall(r"\w+", shown))


def _topic_row(number: int, each: Topic) -> str:
    title = f"[{each.title}](/chapters/{each.name}/index.md)" if each.ready else each.title
    needs = ", ".join(each.needs) or ("nothing" if each.ready else "")
    return f"| {number} | {title} | {each.chinese} | {needs} | {each.state} |"


def _exercise_row(exercise: Exercise) -> str:
    title = f"{exercise.title} (`{exercise.id}`)" + (", further" if exercise.further else "")
    difficulty = f"{exercise.difficulty}/5 " + "●" * exercise.difficulty + "○" * (5 - exercise.difficulty)
    objectives = ", ".join(exercise.objectives)
    return f"| {title} | {exercise.points} | {difficulty} | {exercise.minutes} | {objectives} |"
