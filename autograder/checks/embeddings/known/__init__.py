"""Answers to the exercises of `embeddings` of which one knows what they are; one file an exercise."""
