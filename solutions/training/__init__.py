"""Training, shared by all topics: configurations, the loop, run records, and the command `nlpcourse train`."""
