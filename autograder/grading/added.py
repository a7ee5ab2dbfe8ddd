"""The time of the cells that a student added. Together they have half of the notebook's, so exercises keep the rest."""

from autograder.sandbox.limits import Limits

#: CPU time that each added cell has when their share is used up: enough to import something or to define a function.
BRIEF_SECONDS = 2


class AddedCells:
    """How long each added cell of a submission may run, over all its kernels.

    When the share is used up, a cell that is known to take longer than `BRIEF_SECONDS` is not run again, and one that
    is not known yet is stopped there. What exercises need, a helper or an import, takes less.

    Args:
        limits: of the whole notebook.
    """

    def __init__(self, limits: Limits) -> None:
        self.share = limits.cpu_seconds_notebook // 2
        self.spent = 0.0
        self._most = limits.cpu_seconds_cell
        self._slow: set[str] = set()

    def seconds(self, cell: str) -> int:
        """CPU seconds that the cell with this id may take now; 0 when it is to be left out."""
        left = int(self.share - self.spent)
        if left < BRIEF_SECONDS and cell in self._slow:
            return 0
        return min(self._most, max(left, BRIEF_SECONDS))

    def took(self, cell: str, seconds: float) -> None:
        """Note what a cell has taken, whether it came to its end or not."""
        self.spent += seconds
        if seconds > BRIEF_SECONDS:
            self._slow.add(cell)

    @property
    def used_up(self) -> str:
        """Why a cell is left out or stopped early."""
        return f"the cells you added had used their {self.share} s of CPU time"
