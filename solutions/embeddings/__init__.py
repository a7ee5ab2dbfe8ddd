"""Reference code of the `embeddings` topic."""
