"""Writing files so that a kill, a full disk or a second writer never leaves half a file behind."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from nlpcourse.errors import CourseError


@contextlib.contextmanager
def replacing(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of `path` when the block ends.

    Readers see the old file or the new one, never a part: the bytes go to a temporary file in the same folder, are
    flushed to the disk, and replace `path` in one step.

    Raises:
        CourseError: the folder is missing, read-only or full; what stood at `path` is untouched.
    """
    temporary = None
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException as error:
        if temporary is not None:
            with contextlib.suppress(OSError):
                Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise CourseError(
                f"cannot write {path}: {error.strerror or error}; nothing was changed there"
            ) from error
        raise


def write_atomically(path: Path, content: str | bytes, *, mode: int = 0o644) -> None:
    """Write `content` to `path` as `replacing` does.

    Raises:
        CourseError: the folder is missing, read-only or full; what stood at `path` is untouched.
    """
    with replacing(path, mode=mode) as file:
        file.write(content.encode() if isinstance(content, str) else content)
