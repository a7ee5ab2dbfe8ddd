"""What makes a process of the course start sooner."""

import sys


def skip_grammars() -> None:
    """Let jsonschema do without the grammars of international addresses, which take two seconds at each start.

    jsonschema looks whether the module is there and checks such addresses only then; no notebook's schema names one.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None is how Python says "cannot be imported"
