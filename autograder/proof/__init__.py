"""Tests of the hidden checks themselves: known answers, mutants, many seeds; the outcome is recorded."""
