"""`nlpcourse publish`: the public half of the course as a tree of its own, which holds nothing of the instructors'."""
