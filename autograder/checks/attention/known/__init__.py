"""Answers to the exercises of `attention` of which one knows what they are; one file an exercise."""
