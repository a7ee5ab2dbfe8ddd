"""Tests of the hidden checks themselves: known answers, mutants of the reference, many seeds; kept as records."""
