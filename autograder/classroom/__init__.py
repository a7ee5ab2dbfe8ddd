"""A class folder: made, filled with releases and submissions, graded, reported."""
