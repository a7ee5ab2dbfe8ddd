"""The instructor's commands: `exercises`, `publish`, `class`, `grade`, `report`, `demo`.

What a command needs is imported when it runs.
"""

import contextlib
import json
import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from nlpcourse.errors import CourseError

if TYPE_CHECKING:
    from autograder.classroom.grade import Outcome

#: Heading of the instructor's commands in the help.
PANEL = "For instructors"

classes = typer.Typer(
    name="class",
    help="Make a class, release a topic to it, collect its submissions; then come `grade` and `report`.",
    no_args_is_help=True,
)

ClassArgument = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the class.")]
ClassOption = Annotated[Path, typer.Option("--class", metavar="DIR", help="The folder of the class.")]


class Platform(StrEnum):
    """Learning platforms that grades are exported to."""

    canvas = "canvas"
    moodle = "moodle"


def register(app: typer.Typer) -> None:
    """Add the instructor's commands to the command line."""
    from autograder.authoring import command as authoring
    from autograder.publish import command as publishing

    authoring.register(app)
    publishing.register(app)
    app.add_typer(classes, rich_help_panel=PANEL)
    for function in (grade, report, demo):
        app.command(rich_help_panel=PANEL)(function)


def _console() -> Console:
    return Console(soft_wrap=True, highlight=False)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@classes.command("init")
def class_init(folder: ClassArgument) -> None:
    """Make the folder of a new class: nbgrader's configuration, a gradebook, a secret for the seeds.

    Example: [bold]nlpcourse class init ~/classes/spring[/]
    """
    from autograder.classroom.init import init

    made = init(folder)
    _console().print(f"class made in {made.root}\nnext: nlpcourse class release {folder} TOPIC", markup=False)


@classes.command("release")
def class_release(
    folder: ClassArgument,
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="A topic of the course.")],
    due: Annotated[
        str | None,
        typer.Option(
            metavar="ISO", help="When it is due, such as 2026-03-01T23:59+08:00; never when not given."
        ),
    ] = None,
) -> None:
    """Release a topic to a class: make the notebook to hand out, and keep a copy of all that will grade it.

    Example: [bold]nlpcourse class release ~/classes/spring embeddings --due 2026-03-01T23:59+08:00[/]
    """
    from autograder.classroom.folder import lock, open_class
    from autograder.classroom.release import parse_due, release
    from nlpcourse.paths import project_root

    classroom = open_class(folder)
    with lock(classroom.root):
        pin = release(classroom, topic, root=project_root(), due=parse_due(due) if due else None)
    _console().print(
        f"pinned {topic} {pin['version']}: {len(pin['files'])} files, {pin['points']} automatic points, "
        f"{pin['by_hand']} by hand, fingerprint {pin['fingerprint'][:12]}, due {pin['due'] or 'never'}\n"
        f"hand out {classroom.release(topic)}",
        markup=False,
    )


@classes.command("collect")
def class_collect(
    folder: ClassArgument,
    archive: Annotated[
        Path,
        typer.Argument(
            metavar="ARCHIVE", help="A Canvas or Moodle zip file, or a folder or zip file of STUDENT/x.ipynb."
        ),
    ],
    topic: Annotated[
        str | None, typer.Option(help="The topic of every notebook; when not given, each notebook says it.")
    ] = None,
    received: Annotated[
        str | None,
        typer.Option(
            metavar="ISO",
            help="When the notebooks were handed in, where the platform does not say; now when not given.",
        ),
    ] = None,
) -> None:
    """Take the submissions that you downloaded into a class. A file that cannot be taken is named and left out.

    Example: [bold]nlpcourse class collect ~/classes/spring ~/Downloads/submissions.zip[/]
    """
    from autograder.classroom.collect import collect
    from autograder.classroom.folder import lock, open_class
    from autograder.classroom.names import printable
    from autograder.classroom.release import parse_due

    classroom = open_class(folder)
    with lock(classroom.root):
        found = collect(classroom, archive, topic=topic, received=parse_due(received) if received else None)
    console = _console()
    for path, reason in found.refused:
        console.print(f"not taken: {printable(path)}: {printable(reason, 300)}", markup=False)
    late = sum(1 for receipt in found.taken if receipt.late)
    console.print(
        f"{len(found.taken)} taken ({late} marked late by the platform), {found.unchanged} unchanged, "
        f"{len(found.refused)} not taken",
        markup=False,
    )


