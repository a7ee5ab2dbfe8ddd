"""The instructor's grader: authoring, the sandbox, the wall, the checks and the classroom."""
