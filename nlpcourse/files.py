"""Writing files so that a kill, a full disk or a second writer never leaves half a file behind."""

import contextlib
import os
import tempfile
from pathlib import Path

from nlpcourse.errors import CourseError


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write `content` to `path` so that readers see the old file or the new one, never a part.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and replace `path` in one step.

    Raises:
        CourseError: the folder is missing, read-only or full; what stood at `path` is untouched.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        raise CourseError(
            f"cannot write {path}: {error.strerror or error}; nothing was changed there"
        ) from error
