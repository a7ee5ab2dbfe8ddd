"""Hidden checks of the `embeddings` assignment, one module an exercise."""
