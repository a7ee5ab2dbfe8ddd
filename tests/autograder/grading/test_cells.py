"""The line of a cell that a traceback names."""

import pytest

from autograder.grading.cells import _line_number


def number(*lines):
    return _line_number({"traceback": list(lines), "execution_count": 3})


@pytest.mark.parametrize(
    "frame", ["Cell In[3], line 7", "Cell In[3], line 2\nCell In[3]:7", "<ipython-input-3-1f0a9b>:7"]
)
def test_the_innermost_line_of_this_cell_counts(frame):
    assert number(frame, "Cell In[2], line 9") == 7


@pytest.mark.parametrize(
    "text", ["<ipython-input-1" * 7_000, "<ipython-input-" + "1" * 99_000, "Cell In[" * 12_000]
)
def test_a_traceback_made_by_hand_is_read_in_one_go(text):
    """Read anew from each place, these would take minutes."""
    assert number(text) == 0
