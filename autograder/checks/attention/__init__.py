"""Hidden checks of the `attention` assignment, one module an exercise."""
