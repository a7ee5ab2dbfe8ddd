"""Runs the worked examples on the reference, so that the output students read is computed, never typed."""

import contextlib
import io
import traceback
from typing import Any

from nlpcourse.errors import CourseError


class Rehearsal:
    """Runs the cells that come before an example, in order, as a kernel would."""

    def __init__(self) -> None:
        self.namespace: dict[str, Any] = {"__name__": "__main__"}

    def run(self, code: str, where: str) -> str:
        """What `code` prints.

        Raises:
            CourseError: it raises.
        """
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(compile(code, where, "exec"), self.namespace)  # noqa: S102 - the course's own manuscript
        except Exception as error:
            line = traceback.extract_tb(error.__traceback__)[-1].lineno
            raise CourseError(
                f"{where}, line {line}: {type(error).__name__}: {error}; mend the cell"
            ) from error
        return printed.getvalue()


def with_output(code: str, printed: str) -> str:
    """`code` followed by what it prints, as comments.

    Raises:
        CourseError: it prints nothing, so it shows nothing.
    """
    lines = [f"# {line}".rstrip() for line in printed.rstrip().splitlines()]
    return "\n".join([code, "", "# It prints:", *lines])
