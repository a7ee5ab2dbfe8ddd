"""What the course's directives share: they write Markdown or HTML from files, and name the files."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from nlpcourse.errors import CourseError


class Generated(SphinxDirective):
    """A directive that writes Markdown and has it parsed where it stands."""

    def markdown(self) -> str:
        """The text that takes the directive's place.

        Raises:
            CourseError: a file that it is made from is missing or wrong; the build shows the message.
        """
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


def html(text: str) -> nodes.raw:
    """A node of HTML that is written as it is."""
    return nodes.raw("", text, format="html")
