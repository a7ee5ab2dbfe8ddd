"""All attacks that are data."""

import in_the_know
import on_resources
import on_the_answers
import on_the_file
import on_the_kernel
import on_the_moment
import on_the_system

ATTACKS = (
    *on_the_file.ATTACKS,
    *on_the_kernel.ATTACKS,
    *on_the_system.ATTACKS,
    *on_resources.ATTACKS,
    *on_the_answers.ATTACKS,
    *in_the_know.ATTACKS,
    *on_the_moment.ATTACKS,
)