def grade(
    topics: Annotated[list[str], typer.Argument(metavar="TOPIC ...", help="Topics released to the class.")],
    folder: ClassOption,
    students: Annotated[
        list[str] | None,
        typer.Option("--student", metavar="ID", help="Grade only this student; may be repeated."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that grade; one for each core when not given.")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="A Dask scheduler, such as tcp://10.0.0.5:8786, whose workers grade."
        ),
    ] = None,
    db: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where the gradebook is from now on, such as postgresql://user:password@host/name; "
            "gradebook.db in the class when never given.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the outcomes to this file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what is graded already.")] = False,
    unsafe: Annotated[
        bool,
        typer.Option(
            "--unsafe-no-sandbox",
            help="Grade without the sandbox: only for notebooks that you wrote yourself.",
        ),
    ] = False,
) -> None:
    """Grade the submissions of a class. Stop it at any time; the same command goes on where it stopped.

    Example: [bold]nlpcourse grade embeddings --class ~/classes/spring[/]
    """
    from autograder.classroom import worker
    from autograder.classroom.folder import open_class

    if dask is not None and workers is not None:
        raise CourseError(
            "--workers counts processes of this machine, --dask names others: give one of the two"
        )
    classroom = open_class(folder)
    console = _console()
    if unsafe:
        warn_unsafe()
    outcomes = []
    for topic in dict.fromkeys(topics):
        chosen, processes = tuple(students or ()), workers or cores()
        try:
            with (
                worker.begin(classroom, topic, chosen, workers=processes, force=force, unsafe=unsafe)
                if dask is None
                else contextlib.nullcontext()
            ) as pool:  # begun before this process, too, imports for seconds
                from autograder.classroom.grade import Order
                from autograder.classroom.grade import grade as run
                from autograder.classroom.summary import scores

                order = Order(topic, chosen, processes, db, force, unsafe, dask)
                outcomes.append(run(classroom, order, pool))
        except KeyboardInterrupt:
            raise CourseError("stopped; what was graded stays, run the same command again to go on") from None
        print_outcome(console, outcomes[-1])
        console.print(scores(outcomes[-1]), markup=False)
    console.print(f"next: nlpcourse report --class {folder}", markup=False)
    if output is not None:
        from autograder.classroom.outcome import as_contract
        from nlpcourse.files import write_atomically

        content = [as_contract(classroom, outcome) for outcome in outcomes]
        write_atomically(output, json.dumps(content[0] if len(content) == 1 else content, indent=1) + "\n")
    if any(outcome.problems for outcome in outcomes):
        raise typer.Exit(1)


def warn_unsafe() -> None:
    """Say loudly that there is no sandbox."""
    Console(stderr=True).print(
        "WARNING: no sandbox. The code of these notebooks can read and change everything that you can, scores can be "
        "forged, and every record says so. Grade nobody else's work like this.",
        style="bold red",
    )


def print_outcome(console: Console, outcome: "Outcome") -> None:
    """A line on the run, the submissions that failed, and what the grader failed at."""
    kept = len(outcome.records) - outcome.graded
    console.print(f"{outcome.topic}: {outcome.graded} graded, {kept} were graded already", markup=False)
    for record in outcome.records:
        if record.status == "failed":
            console.print(f"  failed: {record.student}: {record.reason}", markup=False)
    for problem in outcome.problems:
        Console(stderr=True, soft_wrap=True).print(f"  {problem}", markup=False, style="red")


def report(
    folder: ClassOption,
    lms: Annotated[
        Platform | None, typer.Option(help="Also write the grades as this platform imports them.")
    ] = None,
) -> None:
    """Write a class's report, a feedback page for each student, and grades.csv.

    Example: [bold]nlpcourse report --class ~/classes/spring --lms canvas[/]
    """
    from autograder.classroom.export import write_grades, write_platform
    from autograder.classroom.feedback import write_feedback
    from autograder.classroom.folder import open_class
    from autograder.classroom.report import write_report
    from autograder.classroom.results import read_results

    classroom = open_class(folder)
    results = read_results(classroom)
    console = _console()
    for write in (write_report, write_grades):
        console.print(f"wrote {write(classroom, results)}", markup=False)
    pages = write_feedback(classroom, results)
    console.print(f"wrote {len(pages)} feedback pages in {classroom.root / 'feedback'}", markup=False)
    for path in write_platform(classroom, results, lms.value) if lms is not None else ():
        console.print(f"wrote {path}", markup=False)


def demo() -> None:
    """Try it all once: build the book and the exercises, grade ten sample submissions, say what to open.

    Example: [bold]nlpcourse demo[/]
    """
    from autograder.demo import run
    from nlpcourse.paths import project_root

    run(project_root(), _console(), workers=cores())
