"""From a manuscript (`solutions/<topic>/exercise.md`) and its references to the notebook students fill in."""
