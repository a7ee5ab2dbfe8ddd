"""What one kernel may use, in one place, with the units in the names."""

from dataclasses import dataclass, fields

from nlpcourse.errors import CourseError

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """Limits of one kernel. All are positive whole numbers."""

    cpu_seconds_cell: int = 30
    """CPU time (user and system, all processes together) between two calls of `begin_cell`."""
    cpu_seconds_notebook: int = 300
    """CPU time over the life of the kernel, start included."""
    wall_factor: int = 4
    """Wall time allowed, as a multiple of the CPU time: the backstop for sleeping code."""
    memory_bytes: int = 4 * GIB
    """Memory of the kernel and everything it starts."""
    processes: int = 64
    """Processes and threads beside those that the kernel itself needs."""
    output_bytes_cell: int = MIB
    """Output of one cell, all streams and displays together."""
    scratch_bytes: int = 64 * MIB
    """Files: the working folder, /tmp and /dev/shm together."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or value < 1:
                raise CourseError(f"limit {field.name} is {value!r}; expected a whole number of at least 1")
        if self.cpu_seconds_notebook < self.cpu_seconds_cell:
            raise CourseError(
                f"limit cpu_seconds_notebook ({self.cpu_seconds_notebook}) is below cpu_seconds_cell "
                f"({self.cpu_seconds_cell}); make it at least as large"
            )
