"""Hidden checks of the `bert` assignment, one module an exercise."""
