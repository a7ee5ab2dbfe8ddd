"""The wall: the student's code answers calls from its own process; only plain data crosses."""
