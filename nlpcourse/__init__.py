"""The public half of the course: data, display, evaluation and the command line.

Chapters, exercises and students import this package and nothing else of the course.
"""
