"""Grading one submission: restore it, run it, reach every verdict on this side of the wall, record it."""
