"""The one exception whose message is meant for the person at the keyboard."""


class CourseError(Exception):
    """Something the user can mend. The message is one line: what was found, what was expected, what to do.

    The command line prints the message and exits with `exit_code`; a traceback appears only with `--debug`.
    """

    exit_code = 1
