"""Answers to the exercises of `bert` of which one knows what they are; one file an exercise."""
