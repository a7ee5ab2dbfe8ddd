"""What a class's nbgrader configuration says: where things lie and whose preprocessors grade."""

from pathlib import Path
from typing import Any

from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder.classroom.folder import Classroom
from nlpcourse.errors import CourseError

TEXT = '''"""nbgrader's configuration of this class. nbgrader's own commands and its formgrader, run here, grade as
`nlpcourse grade` does. Add settings below the last line: a late policy, a header, a database."""

from pathlib import Path

from autograder.classroom.config import configure

c = get_config()  # noqa: F821
configure(c, Path(__file__).resolve().parent)
'''


def configure(c: Any, root: Path) -> None:
    """Point nbgrader at the class in `root` and at our preprocessors."""
    from autograder.grading import nbgrader_glue

    c.CourseDirectory.root = str(root)
    c.CourseDirectory.course_id = "default_course"  # nbgrader's "" breaks a foreign key that PostgreSQL keeps
    database = Classroom(root).database_file
    if database.is_file():
        c.CourseDirectory.db_url = database.read_text(encoding="utf-8").strip()
    nbgrader_glue.configure(c)


def load_config(classroom: Classroom, *, db_url: str | None = None) -> Config:
    """The class's configuration as nbgrader's command line would read it.

    Args:
        classroom: the class.
        db_url: a gradebook in place of the configured one.

    Raises:
        CourseError: the file cannot be run.
    """
    try:
        config = PyFileConfigLoader(classroom.config.name, path=str(classroom.root)).load_config()
    except Exception as error:  # the file is the instructor's own Python
        raise CourseError(f"{classroom.config} cannot be read: {type(error).__name__}: {error}") from error
    config.CourseDirectory.root = str(classroom.root)
    if db_url is not None:
        config.CourseDirectory.db_url = db_url
    return config


def course_directory(config: Config) -> CourseDirectory:
    """nbgrader's view of the class folder."""
    return CourseDirectory(config=config)
